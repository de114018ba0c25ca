#!/usr/bin/env python3
"""Open every notebook in a real JupyterLab, in Chromium, press Run All Cells, and look at the page.

    python tools/check_jupyterlab.py [NOTEBOOK …]     default: the course and nbs/further/

All cells must have run, none with an error. If the saved notebook shows figures or a progress bar, so must
the page. The copies that we open have no outputs: what the page shows was made here. CIFAR_NB_BUDGET is
`quick` unless it is set.
"""
import json, os, re, shutil, subprocess, sys, tempfile, time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import nbformat
from playwright.sync_api import Page, TimeoutError, sync_playwright

from browser import FLAGS, find_browser
from project import all_notebooks, new_parser, notebook_name, root
from run_notebooks import run_each

SETTINGS = {
    'notebook-extension/tracker': dict(windowingMode='none'), # all cells in the page, not only those in sight
    'apputils-extension/notification': dict(fetchNews='false', checkForUpdates=False),
}
LONGEST = 600 # seconds that a notebook may take
TRUSTED = '--allow-root', '--ip=127.0.0.1', '--port=0', '--IdentityProvider.token=secret'
# These train: with a progress bar and live curves.
WITH_BAR = {'04_train.ipynb', 'further/fast.ipynb', 'further/strong.ipynb'}

# What the page has of each code cell. Bars come and go while it runs: WATCH notes where there was one.
WATCH = """() => {
    const bars = () => document.querySelectorAll('.jp-CodeCell progress');
    new MutationObserver(() => bars().forEach(bar => bar.closest('.jp-CodeCell').hadBar = true))
        .observe(document.body, {childList: true, subtree: true}) }"""
DONE = r"""() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
        .map(p => p.textContent.trim()) // also of cells in collapsed sections
    return prompts.some(text => /^\[\d+\]:$/.test(text)) && !prompts.includes('[*]:') }"""
SEEN = r"""() => {
    const cells = jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model)
    const models = cells.filter(model => model.type === 'code')
    const errors = model => model.outputs.toJSON().filter(out => out.output_type === 'error')
        .map(out => `${out.ename}: ${out.evalue}`)
    return [...document.querySelectorAll('.jp-CodeCell')].map((cell, i) => ({
        errors: errors(models[i]), // the page draws them like any text on stderr
        ran: /\d/.test(cell.querySelector('.jp-InputPrompt').textContent),
        output: cell.querySelector('.jp-OutputArea-output')?.textContent || '',
        figures: [...cell.querySelectorAll('.jp-RenderedImage img')].filter(img => img.naturalWidth).length,
        tables: cell.querySelectorAll('.jp-RenderedHTMLCommon table').length,
        bar: !!cell.hadBar})) }"""

def server_env(home: Path) -> dict[str, str]:
    "Write the settings of JupyterLab into a folder, and return an environment that keeps it in there."
    for name, values in SETTINGS.items():
        file = home/'settings'/'@jupyterlab'/f'{name}.jupyterlab-settings'
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    own = dict(
        IPYTHONDIR='ipython', JUPYTER_CONFIG_DIR='config', JUPYTER_DATA_DIR='data',
        JUPYTER_RUNTIME_DIR='runtime', JUPYTERLAB_SETTINGS_DIR='settings',
        JUPYTERLAB_WORKSPACES_DIR='workspaces')
    folders = {name: f'{home}/{folder}' for name, folder in own.items()}
    return {'CIFAR_NB_BUDGET': 'quick'} | os.environ | folders

