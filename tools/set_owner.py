#!/usr/bin/env python3
"""Put the owner of the public repository into settings.ini and into everything derived from it.

    python tools/set_owner.py            derive again from the owner in settings.ini
    python tools/set_owner.py NAME       change the owner first; hosted CI passes its own
"""
import re, subprocess, sys
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).resolve().parent.parent
settings = root/'settings.ini'

def facts() -> ConfigParser:
    "What settings.ini says now."
    config = ConfigParser(delimiters=['='])
    config.read(settings, encoding='utf-8')
    return config['DEFAULT']

if len(sys.argv) > 1:
    if not re.fullmatch(r'[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})', sys.argv[1]): sys.exit(f'not an account name: {sys.argv[1]!r}')
    settings.write_text(re.sub(r'(?m)^user = .*$', f'user = {sys.argv[1]}', settings.read_text(encoding='utf-8')), encoding='utf-8')

address, repo = facts()['git_url'], facts()['repo']
for notebook in sorted((root/'nbs').glob('*.ipynb')):
    old = notebook.read_text(encoding='utf-8')
    new = re.sub(rf'https://github\.com/[\w-]+/{repo}\b', address, old)
    if new != old: notebook.write_text(new, encoding='utf-8')
subprocess.run([Path(sys.executable).parent/'nbdev_export'], cwd=root, check=True) # _modidx.py names the address too
subprocess.run([sys.executable, root/'tools'/'make_readme.py'], check=True)
