#!/usr/bin/env python3
"""Build the package and see that the wheel alone does what it should.

    python tools/check_package.py FOLDER     leaves sdist and wheel there

- sdist and wheel are built from what is in git's index, the wheel from the sdist; `twine check --strict` passes.
- The wheel holds cifar_nb/ and its metadata, nothing else.
- Installed alone, `cifar_nb train --quick` runs in an empty folder, without data or network, and opens no file of this clone. (One epoch of its three.)
- cifar_nb and cifar_nb.train take no more than 0.3 s to import beyond torch and torchvision.
"""
import argparse, os, re, statistics, subprocess, sys, tempfile
from pathlib import Path
from zipfile import ZipFile

from linked_env import make_linked_env

root = Path(__file__).resolve().parent.parent

# Python runs this at its start. Not an exception: somebody could catch it.
WATCH = """
import os, sys
def watch(event, args):
    if event in ('open', 'os.listdir', 'os.scandir') and isinstance(args[0], (str, bytes)):
        path = os.path.abspath(os.fsdecode(args[0]))
        if path.startswith({clone!r}) and not path.startswith({ours!r}):
            os.write(2, f'opened a file of the clone: {{path}}\\n'.encode())
            os._exit(3)
sys.addaudithook(watch)
"""

def build(folder: Path) -> Path:
    "sdist and wheel from what is in git's index; returns the wheel."
    with tempfile.TemporaryDirectory() as export:
        subprocess.run(['git', 'checkout-index', '--all', f'--prefix={export}/'], cwd=root, check=True)
        subprocess.run([sys.executable, '-m', 'build', '--outdir', folder, export], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, '-m', 'twine', 'check', '--strict', *folder.iterdir()], check=True)
    [wheel] = folder.glob('*.whl')
    return wheel

def seconds_to_import(python: Path, module: str) -> float:
    "How long a module takes to import after torch and torchvision: the median of five processes."
    code = f'import torch, torchvision, time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)'
    return statistics.median(float(subprocess.run([python, '-c', code], cwd='/', check=True, capture_output=True, text=True).stdout) for _ in range(5))

def check(wheel: Path):
    "See that a wheel does what it should. Raises `AssertionError` where it does not."
    foreign = [name for name in ZipFile(wheel).namelist() if not re.match(r'cifar_nb(-[\d.]+\.dist-info)?/', name)]
    assert not foreign, f'the wheel holds more than the package: {", ".join(foreign)}'
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp).resolve()
        python = make_linked_env(tmp/'env', 'torch', 'torchvision', 'numpy', 'matplotlib')
        subprocess.run([python, '-m', 'pip', 'install', '-q', wheel], check=True)
        [site] = tmp.glob('env/lib/*/site-packages')
        (site/'sitecustomize.py').write_text(WATCH.format(clone=f'{root}{os.sep}', ours=f'{sys.prefix}{os.sep}'))
        for module in ('cifar_nb', 'cifar_nb.train'):
            seconds = seconds_to_import(python, module)
            print(f'import {module}: {seconds:.3f} s after torch and torchvision', flush=True)
            assert seconds < .3, f'importing {module} takes {seconds:.2f} s longer than importing torch and torchvision'
        for name in ('home', 'empty'): (tmp/name).mkdir()
        env = {name: value for name, value in os.environ.items() if not name.startswith(('CIFAR_NB_', 'XDG_', 'PYTHON'))} | dict(HOME=str(tmp/'home'), https_proxy='http://127.0.0.1:9')
        done = subprocess.run([tmp/'env'/'bin'/'cifar_nb', 'train', '--quick', '--epochs', '1', '--output', 'run'], cwd=tmp/'empty', env=env, text=True, capture_output=True)
        assert done.returncode == 0, f'cifar_nb train ended with status {done.returncode}:\n{done.stdout}{done.stderr}'
        made = {file.name for file in (tmp/'empty'/'run').iterdir()}
        assert made >= {'history.csv', 'recipe.json', 'weights.safetensors', 'curves.png', 'misclassified.png'}, f'cifar_nb train left only {sorted(made)}'
        print(done.stdout.strip().splitlines()[-2])

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='new or empty')
    folder = parser.parse_args().folder.resolve()
    try: check(build(folder))
    except (AssertionError, subprocess.CalledProcessError) as e: sys.exit(f'check_package: {e}')