@contextmanager
def jupyterlab(
    folder: Path, # what it shows
    home: Path, # place of its settings and its log
):
    "Run a JupyterLab of our own; gives the address of its page."
    command = [sys.executable, '-m', 'jupyterlab', '--no-browser', '--expose-app-in-browser', *TRUSTED,
               f'--ServerApp.root_dir={folder}']
    with open(home/'log', 'w') as log:
        server = subprocess.Popen(command, env=server_env(home), stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(120):
            if found := re.search(r'http://127\.0\.0\.1:\d+/', (home/'log').read_text()): break
            time.sleep(.5)
        else: raise SystemExit(f'JupyterLab did not start:\n{(home/"log").read_text()}')
        yield found[0]
    finally:
        server.terminate()
        server.wait()

def call(address: str, method: str = 'GET'):
    "Return the answer of the server's interface."
    request = Request(address, method=method, headers={'Authorization': 'token secret'})
    with urlopen(request) as answer: return json.loads(answer.read() or 'null')

def shown(cell) -> dict:
    "Return what a saved code cell shows: how many figures and tables, and whether a progress bar was there."
    data = [out.get('data', {}) for out in cell.outputs]
    pages = [d.get('text/html', '') for d in data]
    return dict(figures=sum('image/png' in d for d in data), tables=sum('<table' in page for page in pages),
                bar=any('<style>' in page and 'progress' in page for page in pages))

def run_all(page: Page, address: str, name: str):
    "Open a notebook, press Run All Cells and wait until it is done."
    page.goto(f'{address}lab/tree/{name}?token=secret&reset')
    page.get_by_text(re.compile(r'\| Idle$')).wait_for(timeout=120_000) # the status bar: the kernel is there
    page.evaluate(WATCH)
    page.locator('.lm-MenuBar-itemLabel', has_text=re.compile('^Run$')).click()
    page.locator('.lm-Menu-itemLabel', has_text=re.compile('^Run All Cells$')).click()
    page.wait_for_function(DONE, timeout=LONGEST*1000, polling=500)
    page.get_by_text(re.compile(r'\| Idle$')).wait_for(timeout=60_000) # and nothing runs on behind the cells

def breaches(where: str, seen: dict, saved: dict):
    "Yield what a cell in the page has too much or too little, compared with the saved notebook."
    for error in seen['errors']: yield f'{where}: {error}'
    if not seen['ran']: yield f'{where} did not run'
    for what in ('figures', 'tables'):
        if seen[what] < saved[what]:
            yield f'{where}: {seen[what]} {what}, {saved[what]} in the saved notebook'
    if saved['bar'] and not seen['bar']: yield f'{where}: no progress bar was seen'

def page_breaches(page: Page, path: Path, expected: list[dict]):
    "Yield what is wrong with the page of a notebook that has run."
    cells = page.evaluate(SEEN)
    if len(cells) != len(expected): yield f'{len(cells)} code cells in the page, not {len(expected)}'
    for i, (seen, saved) in enumerate(zip(cells, expected, strict=False), 1):
        yield from breaches(f'code cell {i}', seen, saved)
    if notebook_name(path) in WITH_BAR and not any(cell['bar'] and cell['figures'] for cell in cells):
        yield 'no cell shows a progress bar and a figure'
    if cells[0]['output']: yield f"the Colab cell says something here: {cells[0]['output']}"

def check(page: Page, address: str, folder: Path, path: Path):
    "Run a notebook in JupyterLab. Raise `AssertionError` if the page lacks something."
    name = notebook_name(path)
    nb = nbformat.read(path, as_version=4)
    code = [cell for cell in nb.cells if cell.cell_type == 'code']
    expected = [shown(cell) for cell in code]
    for cell in code: cell.outputs, cell.execution_count = [], None
    (folder/name).parent.mkdir(exist_ok=True)
    nbformat.write(nb, folder/name)
    try: run_all(page, address, name)
    except TimeoutError as e: found = [str(e).splitlines()[0]]
    else: found = list(page_breaches(page, path, expected))
    for kernel in call(f'{address}api/kernels'): call(f"{address}api/kernels/{kernel['id']}", 'DELETE')
    assert not found, '\n'.join(found)

def main():
    parser = new_parser(__doc__)
    parser.add_argument('notebooks', nargs='*', type=Path)
    notebooks = parser.parse_args().notebooks or all_notebooks('.', 'further')
    with tempfile.TemporaryDirectory() as tmp, sync_playwright() as playwright:
        home, folder = Path(tmp)/'home', Path(tmp)/'clone'/'nbs'
        home.mkdir()
        folder.mkdir(parents=True)
        shutil.copytree(root/'results', folder.parent/'results')
        with jupyterlab(folder, home) as address:
            page = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS).new_page()
            passed = run_each(notebooks, lambda path: check(page, address, folder, path), 'in JupyterLab')
    sys.exit(not passed)

if __name__ == '__main__': main()
