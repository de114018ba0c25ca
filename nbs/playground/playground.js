// The page "Try it": a picture in, the model's answer out, all of it in the browser. Model and runtime are loaded with
// the first picture. The files beside this one are made by tools/build_playground.py; about.json names them, or says
// what was missing when the site was built.
import {middleSquare, resize} from './resize.js';

const root = document.querySelector('.playground');
const find = selector => root.querySelector(selector);
const url = name => new URL(name, import.meta.url);
const percent = p => `${(100*p).toFixed(1)} %`;
const megabytes = bytes => `${(bytes/1e6).toFixed(1)} MB`;
const say = text => { find('.status').textContent = text; };

let about;
let loading; // a promise of what `load` returns: it happens once
let latest = 0; // number of the picture that was given last

// Fetch a gzipped file; `count` hears of every part of it.
async function download(name, count) {
  const response = await fetch(url(name));
  if (!response.ok) throw Error(`${name}: ${response.status}`);
  const counter = new TransformStream({transform(part, to) { count(part.length); to.enqueue(part); }});
  const plain = response.body.pipeThrough(counter).pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

// Load runtime and model. Returns a function from pixels to probabilities.
async function load() {
  const {script, runtime, model} = about.files, bar = find('progress');
  Object.assign(bar, {hidden: false, value: 0, max: about.bytes});
  const count = bytes => { bar.value += bytes; };
  try {
    const [ort, wasmBinary, content] = await Promise.all(
      [import(url(script)), download(runtime, count), download(model, count)]);
    Object.assign(ort.env.wasm, {numThreads: 1, wasmBinary}); // several need headers that a plain host doesn't send
    const session = await ort.InferenceSession.create(content);
    const {size} = about;
    const run = async pixels => {
      const values = Float32Array.from({length: 3*size*size}, (_, i) => pixels[i%(size*size)*3 + Math.floor(i/size/size)]);
      const {probabilities} = await session.run({pixels: new ort.Tensor('float32', values, [1, 3, size, size])});
      return [...probabilities.data];
    };
    await run(new Uint8Array(3*size*size)); // the first run is slower
    find('.cost').textContent = 'The model is loaded. From now on this page works offline.';
    return run;
  } finally { bar.hidden = true; }
}

// Return a function that reads pixels of a picture, on white paper.
function reader(bitmap) {
  const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  return (x, y, width, height) => {
    Object.assign(context.canvas, {width, height});
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, x, y, width, height, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
}

// Draw the picture, with a veil over what is cut off, and beside it what the model sees.
function draw(bitmap, name, pixels) {
  const {width, height} = bitmap, [left, top, side] = middleSquare(width, height);
  const scale = 480/Math.max(width, height), whole = find('.whole'), context = whole.getContext('2d');
  Object.assign(whole, {width: Math.max(1, width*scale), height: Math.max(1, height*scale)});
  whole.setAttribute('aria-label', name);
  context.imageSmoothingEnabled = scale < 1;
  context.scale(whole.width/width, whole.height/height);
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  const veil = new Path2D();
  veil.rect(0, 0, width, height);
  veil.rect(left, top, side, side);
  context.fillStyle = 'rgb(0 0 0 / .55)';
  context.fill(veil, 'evenodd');
  const seen = new ImageData(about.size, about.size);
  seen.data.forEach((_, i) => { seen.data[i] = i%4 == 3 ? 255 : pixels[(i - i%4)/4*3 + i%4]; });
  find('.seen').getContext('2d').putImageData(seen, 0, 0);
  find('.views').hidden = false;
}

// Show the best three classes as bars, and how long it took.
function show(probabilities, times) {
  const best = probabilities.map((p, i) => [about.classes[i], p]).sort((a, b) => b[1] - a[1]).slice(0, 3);
  find('.top').replaceChildren(...best.map(([name, p]) => {
    const item = document.createElement('li');
    item.innerHTML = '<span class="class"></span> <span class="share"></span><span class="bar"></span>';
    item.querySelector('.class').textContent = name;
    item.querySelector('.share').textContent = percent(p);
    item.querySelector('.bar').style.setProperty('--share', p);
    return item;
  }));
  const [name, p] = best[0];
  say(p < .5 ? `Not sure. Its best guess: ${name}, ${percent(p)}` : `${name[0].toUpperCase()}${name.slice(1)}, ${percent(p)}`);
  const [resizing, network] = times.map(ms => `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`);
  find('.time').textContent = `${network} in the network, ${resizing} to crop and resize.`;
  find('.result').hidden = false;
  find('.answer').scrollIntoView({block: 'nearest'});
}

// Read a picture (a file, or an image or a video of the page), show it, load the model if need be, show its answer.
async function classify(source, name) {
  const mine = ++latest;
  find('.result').hidden = true;
  let bitmap, pixels;
  const started = performance.now();
  try {
    bitmap = await createImageBitmap(source, {colorSpaceConversion: 'none'}); // turned as its EXIF says
    pixels = resize(reader(bitmap), bitmap.width, bitmap.height, about.size);
  } catch {
    if (mine == latest) say(`“${name}” can’t be read. Try a JPEG or a PNG.`);
    return;
  }
  const resized = performance.now() - started;
  if (mine != latest) return;
  draw(bitmap, name, pixels);
  find('.answer').scrollIntoView({block: 'nearest'});
  if (!loading) say(`Loading the model, ${megabytes(about.bytes)} …`);
  try {
    const run = await (loading ??= load());
    const before = performance.now(), probabilities = await run(pixels);
    if (mine == latest) show(probabilities, [resized, performance.now() - before]);
  } catch (error) {
    loading = undefined;
    console.warn(error);
    if (mine == latest) say('The model could not be loaded. Are you online? Give it a picture to try again.');
  }
}

// A picture from the camera, in a dialog that Escape closes.
async function addCamera() {
  const devices = await navigator.mediaDevices?.enumerateDevices() ?? []; // none if the page isn't served by https
  if (!devices.some(device => device.kind == 'videoinput')) return;
  const button = find('.camera'), dialog = find('dialog'), video = find('video'), take = find('.take');
  const stop = stream => stream?.getTracks().forEach(track => track.stop());
  let visit = 0; // a dialog may be closed, and opened again, before its camera is ready
  button.hidden = false;
  button.onclick = async () => {
    const mine = ++visit;
    take.disabled = true;
    dialog.showModal();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'environment'}});
      if (mine == visit) video.srcObject = stream;
      else stop(stream);
    } catch (error) {
      if (mine != visit) return;
      dialog.close();
      say(`The camera can’t be used (${error.name}). Does your browser allow it for this page?`);
    }
  };
  video.onloadeddata = () => {
    take.disabled = false;
    take.focus();
  };
  take.onclick = async () => {
    const frame = await createImageBitmap(video);
    dialog.close();
    classify(frame, 'the picture from your camera');
  };
  dialog.onclose = () => {
    visit++;
    stop(video.srcObject);
    video.srcObject = null;
  };
}

function addInputs() {
  const choose = find('input[type=file]');
  const give = file => file && classify(file, file.name);
  choose.onchange = () => { give(choose.files[0]); choose.value = ''; };
  for (const button of root.querySelectorAll('.examples button')) {
    const image = button.querySelector('img');
    button.onclick = () => classify(image, image.alt);
  }
  root.ondragover = event => { event.preventDefault(); root.classList.add('over'); };
  root.ondragleave = event => { if (!root.contains(event.relatedTarget)) root.classList.remove('over'); };
  root.ondrop = event => {
    event.preventDefault();
    root.classList.remove('over');
    if (event.dataTransfer.files.length) give(event.dataTransfer.files[0]);
    else say('That was not a file. Save the picture first, then drop or choose it.');
  };
  document.addEventListener('paste', event => give(event.clipboardData?.files[0]));
  return addCamera();
}

about = await (await fetch(url('about.json'))).json();
if (about.missing) say(`This copy of the site was built without the model: ${about.missing}`);
else {
  find('.cost').textContent = `Your first picture loads the model and its runtime, ${megabytes(about.bytes)}, once.`;
  find('fieldset').disabled = false;
  say('No picture yet.');
  await addInputs();
}
