#!/usr/bin/env python3
"""Run notebooks as Colab does: each alone in an empty folder, with no more than Colab preinstalls.

    python tools/check_colab.py WHEEL [NOTEBOOK …]     default: the course and nbs/further/

Their first cell installs the package, here from WHEEL, on Colab from its public address, and says so. For the
first notebook it installs what the package requires as well; the others find that installed, to save time.
Nothing that was there may change its version. CIFAR_NB_BUDGET and CIFAR_NB_DATA are passed on to them.

Colab's own versions are in colab.txt. In an environment of Python 3.13 with these, this script checks them.
"""
import json, os, re, shutil, subprocess, sys, tempfile
from importlib.metadata import requires
from pathlib import Path

from linked_env import make_linked_env
from project import all_notebooks, new_parser
from run_notebooks import check_saved, run, run_each

PREINSTALLED = 'torch', 'torchvision', 'numpy', 'matplotlib', 'ipykernel'

def find_package(python: Path) -> str:
    "Return the file that this Python would import as cifar_nb; empty if it can't."
    code = 'import importlib.util as u; spec = u.find_spec("cifar_nb"); print(spec.origin if spec else "")'
    done = subprocess.run([python, '-c', code], cwd='/', check=True, capture_output=True, text=True)
    return done.stdout.strip()

def versions(python: Path) -> dict[str, str]:
    "Return the version of each installed package."
    command = [python, '-m', 'pip', 'list', '--format', 'json']
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {package['name']: package['version'] for package in json.loads(done.stdout)}

def add_kernel(folder: Path, python: Path, wheel: Path):
    "Make this Python known to Jupyter as the kernel `colab`."
    spec = folder/'kernels'/'colab'/'kernel.json'
    spec.parent.mkdir(parents=True)
    command = [str(python), '-m', 'ipykernel_launcher', '-f', '{connection_file}']
    env = dict(COLAB_RELEASE_TAG='a test', CIFAR_NB_INSTALL=str(wheel))
    spec.write_text(json.dumps(dict(display_name='Colab', language='python', argv=command, env=env)))
    os.environ['JUPYTER_PATH'] = str(folder)

def check_run(nb, env: Path, python: Path, wheel: Path):
    "See that the first cell of a notebook did what the rest relies on. Raise `AssertionError` if not."
    install, *_ = (c for c in nb.cells if c.cell_type == 'code')
    said, install.outputs = ''.join(out.get('text', '') for out in install.outputs), []
    installed = f'from {wheel}\n' in said
    assert installed, f'the first cell does not say that it installed the package, but: {said!r}'
    package = find_package(python)
    assert package.startswith(str(env)), f'the first cell did not install cifar_nb; it is in {package!r}'
    outputs = ''.join(json.dumps(cell.outputs) for cell in nb.cells if cell.cell_type == 'code')
    picks = 'pick_budget(' in json.dumps(nb)
    assert not picks or re.search(r'budget: \w+', outputs), 'it does not say with which budget it runs'

def run_as_on_colab(path: Path, wheel: Path, *installed: str):
    "Run a notebook in an environment with these packages, and check it."
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp).resolve()
        env, empty = folder/'env', folder/'content'
        python = make_linked_env(env, *PREINSTALLED, *installed)
        empty.mkdir()
        add_kernel(folder, python, wheel)
        before = versions(python)
        package = find_package(python)
        assert not package, f'cifar_nb was there before the first cell: {package}'
        nb = run(Path(shutil.copy(path, empty)), empty, 'colab')
        check_run(nb, env, python, wheel)
        after = versions(python)
        changed = [f'{name} {version}' for name, version in before.items() if after.get(name) != version]
        assert not changed, f'the first cell replaced {", ".join(changed)}'
        check_saved(path, nb)

def main():
    parser = new_parser(__doc__)
    parser.add_argument('wheel', type=Path)
    parser.add_argument('notebooks', nargs='*', type=Path)
    args = parser.parse_args()
    wheel, notebooks = args.wheel.resolve(), args.notebooks or all_notebooks('.', 'further')
    if not wheel.is_file(): parser.error(f'there is no {wheel}')
    required = [r for r in requires('cifar_nb') or () if 'extra ==' not in r]
    def one(path): run_as_on_colab(path, wheel, *([] if path == notebooks[0] else required))
    sys.exit(not run_each(notebooks, one, 'as on Colab'))

if __name__ == '__main__': main()
