#!/usr/bin/env python3
"""Put the owner of the public repository into settings.ini and into everything derived from it.

    python tools/set_owner.py            derive again from the owner in settings.ini
    python tools/set_owner.py NAME       change the owner first; hosted CI passes its own
"""
import re, subprocess, sys
from pathlib import Path

from project import all_notebooks, root, settings

DERIVED = ['pyproject.toml', 'CITATION.cff', 'CONTRIBUTING.md', 'CHANGELOG.md',
           '.github/**/*.yml', '.github/**/*.md']

def change_owner(name: str):
    "Write another owner into settings.ini."
    if not re.fullmatch(r'[A-Za-z0-9][A-Za-z0-9-]{0,38}', name): sys.exit(f'not an account name: {name!r}')
    file = root/'settings.ini'
    text = re.sub(r'(?m)^user = .*$', f'user = {name}', file.read_text(encoding='utf-8'))
    file.write_text(text, encoding='utf-8')

def replace_addresses(file: Path):
    "Replace the addresses of repository and site in a file by those in settings.ini."
    cfg, old = settings(), file.read_text(encoding='utf-8')
    sites = r'(https://(?:colab\.research\.google\.com/github|github\.com))'
    new = re.sub(rf"{sites}/[\w-]+/{cfg['repo']}\b", rf"\1/{cfg['user']}/{cfg['repo']}", old)
    base = cfg['doc_baseurl']
    new = re.sub(rf'https://[\w-]+\.github\.io{base}\b', cfg['doc_host'] + base, new)
    if new != old: file.write_text(new, encoding='utf-8')

if __name__ == '__main__':
    if len(sys.argv) > 1: change_owner(sys.argv[1])
    for file in [*all_notebooks(), *(path for pattern in DERIVED for path in root.glob(pattern))]:
        replace_addresses(file)
    export = Path(sys.executable).parent/'nbdev_export'
    subprocess.run([export], cwd=root, check=True) # _modidx.py names the address too
    subprocess.run([sys.executable, root/'tools'/'make_readme.py'], check=True)
