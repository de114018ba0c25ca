#!/usr/bin/env python3
"""Run notebooks as nbdev_test does, all in one process, and print what came of each as soon as it is known.

    python tools/test_notebooks.py [--flags 'slow cuda'] [NOTEBOOK …]      default: all of them
    python tools/test_notebooks.py --having slow                           those with cells marked `#| slow`
    python tools/test_notebooks.py --having cuda                           with cells for a GPU
    python tools/test_notebooks.py --having data                           those that read CIFAR-10

The last line counts them. A notebook that takes the process down has failed, and the next one gets a new
process.
"""
import os, re, sys, time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from nbdev.config import get_config
from nbdev.test import test_nb

from project import all_notebooks, code_sources, directives, new_parser, notebook_name, root

def has_mark(path: Path, mark: str) -> bool:
    "Return whether a notebook has cells marked so, such as `#| slow`."
    return any(mark in directives(source) for source in code_sources(path))

def has_data(path: Path) -> bool:
    "Return whether a notebook reads CIFAR-10, or looks for it."
    looks = r"load_data[(,](?!synthetic='always')|CIFAR_NB_DATA"
    return any(re.search(looks, source) for source in code_sources(path))

def passes(pool: ProcessPoolExecutor, path: Path, flags: list[str]) -> bool:
    "Return whether a notebook passes its tests."
    skipped = get_config().tst_flags.split()
    run = pool.submit(test_nb, path.resolve(), skip_flags=skipped, force_flags=flags, basepath=root)
    try: return run.result()[0]
    except BrokenProcessPool: print(f'{notebook_name(path)} took its process down', file=sys.stderr)
    except Exception as e: print(f'{notebook_name(path)}: {type(e).__name__}: {e}', file=sys.stderr)
    return False

def main():
    parser = new_parser(__doc__)
    parser.add_argument('notebooks', nargs='*', type=Path)
    parser.add_argument('--flags', default='', help='run cells with these marks too')
    parser.add_argument('--having', choices=['slow', 'cuda', 'data'], help='only notebooks that have them')
    args = parser.parse_args()
    wanted = has_data if args.having == 'data' else args.having and partial(has_mark, mark=args.having)
    notebooks = list(filter(wanted, args.notebooks or all_notebooks()))
    os.chdir(root) # nbdev looks for settings.ini from here
    pool, failed = ProcessPoolExecutor(1), 0
    for path in notebooks:
        start = time.time()
        ok = passes(pool, path, args.flags.split())
        if not ok:
            failed += 1
            pool.shutdown()
            pool = ProcessPoolExecutor(1)
        print(f"{notebook_name(path)}: {'ok' if ok else 'FAILED'}, {time.time() - start:.0f} s", flush=True)
    pool.shutdown()
    print(f'notebooks: {len(notebooks) - failed} passed, {failed} failed')
    sys.exit(failed > 0)

if __name__ == '__main__': main()
