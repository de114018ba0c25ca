"""Virtual environments in a second: links to packages that this environment has, instead of another 5 GB of torch."""
import os, sysconfig, venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

def with_requirements(
    requirements: Iterable[str], # As pip takes them
) -> list[Distribution]: # Those installed here that meet them, and all that they require in turn
    "What a set of requirements comes to."
    todo, seen = [Requirement(r) for r in requirements], {}
    while todo:
        required = todo.pop()
        key = required.name.lower(), *sorted(required.extras)
        if key in seen: continue
        seen[key] = distribution(required.name)
        for further in map(Requirement, seen[key].requires or []):
            if not further.marker or any(further.marker.evaluate({'extra': extra}) for extra in ('', *required.extras)): todo.append(further)
    return list(seen.values())

def make_linked_env(
    folder: Path, # Made; must not be there yet
    *names: str, # What the environment is to have; pip comes along
) -> Path: # Its Python
    "A virtual environment with these packages and what they require, and nothing else."
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path('purelib', 'venv', {'base': str(folder), 'platbase': str(folder)}))
    for dist in with_requirements((*names, 'pip')):
        for top in {Path(file).parts[0] for file in dist.files} - {os.pardir, '__pycache__'}:
            if not (site/top).is_symlink(): (site/top).symlink_to(Path(dist.locate_file(top)).resolve())
    return folder/'bin'/'python'
