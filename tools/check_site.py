#!/usr/bin/env python3
"""Check the built site in a real browser. Prints a line for each check; exit status 1 if one fails.

    python tools/check_site.py DIR

We serve the site on this machine under its public path and cut off every other address, so links to other
sites are checked for their form only. The checks were tried on the output of smalldocs. Quarto's output has
the same marks (smalldocs takes them from Quarto), except for search, whose selectors are those of Quarto's
own script; we could not try them here.
"""
import ast, os, posixpath, re, sys, tempfile
from itertools import product
from pathlib import Path
from urllib.parse import unquote

import yaml
from nbdev.config import get_config
from playwright.sync_api import Error, sync_playwright

from api_table import definitions, exported_constants
from browser import FLAGS, find_browser
from project import FOLDERS, all_notebooks, new_parser, notebook_name, page_name, root
from site_pages import WIDTHS, new_context, read_pages, serve

MAX_BYTES = 2_000_000 # of a page with all that it loads
failed = []
def report(what: str, problems: list[str]):
    "Print one line for a check, and one for each problem."
    if problems: failed.append(what)
    print(f"{'FAIL' if problems else 'ok  '} {what}", *(f'     {p}' for p in problems), sep='\n')

def repository_link_problem(name: str, link: str, file: str) -> str:
    "Return what is wrong with a link to a file of the repository, and a line of it."
    file, _, line = file.partition('#L')
    lines = (root/file).read_text(encoding='utf-8').count('\n') if (root/file).is_file() else -1
    return f'{name}: {link} is not in the repository' if lines < int(line or 0) else ''

def site_link_problem(pages: dict, folder: Path, name: str, link: str, target: str) -> str:
    "Return what is wrong with a link to a page, a file or an anchor of the site."
    path, _, anchor = target.partition('#')
    path = unquote(path.split('?')[0])
    path = posixpath.normpath(posixpath.join('/', posixpath.dirname(name), path))[1:] if path else name
    if not (folder/path).is_file(): return f'{name}: {link} does not exist'
    places = pages[path]['ids'].count(unquote(anchor)) if anchor else 1
    return '' if places == 1 else f'{name}: {link} names {places} places'

def check_links(pages: dict, folder: Path, cfg):
    "Every link and file: within the site, into the repository, or elsewhere."
    public, blob = f'{cfg.doc_host}{cfg.doc_baseurl}/', f'{cfg.git_url}/blob/{cfg.branch}/'
    counts = dict.fromkeys(['pages and files', 'anchors', 'into the repository', 'elsewhere'], 0)
    problems = []
    every = [(name, link) for name, page in pages.items() for link in page['links'] + page['files']]
    for name, link in every:
        if link.startswith('data:'): continue
        if link.startswith(blob):
            kind = 'into the repository'
            problem = repository_link_problem(name, link, link.removeprefix(blob))
        elif re.match(r'[a-z]+:|//', link) and not link.startswith(public):
            proper = re.fullmatch(r'https://[\w-]+(\.[\w-]+)+(/[^\s<>"]*)?', link)
            kind, problem = 'elsewhere', '' if proper else f'{name}: {link} is not a proper address'
        else:
            kind = 'anchors' if '#' in link else 'pages and files'
            target = f'/{link.removeprefix(public)}' if link.startswith(public) else link
            problem = site_link_problem(pages, folder, name, link, target)
        counts[kind] += 1
        if problem: problems.append(problem)
    report('links: ' + ', '.join(f'{n} {what}' for what, n in counts.items()), problems)

def check_notebook_links(pages: dict, cfg):
    "Each notebook's page leads to that notebook: on Colab, to download, to see and to edit on GitHub."
    problems, notebooks = [], all_notebooks()
    for notebook in notebooks:
        page = page_name(notebook)
        name = notebook_name(notebook)
        place = f'{cfg.branch}/{cfg.nbs_path.name}/{name}'
        blob, edit = (f'{cfg.user}/{cfg.repo}/{what}/{place}' for what in ('blob', 'edit'))
        links = pages.get(page, dict(links=[]))['links']
        for link in (f'https://colab.research.google.com/github/{blob}', f'https://github.com/{blob}',
                     f'https://github.com/{edit}', '../'*name.count('/') + f'notebooks/{name}'):
            if link not in links: problems.append(f'{page} has no link to {link}')
    report(f'links to open, download, see and edit: {len(notebooks)} notebooks', problems)

