#!/usr/bin/env python3
"""Check the built site in a real browser. Prints one line for each check with its counts; exit status 1 if one fails.

    python tools/check_site.py DIR

The site is served on this machine under the path that it has in public; every other address is cut off, so that links to other sites are
checked for their form only. It was tried on the output of smalldocs. Quarto's output has the same marks (smalldocs takes them from Quarto),
except for search, whose selectors are those of Quarto's own script; they could not be tried here.
"""
import argparse, ast, os, posixpath, re, sys, tempfile, threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from nbdev.config import get_config
from playwright.sync_api import Error, sync_playwright

from api_table import exported_constants
from browser import FLAGS, find_browser

root = Path(__file__).resolve().parent.parent
MAX_BYTES = 2_000_000 # of a page with all that it loads
WIDTHS = (390, 1440) # pixels: a phone, a desktop
READ_PAGE = """() => {
  const attributes = (selector, name) => [...document.querySelectorAll(selector)].map(e => e.getAttribute(name));
  const api = {};
  for (const source of document.querySelectorAll('main .api-source')) {
    const heading = source.closest('p').previousElementSibling, parameters = [];
    for (let e = heading.nextElementSibling; e && !e.matches('section, h2, h3, h4, .cell'); e = e.nextElementSibling)
      parameters.push(...[...e.querySelectorAll('tbody tr > :first-child')].map(cell => cell.textContent).filter(name => name != 'returns'));
    api[heading.id || heading.parentElement.id] = {source: source.href, parameters};
  }
  return {
    links: attributes('a[href]', 'href'),
    files: [...attributes('img', 'src'), ...attributes('link[rel=stylesheet], link[rel=icon]', 'href'), ...attributes('meta[property="og:image"]', 'content'), ...attributes('script[src]', 'src')],
    ids: attributes('[id]', 'id'),
    noAlt: [...document.querySelectorAll('img')].filter(i => !(i.alt || '').trim()).map(i => {
      const cell = i.closest('.cell'), code = cell && cell.querySelector('code.sourceCode');
      return code ? code.textContent.split('\\n')[0] : i.src.slice(0, 60);
    }),
    images: [...document.querySelectorAll('img')].map(i => i.naturalWidth),
    api,
    has: Object.fromEntries(Object.entries({
      title: 'h1.title', 'table of contents': '#TOC a', 'previous or next page': '.page-navigation a', sidebar: '#quarto-sidebar a', search: '#quarto-search',
      'theme switch': '.quarto-color-scheme-toggle', favicon: 'link[rel=icon]', 'social card': 'meta[property="og:image"]',
    }).map(([what, selector]) => [what, !!document.querySelector(selector)])),
    code: document.querySelectorAll('main div.sourceCode').length,
    copy: document.querySelectorAll('main .code-copy-button').length,
    sidebar: [...document.querySelectorAll('#quarto-sidebar a.sidebar-link')].map(a => a.textContent.trim()),
  };
}"""

# What sticks out of the window, unless it is inside something that scrolls. (The page itself may hide what sticks out.)
READ_WIDE = """() => {
  const box = e => e.getBoundingClientRect(), fits = e => !box(e).width || box(e).right <= 0 || box(e).left >= -1 && box(e).right <= innerWidth + 1; // wholly outside: a menu that is closed
  const scrolls = e => e && (/auto|scroll/.test(getComputedStyle(e).overflowX) && fits(e) || scrolls(e.parentElement));
  return [...document.querySelectorAll('body *')].filter(e => e.checkVisibility()).filter(e => !fits(e) && !scrolls(e)).map(e => `${e.tagName} from ${Math.round(box(e).left)} to ${Math.round(box(e).right)}`).slice(0, 1);
}"""

# What slides out of the window, as the sidebar does on a phone, has done so. It begins in the next frame.
SLID = "() => new Promise(requestAnimationFrame).then(() => Promise.allSettled(document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished)))"

failed = []
def report(what: str, problems: list[str]):
    "One line for a check, and one for each problem."
    if problems: failed.append(what)
    print(f"{'FAIL' if problems else 'ok  '} {what}", *(f'     {p}' for p in problems), sep='\n')

class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args): pass

class Server(ThreadingHTTPServer):
    def handle_error(self, *args): pass # the browser went on before it had everything

def serve(folder: Path, base: str, tmp: str) -> str:
    "Serve the site under its public path; gives its address."
    (Path(tmp)/base.strip('/')).symlink_to(folder)
    server = Server(('127.0.0.1', 0), partial(Handler, directory=tmp))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f'http://127.0.0.1:{server.server_port}{base.rstrip("/")}/'

