"""Virtual environments in a second: links to packages that this one has, instead of another 5 GB of torch."""
import os, sysconfig, venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

def is_needed(requirement: Requirement, extras: Iterable[str]) -> bool:
    "Return whether this environment has to meet a requirement, given the extras that were asked for."
    marker = requirement.marker
    return marker is None or any(marker.evaluate({'extra': extra}) for extra in ('', *extras))

def with_requirements(
    requirements: Iterable[str], # as pip takes them
) -> list[Distribution]: # those installed here that meet them, and all that they require in turn
    "Return what a set of requirements comes to."
    todo, seen = [Requirement(r) for r in requirements], {}
    while todo:
        required = todo.pop()
        key = required.name.lower(), *sorted(required.extras)
        if key in seen: continue
        seen[key] = distribution(required.name)
        further = map(Requirement, seen[key].requires or [])
        todo += [requirement for requirement in further if is_needed(requirement, required.extras)]
    return list(seen.values())

def make_linked_env(
    folder: Path, # made; must not be there yet
    *names: str, # the packages that it gets; pip comes along
) -> Path: # its Python
    "Make a virtual environment with these packages and what they require, and nothing else."
    venv.create(folder, symlinks=True)
    bases = {'base': str(folder), 'platbase': str(folder)}
    site = Path(sysconfig.get_path('purelib', 'venv', bases))
    for dist in with_requirements((*names, 'pip')):
        for top in {Path(file).parts[0] for file in dist.files or ()} - {os.pardir, '__pycache__'}:
            if not (site/top).is_symlink(): (site/top).symlink_to(Path(str(dist.locate_file(top))).resolve())
    return folder/'bin'/'python'
