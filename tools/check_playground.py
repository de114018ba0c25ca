#!/usr/bin/env python3
"""Check the page "Try it" of the built site in a real browser: it answers as Python does.

    python tools/check_playground.py DIR [--model RUN|NAME]

The model must be the one the site was built with. Pictures are the examples of the page, some that are hard
to resize or to read, and CIFAR-10 test images if CIFAR_NB_DATA names the data. After the first answer the
browser is offline.
"""
import io, json, os, sys, tempfile
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Error, FilePayload, Page, sync_playwright

from browser import FLAGS, find_browser
from build_playground import MODEL
from cifar_nb.data import load_data
from cifar_nb.device import Precision
from cifar_nb.pictures import fit_picture, read_picture
from cifar_nb.predict import load_model, predict
from check_site import failed, report
from project import new_parser, settings
from site_pages import READ_WIDE, new_context, serve

CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']
MAX_DIFFERENCE = 1e-3 # of a probability

READ_ANSWER = """() => {
  const find = (selector, place = document) => place.querySelector(selector);
  const entry = item => [find('.class', item).textContent,
                         Number(find('.bar', item).style.getPropertyValue('--share'))];
  const {data} = find('.seen').getContext('2d').getImageData(0, 0, 32, 32);
  const top = [...document.querySelectorAll('.top li')].map(entry);
  return {top, time: find('.time').textContent, pixels: [...data].filter((_, i) => i%4 < 3)};
}"""
# Drop a file, or paste it.
GIVE = """([type, name, content]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(content), c => c.charCodeAt(0))], name));
  const options = {bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data};
  const event = type == 'drop' ? new DragEvent(type, options) : new ClipboardEvent(type, options);
  document.querySelector('.playground').dispatchEvent(event);
}"""
CONTRASTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d');
  const light = colour => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const linear = v => v > 10 ? ((v/255 + .055)/1.055)**2.4 : v/3294.6;
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(linear);
    return .2126*r + .7152*g + .0722*b + .05;
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  const contrast = (selector, property, part) => {
    const other = light(getComputedStyle(document.querySelector(selector), part)[property]);
    return Math.max(page, other)/Math.min(page, other);
  };
  return {text: contrast('.time', 'color'), bars: contrast('.bar', 'backgroundColor', '::before'),
          frame: contrast('.drop', 'borderTopColor')};
}"""

def encode(image: Image.Image, form: str = 'PNG', **options) -> bytes:
    "Return the content of a file with a picture."
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()

def drawn(width: int, height: int, seed: int = 0) -> Image.Image:
    "Return coarse noise, of which each way to resize makes something else."
    values = np.random.default_rng(seed).integers(0, 256, (max(1, height//3), max(1, width//3), 3), np.uint8)
    return Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR)

def pictures() -> dict[str, bytes]:
    "Return files that a browser reads without loss: all shapes, and images of the test set."
    sizes = (1, 1), (32, 32), (33, 47), (5, 300), (640, 427), (31, 17)
    made = {f'{w}×{h}.png': encode(drawn(w, h)) for w, h in sizes}
    made['4001×3000.png'] = encode(drawn(400, 300).resize((4001, 3000), Image.Resampling.NEAREST))
    made['grey.png'] = encode(drawn(200, 100).convert('L'))
    made['palette.gif'] = encode(drawn(100, 120).quantize(16), 'GIF')
    if os.environ.get('CIFAR_NB_DATA'):
        images = load_data().test.x[:20].permute(0, 2, 3, 1).numpy()
        made |= {f'test image {i}.png': encode(Image.fromarray(image)) for i, image in enumerate(images)}
    return made

def lossy_pictures(folder: Path) -> dict[str, bytes]:
    "Return files that two readers may read a little differently: examples, one turned, one transparent."
    made = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    exif = Image.Exif()
    exif[0x0112] = 6 # turned by 90°
    cat = read_picture(made['chelsea.jpg'])
    made['turned.jpg'] = encode(cat, 'JPEG', quality=95, exif=exif)
    cat.putalpha(Image.linear_gradient('L').resize(cat.size))
    return made | {'transparent.png': encode(cat)}

def wait(page: Page) -> dict:
    "Return the answer once it is there."
    page.locator('.result').wait_for(state='visible')
    return page.evaluate(READ_ANSWER)

def give(page: Page, name: str, content: bytes):
    "Choose a file."
    page.locator('.playground input').set_input_files(FilePayload(name=name, mimeType='', buffer=content))

def compare(page: Page, model, files: dict[str, bytes], tolerance: int) -> tuple[list[str], float, int]:
    "Give files to the page and to Python. Return what differs, and by how much probabilities and pixels do."
    problems, furthest, pixels = [], 0., 0
    for name, content in files.items():
        picture = read_picture(content, name)
        seen = fit_picture(picture).permute(1, 2, 0).flatten().numpy().astype(int)
        ranking = predict(model, picture)[0]
        give(page, name, content)
        answer = wait(page)
        difference = int(abs(np.array(answer['pixels']) - seen).max())
        if difference > tolerance: problems.append(f'{name}: the image of 32×32 differs by {difference}')
        wanted = dict(ranking)
        apart = max(abs(p - wanted[found]) for found, p in answer['top'])
        if apart > MAX_DIFFERENCE: problems.append(f'{name}: {answer["top"]}, not {ranking[:3]}')
        if answer['top'][0][0] != ranking[0][0] and ranking[0][1] - ranking[1][1] > MAX_DIFFERENCE:
            problems.append(f'{name}: {answer["top"][0][0]}, not {ranking[0][0]}')
        furthest, pixels = max(furthest, apart), max(pixels, difference)
    return problems, furthest, pixels

def check_answers(page: Page, model, folder: Path):
    "Answers and small images are Python's."
    lossless = pictures()
    problems, apart, _ = compare(page, model, lossless, 0)
    report(f"{len(lossless)} lossless pictures: Python's pixels, probabilities within {apart:.1g}", problems)
    lossy = lossy_pictures(folder/'playground'/'examples')
    problems, apart, pixels = compare(page, model, lossy, 3)
    report(f'{len(lossy)} other pictures: pixels within {pixels}, probabilities within {apart:.1g}', problems)

def check_prose(model, folder: Path):
    "What the page says of its examples is true of this model."
    files = list((folder/'playground'/'examples').iterdir())
    best = {path.stem: ranking[0] for path, ranking in zip(files, predict(model, files))}
    drawings = best.keys() & model.classes
    right = sum(best[name][0] == name for name in drawings)
    problems = [] if right >= 6 else [f'only {right} drawings are recognised']
    if best['gecko'][0] != 'frog' or best['gecko'][1] < .6: problems.append(f"gecko: {best['gecko']}")
    if best['coffee'][1] > .5: problems.append(f"coffee: {best['coffee']}")
    report(f'what the page says of its examples: {right} of {len(drawings)} drawings recognised', problems)

def check_first(page: Page, requests: list[str]):
    "The model is loaded when a picture is given, not before; the keyboard alone can give one."
    early = [url for url in requests if url.endswith(('.bin', '.mjs'))]
    before = len(requests)
    page.locator('.playground input').focus()
    for _ in range(3): # there is a button for the camera if there is one
        page.keyboard.press('Tab')
        if page.evaluate("document.activeElement.matches('.examples button')"): break
    page.keyboard.press('Enter')
    answer = wait(page)
    said = page.locator('[role=status]').inner_text()
    problems = [f'it says {said!r}'] if not said.startswith('Cat, ') or ' ms ' not in answer['time'] else []
    problems += [f'{url} is loaded before a picture is given' for url in early]
    if len(requests) == before: problems.append('nothing is loaded when a picture is given')
    report(f'the model is loaded with the first picture, an example chosen by keyboard: {said}', problems)

def check_ways(page: Page, base64: str):
    "Dropping, pasting and the camera; a file that is no picture."
    problems = []
    for way in ('drop', 'paste'):
        page.evaluate(GIVE, [way, 'noise.png', base64])
        if len(wait(page)['top']) != 3: problems.append(f'{way}: no answer')
    give(page, 'notes.txt', b'no picture')
    page.get_by_text('“notes.txt” can’t be read. Try a JPEG or a PNG.').wait_for()
    if page.locator('.result').is_visible(): problems.append('the answer to another picture stays')
    page.locator('.camera').click()
    page.keyboard.press('Escape')
    page.locator('dialog').wait_for(state='hidden')
    page.locator('.camera').click()
    page.locator('.take:enabled').click()
    if len(wait(page)['top']) != 3: problems.append('the camera has no answer')
    live = page.evaluate('!!document.querySelector("video").srcObject')
    if live or page.locator('dialog').is_visible(): problems.append('the camera stays on')
    report('dropped, pasted, from the camera; a file that is no picture is named', problems)

def check_look(page: Page, name: str):
    "On a phone nothing sticks out and the answer is in sight; colours can be told apart."
    give(page, 'wide.png', encode(drawn(600, 60)))
    wait(page)
    bars = page.locator('.top').bounding_box()
    page.locator('.examples button').last.click()
    wait(page)
    problems = page.evaluate(READ_WIDE)
    if not bars or bars['width'] < 150: problems.append(f'a wide picture leaves no room for the bars: {bars}')
    box = page.locator('.answer').bounding_box()
    height = (page.viewport_size or {})['height']
    if not box or box['y'] < 0 or box['y'] + box['height'] > height: problems.append(f'out of sight: {box}')
    contrasts = page.evaluate(CONTRASTS)
    for what, least in dict(text=4.5, bars=3, frame=3).items():
        if contrasts[what] < least: problems.append(f'{what}: contrast {contrasts[what]:.1f}')
    said = ', '.join(f'{what} {contrast:.1f}' for what, contrast in contrasts.items())
    report(f'{name}: answer in sight, nothing sticks out; contrasts: {said}', problems)

def check_faults(page: Page, address: str):
    "What is missing is said: the model when the site was built, or the connection."
    route = '**/about.json'
    page.route(route, lambda route: route.fulfill(body=json.dumps(dict(missing='npm is not installed'))))
    page.goto(address)
    page.get_by_text('This copy of the site was built without the model: npm is not installed').wait_for()
    problems = ['files can be chosen'] if page.locator('.playground input').is_enabled() else []
    page.unroute(route)
    page.route('**/*.bin', lambda route: route.abort())
    page.goto(address)
    page.locator('.examples button').first.click()
    page.get_by_text('The model could not be loaded.').wait_for()
    page.unroute('**/*.bin')
    page.locator('.examples button').first.click()
    if len(wait(page)['top']) != 3: problems.append('a second try has no answer')
    report('no model: the page says why; no connection: it says so, and a second try works', problems)

def open_page(browser, address: str, **options) -> tuple[Page, list[str], list[str]]:
    "Open the page. Return it, and lists of its requests and errors, which grow."
    context = new_context(browser, address, reduced_motion='reduce', permissions=['camera'], **options)
    context.set_default_timeout(20_000)
    page, requests, errors = context.new_page(), [], []
    page.on('request', lambda request: requests.append(request.url))
    page.on('pageerror', lambda error: errors.append(str(error)))
    page.goto(f'{address}further/try.html')
    page.locator('fieldset:enabled').wait_for()
    return page, requests, errors

def check_all(browser, address: str, folder: Path, model):
    "All that takes a model in the page."
    page, requests, errors = open_page(browser, address, viewport=dict(width=1440, height=900))
    check_first(page, requests)
    outside = [url for url in requests if not url.startswith((address, 'data:'))]
    page.context.set_offline(True)
    before = len(requests)
    check_answers(page, model, folder)
    check_prose(model, folder)
    check_ways(page, b64encode(encode(drawn(50, 40))).decode())
    check_look(page, '1440 pixels, light')
    later = [url for url in requests[before:] if not url.startswith(('data:', 'blob:'))]
    report('offline after the first answer, and no request to another site', [*errors, *outside, *later])
    page.context.close()
    page, _, errors = open_page(browser, address, color_scheme='dark',
                                viewport=dict(width=390, height=844))
    check_look(page, '390 pixels, dark')
    check_faults(page, f'{address}further/try.html')
    report('no error in the console', errors)

def main():
    parser = new_parser(__doc__)
    parser.add_argument('dir', type=Path, help='the built site')
    parser.add_argument('--model', default=MODEL, help=f'with which it was built; default: {MODEL}')
    args = parser.parse_args()
    folder = args.dir.resolve()
    about = json.loads((folder/'playground'/'about.json').read_text(encoding='utf-8'))
    if 'missing' in about: sys.exit(f"the site has no model: {about['missing']}")
    model = replace(load_model(args.model, 'cpu'), precision=Precision('fp32')) # as the page computes
    with tempfile.TemporaryDirectory() as tmp, sync_playwright() as playwright:
        address = serve(folder, settings()['doc_baseurl'], tmp)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=[*FLAGS, *CAMERA])
        try: check_all(browser, address, folder, model)
        except Error as e: report('the page answers', [e.message.split('\n')[0]])
    sys.exit(bool(failed))

if __name__ == '__main__': main()
