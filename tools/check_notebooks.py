#!/usr/bin/env python3
"""Check what a reader and a user rely on, in every notebook. Prints each breach; exit status 1 if there is one.

- Of every exported function and class something is asserted within the next three code cells.
- Every exported function and class has a docstring, and every parameter of a function a comment that says what it is.
- A notebook's first code cell is the one that installs the package on Colab, from the address in settings.ini.
- Saved outputs are evidence: none is of the stand-in where the cell did not ask for it; learning-rate finder and training show the full budget and the numbers, hardware and precision of a run in results/, the results its log, speed, fast and strong recipe the measurements there.
- Saved outputs hold no error, no widget and no local path; a figure is under 350 KB (a hundred photographs of 32×32 pixels are 300 KB), a notebook under 1.5 MB.
"""
import ast, json, re, sys
from configparser import ConfigParser
from pathlib import Path

from cifar_nb.data import STAND_IN_NAME
from cifar_nb.fast import ablation_table, beside_table
from cifar_nb.results import logs_table, read_run, results_table
from cifar_nb.speed import bench_table
from cifar_nb.train import format_history

root = Path(__file__).resolve().parent.parent
config = ConfigParser(delimiters=['='])
config.read(root/'settings.ini', encoding='utf-8')
colab_cell = f'''\
#| hide
# On Colab this cell installs the package; anywhere else it does nothing.
import os
if 'COLAB_RELEASE_TAG' in os.environ:
    package = os.environ.get('CIFAR_NB_INSTALL', 'git+{config['DEFAULT']['git_url']}')
    %pip install -q {{package}}
    import cifar_nb
    print(f'installed cifar_nb {{cifar_nb.__version__}} from {{package}}')'''

def mentions(node: ast.AST, names: set[str]) -> bool:
    "Whether one of the names occurs in a piece of code."
    return any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node))

def is_tested(name: str, source: str, gives: bool) -> bool:
    """Whether something is asserted of what a function gives: its name, or a variable that was made with it, stands in an assert.

    Of a class or of a function that gives nothing back it is enough that it is used beside an assert.
    """
    tree = ast.parse(re.sub(r'(?m)^\s*%.*$', '', source))
    asserts = [n for n in ast.walk(tree) if isinstance(n, ast.Assert) or
               isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr.startswith('assert_')]
    if not gives: return mentions(tree, {name}) and bool(asserts)
    made = {name}
    while True: # variables that were made with the function, and those that were made with them
        more = set()
        for n in ast.walk(tree):
            if isinstance(n, ast.Assign) and mentions(n.value, made): more |= {t.id for target in n.targets for t in ast.walk(target) if isinstance(t, ast.Name)}
            if isinstance(n, (ast.For, ast.comprehension)) and mentions(n.iter, made): more |= {t.id for t in ast.walk(n.target) if isinstance(t, ast.Name)}
            if isinstance(n, ast.FunctionDef) and mentions(n, made): more.add(n.name)
            if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and mentions(n.value.func, made): more |= {a.id for a in n.value.args if isinstance(a, ast.Name)}
            if isinstance(n, ast.withitem) and n.optional_vars and mentions(n.context_expr, made): more |= {t.id for t in ast.walk(n.optional_vars) if isinstance(t, ast.Name)}
        if more <= made: return any(mentions(n, made) for n in asserts)
        made |= more