def check_indexes(pages: dict, folder: Path, cfg):
    "The sitemap and llms.txt list every page."
    problems = []
    for file in ('sitemap.xml', 'llms.txt'):
        text = (folder/file).read_text(encoding='utf-8') if (folder/file).is_file() else ''
        for name in pages:
            listed = name if file == 'sitemap.xml' else name.replace('.html', '.llms.md')
            if listed not in text: problems.append(f'{file} does not list {name}')
    report(f'sitemap.xml and llms.txt: {len(pages)} pages', problems)

# What a reader comes for must be on its page, line by line.
TAUGHT = {
    'data.html': ['data.channel_stats', 'data.Batches'],
    'model.html': ['model.ConvBNReLU', 'model.ResBlock', 'model.CustomResNet'],
    'augment.html': ['augment.crop', 'augment.hflip', 'augment.cutout'],
    'lr_finder.html': ['lr_finder.lr_find', 'lr_finder.RangeTest'],
    'train.html': ['train.one_cycle', 'train.TrainStep', 'train.train_epoch', 'train.fit', 'train.evaluate'],
    'results.html': ['results.confusion_matrix']}

def bare(text: str) -> str:
    "Return text without blanks and empty lines: a page may indent otherwise."
    return '\n'.join(line.strip() for line in text.splitlines() if line.strip())

def check_taught(pages: dict, cfg):
    "The source of what the course teaches is on its pages, and nothing of it is cut off."
    problems, count = [], 0
    for page, names in TAUGHT.items():
        shown = bare('\n'.join(pages[page]['source']))
        for module, name in (full.split('.') for full in names):
            file = cfg.lib_path/f'{module}.py'
            source = ast.get_source_segment(file.read_text(encoding='utf-8'), definitions(file)[name])
            count += 1
            if bare(source or name) not in shown: problems.append(f'{page}: the code of {name} is not on it')
    report(f'code on the pages of the course: {count} functions and classes', problems)

def check_order(pages: dict, cfg):
    "On the page of each module the entries come in the order of the source."
    problems = []
    for file in sorted(cfg.lib_path.rglob('[!_]*.py')):
        module = file.relative_to(cfg.lib_path).as_posix()
        order = [name.lower() for name in definitions(file)]
        for page, read in pages.items():
            ours = [name for name, entry in read['api'].items() if f'/{module}#' in entry['source']]
            listed = [name for name in ours if name in order]
            wanted = [name for name in order if name in listed]
            if listed != wanted: problems.append(f'{page}: {", ".join(listed)}, not {", ".join(wanted)}')
    report('entries in the order of the source', problems)

def parameters(node) -> list[str]:
    "Return the parameters of a function, of a class's constructor or of a dataclass."
    if not isinstance(node, ast.ClassDef):
        return [a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg) and a.arg != 'self']
    init = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == '__init__']
    if init: return parameters(init[0])
    return [n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]

def entry_problem(node, name: str, place: str, entries: list[dict]) -> str:
    "Return what is wrong with the entries of one exported name."
    if len(entries) != 1: return f'{name} has {len(entries)} entries'
    source, listed = entries[0]['source'], entries[0]['parameters']
    if not source.endswith(f'/{place}'): return f'{name}: its source is {place}, not {source}'
    wanted = [] if isinstance(node, ast.Assign) else parameters(node)
    inherits = isinstance(node, ast.ClassDef) and node.bases and not wanted # the constructor of its base
    if isinstance(node, ast.Assign) or inherits or sorted(listed) == sorted(wanted): return ''
    return f'{name}: the table has {listed}, not {wanted}'

