#!/usr/bin/env python3
"""Draw the pictures of the site from a run in results/: nbs/images/accuracy.png for the landing page, card.png for links in social media.

    python tools/make_images.py results/full-cpu-seed0
"""
import argparse, csv, json
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import PercentFormatter

images = Path(__file__).resolve().parent.parent/'nbs'/'images'

def draw_accuracy(ax, history: list[dict]):
    "Training and test accuracy of each epoch, each curve with its name and its last value beside it."
    epochs = [int(row['epoch']) for row in history]
    for part, colour, marker, above in (('train', 'C0', 'o', 6), ('test', 'C1', 's', -6)):
        values = [float(row[f'{part}_acc']) for row in history]
        ax.plot(epochs, values, color=colour, marker=marker)
        ax.annotate(f'{part} {values[-1]:.1%}', (epochs[-1], values[-1]), (8, above), textcoords='offset points', va='center', color=colour, weight='bold')
    ax.set(xlabel='epoch', ylabel='accuracy', xlim=(.5, epochs[-1]*1.25))
    ax.set_xticks([e for e in epochs if e % 4 == 0])
    ax.yaxis.set_major_formatter(PercentFormatter(1, 0))
    ax.grid()

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('run', type=Path, help='a run folder')
    run = parser.parse_args().run
    with open(run/'history.csv', newline='') as f: history = list(csv.DictReader(f))
    origin, recipe = (json.loads((run/f'{name}.json').read_text(encoding='utf-8')) for name in ('provenance', 'recipe'))

    plt.style.use('cifar_nb.figures')
    with plt.rc_context({'font.size': 14, 'lines.linewidth': 2.5}): # large enough for a phone
        fig, ax = plt.subplots(figsize=(9, 2.4), layout='constrained')
        draw_accuracy(ax, history)
        ax.set_title(f"{origin['dataset']}, {recipe['name']} recipe, {len(history)} epochs, seed {recipe['seed']}", fontsize=14, loc='left')
    fig.savefig(images/'accuracy.png', dpi=110)

    fig = plt.figure(figsize=(12, 6.3)) # 1200×630 pixels, what the networks ask for
    fig.text(.06, .83, 'cifar_nb', fontsize=54, weight='bold', color='C1')
    fig.text(.06, .735, 'CIFAR-10 from raw bytes to a trained, explained, reusable model', fontsize=23, color='C6')
    with plt.rc_context({'font.size': 17, 'lines.linewidth': 3}): draw_accuracy(fig.add_axes((.1, .14, .86, .52)), history)
    fig.savefig(images/'card.png', dpi=100)

if __name__ == '__main__': main()
