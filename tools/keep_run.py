#!/usr/bin/env python3
"""Keep a finished run on CIFAR-10 in results/: recipe, history, test logits, provenance and range test, but not the weights.

    python tools/keep_run.py runs/RUN full-cpu-seed0
"""
import argparse, shutil, sys
from pathlib import Path

import torch

from cifar_nb.cli import make_parts
from cifar_nb.data import load_data
from cifar_nb.results import check_data, check_model, read_run
from cifar_nb.train import Recipe

results = Path(__file__).resolve().parent.parent/'results'
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('run', type=Path, help='a run folder')
parser.add_argument('name', help='of the new folder in results/')
args = parser.parse_args()

run = read_run(args.run)
data = load_data(stand_in='never')
check_data(run, data)
check_model(run, make_parts(Recipe.from_json((args.run/'recipe.json').read_text()), data, torch.device('cpu'))[0])
if not run.finished: sys.exit(f"'{args.run}' is not finished")
if len(run.origin['commit']) != 40: sys.exit(f"'{args.run}' was made by code that is in no commit: {run.origin['commit'] or 'no checkout'}")
folder = results/args.name
folder.mkdir() # what is there stays
for name in ('recipe.json', 'history.csv', 'test_logits.safetensors', 'provenance.json', 'lr_curve.json'):
    if (args.run/name).exists(): shutil.copy(args.run/name, folder)
print(f'{folder}: {run.title}')
