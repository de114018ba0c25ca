#!/usr/bin/env python3
"""Train the fast recipe and a reference script on this machine, and write down time and accuracy of both.

    python tools/compare.py REFERENCE.py [--seeds N] [--also '--epochs 6'] [--device cpu|cuda]
                            [--output runs/compare]

A time is that of training and of the evaluation after it. Of the set-up only the whitening of the reference
counts, which takes hundredths of a second.

On a CPU REFERENCE.py is a port of airbench94_muon.py (not part of this project): called with a seed, it ends
with the table of that script. The two take turns, and the order changes from pair to pair. With --also, the
recipe is trained a second time in each turn, with these options of `cifar_nb train`. Call it again to
continue: what is done is not made again.

On a GPU it is airbench94_muon.py itself, with another number of runs. It trains once to warm up, untimed, and
then again and again. So does ours. How long both take to warm up is written down beside the times.
"""
import argparse, json, shlex, subprocess, sys, time
from collections.abc import Iterator
from pathlib import Path

import torch

from cifar_nb.data import ImageDataset, load_data
from cifar_nb.device import device_name, pick_device, pick_precision
from cifar_nb.experiment import Experiment, build
from cifar_nb.files import write_file
from cifar_nb.recipe import get_recipe
from cifar_nb.run import git_sha, load_weights, read_run
from cifar_nb.train import evaluate, loss_and_accuracy

from project import new_parser

def result(experiment: Experiment, history: list[dict]) -> dict:
    "Return time and accuracy of a trained experiment, also with one view of each image."
    one_view = loss_and_accuracy(*evaluate(experiment.model, experiment.test, experiment.precision))[1]
    seconds = sum(row['seconds'] for row in history)
    return dict(seconds=seconds, accuracy=history[-1]['test_acc'], accuracy_of_one_view=one_view)

def ours_in_a_process(who: str, seed: int, data: ImageDataset, args: argparse.Namespace) -> dict:
    "Run the command `cifar_nb`."
    folder = args.output/f"fast{'-also'*(who == 'also')}-seed{seed}"
    options = ['--recipe', 'fast', '--seed', str(seed), '--device', args.device, '--output', folder]
    if who == 'also': options += shlex.split(args.also)
    subprocess.run([sys.executable, '-m', 'cifar_nb', 'train', *options], check=True)
    run = read_run(folder)
    experiment = build(run.recipe, data, args.device)
    load_weights(run, experiment.model)
    return result(experiment, run.history)

def ours_here(seeds: list[int], data: ImageDataset, args: argparse.Namespace) -> Iterator[dict]:
    "Train with each seed in this process; with the first one twice, since the first run warms up."
    for seed in [seeds[0], *seeds]:
        experiment = build(get_recipe('fast', seed=seed), data, args.device)
        yield result(experiment, experiment.fit().history)

def reference(args: argparse.Namespace, *arguments: str) -> Iterator[dict]:
    "Yield the runs that the script prints, as it prints them."
    command = [sys.executable, '-u', args.reference, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            cells = [cell.strip() for cell in line.split('|')]
            if cells[2:3] != ['eval']: continue
            one_view, accuracy, seconds = map(float, cells[4:7])
            yield dict(seconds=seconds, accuracy=accuracy, accuracy_of_one_view=one_view)
    if process.returncode: sys.exit(f'{args.reference} ended with {process.returncode}')

class Comparison:
    "The file with all runs so far."
    def __init__(self, args: argparse.Namespace, device: torch.device):
        args.output.mkdir(parents=True, exist_ok=True)
        self.path, self.start = args.output/'compare.json', time.perf_counter()
        here = dict(hardware=device_name(device), precision=pick_precision(device).name,
                    torch=torch.__version__, commit=git_sha(), also=args.also)
        self.content: dict = here | dict(runs=[])
        if not self.path.exists(): return
        self.content = json.loads(self.path.read_text())
        if here.items() <= self.content.items(): return
        sys.exit(f'{self.path} is of another machine, torch, commit or --also: name another --output')

    def has(self, who: str, seed: int) -> bool:
        "Return whether a run is done."
        return any((run['who'], run['seed']) == (who, seed) for run in self.content['runs'])

    def seconds(self) -> float:
        "Return the time since the last call."
        before, self.start = self.start, time.perf_counter()
        return self.start - before

    def add(self, who: str, seed: int, run: dict):
        "Add a run, and write all of them."
        self.content['runs'].append(dict(who=who, seed=seed) | run | dict(wall_seconds=self.seconds()))
        print(self.content['runs'][-1], flush=True)
        write_file(self.path, json.dumps(self.content, indent=1).encode())

def compare_in_turns(comparison: Comparison, data: ImageDataset, args: argparse.Namespace):
    "Run both in processes of their own; the one that begins changes from pair to pair."
    turn = ['ours', *['also']*bool(args.also), 'reference']
    for seed in range(args.seeds):
        for who in turn[::-1 if seed % 2 else 1]:
            if comparison.has(who, seed): continue
            comparison.seconds()
            if who == 'reference': *_, run = reference(args, str(seed))
            else: run = ours_in_a_process(who, seed, data, args)
            comparison.add(who, seed, run)

def main():
    parser = new_parser(__doc__)
    parser.add_argument('reference', type=Path)
    parser.add_argument('--seeds', type=int, default=3,
                        help='runs of ours, one for each seed, and of the reference')
    parser.add_argument('--also', default='', help='options of `cifar_nb train`; only on a CPU')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--output', type=Path, default=Path('runs')/'compare',
                        help='gets compare.json, and from a CPU a run folder for each seed')
    args = parser.parse_args()
    device = pick_device(args.device)
    if args.also and device.type != 'cpu': parser.error('--also works on a CPU only')
    data = load_data(synthetic='never')
    comparison = Comparison(args, device)
    if device.type == 'cpu':
        compare_in_turns(comparison, data, args)
        return
    warmup = comparison.content.setdefault('warm_after_seconds', {})
    for who in ('ours', 'reference'):
        left = [seed for seed in range(args.seeds) if not comparison.has(who, seed)]
        if not left: continue
        runs = ours_here(left, data, args) if who == 'ours' else reference(args)
        comparison.seconds()
        next(runs) # warms up
        warmup[who] = comparison.seconds()
        for seed in left: comparison.add(who, seed, next(runs))

if __name__ == '__main__': main()
