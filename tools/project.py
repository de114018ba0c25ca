"""What our tools know of the project: its settings, its notebooks, and what a cell says of itself."""
import argparse, json, re
from configparser import ConfigParser, SectionProxy
from pathlib import Path

root = Path(__file__).resolve().parent.parent
nbs = root/'nbs'
FOLDERS = {'.': 'Course', 'further': 'Going further', 'internals': 'Internals', 'tests': 'How it was tested'}
EXPORTS = {'export', 'exports', 'exporti'}

def new_parser(doc: str | None) -> argparse.ArgumentParser:
    "Return a parser whose help is the docstring of a tool."
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)

def settings() -> SectionProxy:
    "Return what settings.ini says."
    config = ConfigParser(delimiters=['='])
    config.read(root/'settings.ini', encoding='utf-8')
    return config['DEFAULT']

def all_notebooks(
    *folders: str, # keys of `FOLDERS`; none: all of them
) -> list[Path]: # the course first, then folder by folder
    "Find the notebooks in nbs/, without what training and Jupyter leave there."
    found = []
    for path in nbs.rglob('*.ipynb'):
        inside = path.relative_to(nbs).parent
        if any(part[0] in '._' or part == 'runs' for part in inside.parts): continue
        if not folders or inside.as_posix() in folders: found.append(path)
    return sorted(found, key=lambda path: (len(path.parts), path))

def notebook_name(path: Path) -> str:
    "Return what we call a notebook: its path within nbs/."
    path = path.resolve()
    return path.relative_to(nbs).as_posix() if path.is_relative_to(nbs) else path.name

def page_name(path: Path) -> str:
    "Return the address of a notebook's page within the site, as nbdev makes it."
    folder = path.resolve().relative_to(nbs).parent
    return (folder/re.sub(r'^\d+[a-zA-Z0-9]*_', '', path.stem.lower())).as_posix() + '.html'

def read_cells(path: Path) -> list[dict]:
    "Return the cells of a notebook, each source as one text."
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    return [cell | {'source': ''.join(cell['source'])} for cell in cells]

def code_sources(path: Path) -> list[str]:
    "Return the source of each code cell."
    return [cell['source'] for cell in read_cells(path) if cell['cell_type'] == 'code']

def directives(source: str) -> dict[str, str]:
    "Return the `#|` lines at the top of a cell, as name and value."
    found = {}
    for line in source.splitlines():
        match = re.match(r'\s*#\s*\|\s*([\w-]+)\s*:?\s*(.*)', line)
        if match: found[match[1]] = match[2].strip()
        elif line.strip(): break
    return found

def is_exported(source: str) -> bool:
    "Return whether a code cell goes into the library."
    return not EXPORTS.isdisjoint(directives(source))

def is_visible(source: str) -> bool:
    "Return whether the site shows the code of a cell."
    found = directives(source)
    if {'hide', 'export', 'exporti', 'default_exp'} & found.keys(): return False
    return found.get('echo') != 'false' and found.get('include') != 'false'

def default_exp(path: Path) -> str:
    "Return the module that a notebook exports to, or an empty text."
    named = (directives(source).get('default_exp') for source in code_sources(path))
    return next(filter(None, named), '')
