#!/usr/bin/env python3
"""Everything that waits for a GPU, most important first, in under 12 minutes.

    python tools/gpu_suite.py OUT [--reference airbench94_muon.py] [--before CHECKOUT]
                              [--parts compare fast plain strong fp16 step cells] [--minutes 12] [--tiny]

compare  the fast recipe and airbench94_muon, five seeds each, once both are warm (needs --reference)
fast     the same accuracy in three quarters of the time, on held-out images: skipping easy images, then a
         random search around it, three seeds each, the best again with ten
plain    weight decay and height of LRMAX on held-out images, five seeds each
strong   skipping, cutout, label smoothing, averaging, learning rate on held-out images, three seeds each
fp16     one plain run in float16, as on a T4
step     `cifar_nb bench` here and in an older checkout (needs --before)
cells    the cells marked `#| cuda` (needs nbdev)

Every part writes OUT/PART.json after every run, so what is cut off loses the run under way and nothing else.
Call it again to continue. A part that has used up its share of the time makes room for the next. --tiny
rehearses everything on a CPU, on synthetic images, in half a minute.
"""
import itertools, json, os, random, subprocess, sys, time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from statistics import mean, stdev

from cifar_nb.data import ImageDataset, draw_synthetic, load_data
from cifar_nb.device import Precision, device_name, pick_device, pick_precision
from cifar_nb.experiment import build, find_lrs
from cifar_nb.files import write_file
from cifar_nb.recipe import Recipe, get_recipe
from cifar_nb.run import git_sha
from cifar_nb.train import loss_and_accuracy

from project import new_parser, root

SHARES = dict(compare=.2, fast=.35, plain=.15, strong=.15, fp16=.05, step=.05, cells=.05) # of the time

class Suite:
    "What all parts share: data, device, and how much time is left."
    def __init__(self, args):
        self.args, self.out, self.tiny = args, args.out, args.tiny
        self.out.mkdir(parents=True, exist_ok=True)
        self.device = pick_device('cpu' if args.tiny else 'auto')
        self.data: ImageDataset = draw_synthetic(2_000, 500) if args.tiny else load_data(synthetic='never')
        self.held_out = self.data.hold_out(500 if args.tiny else 5_000)
        self.warm = False

    def recipe(self, name: str, **changes) -> Recipe:
        "Return a recipe, tiny in a rehearsal."
        if self.tiny and 'epochs' in changes: changes |= dict(epochs=4, peak_epoch=1)
        base = get_recipe(name, 'test' if self.tiny else 'full')
        return Recipe.from_dict(asdict(base) | changes) # tuples may come back from a file as lists

    def train(self, recipe: Recipe, data: ImageDataset, precision: Precision | None = None) -> dict:
        "Train once; return what came out."
        if recipe.lr_max is None or recipe.lr_min is None:
            curve = find_lrs(build(recipe, data, self.device, precision), progress=False)
            recipe = replace(recipe, lr_min=curve.lr_min, lr_max=curve.lr_max)
        start = time.perf_counter()
        experiment = build(recipe, data, self.device, precision)
        state = experiment.fit()
        assert state.logits is not None # the last epoch is always evaluated
        loss, accuracy = loss_and_accuracy(state.logits, experiment.test.y.cpu())
        seconds = sum(row['seconds'] for row in state.history)
        return dict(accuracy=accuracy, loss=loss, train_acc=state.history[-1]['train_acc'], seconds=seconds,
                    wall_seconds=time.perf_counter() - start, lr_max=recipe.lr_max)

    def warm_up(self):
        "Train once, untimed: the first run sets up the device."
        if not self.warm: self.train(self.recipe('fast', epochs=1), self.held_out)
        self.warm = True

