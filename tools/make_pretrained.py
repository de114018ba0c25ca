#!/usr/bin/env python3
"""Make the model that comes with the package from a finished run on CIFAR-10.

    python tools/make_pretrained.py runs/RUN

It writes cifar_nb/pretrained/RECIPE, a run folder with weights in half precision, measured on the test
images. What was there is replaced once the new one is whole. `cifar_nb.share.save_half` does the work.
"""
import sys, tempfile
from pathlib import Path

from cifar_nb.compare import recipe_label, resolved_recipe
from cifar_nb.data import ImageDataset, load_data
from cifar_nb.recipe import RECIPES
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

def make_pretrained(
    run: Run, # from `read_run`
    data: ImageDataset, # what it was measured on
    place: Path, # folder of all models
) -> Path: # the folder of this one
    "Write a model of the package, whole or not at all. Raise `RunError` for a run that isn't fit for it."
    check_of_record(run)
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix='.') as workshop:
        new, old = Path(workshop)/'new', Path(workshop)/'old'
        save_half(run, data, new)
        folder = place/run.recipe.name
        if folder.exists(): folder.rename(old)
        new.rename(folder)
    return folder

def main():
    parser = new_parser(__doc__)
    parser.add_argument('run', type=Path, help='a run folder')
    args = parser.parse_args()
    data, place = load_data(synthetic='never'), root/'cifar_nb'/'pretrained'
    try: folder = make_pretrained(read_run(args.run), data, place)
    except RunError as e: sys.exit(f'make_pretrained: {e}')
    run = read_run(folder)
    measured, of_run = run.metadata['pretrained'], run.history[-1]['test_acc']
    print(f"{folder.relative_to(root)}: {run.title}\ntest accuracy {measured['test_acc']:.2%}, the run's "
          f"{of_run:.2%}; with one view {measured['one_view_acc']:.2%}")

if __name__ == '__main__': main()
