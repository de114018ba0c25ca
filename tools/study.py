#!/usr/bin/env python3
"""The study that chooses what the brief leaves open: short runs, measured on 5,000 images held out of the training set.

    python tools/study.py [--epochs N] [--seeds N] [--device NAME]

Writes results/study.json after every run and goes on where it was stopped. The test images are not touched.
"""
import argparse, json, time
from dataclasses import asdict, replace
from pathlib import Path

from cifar_nb.cli import find_lrs, make_parts
from cifar_nb.data import load_data
from cifar_nb.device import hardware, pick_device, pick_precision
from cifar_nb.lr_finder import LRCurve
from cifar_nb.train import Recipe, fit, score, write_file

root = Path(__file__).resolve().parent.parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--epochs', type=int, default=6, help='length of a run; the peak stays at 5/24 of it (default: 6)')
parser.add_argument('--seeds', type=int, default=1, help='runs of each variant')
parser.add_argument('--device', default='auto')
parser.add_argument('--output', type=Path, default=root/'results'/'study.json')
args = parser.parse_args()

device = pick_device(args.device)
data = load_data(stand_in='never').hold_out()
base = replace(Recipe(), epochs=args.epochs, peak_epoch=Recipe().peak_epoch*args.epochs/Recipe().epochs)
done = json.loads(args.output.read_text()) if args.output.exists() else dict(
    data=data.name, hardware=hardware(device), precision=pick_precision(device).name, curve=None, runs=[])
if not done['curve']:
    model, train, _ = make_parts(base, data, device)
    done['curve'] = asdict(find_lrs(base, model, train))
curve = LRCurve(**done['curve'])

factors = [(1, 1), (1, 2), (1, 1/2), (3, 1), (1/3, 1), (3, 2), (1/3, 1/2), (3, 1/2), (1/3, 2)]
variants = [dict(lr_min=curve.lr_min*low, lr_max=curve.lr_max*high) for low, high in factors]
variants += [dict(variants[0], **change) for change in (dict(weight_decay=1e-3), dict(weight_decay=2.5e-4), dict(padding_mode='constant'), dict(momentum=.95), dict(momentum=.85))]
for seed in range(args.seeds):
    for change in variants:
        recipe = replace(base, seed=seed, **change)
        if any(run['recipe'] == asdict(recipe) for run in done['runs']): continue
        start = time.perf_counter()
        model, train, held = make_parts(recipe, data, device)
        history, logits = fit(model, train, held, recipe, progress=False)
        loss, accuracy = score(logits, held.y)
        done['runs'].append(dict(recipe=asdict(recipe), accuracy=accuracy, loss=loss, train_acc=history[-1]['train_acc'], seconds=time.perf_counter() - start))
        write_file(args.output, json.dumps(done, indent=1).encode())
        changed = {k: v for k, v in asdict(recipe).items() if v != asdict(replace(base, **variants[0]))[k]}
        print(f'{accuracy:.2%} {loss:.4f} {changed}', flush=True)
