#!/usr/bin/env python3
"""Check that pyproject.toml and CITATION.cff say what settings.ini says. Prints each difference.

nbdev 2 reads settings.ini, nbdev 3, ruff and pyright read pyproject.toml.
"""
import posixpath, sys, tomllib

import yaml

from project import root, settings

def differences():
    "Return each value that differs: its place, what is there, and what settings.ini says."
    cfg = settings()
    toml = tomllib.loads((root/'pyproject.toml').read_text(encoding='utf-8'))
    project, tools = toml['project'], toml['tool']
    python, site = cfg['min_python'], cfg['doc_host'] + cfg['doc_baseurl']
    pairs: list[tuple[str, object, object]] = [
        ('project.name', project['name'], cfg['lib_name']),
        ('project.urls.Repository', project['urls']['Repository'], cfg['git_url']),
        ('project.urls.Documentation', project['urls']['Documentation'], site),
        ('tool.ruff.target-version', tools['ruff']['target-version'], f"py{python.replace('.', '')}"),
        ('tool.pyright.pythonVersion', tools['pyright']['pythonVersion'], python),
    ]
    for name, value in tools['nbdev'].items():
        if name.endswith('_path'): value = posixpath.normpath(value)
        if isinstance(value, list): value = ' '.join(value) # as settings.ini writes lists
        pairs.append((f'tool.nbdev.{name}', value, cfg.get(name)))
    citation = yaml.safe_load((root/'CITATION.cff').read_text(encoding='utf-8'))
    for name, wanted in (('version', cfg['version']), ('title', cfg['title']), ('license', 'Apache-2.0'),
                         ('repository-code', cfg['git_url']), ('url', site)):
        pairs.append((f'CITATION.cff: {name}', citation[name], wanted))
    return [pair for pair in pairs if str(pair[1]) != str(pair[2])]

if __name__ == '__main__':
    found = differences()
    for place, value, wanted in found: print(f'{place} is {value!r}, settings.ini says {wanted!r}')
    sys.exit(bool(found))