def check_api(pages: dict, cfg):
    """Every exported name has an entry with its source, and all its parameters in a table.

    Two modules may export the same name; the source tells whose entry is whose.
    """
    problems, count = [], 0
    for file in sorted(cfg.lib_path.rglob('[!_]*.py')):
        module = file.relative_to(cfg.lib_path).as_posix()
        for name, node in (definitions(file) | exported_constants(file)).items():
            count += 1
            entries = [page['api'][name.lower()] for page in pages.values() if name.lower() in page['api']]
            ours = [entry for entry in entries if f'/{module}#' in entry['source']] or entries
            problems.append(entry_problem(node, name, f'{cfg.lib_name}/{module}#L{node.lineno}', ours))
    report(f'API: {count} exported functions, classes and constants', list(filter(None, problems)))

def check_sidebar(pages: dict, cfg):
    "The sidebar has the groups and titles of sidebar.yml in their order, and sidebar.yml has every notebook."
    text = (cfg.nbs_path/'sidebar.yml').read_text(encoding='utf-8')
    groups = yaml.safe_load(text)['website']['sidebar']['contents']
    wanted = [[group['section'], [item['text'] for item in group['contents']]] for group in groups]
    problems = [f"{name}: {page['sidebar']}" for name, page in pages.items() if page['sidebar'] != wanted]
    listed = {group['section']: [item['href'] for item in group['contents']] for group in groups}
    for folder, section in FOLDERS.items():
        there = {notebook_name(path) for path in all_notebooks(folder)}
        notebooks = {name for name in listed.get(section, []) if name.endswith('.ipynb')}
        if different := there ^ notebooks:
            problems.append(f'{section}: sidebar.yml and nbs/{folder} differ in {sorted(different)}')
    report(f'sidebar: {sum(len(titles) for _, titles in wanted)} titles in {len(wanted)} groups', problems)

def open_menu(page):
    "On a phone, search and theme switch are behind the button of the menu."
    if page.locator('.navbar-toggler:visible').count():
        page.locator('.navbar-toggler').click()
        page.locator('.quarto-color-scheme-toggle:visible').first.wait_for()

def check_search(page, address: str):
    "Typing lr_find and clicking on a hit leads to its entry."
    page.goto(address + 'index.html')
    open_menu(page)
    overlay = page.locator('#quarto-search .aa-DetachedSearchButton') # Quarto's
    if overlay.count(): overlay.click()
    page.locator('#quarto-search input:visible, .aa-DetachedContainer input').first.fill('lr_find')
    hits = page.locator('.smalldocs-search-results, .aa-DetachedContainer, .aa-Panel') # nowhere else
    addresses = 'lr_finder.html#lr_find', 'lr_finder.html?q=lr_find#lr_find'
    hits.locator(', '.join(f'a[href$="{address}"]' for address in addresses)).first.click()
    page.wait_for_url('**/lr_finder.html*#lr_find')
    entry = page.locator('[id="lr_find"]')
    entry.wait_for(state='visible')
    top = entry.evaluate('e => e.getBoundingClientRect().top')
    report(f'search at {page.viewport_size["width"]} pixels: lr_find is found and shown',
           [] if 0 <= top < 900 else [f'its entry is at {top:.0f} pixels, out of sight'])

def check_theme(page, address: str):
    "The switch changes the background, and the choice stays on the next page."
    def background(): return page.evaluate('getComputedStyle(document.body).backgroundColor')
    page.goto(address + 'index.html')
    before = background()
    open_menu(page)
    page.locator('.quarto-color-scheme-toggle:visible').first.click()
    page.wait_for_timeout(500)
    after = background()
    page.goto(address + 'model.html')
    problems = [] if before != after else [f'the background stays {before}']
    if background() != after: problems.append(f'the next page has {background()}, not {after}')
    report(f'theme switch at {page.viewport_size["width"]} pixels: {before} to {after}', problems)

