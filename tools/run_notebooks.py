#!/usr/bin/env python3
"""Run notebooks top to bottom in a real Jupyter kernel.

    python tools/run_notebooks.py [NOTEBOOK …]           each alone in an empty folder; saves nothing.
                                                         Fails as well if a saved output is missing
    python tools/run_notebooks.py --save [NOTEBOOK …]    in place, full budget, with CIFAR-10; saves outputs
    python tools/run_notebooks.py --compare NOTEBOOK …   in place; fails if a text differs from the saved one

CIFAR_NB_BUDGET and CIFAR_NB_DATA are passed on to them. Without CUDA, cells marked `#| cuda` are left out
and keep their outputs. A cell that shows measured times is marked `#| timed: true`. If no other cell says
anything new, it keeps its saved outputs where only numbers differ, so that saving twice changes nothing.
"""
import os, re, subprocess, sys, tempfile, time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from project import all_notebooks, directives, new_parser, notebook_name, root

@cache
def has_cuda() -> bool:
    "Return whether there is a GPU. Torch is slow to import, so we look only if a cell needs to know."
    import torch
    return torch.cuda.is_available()

class Client(NotebookClient):
    "Leaves out what can't run here."
    async def async_execute_cell(self, cell, cell_index, **kwargs):
        if 'cuda' in directives(cell.source) and not has_cuda(): return cell
        return await super().async_execute_cell(cell, cell_index, **kwargs)

def run(path: Path, folder: Path, kernel: str = 'python3'):
    "Return the notebook with its outputs, run with `folder` as its working directory."
    nb = nbformat.read(path, as_version=4)
    resources = {'metadata': {'path': str(folder)}}
    Client(nb, timeout=None, kernel_name=kernel, coalesce_streams=True, resources=resources).execute()
    return nb

def run_each(
    notebooks: Sequence[Path], # what to run, one after the other
    one: Callable[[Path], object], # runs one; raises if that fails
    where: str, # for the last line
) -> bool: # whether all passed
    "Run notebooks and print what came of it."
    failed, began = [], time.time()
    for path in notebooks:
        start, name = time.time(), notebook_name(path)
        try: one(path)
        except Exception as e: # whatever it is, the others run
            failed.append(name)
            print(f'{name}: {type(e).__name__}: {e}', file=sys.stderr, flush=True)
        else: print(f'{name}: {time.time() - start:.0f} s', flush=True)
    passed = len(notebooks) - len(failed)
    print(f'{where}: {passed} passed, {len(failed)} failed, {time.time() - began:.0f} s', flush=True)
    return not failed

def texts(cell) -> list[str]:
    "Return what a cell shows, as plain text."
    kinds = 'text/markdown', 'text/html', 'text/plain'
    def text(data): return next((data[kind] for kind in kinds if kind in data), '')
    return [out.get('text') or text(out.get('data', {})) for out in cell.get('outputs', [])]

def without_numbers(cell) -> list[str]:
    "Return `texts` with a mark in place of each number, and single blanks."
    return [re.sub(r'\s+', ' ', re.sub(r'[+-]?\d[\d.,]*', '#', text)) for text in texts(cell)]

def pairs(old, new):
    "Return the code cells of a notebook before and after it was run."
    return [(a, b) for a, b in zip(old.cells, new.cells, strict=True) if a.cell_type == 'code']

def check_saved(path: Path, new):
    "Raise `AssertionError` if a cell has something to show and the saved notebook doesn't show it."
    for saved, shown in pairs(nbformat.read(path, as_version=4), new):
        missing = shown.outputs and not saved.outputs
        assert not missing, f'a saved output is missing, save it with --save:\n{saved.source}'

def run_alone(path: Path):
    "Run a notebook in an empty folder."
    with tempfile.TemporaryDirectory() as empty: check_saved(path, run(path, Path(empty)))

def run_and_save(path: Path):
    "Run a notebook in place, save its outputs, and clean it."
    old, new = nbformat.read(path, as_version=4), run(path, path.resolve().parent)
    timed, others = [], []
    for cells in pairs(old, new): (timed if 'timed' in directives(cells[1].source) else others).append(cells)
    if all(texts(saved) == texts(shown) for saved, shown in others): # else it was another budget or machine
        for saved, shown in timed:
            if without_numbers(saved) == without_numbers(shown): shown.outputs = saved.outputs
    nbformat.write(new, path)
    clean = Path(sys.executable).parent/'nbdev_clean'
    subprocess.run([clean, '--fname', path.resolve()], cwd=root, check=True)

def run_and_compare(path: Path):
    "Run a notebook in place and compare what it says with what is saved."
    for saved, shown in pairs(nbformat.read(path, as_version=4), run(path, path.resolve().parent)):
        said = without_numbers if 'timed' in directives(shown.source) else texts
        theirs, ours = said(saved), said(shown)
        assert theirs == ours, 'saved:\n' + '\n'.join(theirs) + '\nnow:\n' + '\n'.join(ours)

def main():
    parser = new_parser(__doc__)
    parser.add_argument('notebooks', nargs='*', type=Path, help='default: all in nbs/')
    how = parser.add_mutually_exclusive_group()
    how.add_argument('--save', action='store_true', help='run in place and save the outputs')
    how.add_argument('--compare', action='store_true', help='run in place and compare with the saved outputs')
    args = parser.parse_args()
    one, where = run_alone, 'in a plain kernel'
    if args.save:
        from cifar_nb.data import load_data
        load_data(synthetic='never') # outputs are evidence
        os.environ.setdefault('CIFAR_NB_BUDGET', 'full')
        one, where = run_and_save, 'saved'
    if args.compare: one, where = run_and_compare, 'compared with what is saved'
    sys.exit(not run_each(args.notebooks or all_notebooks(), one, where))

if __name__ == '__main__': main()
