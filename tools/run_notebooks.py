#!/usr/bin/env python3
"""Run notebooks top to bottom in a real Jupyter kernel.

    python tools/run_notebooks.py                    each one copied alone into an empty folder; nothing is written here
    python tools/run_notebooks.py --save NOTEBOOK …  in place, outputs saved into the notebooks, then cleaned

CIFAR_NB_BUDGET and CIFAR_NB_DATA are passed on to them.
"""
import argparse, subprocess, sys, tempfile, time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

root = Path(__file__).resolve().parent.parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('notebooks', nargs='*', type=Path, help='default: all in nbs/')
parser.add_argument('--save', action='store_true', help='run in place and save the outputs')
args = parser.parse_args()

def run(path: Path, folder: Path):
    "The notebook with its outputs, run with `folder` as its working directory."
    nb = nbformat.read(path, as_version=4)
    NotebookClient(nb, timeout=None, kernel_name='python3', coalesce_streams=True, resources={'metadata': {'path': str(folder)}}).execute()
    return nb

failed = []
notebooks = args.notebooks or sorted((root/'nbs').glob('*.ipynb'))
for path in notebooks:
    start = time.time()
    with tempfile.TemporaryDirectory() as empty:
        try: nb = run(path.resolve(), path.resolve().parent if args.save else Path(empty))
        except CellExecutionError as e:
            failed.append(path.name)
            print(f'{path.name}: {e}', file=sys.stderr)
            continue
    if args.save:
        nbformat.write(nb, path)
        subprocess.run([Path(sys.executable).parent/'nbdev_clean', '--fname', path.resolve()], cwd=root, check=True)
    print(f'{path.name}: {time.time() - start:.0f} s', flush=True)
print(f'in a plain kernel: {len(notebooks) - len(failed)} passed, {len(failed)} failed')
sys.exit(bool(failed))
