#!/usr/bin/env python3
"""Short runs, measured on 5,000 images held out of the training set: the plain recipe around the learning rates that the
finder gives, and with other values of what the brief leaves open; the fast recipe with one thing left out
or changed at a time; the strong recipe at several learning rates of Muon, and with SGD.

    python tools/study.py [--recipe plain|fast|strong] [--epochs N] [--seeds N] [--no-rates] [--device NAME]

Writes results/study.json, study-fast.json or study-strong.json after every run and goes on where it was stopped. The test images are not touched.
"""
import argparse, json, time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch

from cifar_nb.cli import OPTIMIZERS, RECIPES, find_lrs, make_parts
from cifar_nb.data import load_data
from cifar_nb.device import hardware, pick_device, pick_precision
from cifar_nb.fast import predict_views
from cifar_nb.lr_finder import LRCurve
from cifar_nb.train import Recipe, evaluate, fit, score, write_file

root = Path(__file__).resolve().parent.parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--recipe', choices=RECIPES, default='plain')
parser.add_argument('--epochs', type=int, help='length of a run; the peak moves along (default: 6, of fast 5, of strong 3)')
parser.add_argument('--seeds', type=int, default=1, help='runs of each variant')
parser.add_argument('--no-rates', action='store_true', help='plain: none but the learning rates of the finder, only the other values')
parser.add_argument('--device', default='auto')
parser.add_argument('--output', type=Path, help='default: the file in results/')
args = parser.parse_args()
if args.no_rates and args.recipe != 'plain': parser.error('--no-rates is for the plain recipe, whose learning rates the finder found')
output = args.output or root/'results'/('study.json' if args.recipe == 'plain' else f'study-{args.recipe}.json')

device = pick_device(args.device)
data = load_data(stand_in='never').hold_out()
full = RECIPES[args.recipe]['full']
base = full.of_length(args.epochs or {'plain': 6, 'fast': 5, 'strong': 3}[args.recipe])
done = json.loads(output.read_text()) if output.exists() else dict(
    data=data.name, hardware=hardware(device), precision=pick_precision(device).name, curve=None, runs=[])
if args.recipe == 'plain':
    if not done['curve']:
        model, train, _ = make_parts(base, data, device)
        done['curve'] = asdict(find_lrs(base, model, train))
    curve = LRCurve(**done['curve'])
    factors = [(1, 1), (1, 2), (1, 1/2), (3, 1), (1/3, 1), (3, 2), (1/3, 1/2), (3, 1/2), (1/3, 2)]
    variants = [dict(lr_min=curve.lr_min*low, lr_max=curve.lr_max*high) for low, high in factors[:1 if args.no_rates else None]]
    variants += [dict(variants[0], **change) for change in (dict(weight_decay=1e-3), dict(momentum=.85), dict(weight_decay=2.5e-4), dict(momentum=.95))]
else:
    usual = RECIPES['plain']['full']
    sgd = dict(optimizer='sgd', momentum=usual.momentum, weight_decay=usual.weight_decay)
    if args.recipe == 'fast':
        variants = [{}, dict(label_smoothing=0.), dict(alternate_flip=False, flip=.5), dict(jitter=0.), dict(sizes=())]
        variants += [dict(sgd, lr_max=lr) for lr in (.02, .1, .5, 2.)] + [dict(whitening=False), dict(pad=0)]
    else: # what SGD moves goes on at a rate of 0.6, whatever that of Muon is
        base = replace(base, lr_max=.1, bias_scale=6., head_scale=6.)
        variants = [dict(lr_max=lr, bias_scale=base.bias_scale*base.lr_max/lr, head_scale=base.head_scale*base.lr_max/lr) for lr in (.1, .2, .4)] + [dict(sgd, lr_max=.6)]

def learnt_first_layer(model):
    "The fast network with a first layer that begins at random and is trained, like any other."
    torch.nn.init.kaiming_uniform_(model.whiten.weight.requires_grad_(True), a=5**.5)

for seed in range(args.seeds):
    for change in variants:
        whitening = change.get('whitening', True)
        recipe = replace(base, seed=seed, **{name: value for name, value in change.items() if name != 'whitening'})
        if any((Recipe.from_json(json.dumps(run['recipe'])), run.get('whitening', True)) == (recipe, whitening) for run in done['runs']): continue
        start = time.perf_counter()
        model, train, held = make_parts(recipe, data, device)
        if not whitening: learnt_first_layer(model)
        history, logits = fit(model, train, held, recipe, progress=False, optimizer=OPTIMIZERS[recipe.optimizer], predict=partial(predict_views, views=recipe.views))
        loss, accuracy = score(logits, held.y.cpu())
        run = dict(recipe=asdict(recipe), accuracy=accuracy, loss=loss, train_acc=history[-1]['train_acc'], seconds=time.perf_counter() - start)
        if not whitening: run['whitening'] = False
        if recipe.views > 1:
            run['accuracy_of_one_view'] = score(*evaluate(model, held, pick_precision(device)))[1]
        done['runs'].append(run)
        write_file(output, json.dumps(done, indent=1).encode())
        changed = {name: value for name, value in change.items() if value != variants[0].get(name)}
        print(f'{accuracy:.2%} {loss:.4f} {changed}', flush=True)