def read_pages(browser, address: str, folder: Path) -> dict:
    "Every page as the browser has it, what it logged, what it loaded, and what is too wide."
    pages = {}
    for path in sorted(folder.rglob('*.html')):
        name = path.relative_to(folder).as_posix()
        context = browser.new_context()
        context.route(lambda url: not url.startswith(address), lambda route: route.abort())
        page, errors, wide, loaded, outside = context.new_page(), [], [], set(), set()
        page.on('console', lambda m: errors.append(m.text) if m.type == 'error' and not any(m.location['url'] == url for url in outside) else None)
        page.on('pageerror', lambda e: errors.append(str(e)))
        page.on('request', lambda r: (loaded if r.url.startswith(address) else outside).add(r.url) if not r.url.startswith('data:') else None)
        page.goto(address + name, wait_until='load')
        for width in WIDTHS:
            page.set_viewport_size(dict(width=width, height=900))
            page.evaluate(SLID)
            wide += [f'{what} of {width} pixels' for what in page.evaluate(READ_WIDE)]
        size = sum((folder/unquote(urlsplit(url).path.removeprefix(urlsplit(address).path))).stat().st_size for url in loaded if not url.endswith('/favicon.ico'))
        pages[name] = page.evaluate(READ_PAGE) | dict(errors=errors, size=size, wide=wide, outside=sorted(outside))
        context.close()
    return pages

def check_links(pages: dict, folder: Path, cfg):
    "Every link and file: within the site, into the repository, or elsewhere."
    public, blob = f'{cfg.doc_host}{cfg.doc_baseurl}/', f'{cfg.git_url}/blob/{cfg.branch}/'
    counts, problems = dict.fromkeys(['pages and files', 'anchors', 'into the repository', 'elsewhere'], 0), []
    for name, page in pages.items():
        for link in page['links'] + page['files']:
            if link.startswith('data:'): continue
            target = link.removeprefix(public)
            if target.startswith(blob):
                counts['into the repository'] += 1
                file, _, line = target.removeprefix(blob).partition('#L')
                lines = (root/file).read_text(encoding='utf-8').count('\n') if (root/file).is_file() else -1
                if lines < int(line or 0): problems.append(f'{name}: {link} is not in the repository')
            elif re.match(r'[a-z]+:|//', target):
                counts['elsewhere'] += 1
                if not re.fullmatch(r'https://[\w-]+(\.[\w-]+)+(/[^\s<>"]*)?', target): problems.append(f'{name}: {link} is not a proper address')
            else:
                path, _, anchor = target.partition('#')
                path = posixpath.normpath(unquote(path.split('?')[0])) if path else name
                counts['anchors' if anchor else 'pages and files'] += 1
                if not (folder/path).is_file(): problems.append(f'{name}: {link} does not exist')
                elif anchor and pages[path]['ids'].count(unquote(anchor)) != 1: problems.append(f'{name}: {link} names {pages[path]["ids"].count(unquote(anchor))} places')
    report('links: ' + ', '.join(f'{n} {what}' for what, n in counts.items()), problems)

def check_notebook_links(pages: dict, cfg):
    "Each notebook's page leads to that notebook, on Colab and on GitHub."
    problems, notebooks = [], sorted(cfg.nbs_path.glob('*.ipynb'))
    for notebook in notebooks:
        name = re.sub(r'^\d+\w?_', '', notebook.stem) + '.html'
        place = f'{cfg.user}/{cfg.repo}/blob/{cfg.branch}/{cfg.nbs_path.name}/{notebook.name}'
        for link in (f'https://colab.research.google.com/github/{place}', f'https://github.com/{place}'):
            if link not in pages.get(name, dict(links=[]))['links']: problems.append(f'{name} has no link to {link}')
    report(f'Colab and notebook links: {len(notebooks)} notebooks', problems)

def parameters(node: ast.FunctionDef | ast.ClassDef) -> list[str]:
    "The parameters of a function, of a class's constructor or of a dataclass."
    if isinstance(node, ast.FunctionDef): return [a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg) and a.arg != 'self']
    init = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == '__init__']
    return parameters(init[0]) if init else [n.target.id for n in node.body if isinstance(n, ast.AnnAssign)]

def check_api(pages: dict, cfg):
    "Every exported name has an entry with its source, and all its parameters in a table."
    problems, count = [], 0
    def entries_of(name): return [page['api'][name.lower()] for page in pages.values() if name.lower() in page['api']]
    for file in sorted(cfg.lib_path.glob('[!_]*.py')):
        for node in ast.parse(file.read_text(encoding='utf-8')).body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith('_'): continue
            count += 1
            entries = entries_of(node.name)
            if len(entries) != 1: problems.append(f'{node.name} has {len(entries)} entries')
            elif f'/{cfg.lib_name}/{file.name}#L{node.lineno}' not in entries[0]['source']: problems.append(f"{node.name}: the source is line {node.lineno} of {file.name}, not {entries[0]['source']}")
            elif sorted(entries[0]['parameters']) != sorted(parameters(node)): problems.append(f"{node.name}: the table has {entries[0]['parameters']}, not {parameters(node)}")
        for name, node in exported_constants(file).items():
            count += 1
            entries = entries_of(name)
            if [entry['source'].rpartition('/')[2] for entry in entries] != [f'{file.name}#L{node.lineno}']: problems.append(f'{name} has the entries {entries}')
    report(f'API: {count} exported functions, classes and constants', problems)

