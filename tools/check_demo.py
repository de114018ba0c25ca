#!/usr/bin/env python3
"""Write a Space, start its app.py, ask it over HTTP, and use it in Chromium.

    python tools/check_demo.py [--screenshot FILE]

Neither the app nor its page may connect to another machine. FILE gets a picture of the app. Exit status 1
if something fails.
"""
import io, json, os, re, subprocess, sys, tempfile, time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect, sync_playwright

from browser import FLAGS, find_browser
from cifar_nb.cli import main as cifar_nb
from cifar_nb.data import DataError, data_root, read_cifar10
from cifar_nb.demo import example_pictures
from cifar_nb.predict import load_model, predict
from project import new_parser, root

open_url = build_opener(ProxyHandler({})).open # this machine only
PHOTO = next(path for path in example_pictures() if path.endswith('chelsea.jpg'))
MODEL = 'fast'

# Before app.py runs: what connects to another machine says so.
WATCH = '''
import runpy, sys
def watch(event, args):
    if event not in ('socket.connect', 'socket.getaddrinfo'): return
    address = args[1] if event == 'socket.connect' else args[:1]
    host = str(address[0]) if isinstance(address, tuple) else ''
    if host and not host.startswith(('127.', 'localhost', '::1')): print('CONNECTS', host, flush=True)
sys.addaudithook(watch)
runpy.run_path('app.py', run_name='__main__')
'''

def step(what: str, start: list[float]):
    "Print a line for what has passed, with its seconds."
    print(f'ok   {what} ({time.monotonic() - start[-1]:.1f} s)', flush=True)
    start.append(time.monotonic())

@contextmanager
def running(space: Path):
    "Run the app of a Space; gives its address. Then end it, as a service manager would."
    log = space.parent/'log'
    env = os.environ | dict(PYTHONPATH=str(root), PYTHONUNBUFFERED='1', http_proxy='http://127.0.0.1:9')
    with open(log, 'w') as out:
        app = subprocess.Popen([sys.executable, '-c', WATCH], cwd=space, env=env, stdout=out,
                               stderr=subprocess.STDOUT)
    try:
        for _ in range(600):
            if found := re.search(r'http://127\.0\.0\.1:\d+/', log.read_text()): break
            assert app.poll() is None, f'app.py ended:\n{log.read_text()}'
            time.sleep(.1)
        else: raise AssertionError(f'app.py did not start:\n{log.read_text()}')
        yield found[0]
        assert app.poll() is None, f'app.py ended:\n{log.read_text()}'
    finally:
        app.terminate()
        app.wait(10)
    connects = re.findall('^CONNECTS .*', log.read_text(), re.M)
    refused = log.read_text().count('was not uploaded by a user') # see `check_http`
    assert not connects and log.read_text().count('Traceback') == refused, log.read_text()

def upload(address: str, path: str) -> dict:
    "Upload a file as a page does; return what stands for it."
    name, content = Path(path).name, Path(path).read_bytes()
    head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b'\r\n--x--\r\n'
    headers = {'Content-Type': 'multipart/form-data; boundary=x'}
    [kept] = json.load(open_url(Request(f'{address}gradio_api/upload', body, headers)))
    return dict(path=kept, orig_name=name, meta=dict(_type='gradio.FileData'))

def ask(address: str, *values) -> list:
    "Ask the app as another program does. Raise `ValueError` if it refuses."
    headers = {'Content-Type': 'application/json'}
    request = Request(f'{address}gradio_api/call/answer', json.dumps(dict(data=values)).encode(), headers)
    event = json.load(open_url(request))['event_id']
    events = open_url(f'{address}gradio_api/call/answer/{event}').read().decode()
    kind, data = re.findall(r'^event: (\w+)\ndata: (.*)$', events, re.M)[-1]
    if kind != 'complete': raise ValueError(f'{kind}: {data}')
    return json.loads(data)

def check_http(address: str):
    "The answers are those of Python; what was not uploaded is not read."
    [wanted] = predict(load_model(MODEL, 'cpu'), PHOTO)
    photo = upload(address, PHOTO)
    for layer in ('', 'body'):
        classes, seen, line = ask(address, MODEL, photo, 'crop', 10, layer, .5)
        found = [(c['label'], c['confidence']) for c in classes['confidences']]
        assert [name for name, _ in found[:3]] == [name for name, _ in wanted[:3]]
        assert all(abs(p - dict(wanted)[name]) < 1e-3 for name, p in found), (found, wanted)
        assert seen['path'] and line.startswith('Cropped to the square')
    outside = dict(photo, path=str(root/'nbs'/'images'/'card.png'))
    try: answer = ask(address, MODEL, outside, 'crop', 3, '', .5)
    except (ValueError, HTTPError): return
    raise AssertionError(f'it reads files of this machine: {answer}')

