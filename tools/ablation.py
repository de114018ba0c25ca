#!/usr/bin/env python3
"""Short runs, measured on 5,000 images held out of the training set. The test images are not touched.

    python tools/ablation.py [--recipe plain|fast|strong] [--epochs N] [--seeds N] [--no-rates]

plain:  around the learning rates that the finder gives, and with other momentum and weight decay
fast:   with one thing left out or changed at a time
strong: at several learning rates of Muon, and with SGD

Writes results/study.json, study-fast.json or study-strong.json after every run. Call it again to continue.
"""
import json, time
from dataclasses import asdict, replace
from pathlib import Path

import torch

from cifar_nb.data import ImageDataset, load_data
from cifar_nb.device import device_name, pick_device, pick_precision
from cifar_nb.experiment import build, find_lrs
from cifar_nb.files import write_file
from cifar_nb.lr_finder import LRCurve
from cifar_nb.recipe import RECIPES, Recipe, get_recipe
from cifar_nb.train import evaluate, loss_and_accuracy

from project import new_parser, root

EPOCHS = dict(plain=6, fast=5, strong=3)
PLAIN = get_recipe('plain')
SGD = dict(optimizer='sgd', momentum=PLAIN.momentum, weight_decay=PLAIN.weight_decay,
           bias_lr_mult=None, head_lr_mult=None)

def plain_variants(curve: LRCurve, with_rates: bool) -> list[dict]:
    "Return the finder's learning rates, others around them, and other values of momentum and weight decay."
    factors = [(1, 1), (1, 2), (1, 1/2), (3, 1), (1/3, 1), (3, 2), (1/3, 1/2), (3, 1/2), (1/3, 2)]
    rates = [dict(lr_min=curve.lr_min*low, lr_max=curve.lr_max*high) for low, high in factors]
    others = [dict(weight_decay=1e-3), dict(momentum=.85), dict(weight_decay=2.5e-4), dict(momentum=.95)]
    return rates[:None if with_rates else 1] + [rates[0] | change for change in others]

def fast_variants() -> list[dict]:
    "Return the recipe unchanged, and with one thing left out or changed. `whitening=False`: learn it."
    left_out = [dict(label_smoothing=0.), dict(alternate_flip=False, flip=.5), dict(jitter=0.),
                dict(image_sizes=())]
    with_sgd = [SGD | dict(lr_max=lr) for lr in (.02, .1, .5, 2.)]
    return [{}, *left_out, *with_sgd, dict(whitening=False), dict(pad=0)]

def strong_variants() -> list[dict]:
    "Return learning rates of Muon; what SGD moves keeps a rate of 0.6 in all of them."
    def at(lr): return dict(lr_max=lr, bias_lr_mult=6.*.1/lr, head_lr_mult=6.*.1/lr)
    return [at(.1), at(.2), at(.4), SGD | dict(lr_max=.6)]

def find_curve(recipe: Recipe, data: ImageDataset, device: torch.device, done: dict) -> LRCurve:
    "Return the stored range test, or make one."
    if not done['curve']: done['curve'] = asdict(find_lrs(build(recipe, data, device)))
    return LRCurve(**done['curve'])

def learn_first_layer(model):
    "Give the fast network a first layer that starts at random and is trained, like any other."
    torch.nn.init.kaiming_uniform_(model.whiten.weight.requires_grad_(True), a=5**.5)

def run_one(recipe: Recipe, whitening: bool, data: ImageDataset, device: torch.device) -> dict:
    "Train once; return what came out."
    start = time.perf_counter()
    experiment = build(recipe, data, device)
    if not whitening: learn_first_layer(experiment.model)
    state = experiment.fit()
    assert state.logits is not None # the last epoch is always evaluated
    loss, accuracy = loss_and_accuracy(state.logits, experiment.test.y.cpu())
    run = dict(recipe=asdict(recipe), accuracy=accuracy, loss=loss, train_acc=state.history[-1]['train_acc'],
               seconds=time.perf_counter() - start)
    if not whitening: run['whitening'] = False
    if recipe.tta_views > 1:
        one_view = evaluate(state.model, experiment.test, experiment.precision)
        run['accuracy_of_one_view'] = loss_and_accuracy(*one_view)[1]
    return run

def main():
    parser = new_parser(__doc__)
    parser.add_argument('--recipe', choices=RECIPES, default='plain')
    parser.add_argument('--epochs', type=int,
                        help=f'length of a run; the peak moves along (default: {EPOCHS})')
    parser.add_argument('--seeds', type=int, default=1, help='runs of each variant')
    parser.add_argument('--no-rates', action='store_true', help="plain: of learning rates only the finder's")
    parser.add_argument('--device', default='auto')
    parser.add_argument('--output', type=Path, help='default: the file in results/')
    args = parser.parse_args()
    if args.no_rates and args.recipe != 'plain': parser.error('--no-rates is for the plain recipe')
    default_name = 'study.json' if args.recipe == 'plain' else f'study-{args.recipe}.json'
    output = args.output or root/'results'/default_name

    device, data = pick_device(args.device), load_data(synthetic='never').hold_out()
    base = get_recipe(args.recipe).with_epochs(args.epochs or EPOCHS[args.recipe])
    precision = pick_precision(device).name
    new: dict = dict(data=data.name, hardware=device_name(device), precision=precision, curve=None, runs=[])
    done = json.loads(output.read_text()) if output.exists() else new
    if args.recipe == 'plain':
        variants = plain_variants(find_curve(base, data, device, done), not args.no_rates)
    else: variants = fast_variants() if args.recipe == 'fast' else strong_variants()
    known = [(Recipe.from_dict(run['recipe']), run.get('whitening', True)) for run in done['runs']]
    for seed in range(args.seeds):
        for variant in variants:
            whitening = variant.get('whitening', True)
            changes = {name: value for name, value in variant.items() if name != 'whitening'}
            recipe = replace(base, seed=seed, **changes)
            if (recipe, whitening) in known: continue
            done['runs'].append(run := run_one(recipe, whitening, data, device))
            write_file(output, json.dumps(done, indent=1).encode())
            changed = {name: value for name, value in variant.items() if value != variants[0].get(name)}
            print(f"{run['accuracy']:.2%} {run['loss']:.4f} {changed}", flush=True)

if __name__ == '__main__': main()