class Results:
    "The file of one part: runs by what they changed and their seed."
    def __init__(self, suite: Suite, part: str):
        self.path = suite.out/f'{part}.json'
        new = dict(part=part, hardware=device_name(suite.device), precision=pick_precision(suite.device).name,
                   commit=git_sha(), runs=[])
        self.content: dict = json.loads(self.path.read_text()) if self.path.exists() else new

    def has(self, changes: dict, seed: int) -> bool:
        "Return whether this run is there already."
        key = json.dumps(changes), seed
        return any((json.dumps(run['changes']), run['seed']) == key for run in self.content['runs'])

    def add(self, changes: dict, seed: int, run: dict):
        "Add a run, and write all of them."
        self.content['runs'].append(dict(changes=changes, seed=seed, **run))
        write_file(self.path, json.dumps(self.content, indent=1).encode())
        result = f"{run['accuracy']:.2%}, {run['seconds']:.1f} s"
        print(f'{self.path.stem}: {changes} seed {seed}: {result}', flush=True)

    def summary(self) -> list[tuple[float, float, int, dict]]:
        "Return mean, standard deviation and number of runs of each change, the best first."
        groups: dict[str, list[float]] = {}
        for run in self.content['runs']:
            groups.setdefault(json.dumps(run['changes']), []).append(run['accuracy'])
        def row(key, a): return mean(a), stdev(a) if len(a) > 1 else 0., len(a), json.loads(key)
        return sorted((row(key, a) for key, a in groups.items()), key=lambda row: -row[0])

def in_time(items: Iterable, seconds: float) -> Iterator:
    "Yield items until the time is used up."
    end = time.perf_counter() + seconds
    for item in items:
        if time.perf_counter() > end: return print('the time of this part is used up', flush=True)
        yield item

def search(suite: Suite, part: str, variants: list[dict], seeds: int, seconds: float):
    "Train each variant with each seed on held-out images, seed by seed, so that all have equally many."
    suite.warm_up()
    results = Results(suite, part)
    for seed, changes in in_time(itertools.product(range(seeds), variants), seconds):
        if results.has(changes, seed): continue
        fields = {name: value for name, value in changes.items() if name != 'lr_max_factor'}
        recipe = suite.recipe(part, seed=seed, **fields)
        if factor := changes.get('lr_max_factor'):
            curve = find_lrs(build(recipe, suite.held_out, suite.device), progress=False)
            lr_max = curve.lr_max*factor
            recipe = replace(recipe, lr_min=min(curve.lr_min, lr_max), lr_max=lr_max)
        results.add(changes, seed, suite.train(recipe, suite.held_out))
    for accuracy, spread, n, changes in results.summary():
        print(f'{accuracy:.2%} ± {spread:.2%} (n = {n}) {changes}')
    return results

SKIP = dict(epochs=6.5, skip_probability=.7) # as many images as without it

def fast_variants(num_random: int) -> list[dict]:
    "Return the recipe, then what takes about three quarters of its time, the most important first."
    base, rng = get_recipe('fast'), random.Random(0)
    assert base.lr_max and base.bias_lr_mult
    skipping = [SKIP | changes for changes in (
        {}, dict(skip_probability=.5), dict(skip_probability=.85), dict(easy_share=.5), dict(easy_share=.75),
        dict(skip_begin=.2), dict(skip_end=.7), dict(easy_share=1., skip_probability=.42))] # easy or not
    cheaper = [SKIP | dict(image_sizes=(20, 24, 28, 32)), SKIP | dict(group_widths=(1, 3, 5))]
    choices = dict(
        lr_max=[base.lr_max*f for f in (.7, 1, 1.4)], weight_decay=[base.weight_decay*f for f in (.5, 1, 2)],
        bias_lr_mult=[base.bias_lr_mult*f for f in (.25, .5, 1)], label_smoothing=[.1, .2, .3],
        jitter=[0., .07, .14], momentum=[.6, .7], image_sizes=[(20, 24, 28, 32), base.image_sizes])
    def draw(): return {name: rng.choice(values) for name, values in choices.items() if rng.random() < .5}
    return [{}, dict(epochs=7), *skipping, *cheaper, *(SKIP | draw() for _ in range(num_random))]

def fast(suite: Suite, seconds: float):
    "Search for the recipe's accuracy in less time; then the best and the recipe itself with ten seeds."
    variants = fast_variants(12)
    if suite.tiny: variants = variants[:12:5]
    results = search(suite, 'fast', variants, 1 if suite.tiny else 3, .7*seconds)
    best = [changes for *_, changes in results.summary() if changes][:1]
    search(suite, 'fast', [{}, *best], 2 if suite.tiny else 10, .3*seconds)

