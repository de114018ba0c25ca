#!/usr/bin/env python3
"""Draw the site's pictures from a run in results/: accuracy.png for the landing page, card.png for links.

    python tools/make_images.py results/full-cpu-seed0
"""
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from cifar_nb.run import Run, read_run

from project import nbs, new_parser

CLAIM = 'CIFAR-10 from raw bytes to a trained, explained, reusable model'

def draw_accuracy(ax: Axes, history: list[dict]):
    "Draw training and test accuracy of each epoch, each curve with its name and its last value beside it."
    epochs = [row['epoch'] for row in history]
    for part, colour, marker, above in (('train', 'C0', 'o', 6), ('test', 'C1', 's', -6)):
        values = [row[f'{part}_acc'] for row in history]
        ax.plot(epochs, values, color=colour, marker=marker)
        ax.annotate(f'{part} {values[-1]:.1%}', (epochs[-1], values[-1]), (8, above), va='center',
                    textcoords='offset points', color=colour, weight='bold')
    ax.set(xlabel='epoch', ylabel='accuracy', xlim=(.5, epochs[-1]*1.25))
    ax.set_xticks([e for e in epochs if e % 4 == 0])
    ax.yaxis.set_major_formatter(PercentFormatter(1, 0))
    ax.grid()

def landing_picture(run: Run):
    "Return the picture of the landing page, large enough for a phone."
    with plt.rc_context({'font.size': 14, 'lines.linewidth': 2.5}):
        fig, ax = plt.subplots(figsize=(9, 2.4), layout='constrained')
        draw_accuracy(ax, run.history)
        title = f'{run.recipe.name} recipe, {len(run.history)} epochs, seed {run.recipe.seed}'
        ax.set_title(f"{run.metadata['dataset']}, {title}", fontsize=14, loc='left')
    return fig

def card(run: Run):
    "Return the picture for links in social media."
    fig = plt.figure(figsize=(12, 6.3)) # 1200×630 pixels, what the networks ask for
    fig.text(.06, .83, 'cifar_nb', fontsize=54, weight='bold', color='C1')
    fig.text(.06, .735, CLAIM, fontsize=23, color='C6')
    with plt.rc_context({'font.size': 17, 'lines.linewidth': 3}):
        draw_accuracy(fig.add_axes((.1, .14, .86, .52)), run.history)
    return fig

if __name__ == '__main__':
    parser = new_parser(__doc__)
    parser.add_argument('run', type=Path, help='a run folder')
    run = read_run(parser.parse_args().run)
    plt.style.use('cifar_nb.figures')
    landing_picture(run).savefig(nbs/'images'/'accuracy.png', dpi=110)
    card(run).savefig(nbs/'images'/'card.png', dpi=100)
