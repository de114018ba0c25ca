#!/usr/bin/env python3
"""Run notebooks top to bottom in a real Jupyter kernel. Cells marked `#| cuda` are left out, and their outputs left as they are, where there is no CUDA.

    python tools/run_notebooks.py [NOTEBOOK …]            each one copied alone into an empty folder; nothing is written here. Fails as well
                                                          where a cell has something to show and the saved notebook doesn't show it
    python tools/run_notebooks.py --save [NOTEBOOK …]     where they lie, at the full budget, with CIFAR-10; outputs saved, then cleaned
    python tools/run_notebooks.py --compare NOTEBOOK …    where they lie; nothing is saved. Fails where a text would be another one than the saved one

CIFAR_NB_BUDGET and CIFAR_NB_DATA are passed on to them. A cell that shows measured times carries `#| timed: true`: its saved outputs stay
where only numbers in them differ, so that saving twice changes nothing.
"""
import argparse, os, re, subprocess, sys, tempfile, time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import nbformat
from nbclient import NotebookClient

root = Path(__file__).resolve().parent.parent

@cache
def has_cuda() -> bool:
    "Whether there is a GPU; asked only where a cell needs it."
    import torch
    return torch.cuda.is_available()

def directive(cell, name: str) -> bool:
    "Whether a cell carries a directive."
    return bool(re.search(rf'^#\|\s*{name}\b', cell.source, re.M))

class Client(NotebookClient):
    "Leaves out what can't be run here."
    async def async_execute_cell(self, cell, cell_index, **kwargs):
        if directive(cell, 'cuda') and not has_cuda(): return cell
        return await super().async_execute_cell(cell, cell_index, **kwargs)

def all_notebooks() -> list[Path]:
    "Those in nbs/."
    return sorted((root/'nbs').glob('*.ipynb'))

def run(path: Path, folder: Path, kernel: str = 'python3'):
    "The notebook with its outputs, run with `folder` as its working directory."
    nb = nbformat.read(path, as_version=4)
    Client(nb, timeout=None, kernel_name=kernel, coalesce_streams=True, resources={'metadata': {'path': str(folder)}}).execute()
    return nb

def run_each(
    notebooks: Sequence[Path], # What to run, one after the other
    one: Callable[[Path], object], # Runs one; raises where that fails
    where: str, # For the last line
) -> bool: # Whether all passed
    "Run notebooks and say what came of it."
    failed, began = [], time.time()
    for path in notebooks:
        start = time.time()
        try: one(path)
        except Exception as e: # whatever it is, the others run
            failed.append(path.name)
            print(f'{path.name}: {type(e).__name__}: {e}', file=sys.stderr)
        else: print(f'{path.name}: {time.time() - start:.0f} s', flush=True)
    print(f'{where}: {len(notebooks) - len(failed)} passed, {len(failed)} failed, {time.time() - began:.0f} s')
    return not failed

def texts(cell) -> list[str]:
    "What a cell shows, as plain text."
    def text(data): return next((data[kind] for kind in ('text/markdown', 'text/html', 'text/plain') if kind in data), '')
    return [out.get('text') or text(out.get('data', {})) for out in cell.get('outputs', [])]

def without_numbers(cell) -> list[str]:
    "`texts` with a mark in place of each number, and single blanks."
    return [re.sub(r'\s+', ' ', re.sub(r'[+-]?\d[\d.,]*', '#', text)) for text in texts(cell)]

def pairs(old, new):
    "The code cells of a notebook before and after it was run."
    return [(a, b) for a, b in zip(old.cells, new.cells, strict=True) if a.cell_type == 'code']

def check_saved(path: Path, new):
    "Raises `AssertionError` where a cell has something to show and the saved notebook doesn't show it."
    for saved, shown in pairs(nbformat.read(path, as_version=4), new):
        assert saved.outputs or not shown.outputs, f'a saved output is missing, save it with --save:\n{saved.source}'

def run_alone(path: Path):
    "Run a notebook in an empty folder."
    with tempfile.TemporaryDirectory() as empty: check_saved(path, run(path, Path(empty)))

def run_and_save(path: Path):
    "Run a notebook where it lies, save its outputs, and clean it."
    old, new = nbformat.read(path, as_version=4), run(path, path.resolve().parent)
    for saved, shown in pairs(old, new):
        if directive(shown, 'timed') and without_numbers(saved) == without_numbers(shown): shown.outputs = saved.outputs
    nbformat.write(new, path)
    subprocess.run([Path(sys.executable).parent/'nbdev_clean', '--fname', path.resolve()], cwd=root, check=True)

def run_and_compare(path: Path):
    "Run a notebook where it lies and compare what it says with what is saved."
    for saved, shown in pairs(nbformat.read(path, as_version=4), run(path, path.resolve().parent)):
        said = without_numbers if directive(shown, 'timed') else texts
        theirs, ours = said(saved), said(shown)
        assert theirs == ours, 'saved:\n' + '\n'.join(theirs) + '\nnow:\n' + '\n'.join(ours)

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('notebooks', nargs='*', type=Path, help='default: all in nbs/')
    how = parser.add_mutually_exclusive_group()
    how.add_argument('--save', action='store_true', help='run in place and save the outputs')
    how.add_argument('--compare', action='store_true', help='run in place and compare the outputs with the saved ones')
    args = parser.parse_args()
    one, where = run_alone, 'in a plain kernel'
    if args.save:
        from cifar_nb.data import load_data
        load_data(stand_in='never') # outputs are evidence: not of drawn images
        os.environ.setdefault('CIFAR_NB_BUDGET', 'full')
        one, where = run_and_save, 'saved'
    if args.compare: one, where = run_and_compare, 'compared with what is saved'
    sys.exit(not run_each(args.notebooks or all_notebooks(), one, where))