def check_sidebar(pages: dict, cfg):
    "The sidebar has the titles of sidebar.yml, in their order."
    wanted = [item['text'] for item in yaml.safe_load((cfg.nbs_path/'sidebar.yml').read_text(encoding='utf-8'))['website']['sidebar']['contents']]
    report(f'sidebar: {len(wanted)} titles in reading order', [f"{name}: {page['sidebar']}" for name, page in pages.items() if page['sidebar'] != wanted])

def open_menu(page):
    "On a phone, search and theme switch are behind the button of the menu."
    if page.locator('.navbar-toggler:visible').count():
        page.locator('.navbar-toggler').click()
        page.locator('.quarto-color-scheme-toggle:visible').first.wait_for()

def check_search(page, address: str):
    "Typing lr_find and clicking on a hit leads to its entry."
    page.goto(address + 'index.html')
    open_menu(page)
    if page.locator('#quarto-search .aa-DetachedSearchButton').count(): page.locator('#quarto-search .aa-DetachedSearchButton').click() # Quarto's overlay
    page.locator('#quarto-search input:visible, .aa-DetachedContainer input').first.fill('lr_find')
    hits = page.locator('.smalldocs-search-results, .aa-DetachedContainer, .aa-Panel') # nowhere else on the page
    hits.locator('a[href$="lr_finder.html#lr_find"], a[href$="lr_finder.html?q=lr_find#lr_find"]').first.click()
    page.wait_for_url('**/lr_finder.html*#lr_find')
    top = page.locator('[id="lr_find"]').evaluate('e => e.getBoundingClientRect().top')
    report(f'search at {page.viewport_size["width"]} pixels: lr_find is found and shown', [] if 0 <= top < 900 else [f'its entry is at {top:.0f} pixels, out of sight'])

def check_theme(page, address: str):
    "The switch changes the background, and the choice stays on the next page."
    background = lambda: page.evaluate('getComputedStyle(document.body).backgroundColor')
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
    "What this is, what came out (a figure and a table) and where to start are on the first screen of a desktop."
    page.goto(address + 'index.html')
    bottoms = {what: page.locator(selector).first.evaluate('e => e.getBoundingClientRect().bottom') for what, selector in
               (('what this is', 'h1.title'), ('where to start', 'main a[href="data.html"], main a[href="./data.html"]'), ('the figure', 'main img'), ('the table', 'main table'))}
    report('landing page: all on the first screen', [f'{what} ends at {bottom:.0f} pixels' for what, bottom in bottoms.items() if bottom > 900])

def check_copy(page, address: str):
    "The copy button gives the code of its block."
    page.goto(address + 'index.html')
    block = page.locator('main div.sourceCode:visible').first
    block.hover()
    page.locator('main .code-copy-button').first.click()
    copied, code = page.evaluate('navigator.clipboard.readText()'), block.inner_text()
    report('code copy button', [] if copied.strip() == code.strip() else [f'{copied!r} is copied of {code!r}'])

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
        each = pages.items()
        report(f"pages: {len(pages)} load without errors ({sum(len(p['outside']) for p in pages.values())} requests to other sites)", [f'{name}: {e}' for name, p in each for e in p['errors']])
        check_links(pages, folder, cfg)
        report(f"images: {sum(len(p['images']) for p in pages.values())} shown", [f'{name}: image {i + 1} is empty' for name, p in each for i, width in enumerate(p['images']) if not width])
        report('images have alt texts', [f'{name}: {code}' for name, p in each for code in p['noAlt']])
        check_notebook_links(pages, cfg)
        check_api(pages, cfg)
        check_sidebar(pages, cfg)
        report('every page has its parts', [f'{name}: no {what}' for name, p in each for what, there in p['has'].items() if not there])
        report(f"code blocks: {sum(p['code'] for p in pages.values())} with a copy button", [f"{name}: {p['copy']} buttons for {p['code']} blocks" for name, p in each if p['copy'] != p['code']])
        report('nothing sticks out at ' + ' and '.join(f'{width} pixels' for width in WIDTHS), [f'{name}: {what}' for name, p in each for what in p['wide']])
        sizes = ', '.join(f"{name.removesuffix('.html')} {p['size']//1000:,} kB" for name, p in each)
        report(f'weights: {sizes}', [f"{name}: {p['size']:,} bytes" for name, p in each if p['size'] > MAX_BYTES])
        context = browser.new_context(reduced_motion='reduce', permissions=['clipboard-read', 'clipboard-write'])
        context.set_default_timeout(10_000)
        context.route(lambda url: not url.startswith(address), lambda route: route.abort())
        for check, width in [*product((check_search, check_theme), WIDTHS), (check_landing, WIDTHS[-1]), (check_copy, WIDTHS[-1])]:
            page = context.new_page()
            page.set_viewport_size(dict(width=width, height=900))
            try: check(page, address)
            except Error as e: report(f'{check.__doc__} ({width} pixels)', [e.message.split('\n')[0]])
    sys.exit(bool(failed))

if __name__ == '__main__': main()
