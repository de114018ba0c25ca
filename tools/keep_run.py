#!/usr/bin/env python3
"""Keep a finished run on CIFAR-10 in results/: all but its weights.

    python tools/keep_run.py runs/RUN plain-xeon-seed0
"""
import sys
from pathlib import Path

from cifar_nb.data import load_data
from cifar_nb.experiment import build
from cifar_nb.run import check_data, check_model, read_run
from cifar_nb.stored import read_files, save_files

from project import new_parser, root

KEPT = 'recipe.json', 'history.csv', 'test_logits.safetensors', 'provenance.json', 'lr_curve.json'

def main():
    parser = new_parser(__doc__)
    parser.add_argument('run', type=Path, help='a run folder')
    parser.add_argument('name', help='of the new folder in results/')
    args = parser.parse_args()
    run, data = read_run(args.run), load_data(synthetic='never')
    check_data(run, data)
    check_model(run, build(run.recipe, data, 'cpu').model)
    commit = run.metadata['commit']
    if not run.finished: sys.exit(f"'{args.run}' is not finished")
    if len(commit) != 40: sys.exit(f"'{args.run}' was made by code that is in no commit: {commit or None}")
    folder = root/'results'/args.name
    folder.mkdir() # never overwrite a run
    save_files(folder, read_files(args.run, *KEPT))
    print(f'{folder.relative_to(root)}: {run.title}')

if __name__ == '__main__': main()