def bars(page: Page) -> list[str]:
    "Return the classes that the page shows."
    return page.locator('.confidence-set .text').all_inner_texts()

def use(page: Page, address: str, images_here: bool):
    "Do in the page what a visitor does."
    page.goto(address)
    page.locator('input[type=file]').first.set_input_files(PHOTO)
    expect(page.locator('.confidence-set')).to_have_count(3)
    assert bars(page)[0].startswith('cat'), bars(page)
    seen = page.get_by_alt_text('the picture as the model sees it')
    def image(): return seen.get_attribute('src')
    plain = image()
    page.get_by_label('body.2 (7×7)').first.check()
    expect(seen).not_to_have_attribute('src', plain or '')
    expect(page.get_by_label('Opacity').first).to_be_visible()
    page.get_by_label('off').first.check()
    expect(seen).to_have_attribute('src', plain or '') # the same picture has the same address
    page.get_by_label('number input for How many classes').fill('5')
    expect(page.locator('.confidence-set')).to_have_count(5)
    page.get_by_label('squash').check()
    expect(page.get_by_text('distorted if not square')).to_be_visible()
    broken = FilePayload(name='broken.jpg', mimeType='image/jpeg', buffer=b'not a picture')
    page.locator('input[type=file]').first.set_input_files(broken)
    expect(page.get_by_text("'broken.jpg' can't be read")).to_be_visible()
    expect(page.locator('.confidence-set')).to_have_count(0)
    page.locator('.gallery button, button.gallery-item').first.click() # an example
    expect(page.locator('.confidence-set')).to_have_count(5)
    check_mistakes(page, images_here)

def check_mistakes(page: Page, images_here: bool):
    "The gallery has as many images as asked for, or one line says why not."
    page.get_by_role('tab', name='Its mistakes').click()
    if not images_here: return expect(page.get_by_text('No mistakes to show')).to_be_visible()
    thumbnails = page.locator('.mistakes .thumbnail-item')
    expect(thumbnails).to_have_count(20)
    page.get_by_label('number input for How many').last.fill('5')
    expect(thumbnails).to_have_count(5)
    number = thumbnails.first.inner_text()
    assert re.match(r'no\. \d+: \w+, says \w+ \d+%', number), number

def check_page(browser, address: str, width: int, scheme: str, images_here: bool):
    "Use the page at one width. Nothing sticks out, no error is logged, nothing comes from elsewhere."
    page = browser.new_page(viewport=dict(width=width, height=900), color_scheme=scheme)
    page.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    loaded, errors = set(), []
    page.on('request', lambda request: loaded.add(request.url))
    page.on('pageerror', lambda error: errors.append(str(error)))
    use(page, address, images_here)
    elsewhere = [url for url in loaded if not url.startswith((address, 'data:', 'blob:'))]
    assert not elsewhere and not errors, (elsewhere, errors)
    wide = page.evaluate('document.documentElement.scrollWidth')
    assert wide <= width, f'{wide} pixels wide'
    page.close()

def take_picture(browser, address: str, path: Path):
    "Save what the app looks like, for its notebook."
    page = browser.new_page(viewport=dict(width=1100, height=700))
    page.goto(address)
    page.locator('input[type=file]').first.set_input_files(PHOTO)
    expect(page.locator('.confidence-set')).to_have_count(3)
    page.get_by_label('body.2 (7×7)').first.check()
    page.wait_for_timeout(2_000)
    page.evaluate('scrollTo(0, 0)')
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)

def main():
    parser = new_parser(__doc__)
    parser.add_argument('--screenshot', type=Path)
    args = parser.parse_args()
    start = [time.monotonic()]
    try: images_here = bool(read_cifar10(data_root()).test)
    except DataError: images_here = False
    with tempfile.TemporaryDirectory() as tmp:
        space = Path(tmp)/'space'
        assert cifar_nb(['demo', MODEL, '--space', str(space)]) == 0
        step('a Space is written', start)
        with running(space) as address, sync_playwright() as playwright:
            step(f'its app.py runs at {address}', start)
            check_http(address)
            step('it answers over HTTP as Python does', start)
            browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
            for width, scheme in ((1440, 'light'), (390, 'dark')):
                check_page(browser, address, width, scheme, images_here)
                step(f'used in Chromium, {width} pixels, {scheme}', start)
            if args.screenshot: take_picture(browser, address, args.screenshot)
        step('it ends when asked to; nothing was connected to', start)

if __name__ == '__main__': main()
