#!/usr/bin/env python3
"""Train the runs behind `cifar_nb train --minutes`, and write down what they reached for how much arithmetic.

    python tools/make_frontier.py [--parts fast skip narrow report long plain strong] [--busy] [--device auto]

fast    the fast recipe on 45,000 images, measured on the 5,000 that were held out: six lengths, three seeds
skip    the same without most of the easy images, seven lengths, of which four have three seeds
narrow  the same with fewer channels and smaller batches, for short times
report  both of them on all training images, measured on the test images
long    14 epochs of the fast recipe
plain   12 epochs, held out (half an hour on a CPU); results/ has 3, 6 and 24
strong  3 and 6 epochs, held out (half an hour on a CPU); results/ has 12 and 24

Each run is a folder in runs/frontier. After each one we write results/frontier.json, and its copy in
cifar_nb/ that is installed with the library. Call it again to continue: finished runs are not repeated, an
interrupted one is resumed. What results/ already has of these recipes is in the file too. With --busy, for a
machine that does something else meanwhile, no seconds are written down. --list shows what there is to do.
--tiny rehearses all of it in a minute, on synthetic images, in another folder.
"""
import argparse, json, math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from cifar_nb.bench import flops_of
from cifar_nb.compare import resolved_recipe
from cifar_nb.data import ImageDataset, draw_synthetic, load_data
from cifar_nb.experiment import Experiment, build, train_run
from cifar_nb.fast import is_unsure, predict_tta
from cifar_nb.files import write_file
from cifar_nb.frontier import ALL, HELD_OUT, Frontier, FrontierRun, family_of
from cifar_nb.lr_finder import LRCurve
from cifar_nb.recipe import RECIPES, Recipe, get_recipe
from cifar_nb.results import read_log
from cifar_nb.run import Run, load_weights, read_run
from cifar_nb.study import Study
from cifar_nb.train import evaluate, loss_and_accuracy

from project import new_parser, root

RESULTS, OURS = root/'results', root/'cifar_nb'/'frontier.json'
SEEDS = 0, 1, 2

