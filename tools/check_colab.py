#!/usr/bin/env python3
"""Run notebooks as Colab does: each alone in an empty folder, in an environment of its own with only what Colab preinstalls of ours.

    python tools/check_colab.py WHEEL [NOTEBOOK …]

Their first cell installs the package, here from WHEEL, on Colab from its public address, and says so.
CIFAR_NB_BUDGET and CIFAR_NB_DATA are passed on to them.
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile
from pathlib import Path

from linked_env import make_linked_env
from run_notebooks import all_notebooks, check_saved, run, run_each

PREINSTALLED = 'torch', 'torchvision', 'numpy', 'matplotlib', 'ipykernel'

def find_package(python: Path) -> str:
    "The file that this Python would import as cifar_nb; empty where it can't."
    code = 'from importlib.util import find_spec; spec = find_spec("cifar_nb"); print(spec.origin if spec else "")'
    return subprocess.run([python, '-c', code], cwd='/', check=True, capture_output=True, text=True).stdout.strip()

def run_as_on_colab(path: Path, wheel: Path):
    "Run a notebook, and see that its first cell did what the rest relies on."
    with tempfile.TemporaryDirectory() as tmp:
        env, empty, spec = (Path(tmp).resolve()/name for name in ('env', 'content', 'kernels/colab/kernel.json'))
        python = make_linked_env(env, *PREINSTALLED)
        empty.mkdir()
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps(dict(display_name='Colab', language='python', argv=[str(python), '-m', 'ipykernel_launcher', '-f', '{connection_file}'],
                                        env=dict(COLAB_RELEASE_TAG='a test', CIFAR_NB_INSTALL=str(wheel)))))
        os.environ['JUPYTER_PATH'] = tmp
        assert not find_package(python), f'cifar_nb was there before the first cell: {find_package(python)}'
        nb = run(Path(shutil.copy(path, empty)), empty, 'colab')
        install, *_ = (c for c in nb.cells if c.cell_type == 'code')
        said, install.outputs = ''.join(out.get('text', '') for out in install.outputs), []
        assert f'from {wheel}\n' in said, f'the first cell does not say that it installed the package, but: {said!r}'
        assert find_package(python).startswith(str(env)), f'the first cell did not install cifar_nb; it is in {find_package(python)!r}'
        text = json.dumps(nb)
        assert 'pick_budget(' not in text or re.search(r'budget: \w+', ''.join(json.dumps(cell.outputs) for cell in nb.cells if cell.cell_type == 'code')), 'it does not say with which budget it runs'
        check_saved(path, nb)

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('wheel', type=Path)
    parser.add_argument('notebooks', nargs='*', type=Path, help='default: all in nbs/')
    args = parser.parse_args()
    wheel = args.wheel.resolve()
    if not wheel.is_file(): parser.error(f'there is no {wheel}')
    sys.exit(not run_each(args.notebooks or all_notebooks(), lambda path: run_as_on_colab(path, wheel), 'as on Colab'))