def breaches(path: Path):
    "What is wrong with a notebook, one text for each."
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    code = [''.join(c['source']) for c in cells if c['cell_type'] == 'code']
    if code[0] != colab_cell: yield f'the first code cell is not the one that installs the package on Colab:\n{colab_cell}'
    for i, source in enumerate(code):
        if not is_exported(source): continue
        follow = '\n'.join(s for s in code[i + 1:i + 4] if not is_exported(s))
        lines = source.split('\n')
        for node in ast.parse(source).body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith('_'): continue
            gives = isinstance(node, ast.FunctionDef) and node.returns is not None
            if not is_tested(node.name, follow, gives): yield f'{node.name} has no demo and test within three cells'
            if not ast.get_docstring(node): yield f'{node.name} has no docstring'
            if isinstance(node, ast.FunctionDef):
                for arg in [*node.args.args, *node.args.kwonlyargs, *filter(None, [node.args.vararg, node.args.kwarg])]:
                    if '#' not in lines[arg.lineno - 1]: yield f'{node.name}: the parameter {arg.arg} is not described'
    for c in cells:
        for out in c.get('outputs', []):
            text = json.dumps(out)
            if STAND_IN_NAME in text and not re.search('stand.in|drawn', ''.join(c['source'])): yield f'a saved output of the stand-in: {text[:200]}'
            if out['output_type'] == 'error': yield f"saved error: {out['ename']}"
            if 'application/vnd.jupyter.widget' in text: yield 'a saved widget'
            if re.search(r'/(?:home|root|tmp|work|Users)/', re.sub(r'"image/png": "[^"]*"', '', text)): yield f'a local path in a saved output: {text[:200]}'
            for png in re.findall(r'"image/png": "([^"]*)"', text):
                if len(png)*3/4 > 350_000: yield f'a figure of {len(png)*3//4:,} bytes'
    if path.stat().st_size > 1_500_000: yield f'{path.stat().st_size:,} bytes'

def is_exported(source: str) -> bool:
    "Whether a code cell goes into the library."
    return bool(re.match(r'#\|\s*export\b', source))

def disagreements():
    "Where what is saved in the notebooks is not of the full budget or not what results/ says, one text for each."
    def said(name):
        cells = json.loads((root/'nbs'/f'{name}.ipynb').read_text(encoding='utf-8'))['cells']
        return ''.join(''.join(out.get('text', []) + out.get('data', {}).get('text/markdown', [])) for c in cells for out in c.get('outputs', []))
    finder, training, results = said('03_lr_finder'), said('04_train'), said('05_results')
    for table in (results_table(root/'results'), logs_table(root/'results'/'h200')):
        for name, text in (('05_results', results), ('index', said('index'))):
            if table not in text: yield f'{name}.ipynb: its table of runs is not that of results/'
    for name, table, file in (('06_speed', bench_table, 'bench-cpu.json'), ('06_speed', bench_table, 'bench-h200.json'), ('11_fast', beside_table, 'beside.json'), ('11_fast', ablation_table, 'study-fast.json'), ('12_strong', ablation_table, 'study-strong.json')):
        if table(json.loads((root/'results'/file).read_text())) not in said(name): yield f'{name}.ipynb: it does not show results/{file}'
    runs = [read_run(file.parent) for file in (root/'results').glob('*/provenance.json')]
    if any(run.recipe['name'] == 'strong' and format_history(run.history) not in said('12_strong') for run in runs): yield '12_strong.ipynb: it does not show every run of the strong recipe in results/'
    shown = [run for run in runs if format_history(run.history[-5:]) in training]
    if not shown: yield '04_train.ipynb: the last five epochs that it shows are not those of a run in results/'
    for run in shown:
        if format_history(run.history) not in results: yield '05_results.ipynb: its log is not that of the run that 04_train.ipynb shows'
        low, high = run.recipe['lr_min'], run.recipe['lr_max']
        where = f"{run.origin['hardware']}, {run.origin['precision']} | budget: full"
        for name, text, line in (('03_lr_finder', finder, where), ('04_train', training, where), ('03_lr_finder', finder, f'LRMIN = {low:.3g}, LRMAX = {high:.3g}'), ('04_train', training, f'LRMIN {low:.3g}, LRMAX {high:.3g}')):
            if line not in text: yield f"{name}.ipynb: it does not say '{line}', as the run in {run.folder.relative_to(root)} has it"

found = [f'{path.name}: {breach}' for path in sorted((root/'nbs').glob('*.ipynb')) for breach in breaches(path)] + list(disagreements())
print('\n'.join(found))
sys.exit(bool(found))
