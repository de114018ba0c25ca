#!/usr/bin/env python3
"""Draw the site's pictures from results/: accuracy.png for the landing page, card.png for links.

    python tools/make_images.py
"""
import json
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter

from cifar_nb.results import read_log
from cifar_nb.run import read_run

from project import nbs, new_parser, root

CLAIM = 'CIFAR-10 from raw bytes to a trained, explained, reusable model'
GPU, CPU = 'NVIDIA H200', 'two CPU cores'
# Each recipe's colour, and where its name is, seen from its point: the bars of plain and fast overlap.
STYLES = {'fast': ('C1', (-4, 18)), 'plain': ('C0', (9, -7)), 'strong': ('C2', (9, 9))}

class Measured(NamedTuple):
    "What the runs of one recipe took on one machine, and what they reached."
    recipe: str
    machine: str
    epochs: int
    seconds: float # of training, one run
    accuracies: list[float] # of the last epoch, one for each seed
    alone: bool = True # nothing else ran there

def on_gpu(folder: Path) -> Iterator[Measured]:
    "Read the logs of the GPU; the runs with seed 0 had it to themselves."
    for recipe in ('plain', 'strong'):
        histories = [read_log(path) for path in sorted(folder.glob(f'{recipe}-seed*.log'))]
        seconds = sum(row['seconds'] for row in histories[0])
        accuracies = [history[-1]['test_acc'] for history in histories]
        yield Measured(recipe, GPU, len(histories[0]), seconds, accuracies)
    runs = json.loads((folder/'fast.json').read_text(encoding='utf-8'))['runs']
    seconds, accuracies = ([run[what] for run in runs] for what in ('seconds', 'accuracy'))
    yield Measured('fast', GPU, 9, mean(seconds), accuracies)

def on_cpu(folder: Path) -> Iterator[Measured]:
    "Read the run folders of the CPU; only the fast recipe had it to itself."
    for name in ('fast-cpu-seed*', 'plain-xeon-seed*', 'strong-xeon-seed*'):
        runs = [read_run(path) for path in sorted(folder.glob(name))]
        seconds = mean(sum(row['seconds'] for row in run.history) for run in runs)
        accuracies = [run.history[-1]['test_acc'] for run in runs]
        recipe, epochs = runs[0].recipe.name, len(runs[0].history)
        yield Measured(recipe, CPU, epochs, seconds, accuracies, alone=recipe == 'fast')

def draw_measured(ax: Axes, found: list[Measured]):
    "Draw accuracy over seconds, with standard deviation, number of seeds and name beside each point."
    for m in found:
        spread = stdev(m.accuracies) if len(m.accuracies) > 1 else 0
        where, (colour, offset) = (m.seconds, mean(m.accuracies)), STYLES[m.recipe]
        ax.errorbar(*where, spread, fmt='o', color=colour, markersize=8, capsize=4,
                    markerfacecolor=None if m.alone else 'white')
        seeds = f'{len(m.accuracies)} seed' + 's'*(len(m.accuracies) > 1)
        ax.annotate(f'{m.recipe}, {m.epochs} epochs, {seeds}', where, offset, va='center',
                    textcoords='offset points', color=colour, weight='bold')
    for machine in (GPU, CPU):
        fastest = min(m.seconds for m in found if m.machine == machine)
        ax.text(fastest, .9635, machine, fontsize='large', va='top')
    ax.set(xscale='log', xlim=(1.5, 300_000), ylim=(.9325, .9640))
    ax.set(xlabel='training time', ylabel='test accuracy')
    ax.set_yticks([.94, .95, .96])
    ticks = {2: '2 s', 10: '10 s', 60: '1 min', 600: '10 min', 3600: '1 h', 6*3600: '6 h'}
    ax.set_xticks(list(ticks))
    ax.minorticks_off()
    ax.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: ticks.get(round(seconds), '')))
    ax.yaxis.set_major_formatter(PercentFormatter(1, 0))
    ax.grid()

def landing_picture(found: list[Measured]):
    "Return the picture of the landing page, large enough for a phone."
    with plt.rc_context({'font.size': 13.5, 'lines.linewidth': 2.5}):
        fig, ax = plt.subplots(figsize=(10, 2.35), layout='constrained')
        draw_measured(ax, found)
    return fig

def card(found: list[Measured]):
    "Return the picture for links in social media."
    fig = plt.figure(figsize=(12, 6.3)) # 1200×630 pixels, what the networks ask for
    fig.text(.06, .83, 'cifar_nb', fontsize=54, weight='bold', color='C1')
    fig.text(.06, .735, CLAIM, fontsize=23, color='C6')
    with plt.rc_context({'font.size': 16, 'lines.linewidth': 3}):
        draw_measured(fig.add_axes((.1, .14, .86, .52)), found)
    return fig

if __name__ == '__main__':
    new_parser(__doc__).parse_args()
    found = [*on_gpu(root/'results'/'h200'), *on_cpu(root/'results')]
    for m in found: print(f'{m.recipe}, {m.machine}: {m.seconds:,.1f} s, {mean(m.accuracies):.2%}')
    plt.style.use('cifar_nb.figures')
    landing_picture(found).savefig(nbs/'images'/'accuracy.png', dpi=110)
    card(found).savefig(nbs/'images'/'card.png', dpi=100)
