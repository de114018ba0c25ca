"""What a browser has of each page of the built site: links, images, API entries, sidebar, what sticks out."""
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

WIDTHS = (390, 1440) # pixels: a phone, a desktop
READ_PAGE = """() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const attributes = (selector, name) => all(selector).map(e => e.getAttribute(name));
  const ends = e => e.matches('section, h2, h3, h4, .cell');
  const names = e => [...e.querySelectorAll('tbody tr > :first-child')].map(cell => cell.textContent);
  const api = {};
  for (const source of all('main .api-source')) {
    const heading = source.closest('p').previousElementSibling, parameters = [];
    for (let e = heading.nextElementSibling; e && !ends(e); e = e.nextElementSibling)
      parameters.push(...names(e).filter(name => name != 'returns'));
    api[heading.id || heading.parentElement.id] = {source: source.href, parameters};
  }
  const without_alt = all('img').filter(i => !(i.alt || '').trim()).map(i => {
    const cell = i.closest('.cell'), code = cell && cell.querySelector('code.sourceCode');
    return code ? code.textContent.split('\\n')[0] : i.src.slice(0, 60);
  });
  const sidebar = all('#quarto-sidebar .sidebar-menu-container > ul > li').map(group => [
    group.querySelector('.menu-text').textContent.trim(),
    [...group.querySelectorAll(':scope > ul .menu-text')].map(e => e.textContent.trim())]);
  return {
    links: attributes('a[href]', 'href'),
    files: [...attributes('img', 'src'), ...attributes('link[rel=stylesheet], link[rel=icon]', 'href'),
            ...attributes('meta[property="og:image"]', 'content'), ...attributes('script[src]', 'src')],
    ids: attributes('[id]', 'id'),
    noAlt: without_alt,
    images: all('img').map(i => i.naturalWidth),
    api,
    has: Object.fromEntries(Object.entries({
      title: 'h1.title', 'table of contents': '#TOC a', 'previous or next page': '.page-navigation a',
      sidebar: '#quarto-sidebar a', search: '#quarto-search', 'theme switch': '.quarto-color-scheme-toggle',
      favicon: 'link[rel=icon]', 'social card': 'meta[property="og:image"]',
    }).map(([what, selector]) => [what, !!document.querySelector(selector)])),
    code: all('main div.sourceCode').length,
    copy: all('main .code-copy-button').length,
    source: all('main div.sourceCode pre').map(e => e.innerText),
    unread: all('main p, main li, main td').map(e => e.innerText.match(/\\S*\\]\\([\\w.\\/#-]+\\)/))
      .filter(match => match).map(match => match[0]),
    sidebar,
  };
}"""

# What sticks out of the window, unless it is inside something that scrolls. (The page itself may hide it.)
READ_WIDE = """() => {
  const box = e => e.getBoundingClientRect();
  const outside = e => !box(e).width || box(e).right <= 0; // wholly outside: a menu that is closed
  const fits = e => outside(e) || box(e).left >= -1 && box(e).right <= innerWidth + 1;
  const bar = e => /auto|scroll/.test(getComputedStyle(e).overflowX);
  const scrolls = e => e && (bar(e) && fits(e) || scrolls(e.parentElement));
  return [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !fits(e) && !scrolls(e))
    .map(e => `${e.tagName} from ${Math.round(box(e).left)} to ${Math.round(box(e).right)}`).slice(0, 1);
}"""
# Code that is cut off.
READ_CUT = """() => {
  const longest = e => e.innerText.split('\\n').sort((a, b) => b.length - a.length)[0];
  const cut = e => e.scrollWidth > e.clientWidth + 1;
  const all = [...document.querySelectorAll('main div.sourceCode pre')];
  return all.filter(cut).map(longest);
}"""
OPEN_FOLDS = "() => document.querySelectorAll('main details').forEach(e => e.open = true)"

# What slides out of the window, as the sidebar does on a phone, has done so. It begins in the next frame.
SLID = """() => new Promise(requestAnimationFrame).then(() => Promise.allSettled(document.getAnimations()
  .filter(a => a instanceof CSSTransition).map(a => a.finished)))"""

class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args): pass

class Server(ThreadingHTTPServer):
    def handle_error(self, *args): pass # the browser moved on before it had everything

def serve(folder: Path, base: str, tmp: str) -> str:
    "Serve the site under its public path and return its address."
    (Path(tmp)/base.strip('/')).symlink_to(folder)
    server = Server(('127.0.0.1', 0), partial(Handler, directory=tmp))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f'http://127.0.0.1:{server.server_port}{base.rstrip("/")}/'

def new_context(browser, address: str, **options):
    "Open a browser window that reaches nothing but the site."
    context = browser.new_context(**options)
    context.route(lambda url: not url.startswith(address), lambda route: route.abort())
    return context

def read_page(browser, address: str, name: str, folder: Path) -> dict:
    "Return what the browser has of a page, what it logged and loaded, and what is too wide."
    context = new_context(browser, address)
    page, errors, wide, loaded, outside = context.new_page(), [], [], set(), set()
    def log(message):
        if message.type == 'error' and message.location['url'] not in outside: errors.append(message.text)
    def note(request):
        if request.url.startswith('data:'): return
        (loaded if request.url.startswith(address) else outside).add(request.url)
    page.on('console', log)
    page.on('pageerror', lambda e: errors.append(str(e)))
    page.on('request', note)
    page.goto(address + name, wait_until='load')
    page.evaluate(OPEN_FOLDS)
    for width in WIDTHS:
        page.set_viewport_size(dict(width=width, height=900))
        page.evaluate(SLID)
        wide += [f'{what} of {width} pixels' for what in page.evaluate(READ_WIDE)]
    cut = page.evaluate(READ_CUT) # on a desktop
    base = urlsplit(address).path
    files = [unquote(urlsplit(url).path.removeprefix(base)) for url in loaded if not url.endswith('.ico')]
    size = sum((folder/file).stat().st_size for file in files)
    read = page.evaluate(READ_PAGE)
    read |= dict(errors=errors, size=size, wide=wide, cut=cut, outside=sorted(outside))
    context.close()
    return read

def read_pages(browser, address: str, folder: Path) -> dict[str, dict]:
    "Read every page of the site."
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob('*.html'))]
    return {name: read_page(browser, address, name, folder) for name in names}
