#!/usr/bin/env python3
"""Check what readers and users rely on, in every notebook. Prints each breach; exit status 1 if there is one.

- Something is asserted of every exported function and class: in its own notebook or in one of nbs/tests/
  that imports it, within three code cells of its use.
- Every exported function and class has a docstring, and every parameter of a function a comment that says
  what it is.
- A notebook's first code cell is the one that installs the package on Colab, from the address in
  settings.ini.
- No line of code that the site shows of the course is longer than 88 characters, no other line of code
  longer than 110.
- Saved outputs are evidence. None is of synthetic images unless the cell asks for them. Learning-rate
  finder and training show the full budget and the numbers, hardware and precision of a run in results/; the
  results show its log; bench, fast and strong show the measurements there.
- Every figure outside the tests has a text for those who can't see it and a caption.
- Saved outputs hold no error, no widget and no local path. A figure is under 350 KB (a hundred photographs
  of 32×32 pixels are 300 KB), a notebook under 1.5 MB.
"""
import ast, json, re, sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from textwrap import dedent

from cifar_nb.bench import bench_table
from cifar_nb.compare import budget_table, comparison_table
from cifar_nb.data import SYNTHETIC_NAME
from cifar_nb.progress import format_history
from cifar_nb.results import logs_table, results_table
from cifar_nb.run import read_run
from cifar_nb.study import Study

from project import (
    all_notebooks, code_sources, default_exp, is_exported, is_visible, nbs, notebook_name, read_cells, root,
    settings)

COLAB_CELL = f'''\
#| hide
# On Colab this cell installs the package; anywhere else it does nothing.
import os
if 'COLAB_RELEASE_TAG' in os.environ:
    package = os.environ.get('CIFAR_NB_INSTALL', 'git+{settings()['git_url']}')
    %pip install -q {{package}}
    import cifar_nb
    print(f'installed cifar_nb {{cifar_nb.__version__}} from {{package}}')'''

def of_json(table: Callable[[dict], str]) -> Callable[[Path], str]:
    "Return a function that makes a table of what a JSON file holds."
    return lambda path: table(json.loads(path.read_text(encoding='utf-8')))

def study_table(path: Path) -> str:
    "Return the table of a study."
    return Study(path.parent, path.name).table()

WINDOW = 3 # code cells in which something is used and asserted
SHOWN = { # notebook: the measurements in results/ that it shows, and the table that they make
    'further/bench.ipynb': [(f'bench-{machine}.json', of_json(bench_table)) for machine in ('cpu', 'h200')],
    'further/fast.ipynb': [('compare-cpu.json', of_json(comparison_table)), ('study-fast.json', study_table)],
    'further/minutes.ipynb': [('minutes.json', of_json(budget_table))],
    'further/strong.ipynb': [('study-strong.json', study_table)],
}

def parse(source: str) -> ast.Module:
    "Parse the code of cells, without magics, and the texts with assertions that they run in a new process."
    tree = ast.parse(re.sub(r'(?m)^(\s*)[%!].*$', r'\1pass', source))
    for node in list(ast.walk(tree)):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str): continue
        if 'assert ' in node.value and '\n' in node.value:
            with suppress(SyntaxError): tree.body += ast.parse(dedent(node.value)).body
    return tree

def mentions(node: ast.AST, names: set[str]) -> bool:
    "Return whether one of the names occurs in a piece of code."
    return any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node))

def names_in(*nodes: ast.AST) -> set[str]:
    "Return the names in pieces of code."
    return {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)}

def made_by(n: ast.AST, names: set[str]) -> set[str]:
    "Return the names that one statement makes with the help of others."
    if isinstance(n, ast.Assign) and mentions(n.value, names): return names_in(*n.targets)
    if isinstance(n, ast.NamedExpr) and mentions(n.value, names): return names_in(n.target)
    if isinstance(n, (ast.For, ast.comprehension)) and mentions(n.iter, names): return names_in(n.target)
    if isinstance(n, ast.FunctionDef) and mentions(n, names): return {n.name}
    if isinstance(n, ast.withitem) and n.optional_vars and mentions(n.context_expr, names):
        return names_in(n.optional_vars)
    if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and mentions(n.value.func, names):
        return {arg.id for arg in n.value.args if isinstance(arg, ast.Name)}
    return set()

