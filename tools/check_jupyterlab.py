#!/usr/bin/env python3
"""Open every notebook in a real JupyterLab, in Chromium, press Run All Cells, and look at the page.

    python tools/check_jupyterlab.py [NOTEBOOK …]

All cells must have run, none with an error; where the saved notebook shows figures or a progress bar, so must the page.
The copies that are opened have no outputs: what the page shows was made here. CIFAR_NB_BUDGET is `quick` unless it is set.
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile, time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import nbformat
from playwright.sync_api import Page, TimeoutError, sync_playwright

from run_notebooks import all_notebooks, root, run_each

BROWSERS = 'chromium', 'chromium-browser', 'google-chrome' # Debian, Ubuntu, hosted CI
FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
SETTINGS = {
    'notebook-extension/tracker': dict(windowingMode='none'), # every cell in the page, not only those in sight
    'apputils-extension/notification': dict(fetchNews='false', checkForUpdates=False),
}
LONGEST = 900 # seconds that a notebook may take

# What the page has of each cell. Bars come and go while it runs: `watch` notes where there was one.
WATCH = """() => new MutationObserver(() => document.querySelectorAll('.jp-CodeCell progress').forEach(bar => bar.closest('.jp-CodeCell').hadBar = true))
    .observe(document.body, {childList: true, subtree: true})"""
DONE = r"""() => { const cells = [...document.querySelectorAll('.jp-CodeCell')]
    return cells.some(cell => cell.querySelector('[data-mime-type="application/vnd.jupyter.error"]')) ||
           cells.every(cell => /^\[\d+\]:$/.test(cell.querySelector('.jp-InputPrompt').innerText.trim())) }"""
SEEN = """() => [...document.querySelectorAll('.jp-CodeCell')].map(cell => ({
    error: cell.querySelector('[data-mime-type="application/vnd.jupyter.error"]')?.innerText || '',
    output: cell.querySelector('.jp-OutputArea-output')?.innerText || '',
    figures: [...cell.querySelectorAll('.jp-RenderedImage img')].filter(img => img.naturalWidth).length,
    tables: cell.querySelectorAll('.jp-RenderedHTMLCommon table').length,
    bar: !!cell.hadBar}))"""

@contextmanager
def jupyterlab(
    folder: Path, # What it shows
    home: Path, # Where its settings and its log go
):
    "A JupyterLab of its own: the address of its page, with the token."
    for name, values in SETTINGS.items():
        file = home/'settings'/'@jupyterlab'/f'{name}.jupyterlab-settings'
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    env = os.environ | dict(JUPYTER_CONFIG_DIR=f'{home}/config', JUPYTER_DATA_DIR=f'{home}/data', JUPYTER_RUNTIME_DIR=f'{home}/runtime', IPYTHONDIR=f'{home}/ipython',
                            JUPYTERLAB_SETTINGS_DIR=f'{home}/settings', JUPYTERLAB_WORKSPACES_DIR=f'{home}/workspaces')
    env.setdefault('CIFAR_NB_BUDGET', 'quick')
    with open(home/'log', 'w') as log:
        server = subprocess.Popen([sys.executable, '-m', 'jupyterlab', '--no-browser', '--allow-root', '--ip=127.0.0.1', '--port=0', '--IdentityProvider.token=secret', f'--ServerApp.root_dir={folder}'],
                                  env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(120):
            if found := re.search(r'http://127\.0\.0\.1:\d+/', (home/'log').read_text()): break
            time.sleep(.5)
        else: raise SystemExit(f'JupyterLab did not start:\n{(home/"log").read_text()}')
        yield found[0]
    finally:
        server.terminate()
        server.wait()
