#!/usr/bin/env python3
"""Check what a reader and a user rely on, in every notebook. Prints each breach; exit status 1 if there is one.

- Every exported function and class is used, and something is asserted, within the next three code cells.
- Every exported function and class has a docstring, and every parameter of a function a comment that says what it is.
- A notebook that needs the package begins with the cell that installs it on Colab, from the address in settings.ini.
- Saved outputs hold no error, no widget and no local path; a figure is under 150 KB, a notebook under 1.5 MB.
"""
import ast, json, re, sys
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).resolve().parent.parent
config = ConfigParser(delimiters=['='])
config.read(root/'settings.ini', encoding='utf-8')
address = config['DEFAULT']['git_url']

def breaches(path: Path):
    "What is wrong with a notebook, one text for each."
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    code = [''.join(c['source']) for c in cells if c['cell_type'] == 'code']
    if path.name != 'index.ipynb' and not ('COLAB_RELEASE_TAG' in code[0] and f'git+{address}\n' in code[0] + '\n'):
        yield f'the first cell does not install the package on Colab from {address}'
    for i, source in enumerate(code):
        if not re.match(r'#\|\s*export\b', source): continue
        follow = '\n'.join(s for s in code[i + 1:i + 4] if not re.match(r'#\|\s*export\b', s))
        lines = source.split('\n')
        for node in ast.parse(source).body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith('_'): continue
            if not (re.search(rf'\b{node.name}\b', follow) and 'assert' in follow): yield f'{node.name} has no demo and test within three cells'
            if not ast.get_docstring(node): yield f'{node.name} has no docstring'
            if isinstance(node, ast.FunctionDef):
                for arg in [*node.args.args, *node.args.kwonlyargs, *filter(None, [node.args.vararg, node.args.kwarg])]:
                    if '#' not in lines[arg.lineno - 1]: yield f'{node.name}: the parameter {arg.arg} is not described'
    for c in cells:
        for out in c.get('outputs', []):
            text = json.dumps(out)
            if out['output_type'] == 'error': yield f"saved error: {out['ename']}"
            if 'application/vnd.jupyter.widget' in text: yield 'a saved widget'
            if re.search(r'/(?:home|root|tmp|work|Users)/', re.sub(r'"image/png": "[^"]*"', '', text)): yield f'a local path in a saved output: {text[:200]}'
            for png in re.findall(r'"image/png": "([^"]*)"', text):
                if len(png)*3/4 > 150_000: yield f'a figure of {len(png)*3//4:,} bytes'
    if path.stat().st_size > 1_500_000: yield f'{path.stat().st_size:,} bytes'

found = [f'{path.name}: {breach}' for path in sorted((root/'nbs').glob('*.ipynb')) for breach in breaches(path)]
print('\n'.join(found))
sys.exit(bool(found))