def closure(tree: ast.AST, names: set[str], kinds: type | tuple = ast.AST) -> set[str]:
    "Return the names, those that are made with their help, and so on."
    while True:
        more = set().union(*(made_by(n, names) for n in ast.walk(tree) if isinstance(n, kinds)))
        if more <= names: return names
        names = names | more

def is_assert(n: ast.AST) -> bool:
    "Return whether a node is an assertion: `assert`, or a call such as `torch.testing.assert_close`."
    if isinstance(n, ast.Assert): return True
    called = n.func if isinstance(n, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr.startswith('assert_')

def asserted_in(sources: list[str], names: set[str], gives: bool) -> bool:
    """Return whether code cells assert something of what a function gives.

    Its name, or a variable made with it, is in an assertion, at most `WINDOW` cells on. Helpers that use it
    count as the function itself. A class, or a function that gives nothing back, is used beside an assertion.
    """
    trees = [parse(source) for source in sources]
    names = closure(ast.Module([node for tree in trees for node in tree.body], []), names, ast.FunctionDef)
    for i, first in enumerate(trees):
        if not mentions(first, names): continue
        window = ast.Module([node for tree in trees[i:i + WINDOW] for node in tree.body], [])
        asserts = [n for n in ast.walk(window) if is_assert(n)]
        if asserts and not gives: return True
        if any(mentions(n, closure(window, names)) for n in asserts): return True
    return False

@cache
def test_notebooks() -> list[tuple[list[str], ast.Module]]:
    "Return the code cells of each test notebook, and all of them parsed."
    notebooks = [code_sources(path) for path in all_notebooks('tests')]
    return [(sources, parse('\n'.join(sources))) for sources in notebooks]

def imported_as(tree: ast.Module, module: str, name: str) -> set[str]:
    "Return what a notebook calls a name that it imports from cifar_nb, by name or with all of its module."
    imports = [(n.module or '', n.names) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    ours = [(place, a) for place, names in imports for a in names if place.split('.')[0] == 'cifar_nb']
    found = {alias.asname or name for _, alias in ours if alias.name == name}
    return found | {name for place, alias in ours if alias.name == '*' and place == f'cifar_nb.{module}'}

def is_tested(node: ast.FunctionDef | ast.ClassDef, module: str, following: list[str]) -> bool:
    "Return whether something is asserted of a function or class, in its own notebook or in a test notebook."
    gives = isinstance(node, ast.FunctionDef) and node.returns is not None
    if asserted_in(following, {node.name}, gives): return True
    for sources, tree in test_notebooks():
        names = imported_as(tree, module, node.name)
        if names and asserted_in(sources, names, gives): return True
    return False

def undescribed(node: ast.FunctionDef | ast.ClassDef, lines: list[str]) -> list[str]:
    "Return the parameters of a function without a comment that says what they are."
    if isinstance(node, ast.ClassDef): return []
    arguments = node.args.args + node.args.kwonlyargs + [node.args.vararg, node.args.kwarg]
    return [arg.arg for arg in arguments if arg and '#' not in lines[arg.lineno - 1]]

def definition_breaches(path: Path, code: list[str]):
    "Yield what is wrong with what a notebook exports."
    for i, source in enumerate(code):
        if not is_exported(source): continue
        following = [s for s in code[i + 1:] if not is_exported(s)]
        lines = source.split('\n')
        for node in ast.parse(source).body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith('_'): continue
            if not is_tested(node, default_exp(path), following):
                yield f'{node.name}: nothing is asserted of it, here or in nbs/tests/'
            if not ast.get_docstring(node): yield f'{node.name} has no docstring'
            for name in undescribed(node, lines): yield f'{node.name}: the parameter {name} is not described'

def line_breaches(path: Path, code: list[str]):
    "Yield lines of code that are too long, without directives and the Colab cell."
    course = path.parent == nbs
    for source in code[1:]:
        longest = 88 if course and is_visible(source) else 110
        for line in source.split('\n'):
            if len(line) > longest and not line.startswith('#|'):
                yield f'a line of {len(line)} characters, not {longest}: {line.strip()[:60]} …'

def output_breaches(source: str, out: dict):
    "Yield what is wrong with one saved output of a cell."
    text = json.dumps(out)
    without_figures = re.sub(r'"image/png": "[^"]*"', '', text)
    if SYNTHETIC_NAME in text and 'synthetic' not in source.lower():
        yield f'a saved output of synthetic images: {text[:200]}'
    if out['output_type'] == 'error': yield f"saved error: {out['ename']}"
    if 'application/vnd.jupyter.widget' in text: yield 'a saved widget'
    if re.search(r'/(?:home|root|tmp|work|Users)/', without_figures):
        yield f'a local path in a saved output: {text[:200]}'
    for png in re.findall(r'"image/png": "([^"]*)"', text):
        if len(png)*3/4 > 350_000: yield f'a figure of {len(png)*3//4:,} bytes'

def caption_breaches(cell: dict):
    "Yield what a figure on the site lacks."
    if not any('image/png' in out.get('data', {}) for out in cell.get('outputs', [])): return
    for directive in ('fig-alt', 'fig-cap'):
        if not re.search(rf'(?m)^#\| {directive}: \S', cell['source']):
            yield f"a figure without {directive}: {cell['source'].strip().splitlines()[-1][:60]}"

def breaches(path: Path):
    "Yield what is wrong with a notebook."
    code = code_sources(path)
    if not code or code[0] != COLAB_CELL:
        yield f'the first code cell is not the one that installs the package on Colab:\n{COLAB_CELL}'
    yield from definition_breaches(path, code)
    yield from line_breaches(path, code)
    for cell in read_cells(path):
        for out in cell.get('outputs', []): yield from output_breaches(cell['source'], out)
        if path.parent.name != 'tests': yield from caption_breaches(cell)
    if path.stat().st_size > 1_500_000: yield f'{path.stat().st_size:,} bytes'

@cache
def said(name: str) -> str:
    "Return what the saved outputs of a notebook say: nothing if there is no such notebook."
    if not (nbs/name).exists(): return ''
    outputs = [out for cell in read_cells(nbs/name) for out in cell.get('outputs', [])]
    parts = [out.get('text', []) + out.get('data', {}).get('text/markdown', []) for out in outputs]
    return ''.join(''.join(part) for part in parts)

def table_disagreements():
    "Yield tables of measurements that are not those of results/."
    results = root/'results'
    for table in (results_table(results), logs_table(results/'h200')):
        for name in ('05_results.ipynb', 'index.ipynb'):
            if table not in said(name): yield f'{name}: its table of runs is not that of results/'
    for name, shown in SHOWN.items():
        for file, table in shown:
            if table(results/file) not in said(name):
                yield f'{name}: it does not show results/{file}'

def run_disagreements():
    "Yield saved numbers that are not of the full budget, or not those of the runs in results/."
    finder, training = '03_lr_finder.ipynb', '04_train.ipynb'
    runs = [read_run(file.parent) for file in sorted((root/'results').glob('*/provenance.json'))]
    def shows(name, run): return format_history(run.history[-5:]) in said(name)
    for run in runs:
        if run.recipe.name == 'strong' and not shows('further/strong.ipynb', run):
            yield f'further/strong.ipynb: it does not show {run.folder.name} in results/'
    shown = [run for run in runs if shows(training, run)]
    if not shown: yield f'{training}: the last five epochs that it shows are not those of a run in results/'
    for run in shown:
        if format_history(run.history) not in said('05_results.ipynb'):
            yield f'05_results.ipynb: its log is not that of the run that {training} shows'
        low, high = run.recipe.lr_min, run.recipe.lr_max
        where = f"{run.metadata['precision']} | budget: full" # CPUs give their name in more than one way
        lines = [(finder, where), (training, where), (finder, f'LRMIN = {low:.3g}, LRMAX = {high:.3g}'),
                 (training, f'LRMIN {low:.3g}, LRMAX {high:.3g}')]
        for name, line in lines:
            if line not in said(name):
                yield f"{name}: it does not say '{line}', as the run in {run.folder.relative_to(root)} has it"

if __name__ == '__main__':
    found = [f'{notebook_name(path)}: {breach}' for path in all_notebooks() for breach in breaches(path)]
    found += [*table_disagreements(), *run_disagreements()]
    print('\n'.join(found) or f'{len(all_notebooks())} notebooks: nothing to complain about')
    sys.exit(bool(found))
