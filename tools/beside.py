#!/usr/bin/env python3
"""Train the fast recipe and a reference script on this machine, and write down time and accuracy of both.

    python tools/beside.py REFERENCE.py [--seeds N] [--device cpu|cuda] [--output runs/beside]

A time is that of training and of the evaluation after it; of the set-up only the whitening of the reference counts, which takes hundredths of a second.

On a CPU REFERENCE.py is a port of airbench94_muon.py (it is no part of this project): called with a seed, it ends with the table of that script. The two
take turns, and who begins changes from pair to pair.

On a GPU it is airbench94_muon.py itself, but for the number of runs. It trains once to warm up, which is not timed, and then again and again; so does ours.
How long both take until they are warm is written down beside the times.
"""
import argparse, json, subprocess, sys, time
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from cifar_nb.cli import OPTIMIZERS, RECIPES, make_parts
from cifar_nb.data import load_data
from cifar_nb.device import hardware, pick_device, pick_precision
from cifar_nb.fast import predict_views
from cifar_nb.results import load_weights, read_run
from cifar_nb.train import Recipe, commit, evaluate, fit, score, write_file

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('reference', type=Path)
parser.add_argument('--seeds', type=int, default=3, help='runs of ours, one for each seed, and of the reference')
parser.add_argument('--device', default='cpu')
parser.add_argument('--output', type=Path, default=Path('runs')/'beside', help='gets beside.json, and from a CPU a run folder for each seed')
args = parser.parse_args()

device, data = pick_device(args.device), load_data(stand_in='never')

def one_view(model, test): return score(*evaluate(model, test, pick_precision(device)))[1]

def ours(seed):
    "The command, in a process of its own."
    folder = args.output/f'fast-seed{seed}'
    subprocess.run([sys.executable, '-c', 'import cifar_nb.cli; raise SystemExit(cifar_nb.cli.main())', 'train', '--recipe', 'fast', '--seed', str(seed), '--device', args.device, '--output', folder], check=True)
    run = read_run(folder)
    model, _, test = make_parts(Recipe.from_json((folder/'recipe.json').read_text()), data, device)
    return dict(seconds=sum(row['seconds'] for row in run.history), accuracy=run.history[-1]['test_acc'], accuracy_of_one_view=one_view(load_weights(run, model), test))

def ours_again(seed):
    "The same in this process."
    recipe = replace(RECIPES['fast']['full'], seed=seed)
    model, train, test = make_parts(recipe, data, device)
    history, _ = fit(model, train, test, recipe, progress=False, optimizer=OPTIMIZERS[recipe.optimizer], predict=partial(predict_views, views=recipe.views))
    return dict(seconds=sum(row['seconds'] for row in history), accuracy=history[-1]['test_acc'], accuracy_of_one_view=one_view(model, test))

def reference(*arguments):
    "The runs that the script prints, as it prints them."
    with subprocess.Popen([sys.executable, '-u', args.reference, *arguments], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            cells = [cell.strip() for cell in line.split('|')]
            if cells[2:3] == ['eval']: yield dict(seconds=float(cells[6]), accuracy=float(cells[5]), accuracy_of_one_view=float(cells[4]))
    if process.returncode: sys.exit(f'{args.reference} ended with {process.returncode}')

args.output.mkdir(parents=True)
measured = dict(hardware=hardware(device), precision=pick_precision(device).name, torch=torch.__version__, commit=commit(), runs=[])
def keep(who, seed, run, start):
    measured['runs'].append(dict(who=who, seed=seed) | run | dict(wall_seconds=time.perf_counter() - start))
    print(measured['runs'][-1], flush=True)
    write_file(args.output/'beside.json', json.dumps(measured, indent=1).encode())

if device.type == 'cpu':
    for seed in range(args.seeds):
        for who in ('ours', 'reference')[::-1 if seed % 2 else 1]:
            start = time.perf_counter()
            keep(who, seed, ours(seed) if who == 'ours' else [*reference(str(seed))][-1], start)
else:
    measured['warm_after_seconds'] = {}
    for who, runs in (('ours', map(ours_again, (0, *range(args.seeds)))), ('reference', reference())):
        start = time.perf_counter()
        next(runs) # to warm up
        measured['warm_after_seconds'][who] = time.perf_counter() - start
        for seed in range(args.seeds):
            start = time.perf_counter()
            keep(who, seed, next(runs), start)