def plain(suite: Suite, seconds: float):
    "Weight decay, and LRMAX as the finder gives it or lower."
    variants = [dict(weight_decay=decay, lr_max_factor=factor)
                for decay in (5e-4, 1e-3) for factor in (1., .6)]
    search(suite, 'plain', variants, 1 if suite.tiny else 5, seconds)

def strong(suite: Suite, seconds: float):
    "Skipping easy images, and what airbench96 does otherwise."
    base = get_recipe('strong')
    assert base.lr_max
    variants = [{}, dict(skip_probability=.7), dict(cutout=12, label_smoothing=.2), dict(lookahead=5),
                dict(lr_max=base.lr_max*2), dict(lr_max=base.lr_max/2), dict(lr_min=1e-5), dict(cutout=12),
                dict(label_smoothing=.2)]
    search(suite, 'strong', variants[:4] if suite.tiny else variants, 1 if suite.tiny else 3, seconds)

def fp16(suite: Suite, seconds: float):
    "A plain run in float16: with a gradient scaler, as on a T4."
    results = Results(suite, 'fp16')
    precision = None if suite.tiny else Precision('fp16', suite.device.type) # a CPU has no scaler
    if not results.has({}, 0): results.add({}, 0, suite.train(suite.recipe('plain'), suite.data, precision))

def run_tool(suite: Suite, part: str, command: list, folder: Path = root):
    "Run a command in a folder; keep what it prints."
    done = subprocess.run([*map(str, command)], cwd=folder, env=os.environ | {'PYTHONPATH': str(folder)},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    write_file(suite.out/f'{part}.log', done.stdout.encode())
    print(f'{part}: exit status {done.returncode}\n{done.stdout[-1500:]}', flush=True)

def compare(suite: Suite, seconds: float):
    "Ours and the reference, in turns on a CPU, one after the other once warm on a GPU."
    if not suite.args.reference: return print('compare: no --reference')
    output, script = (suite.out/'compare').resolve(), suite.args.reference.resolve()
    options = ['--seeds', 5, '--device', suite.device, '--output', output]
    run_tool(suite, 'compare', [sys.executable, 'tools/compare.py', script, *options])

def step(suite: Suite, seconds: float):
    "What a step costs, here and before."
    options = ['--synthetic', '--budget', 'test'] if suite.tiny else []
    code = 'import cifar_nb.cli; raise SystemExit(cifar_nb.cli.main())' # any version has this
    for name, folder in (('now', root), ('before', suite.args.before)):
        if not folder: continue
        output = (suite.out/f'bench-{name}').resolve()
        command = [sys.executable, '-c', code, 'bench', '--output', output, *options]
        run_tool(suite, f'step-{name}', command, folder.resolve())

def cells(suite: Suite, seconds: float):
    "The cells that only a GPU can run."
    if suite.tiny: return print('cells: they need a GPU')
    options = ['--flags', 'cuda', '--having', 'cuda']
    run_tool(suite, 'cells', [sys.executable, 'tools/test_notebooks.py', *options])

PARTS = {f.__name__: f for f in (compare, fast, plain, strong, fp16, step, cells)}

def main():
    parser = new_parser(__doc__)
    parser.add_argument('out', type=Path)
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=list(PARTS))
    parser.add_argument('--reference', type=Path, help='airbench94_muon.py, not part of this project')
    parser.add_argument('--before', type=Path, help='a checkout to compare a step with')
    parser.add_argument('--minutes', type=float, default=12)
    parser.add_argument('--tiny', action='store_true', help='rehearse on a CPU')
    args = parser.parse_args()
    suite = Suite(args)
    for part in args.parts:
        start = time.perf_counter()
        try: PARTS[part](suite, args.minutes*60*SHARES[part])
        except Exception as e: print(f'{part}: {type(e).__name__}: {e}', flush=True) # the others still run
        print(f'== {part}: {time.perf_counter() - start:.0f} s\n', flush=True)

if __name__ == '__main__': main()
