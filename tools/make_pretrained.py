#!/usr/bin/env python3
"""Make the model that comes with the package from a finished run on CIFAR-10.

    python tools/make_pretrained.py runs/RUN
    python tools/make_pretrained.py runs/RUN --calibrate runs/HELD_OUT_RUN

It writes cifar_nb/pretrained/RECIPE, a run folder with weights in half precision, measured on the test
images. What was there is replaced once the new one is whole. `cifar_nb.share.save_half` does the work.

A run on all training images has none left to fit a temperature on. HELD_OUT_RUN is one of the same recipe
on `data.hold_out()`, made by `train_run(get_recipe('fast'), load_data().hold_out(), 'runs/HELD_OUT_RUN')`.
"""
import sys, tempfile
from pathlib import Path

from cifar_nb.calibration import calibrate, save_calibration
from cifar_nb.compare import recipe_label, resolved_recipe, runs_table
from cifar_nb.data import ImageDataset, load_data
from cifar_nb.recipe import RECIPES, Recipe
from cifar_nb.results import log_entries, run_entries
from cifar_nb.run import Run, RunError, read_run
from cifar_nb.share import save_half

from project import new_parser, root

def check_of_record(run: Run):
    "Raise `RunError` for a run that we would not give away."
    recipe, commit = resolved_recipe(run), run.metadata.get('commit', '')
    usual = RECIPES.get(recipe.name)
    if not usual or recipe_label(recipe) != recipe.name or recipe.epochs != usual.epochs:
        raise RunError(f"'{run.folder}' is not a full run of a named recipe: {recipe_label(recipe)}, "
                       f'{recipe.epochs} epochs')
    if recipe.train_images or recipe.test_images: raise RunError(f"'{run.folder}' has not seen all images")
    if not run.finished: raise RunError(f"'{run.folder}' is not finished")
    if len(commit) != 40:
        raise RunError(f"'{run.folder}' was made by code that is in no commit: {commit or None}")

def runs_of(recipe: Recipe) -> str:
    "Return a table of the recorded runs of a recipe on CIFAR-10."
    results = root/'results'
    entries = run_entries(results)[0] + log_entries(results/'h200')[0]
    wanted = recipe.name, recipe.epochs, 'CIFAR-10'
    return runs_table(e for e in entries if (e.recipe, e.epochs, e.dataset) == wanted)

def make_pretrained(
    run: Run, # from `read_run`
    data: ImageDataset, # what it was measured on
    place: Path, # folder of all models
    held_out: Run | None = None, # of the same recipe, to fit temperatures on
) -> Path: # the folder of this one
    "Write a model of the package, whole or not at all. Raise `RunError` for a run that isn't fit for it."
    check_of_record(run)
    if held_out and resolved_recipe(held_out) != resolved_recipe(run):
        raise RunError(f"'{held_out.folder}' is of another recipe: {recipe_label(resolved_recipe(held_out))}")
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix='.') as workshop:
        new, old = Path(workshop)/'new', Path(workshop)/'old'
        save_half(run, data, new, runs_of(run.recipe))
        if held_out: save_calibration(new, calibrate(held_out, data))
        folder = place/run.recipe.name
        if folder.exists(): folder.rename(old)
        new.rename(folder)
    return folder

def main():
    parser = new_parser(__doc__)
    parser.add_argument('run', type=Path, help='a run folder')
    parser.add_argument('--calibrate', type=Path, metavar='HELD_OUT_RUN', help='fit temperatures on this run')
    args = parser.parse_args()
    data, place = load_data(synthetic='never'), root/'cifar_nb'/'pretrained'
    try:
        held_out = read_run(args.calibrate) if args.calibrate else None
        folder = make_pretrained(read_run(args.run), data, place, held_out)
    except RunError as e: sys.exit(f'make_pretrained: {e}')
    run = read_run(folder)
    measured, of_run = run.metadata['pretrained'], run.history[-1]['test_acc']
    print(f"{folder.relative_to(root)}: {run.title}\ntest accuracy {measured['test_acc']:.2%}, the run's "
          f"{of_run:.2%}; with one view {measured['one_view_acc']:.2%}")
    for fitted in (run.calibration or {}).get('temperatures', []):
        print(f"{fitted['views']} views: temperature {fitted['temperature']:.3f}, calibration error "
              f"{fitted['before']['error']:.2%}, then {fitted['after']['error']:.2%}")

if __name__ == '__main__': main()