@dataclass(frozen=True)
class Todo:
    "A run to be made."
    name: str # of the recipe
    epochs: float
    seed: int = 0
    split: str = HELD_OUT
    changes: dict = field(default_factory=dict) # other values of fields

    @property
    def folder(self) -> str:
        "Name of its folder."
        changed = [f'{name}{value}' for name, value in self.changes.items()]
        return '-'.join([self.name, *changed, f'{self.epochs:g}epochs', self.split, f'seed{self.seed}'])

    def recipe(self, tiny: bool) -> Recipe:
        "Return what is trained; the last epoch only is evaluated."
        recipe = get_recipe(self.name, 'test' if tiny else 'full', seed=self.seed, evaluate_every=None)
        changes = {name: value//8 if tiny else value for name, value in self.changes.items()}
        return replace(recipe, **changes).with_epochs(self.epochs)

def part(name: str, epochs, split=HELD_OUT, seeds=SEEDS, **changes) -> list[Todo]:
    "Return runs of several lengths; the first seed of all of them comes first."
    return [Todo(name, e, seed, split, changes) for seed, e in product(seeds, epochs)]

SKIP: dict[str, Any] = dict(skip_probability=.7)
SHORT: list[dict[str, Any]] = [SKIP | changes for changes in (
    dict(batch_size=500), dict(width=32), dict(width=32, batch_size=500), dict(width=16, batch_size=500))]
PARTS: dict[str, list[Todo]] = {
    'fast': part('fast', (3, 1, 6, 2, 9, 4.5)),
    'skip': [*part('fast', (6, 3, 4.5, 2), **SKIP), *part('fast', (9, 7), seeds=(0, 1), **SKIP),
             Todo('fast', 1, changes=SKIP)], # which skips nothing yet
    'narrow': [todo for seed, changes in product(SEEDS, SHORT)
               for todo in part('fast', (1, .5, 2), seeds=(seed,), **changes)],
    'report': [*part('fast', (3,), ALL, **SKIP), *part('fast', (1,), ALL)], # nine epochs are in results/
    'long': part('fast', (14,), seeds=(0,)),
    'plain': part('plain', (12,), seeds=(0,)),
    'strong': part('strong', (3, 6), seeds=(0,)),
}

def macs_of(recipe: Recipe, experiment: Experiment) -> float:
    "Return the multiply-adds of an image, mean over the sizes that it has during a run."
    def macs(size):
        image = torch.zeros(1, 3, size, size, device=experiment.device)
        with torch.no_grad(): return flops_of(partial(experiment.model.eval(), image))/2
    return fmean(macs(size) for size in recipe.image_sizes or experiment.data.train.x.shape[-1:])

def record(todo: Todo, run: Run, data: ImageDataset, args: argparse.Namespace) -> FrontierRun:
    "Measure a finished run with every number of views."
    experiment = build(run.recipe, data, args.device)
    model = load_weights(run, experiment.model)
    accuracy, unsure = {}, None
    for views in (1, 2, 6) if run.recipe.tta_views > 1 else (1,):
        predict = partial(predict_tta, views=views) if views > 1 else None
        logits, y = evaluate(model, experiment.test, experiment.precision, predict)
        accuracy[views] = loss_and_accuracy(logits, y)[1]
        if views > 1: continue
        unsure = is_unsure(logits).double().mean().item()
    seconds = None if args.busy or run.metadata.get('resumed') else sum(r['seconds'] for r in run.history)
    return FrontierRun(
        replace(resolved_recipe(run), seed=todo.seed), todo.split, len(data.train), accuracy,
        macs_of(run.recipe, experiment), f'runs/frontier/{todo.folder}',
        f"{run.metadata['hardware']}, {run.metadata['precision']}", seconds, unsure)

def in_folders(macs: dict[str, float]) -> Iterator[FrontierRun]:
    "Yield the runs whose folders are in results/."
    compared = json.loads((RESULTS/'compare-cpu.json').read_text())['runs']
    one_view = {run['seed']: run['accuracy_of_one_view'] for run in compared if run['who'] == 'ours'}
    for name in ('fast-cpu-seed*', 'full-cpu-seed*', 'plain-xeon-seed*', 'strong-*-seed*'):
        for folder in sorted(RESULTS.glob(name)):
            run = read_run(folder)
            r, m = run.recipe, run.metadata
            accuracy = {r.tta_views: run.history[-1]['test_acc']}
            alone = r.name == 'fast' # see results/README.md
            if alone: accuracy[1] = one_view[r.seed]
            seconds = sum(row['seconds'] for row in run.history) if alone else None
            yield FrontierRun(
                replace(resolved_recipe(run), seed=r.seed), ALL, 50_000, accuracy, macs[r.name],
                f'results/{folder.name}', f"{m['hardware']}, {m.get('precision')}", seconds)

def on_gpu(macs: dict[str, float]) -> Iterator[FrontierRun]:
    "Yield the runs of the H200."
    h200 = RESULTS/'h200'
    one_view = json.loads((h200/'strong-one-view.json').read_text())
    for name, seed in product(('plain', 'strong'), SEEDS):
        log, recipe = h200/f'{name}-seed{seed}.log', get_recipe(name, seed=seed)
        history = read_log(log)
        accuracy = {recipe.tta_views: history[-1]['test_acc']}
        if name == 'strong': accuracy[1] = one_view[str(seed)]
        seconds = sum(row['seconds'] for row in history) if seed == 0 else None # the others shared the GPU
        yield FrontierRun(recipe, ALL, 50_000, accuracy, macs[name], f'results/h200/{log.name}',
                          'NVIDIA H200, bf16', seconds)
    stored = json.loads((h200/'fast.json').read_text())
    for run in stored['runs']:
        accuracy = {1: run['accuracy_of_one_view'], 6: run['accuracy']}
        yield FrontierRun(get_recipe('fast', seed=run['seed']), ALL, 50_000, accuracy, macs['fast'],
                          'results/h200/fast.json', f"{stored['hardware']}, {stored['precision']}",
                          run['seconds'])

def has_rates_of(recipe: Recipe, curve: LRCurve) -> bool:
    "Return whether a recipe has the learning rates that a range test gives."
    return math.isclose(recipe.lr_min or 0, curve.lr_min) and math.isclose(recipe.lr_max or 0, curve.lr_max)

def in_studies(macs: dict[str, float]) -> Iterator[FrontierRun]:
    "Yield the runs of the studies in results/, on held-out images."
    for name in ('study.json', 'study-fast.json', 'study-strong.json'):
        study = Study(RESULTS, name)
        curve = study.facts.get('curve')
        for run in study.with_status('done'):
            if run.line == 'first layer learned, not whitening': continue # no field of a recipe says so
            recipe = study.recipe(run)
            if curve and has_rates_of(recipe, LRCurve(**curve)):
                recipe = replace(recipe, lr_min=None, lr_max=None) # as found
            measured = {1: run.one_view, recipe.tta_views: run.accuracy}
            accuracy = {views: share for views, share in measured.items() if share is not None}
            yield FrontierRun(recipe, HELD_OUT, 45_000, accuracy, macs[recipe.name], f'results/{name}',
                              f'{run.hardware}, {run.precision}')

def recorded() -> list[FrontierRun]:
    "Return the runs in results/ that are of today's recipes."
    data = draw_synthetic(100, 100)
    macs = {name: macs_of(recipe, build(recipe, data, 'cpu')) for name, recipe in RECIPES.items()}
    today = [family_of(recipe) for recipe in RECIPES.values()]
    found = [*in_folders(macs), *on_gpu(macs), *in_studies(macs)]
    return [run for run in found if family_of(run.recipe) in today]

class FrontierFile:
    "The file with all runs so far."
    def __init__(self, args: argparse.Namespace):
        self.path, self.tiny = args.output, args.tiny
        stored = Frontier.read(self.path).runs if self.path.exists() else []
        self.runs = {run.source: run for run in stored if run.source.startswith('runs/')}
        self.recorded = [] if self.tiny else recorded()

    def write(self):
        "Write the runs, and the copy that is installed."
        runs = [run.to_dict() for run in [*self.recorded, *self.runs.values()]]
        content = json.dumps(dict(runs=runs), indent=1).encode() + b'\n'
        write_file(self.path, content)
        if self.path == RESULTS/'frontier.json': write_file(OURS, content)

def main():
    parser = new_parser(__doc__)
    parser.add_argument('--parts', nargs='*', choices=PARTS, default=[*PARTS])
    parser.add_argument('--device', default='auto')
    parser.add_argument('--busy', action='store_true')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--tiny', action='store_true')
    parser.add_argument('--output', type=Path, default=RESULTS/'frontier.json')
    args = parser.parse_args()
    runs = Path('runs')/('frontier-tiny' if args.tiny else 'frontier')
    if args.tiny: args.output = runs/'frontier.json'
    file = FrontierFile(args)
    left = [todo for part in args.parts for todo in PARTS[part]
            if f'runs/frontier/{todo.folder}' not in file.runs]
    print(f'{len(left)} runs to make, {sum(todo.epochs for todo in left):g} epochs', flush=True)
    if args.list: print(*(todo.folder for todo in left), sep='\n')
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.write()
    if args.list or not left: return
    data = draw_synthetic(2_000, 500) if args.tiny else load_data(synthetic='never')
    splits = {ALL: data, HELD_OUT: data.hold_out(500 if args.tiny else 5_000)}
    for todo in left:
        run = train_run(todo.recipe(args.tiny), splits[todo.split], runs/todo.folder, args.device)
        made = record(todo, run, splits[todo.split], args)
        file.runs[made.source] = made
        file.write()
        said = [f'{views} views {share:.2%}' for views, share in made.accuracy.items()]
        print(f'{todo.folder}:', ', '.join(said), flush=True)

if __name__ == '__main__': main()
