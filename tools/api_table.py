"""What the site shows of an exported name: heading, link to the source, call, docstring, and a table of its
docments.

nbdev's own renderer writes the docments as comments into the signature, which is hard to read on a phone,
and executes cells of the notebook to get there. We read everything from the library.
"""
import ast, inspect, re, types
from functools import cache, cached_property
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import get_args

from fastcore.docments import docments
from nbdev.doclinks import NbdevLookup

LONGEST_CALL = 88 # characters that fit on the page
DEFINITIONS = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef

def type_text(annotation) -> str:
    "Return a type for readers: `str` or `None`. In backticks, so that nbdev links the names that it knows."
    if annotation is inspect.Parameter.empty: return ''
    if isinstance(annotation, types.UnionType): return ' or '.join(map(type_text, get_args(annotation)))
    if annotation is types.NoneType: return '`None`'
    text = re.sub(r'\b(?:\w+\.)+(?=\w)', '', inspect.formatannotation(annotation))
    return '`' + text.strip("'").replace('|', 'or') + '`'

def parameter_text(p: inspect.Parameter) -> str:
    "Return a parameter with its default. The table has its type."
    star = {p.VAR_POSITIONAL: '*', p.VAR_KEYWORD: '**'}.get(p.kind, '')
    if p.default is p.empty: return star + p.name
    named = inspect.isroutine(p.default) or inspect.isclass(p.default)
    default = p.default.__name__ if named else repr(p.default)
    return f'{p.name}={default}'

def call_text(name: str, params: list[inspect.Parameter]) -> str:
    "Return the call, with a line for each parameter if one line is too short for all."
    parts = []
    for before, p in zip([None, *params], params, strict=False):
        starred = before and before.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        if p.kind == p.KEYWORD_ONLY and not starred: parts.append('*')
        parts.append(parameter_text(p))
    text = f"{name}({', '.join(parts)})"
    if len(text) > LONGEST_CALL: text = '\n'.join([f'{name}(', *(f'    {part},' for part in parts), ')'])
    return f'```python\n{text}\n```'

def docments_table(sym, params: list) -> str:
    "Return one row for each parameter and one for what is returned; nothing if nothing is described."
    about = docments(sym)
    rows = [(f'`{p.name}`', type_text(p.annotation), about.get(p.name) or '') for p in params]
    if about.get('return'):
        rows.append(('**returns**', type_text(inspect.signature(sym).return_annotation), about['return']))
    if not any(details for _, _, details in rows): return ''
    lines = [' | '.join(cell.replace('|', r'\|') for cell in row) for row in rows]
    return '\n'.join(['| | Type | |', '|---|---|---|', *[f'| {line} |' for line in lines]])

@cache
def line_numbers(module: str) -> dict[str, int]:
    "Return where the functions, classes and methods of a module begin."
    tree = ast.parse(Path(str(import_module(module).__file__)).read_text(encoding='utf-8'))
    found = {}
    for node in tree.body:
        if not isinstance(node, DEFINITIONS): continue
        found[node.name] = node.lineno
        for inner in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(inner, DEFINITIONS): found[f'{node.name}.{inner.name}'] = inner.lineno
    return found

def source_link(module: str, name: str) -> str:
    "Return the address of the line of the repository that defines a name."
    found = NbdevLookup()[f'{module}.{name}']
    if found is None: raise KeyError(f'{module}.{name} is not in _modidx.py: run nbdev_export')
    return f'{found[2]}#L{line_numbers(module)[name]}'

def heading(name: str, level: int, source: str) -> str:
    "Return the heading of an entry and the link to its source."
    name = name.replace('_', r'\_')
    return f"{'#'*level} {name}\n\n[source]({source}){{.api-source}}"

def entry(sym, module: str, name: str, level: int, is_property: bool = False) -> str:
    "Return one function, class or property as Markdown."
    try: params = [p for p in inspect.signature(sym).parameters.values() if p.name != 'self']
    except ValueError: params = None # an exception takes what its base class takes
    parts = [heading(name, level, source_link(module, name)),
             '' if is_property or params is None else call_text(name.removesuffix('.__call__'), params),
             inspect.cleandoc(sym.__doc__ or ''), docments_table(sym, params or [])]
    return '\n\n'.join(part for part in parts if part)

def documented_members(cls: type):
    "Yield methods and properties of a class that have a docstring: name, function, if it is a property."
    for name, member in vars(cls).items():
        is_property = isinstance(member, (property, cached_property))
        if isinstance(member, property): function = member.fget
        elif isinstance(member, cached_property): function = member.func
        else: function = getattr(member, '__func__', member)
        public = name == '__call__' or not name.startswith('_')
        if public and inspect.isfunction(function) and function.__doc__:
            yield name, function if is_property else getattr(cls, name), is_property

def api_entry(
    module: str, # full name, such as `cifar_nb.augment`
    name: str, # what the module exports
) -> str: # its entry, and for a class also those of its methods and properties that have a docstring
    "Return the documentation of an exported name as Markdown, with links from the names that nbdev knows."
    sym = attrgetter(name)(import_module(module))
    entries = [entry(sym, module, name, 3)]
    for attr, member, is_property in documented_members(sym) if inspect.isclass(sym) else ():
        entries.append(entry(member, module, f'{name}.{attr}', 4, is_property))
    return NbdevLookup().linkify('\n\n'.join(entries)) or ''

def definitions(
    file: Path, # a module of the library
) -> dict[str, ast.stmt]: # in source order
    "Find the exported functions and classes of a module: name -> where it is defined."
    tree = ast.parse(file.read_text(encoding='utf-8'))
    return {n.name: n for n in tree.body if isinstance(n, DEFINITIONS) and not n.name.startswith('_')}

def exported_constants(
    file: Path, # a module of the library
) -> dict[str, ast.Assign]: # in source order
    "Find the names of `__all__` that are neither functions nor classes: name -> where it is set."
    tree = ast.parse(file.read_text(encoding='utf-8'))
    assigned = {target.id: node for node in tree.body if isinstance(node, ast.Assign)
                for target in node.targets if isinstance(target, ast.Name)}
    if '__all__' not in assigned: return {}
    exported = set(ast.literal_eval(assigned.pop('__all__').value))
    return {name: node for name, node in assigned.items() if name in exported}

def constant_entries(
    constants: dict[str, ast.Assign], # from `exported_constants`
    file: Path, # their module
    cfg, # nbdev's settings
) -> str: # a section of its own
    "Return the documentation of constants as Markdown: each as its source has it, with its comment."
    lines = file.read_text(encoding='utf-8').splitlines()
    parts = ['## Constants']
    for name, node in constants.items():
        code = '\n'.join(lines[node.lineno - 1:node.end_lineno])
        link = f'{cfg.git_url}/blob/{cfg.branch}/{cfg.lib_name}/{file.name}#L{node.lineno}'
        parts += [heading(name, 3, link), f'```python\n{code}\n```']
    return '\n\n'.join(parts)
