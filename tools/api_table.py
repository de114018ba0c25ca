"""What the site shows of an exported name: heading, link to the source, call, docstring, and its docments as a table; of a constant its source.

nbdev's own renderer writes the docments as comments into the signature, which is hard to read on a phone, and executes cells of the
notebook to get there. Here everything is read from the library.
"""
import ast, inspect, re, types
from functools import cached_property
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import get_args

from fastcore.docments import docments
from nbdev.doclinks import NbdevLookup

def type_text(annotation) -> str:
    "A type for readers: `str` or `None`. In backticks, so that nbdev links the names that it knows."
    if annotation is inspect.Parameter.empty: return ''
    if isinstance(annotation, types.UnionType): return ' or '.join(map(type_text, get_args(annotation)))
    if annotation is types.NoneType: return '`None`'
    return '`' + re.sub(r'\b(?:\w+\.)+(?=\w)', '', inspect.formatannotation(annotation)).strip("'").replace('|', 'or') + '`'

def call_text(name: str, params: list) -> str:
    "The call with its defaults; the types stand in the table."
    plain = inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in params])
    return f'```python\n{name}{plain}\n```'

def docments_table(sym, params: list) -> str:
    "One row for each parameter and one for what is returned, or nothing where nothing is described."
    about = docments(sym)
    rows = [(f'`{p.name}`', type_text(p.annotation), about.get(p.name) or '') for p in params]
    if about.get('return'): rows.append(('**returns**', type_text(inspect.signature(sym).return_annotation), about['return']))
    if not any(details for _, _, details in rows): return ''
    lines = [' | '.join(cell.replace('|', r'\|') for cell in row) for row in rows]
    return '\n'.join(['| | Type | |', '|---|---|---|', *[f'| {line} |' for line in lines]])

def entry(sym, name: str, level: int, is_property: bool = False) -> str:
    "One function, class or property as Markdown."
    try: params = [p for p in inspect.signature(sym).parameters.values() if p.name != 'self']
    except ValueError: params = None # an exception takes what its base class takes
    parts = [f"{'#'*level} {name.replace('_', chr(92) + '_')}", f'[source]({NbdevLookup().code(name)}){{.api-source}}',
             '' if is_property or params is None else call_text(name.removesuffix('.__call__'), params),
             inspect.cleandoc(sym.__doc__ or ''), docments_table(sym, params or [])]
    return '\n\n'.join(part for part in parts if part)

def api_entries(
    name: str, # An exported name
) -> str: # Its entry, and for a class also those of its methods and properties that have a docstring
    "The documentation of an exported name as Markdown, with links from the names that nbdev knows."
    file = NbdevLookup()[name][1]
    sym = attrgetter(name)(import_module(file.removesuffix('.py').replace('/', '.')))
    entries = ['---', entry(sym, name, 3)]
    for attr, member in vars(sym).items() if inspect.isclass(sym) else ():
        function = member.fget if isinstance(member, property) else member.func if isinstance(member, cached_property) else getattr(member, '__func__', member)
        if inspect.isfunction(function) and function.__doc__ and (attr == '__call__' or not attr.startswith('_')):
            is_property = isinstance(member, (property, cached_property))
            entries.append(entry(function if is_property else getattr(sym, attr), f'{name}.{attr}', 4, is_property))
    return NbdevLookup().linkify('\n\n'.join(entries))

def exported_constants(
    file: Path, # A module of the library
) -> dict[str, ast.Assign]: # Name -> where it is set
    "The names of `__all__` that are neither functions nor classes."
    tree = ast.parse(file.read_text(encoding='utf-8'))
    assigned = {target.id: node for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}
    return {name: assigned[name] for name in ast.literal_eval(assigned['__all__'].value) if name in assigned} if '__all__' in assigned else {}

def constant_entries(
    constants: dict[str, ast.Assign], # From `exported_constants`
    file: Path, # Their module
    cfg, # nbdev's settings
) -> str: # A section of its own
    "The documentation of constants as Markdown: each as it stands in the source, comment included."
    lines = file.read_text(encoding='utf-8').splitlines()
    def entry(name, node):
        source = '\n'.join(lines[node.lineno - 1:node.end_lineno])
        return f"### {name.replace('_', chr(92) + '_')}\n\n[source]({cfg.git_url}/blob/{cfg.branch}/{cfg.lib_name}/{file.name}#L{node.lineno}){{.api-source}}\n\n```python\n{source}\n```"
    return '\n\n'.join(['## Constants', *(entry(name, node) for name, node in constants.items())])
