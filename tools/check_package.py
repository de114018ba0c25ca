#!/usr/bin/env python3
"""Build the package and see that the wheel alone does what it should.

    python tools/check_package.py FOLDER     leaves sdist and wheel there

- sdist and wheel are built from what is in git's index, the wheel from the sdist; `twine check --strict`
  passes.
- The wheel holds cifar_nb/ and its metadata, nothing else.
- Installed alone, `cifar_nb train --budget quick` runs in an empty folder, without data or network, and opens
  no file of this clone. (One epoch of the fast recipe, the one with the least arithmetic.) There
  `cifar_nb predict` takes a cat for a cat, with the model of the package.
- cifar_nb and cifar_nb.train take no more than 0.3 s to import beyond torch and torchvision.
"""
import os, re, statistics, subprocess, sys, tempfile
from pathlib import Path
from zipfile import ZipFile

from linked_env import make_linked_env
from project import new_parser, root

LONGEST_IMPORT = .3 # seconds
TRAIN = 'train', '--budget', 'quick', '--recipe', 'fast', '--epochs', '1', '--output', 'run'
MADE = {'history.csv', 'recipe.json', 'weights.safetensors', 'curves.png', 'misclassified.png'}

# Python runs this at its start. It ends the process: an exception could be caught.
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
    "Build sdist and wheel from what is in git's index and return the wheel."
    with tempfile.TemporaryDirectory() as export:
        subprocess.run(['git', 'checkout-index', '--all', f'--prefix={export}/'], cwd=root, check=True)
        command = [sys.executable, '-m', 'build', '--outdir', folder, export]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f'the package can\'t be built:\n{done.stdout}{done.stderr}'
    subprocess.run([sys.executable, '-m', 'twine', 'check', '--strict', *folder.iterdir()], check=True)
    [wheel] = folder.glob('*.whl')
    return wheel

def seconds_to_import(python: Path, module: str) -> float:
    "Return how long a module takes to import after torch and torchvision: the median of three processes."
    code = (f'import torch, torchvision, time; start = time.perf_counter(); import {module}; '
            'print(time.perf_counter() - start)')
    def measure():
        done = subprocess.run([python, '-c', code], cwd='/', check=True, capture_output=True, text=True)
        return float(done.stdout)
    return statistics.median(measure() for _ in range(3))

def check_imports(python: Path):
    "See that the package is quick to import. Raise `AssertionError` if not."
    for module in ('cifar_nb', 'cifar_nb.train'):
        seconds = seconds_to_import(python, module)
        print(f'import {module}: {seconds:.3f} s after torch and torchvision', flush=True)
        assert seconds < LONGEST_IMPORT, f'importing {module} takes {seconds:.2f} s more than torch'

def check_training(command: Path, folder: Path):
    "Predict and train in an empty folder, without data or network. Raise `AssertionError` if it fails."
    home, empty = folder/'home', folder/'empty'
    for path in (home, empty): path.mkdir()
    ours = 'CIFAR_NB_', 'XDG_', 'PYTHON'
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env |= dict(HOME=str(home), https_proxy='http://127.0.0.1:9')
    def call(*args):
        done = subprocess.run([command, *args], cwd=empty, env=env, text=True, capture_output=True)
        said = done.stdout + done.stderr
        assert done.returncode == 0, f'cifar_nb {args[0]} ended with status {done.returncode}:\n{said}'
        return done.stdout
    [cat] = command.parent.parent.glob('lib/*/site-packages/cifar_nb/examples/chelsea.jpg')
    answer = call('predict', cat)
    assert ': cat ' in answer, f'cifar_nb predict takes a cat for something else:\n{answer}'
    printed = call(*TRAIN)
    made = {file.name for file in (empty/'run').iterdir()}
    assert made >= MADE, f'cifar_nb train left only {sorted(made)}'
    print(*answer.strip().splitlines()[-1:], *printed.strip().splitlines()[-2:], sep='\n')

def check(wheel: Path):
    "See that a wheel does what it should. Raise `AssertionError` if not."
    ours = re.compile(r'cifar_nb(-[\d.]+\.dist-info)?/')
    foreign = [name for name in ZipFile(wheel).namelist() if not ours.match(name)]
    assert not foreign, f'the wheel holds more than the package: {", ".join(foreign)}'
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp).resolve()
        python = make_linked_env(folder/'env', 'torch', 'torchvision', 'numpy', 'matplotlib')
        subprocess.run([python, '-m', 'pip', 'install', '-qq', wheel], check=True)
        [site] = folder.glob('env/lib/*/site-packages')
        watch = WATCH.format(clone=f'{root}{os.sep}', ours=f'{sys.prefix}{os.sep}')
        (site/'sitecustomize.py').write_text(watch)
        check_imports(python)
        check_training(folder/'env'/'bin'/'cifar_nb', folder)

if __name__ == '__main__':
    parser = new_parser(__doc__)
    parser.add_argument('folder', type=Path, help='new or empty')
    folder = parser.parse_args().folder.resolve()
    try: check(build(folder))
    except (AssertionError, subprocess.CalledProcessError) as e: sys.exit(f'check_package: {e}')
