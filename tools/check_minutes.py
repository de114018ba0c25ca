#!/usr/bin/env python3
"""See whether `cifar_nb train --minutes` ends on time, and reaches what it promised.

    python tools/check_minutes.py [--minutes 1 3 10] [--times 3] [--drills busy killed] [--device auto]

Each budget is tried --times times with another seed, alone, in a process of its own. Then the drills, with
three minutes each: a second process takes one core from the middle on (busy); the run is killed with
SIGKILL at a random moment and resumed (killed). Every try is a run folder in runs/minutes, and a row in
results/minutes.json, written when it ends. Call it again to continue. Ends with a table; exit status 1 if a
run missed its time by more than 10 % early or 3 % late. The machine must do nothing else meanwhile.
"""
import json, random, shutil, subprocess, sys, time
from collections.abc import Callable
from pathlib import Path

from cifar_nb.checkpoint import CheckpointFolder
from cifar_nb.compare import budget_table
from cifar_nb.device import device_name, pick_device
from cifar_nb.files import write_file
from cifar_nb.run import git_sha, read_run

from project import new_parser, root

COMMAND = [sys.executable, '-m', 'cifar_nb', 'train']
EARLY, LATE, DRILL = .90, 1.03, 3. # shares of a budget; minutes of a drill
RUNS = Path('runs')/'minutes'

def resume(folder: Path, device: str) -> subprocess.Popen:
    "Resume a run in a process of its own."
    return subprocess.Popen([*COMMAND, '--resume', folder, '--device', device])

def start(folder: Path, minutes: float, seed: int, device: str) -> subprocess.Popen:
    "Start a run in a process of its own."
    options = '--minutes', str(minutes), '--seed', str(seed), '--device', device, '--output', folder
    return subprocess.Popen([*COMMAND, *options])

def finish(process: subprocess.Popen, began: float, folder: Path) -> float:
    "Wait for a run; return the seconds from the start of its process to its end."
    if process.wait(): sys.exit(f"the run in '{folder}' ended with {process.returncode}")
    return time.perf_counter() - began

def alone(folder: Path, minutes: float, seed: int, device: str) -> float:
    "Let a run have the machine for itself."
    began = time.perf_counter()
    return finish(start(folder, minutes, seed, device), began, folder)

def busy(folder: Path, minutes: float, seed: int, device: str) -> float:
    "Take a core away from the middle on."
    began = time.perf_counter()
    process = start(folder, minutes, seed, device)
    time.sleep(30*minutes)
    with subprocess.Popen([sys.executable, '-c', 'while True: pass']) as other:
        try: return finish(process, began, folder)
        finally: other.kill()

def killed(folder: Path, minutes: float, seed: int, device: str) -> float:
    "Kill a run at a random moment of its training and resume it; count what is not lost."
    process = start(folder, minutes, seed, device)
    while not [*folder.glob('checkpoints/*.safetensors')] and process.poll() is None: time.sleep(.1)
    time.sleep(random.Random(seed).uniform(.1, .6)*60*minutes)
    process.kill()
    process.wait()
    _, _, values = CheckpointFolder(folder).newest() # type: ignore
    trained = values['seconds'] + sum(row['seconds'] for row in values['history'])
    began = time.perf_counter()
    before = values['metadata']['budget']['preparation'] + trained
    return before + finish(resume(folder, device), began, folder)

DRILLS: dict[str, Callable] = {'busy': busy, 'killed': killed}

def row_of(what: str, minutes: float, seed: int, seconds: float, folder: Path) -> dict:
    "Return what came out of a run."
    run = read_run(folder)
    budget, accuracy = run.metadata['budget'], run.history[-1]['test_acc']
    expected, margin = budget['expected'] or (None, None)
    within = None if expected is None else abs(accuracy - expected) <= margin
    return dict(
        what=what, asked=60*minutes, seconds=seconds, seed=seed, recipe=run.recipe.name, epochs=run.epochs,
        width=run.recipe.width, batch_size=run.recipe.batch_size, views=run.recipe.tta_views,
        planned_epochs=run.recipe.epochs, step_seconds=budget['step_seconds'], accuracy=accuracy,
        expected=expected, margin=margin, within=within, last_lr=run.history[-1]['lr'],
        lr_min=run.recipe.lr_min, stretched=len(budget['stretched']))

def main():
    parser = new_parser(__doc__)
    parser.add_argument('--minutes', type=float, nargs='*', default=[3., 1., 10.])
    parser.add_argument('--times', type=int, default=3)
    parser.add_argument('--drills', nargs='*', choices=DRILLS, default=[*DRILLS])
    parser.add_argument('--device', default='auto')
    parser.add_argument('--output', type=Path, default=root/'results'/'minutes.json')
    args = parser.parse_args()
    todo = [('alone', minutes, seed) for seed in range(args.times) for minutes in args.minutes]
    todo += [(drill, DRILL, seed) for drill in args.drills for seed in range(args.times)]
    done: dict = json.loads(args.output.read_text()) if args.output.exists() else dict(
        hardware=device_name(pick_device(args.device)), commit=git_sha(), runs=[])
    known = {(r['what'], r['asked'], r['seed']) for r in done['runs']}
    for what, minutes, seed in todo:
        if (what, 60*minutes, seed) in known: continue
        folder = RUNS/f'{what}-{minutes:g}-seed{seed}'
        shutil.rmtree(folder, ignore_errors=True) # of a try that was cut off: its time can't be told any more
        seconds = (alone if what == 'alone' else DRILLS[what])(folder, minutes, seed, args.device)
        done['runs'].append(row_of(what, minutes, seed, seconds, folder))
        write_file(args.output, json.dumps(done, indent=1).encode() + b'\n')
    print(budget_table(done))
    missed = [r for r in done['runs'] if not EARLY <= r['seconds']/r['asked'] <= LATE]
    sys.exit(bool(missed))

if __name__ == '__main__': main()
