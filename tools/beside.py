#!/usr/bin/env python3
"""Train the fast recipe and a reference script in turns on this machine, and write down time and accuracy of both.

    python tools/beside.py REFERENCE.py [--seeds N] [--output runs/beside]

REFERENCE.py is a port of airbench94_muon.py to this machine (it is no part of this project): called with a seed, it ends with
the table of that script. A time is that of training and of the evaluation after it; of the set-up only the whitening of the reference counts, which
takes hundredths of a second. Who begins changes from pair to pair.
"""
import argparse, json, subprocess, sys, time
from pathlib import Path

import torch

from cifar_nb.cli import make_parts
from cifar_nb.data import load_data
from cifar_nb.device import hardware, pick_precision
from cifar_nb.results import load_weights, read_run
from cifar_nb.train import Recipe, commit, evaluate, score, write_file

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('reference', type=Path)
parser.add_argument('--seeds', type=int, default=3, help='pairs of runs, one for each seed')
parser.add_argument('--output', type=Path, default=Path('runs')/'beside', help='gets a run folder for each seed and beside.json')
args = parser.parse_args()

cpu, data = torch.device('cpu'), load_data(stand_in='never')

def ours(seed):
    folder = args.output/f'fast-seed{seed}'
    subprocess.run([sys.executable, '-c', 'import cifar_nb.cli; raise SystemExit(cifar_nb.cli.main())', 'train', '--recipe', 'fast', '--seed', str(seed), '--device', 'cpu', '--output', folder], check=True)
    run = read_run(folder)
    model, _, test = make_parts(Recipe.from_json((folder/'recipe.json').read_text()), data, cpu)
    without = score(*evaluate(load_weights(run, model), test, pick_precision(cpu)))[1]
    return dict(seconds=sum(row['seconds'] for row in run.history), accuracy=run.history[-1]['test_acc'], accuracy_of_one_view=without)

def reference(seed):
    printed = subprocess.run([sys.executable, args.reference, str(seed)], check=True, capture_output=True, text=True).stdout
    [cells] = [row for row in ([cell.strip() for cell in line.split('|')] for line in printed.splitlines()) if row[2:3] == ['eval']]
    return dict(seconds=float(cells[6]), accuracy=float(cells[5]), accuracy_of_one_view=float(cells[4]))

args.output.mkdir(parents=True)
runs = []
for seed in range(args.seeds):
    for who, run in [('ours', ours), ('reference', reference)][::-1 if seed % 2 else 1]:
        start = time.perf_counter()
        runs.append(dict(who=who, seed=seed) | run(seed) | dict(wall_seconds=time.perf_counter() - start))
        print(runs[-1], flush=True)
        write_file(args.output/'beside.json', json.dumps(dict(hardware=hardware(cpu), precision=pick_precision(cpu).name, torch=torch.__version__, commit=commit(), runs=runs), indent=1).encode())