def check_landing(page, address: str):
    "What this is, what came out (a figure and a table), and where to start are on the first screen."
    page.goto(address + 'index.html')
    parts = {'what this is': 'h1.title', 'the figure': 'main img', 'the table': 'main table',
             'where to start': 'main a[href="data.html"], main a[href="./data.html"]'}
    problems = []
    for what, selector in parts.items():
        bottom = page.locator(selector).first.evaluate('e => e.getBoundingClientRect().bottom')
        if bottom > 900: problems.append(f'{what} ends at {bottom:.0f} pixels')
    report('landing page: all on the first screen', problems)

def check_copy(page, address: str):
    "The copy button gives the code of its block."
    page.goto(address + 'index.html')
    block = page.locator('main div.sourceCode:visible').first
    block.hover()
    page.locator('main .code-copy-button').first.click()
    copied, code = page.evaluate('navigator.clipboard.readText()'), block.inner_text()
    same = copied.strip() == code.strip()
    report('code copy button', [] if same else [f'{copied!r} is copied of {code!r}'])

def total(pages: dict, what: str) -> int:
    "Return how many of something all pages have."
    return sum(p[what] if isinstance(p[what], int) else len(p[what]) for p in pages.values())

def check_pages(pages: dict):
    "Everything that a page shows by itself."
    each = pages.items()
    report(f"pages: {len(pages)} load without errors ({total(pages, 'outside')} requests to other sites)",
           [f'{name}: {e}' for name, p in each for e in p['errors']])
    report(f"images: {total(pages, 'images')} shown",
           [f'{name}: {p["images"].count(0)} are empty' for name, p in each if 0 in p['images']])
    report('images have alt texts', [f'{name}: {code}' for name, p in each for code in p['noAlt']])
    report('every page has its parts',
           [f'{name}: no {what}' for name, p in each for what, there in p['has'].items() if not there])
    report('no link is left as Markdown', [f'{name}: {link}' for name, p in each for link in p['unread']])
    report(f"code blocks: {total(pages, 'code')} with a copy button",
           [f"{name}: {p['copy']} for {p['code']} blocks" for name, p in each if p['copy'] != p['code']])
    report('nothing sticks out at ' + ' and '.join(f'{width} pixels' for width in WIDTHS),
           [f'{name}: {what}' for name, p in each for what in p['wide']])
    report(f'no code is cut off at {WIDTHS[-1]} pixels',
           [f'{name}: {line}' for name, p in each for line in p['cut']])
    sizes = ', '.join(f"{name.removesuffix('.html')} {p['size']//1000:,} kB" for name, p in each)
    report(f'weights: {sizes}', [f"{name}: {p['size']:,} bytes" for name, p in each if p['size'] > MAX_BYTES])

def try_out(browser, address: str):
    "Everything that takes a click."
    clipboard = ['clipboard-read', 'clipboard-write']
    context = new_context(browser, address, reduced_motion='reduce', permissions=clipboard)
    context.set_default_timeout(10_000)
    desktop = WIDTHS[-1]
    at_widths = product((check_search, check_theme), WIDTHS)
    for check, width in [*at_widths, (check_landing, desktop), (check_copy, desktop)]:
        page = context.new_page()
        page.set_viewport_size(dict(width=width, height=900))
        try: check(page, address)
        except Error as e: report(f'{check.__doc__} ({width} pixels)', [e.message.split('\n')[0]])

def main():
    parser = new_parser(__doc__)
    parser.add_argument('dir', type=Path, help='the built site')
    args = parser.parse_args()
    folder = args.dir.resolve()
    os.chdir(root) # nbdev looks for settings.ini from here
    cfg = get_config()
    if not (folder/'index.html').is_file(): sys.exit(f'{folder} holds no site')
    with tempfile.TemporaryDirectory() as tmp, sync_playwright() as playwright:
        address = serve(folder, cfg.doc_baseurl, tmp)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        pages = read_pages(browser, address, folder)
        check_pages(pages)
        check_links(pages, folder, cfg)
        check_notebook_links(pages, cfg)
        check_indexes(pages, folder, cfg)
        check_taught(pages, cfg)
        check_api(pages, cfg)
        check_order(pages, cfg)
        check_sidebar(pages, cfg)
        try_out(browser, address)
    sys.exit(bool(failed))

if __name__ == '__main__': main()
