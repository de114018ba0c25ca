#!/usr/bin/env python3
"""Make what the page "Try it" loads: model, runtime, example photographs, and about.json, which names them.

    python tools/build_playground.py FOLDER [--model RUN|NAME]

The model is written by `cifar_nb export`. The runtime is one file of the npm package onnxruntime-web, and its
script. If anything is missing, about.json says what, and so does the page.
"""
import base64, gzip, hashlib, json, shutil, subprocess, sys, tarfile, tempfile
from pathlib import Path

from project import new_parser, root

MODEL = 'fast'
PHOTOS = 'chelsea.jpg', 'coffee.jpg' # of the package's examples
PACKAGE = 'onnxruntime-web@1.30.0'
INTEGRITY = 'sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=='
SCRIPT, RUNTIME = 'ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm' # only what runs on a CPU
MAX_DIFFERENCE = 1e-3 # of a probability, from the model in float32

class Missing(Exception):
    "Something that we need isn't there. The message is one line."

def run(what: str, *command: str | Path, cwd: Path = root, reason: int = -1):
    "Run a command. Raise `Missing` if it fails, with that line of what it printed that has the reason."
    try: subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=300)
    except subprocess.CalledProcessError as e:
        lines = (e.stdout + e.stderr).strip().splitlines()
        raise Missing(f"{what} failed: {lines[reason] if lines else f'exit status {e.returncode}'}") from e
    except subprocess.TimeoutExpired as e: raise Missing(f'{what} took {e.timeout:.0f} seconds') from e

def get_runtime(folder: Path) -> tuple[bytes, bytes]: # script and runtime
    "Get the runtime from npm's registry or its cache, and check that it is what we know."
    npm = shutil.which('npm')
    if not npm: raise Missing('npm is not installed, so there is no runtime')
    options = '--prefer-offline', '--fetch-retries=1', '--loglevel=error'
    run(f'npm pack {PACKAGE}', npm, 'pack', PACKAGE, *options, cwd=folder, reason=0)
    content = next(folder.glob('*.tgz')).read_bytes()
    found = base64.b64encode(hashlib.sha512(content).digest()).decode()
    if f'sha512-{found}' != INTEGRITY: raise Missing(f'{PACKAGE} has another SHA-512 than we know: {found}')
    with tarfile.open(next(folder.glob('*.tgz'))) as package:
        files = [package.extractfile(f'package/dist/{name}') for name in (SCRIPT, RUNTIME)]
        script, runtime = (file.read() for file in files if file)
    return script, runtime

def halve(content: bytes) -> bytes:
    "Return an ONNX model that keeps its weights in half precision, and computes in float32 as before."
    import numpy as np, onnx
    from onnx import TensorProto, helper, numpy_helper
    model = onnx.load_from_string(content)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 1000: continue # no weights, or too few to matter
        half = numpy_helper.from_array(values.astype(np.float16), f'{tensor.name}.half')
        casts.append(helper.make_node('Cast', [half.name], [tensor.name], to=TensorProto.FLOAT))
        tensor.CopyFrom(half)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model.SerializeToString()

def get_model(name: str, folder: Path) -> tuple[bytes, dict]: # ONNX, and what it says of itself
    "Export a model, and check that it stays the same with weights in half precision."
    file = folder/'model.onnx'
    run(f'cifar_nb export {name}', sys.executable, '-m', 'cifar_nb', 'export', name, '--to', 'onnx', file)
    import onnx
    from cifar_nb.export import comparison_pixels, run_onnx
    content = file.read_bytes()
    small = halve(content)
    about = json.loads(onnx.load_from_string(content).metadata_props[0].value)
    x = comparison_pixels(tuple(about['size'])).float()
    difference = float((run_onnx(small)(x) - run_onnx(content)(x)).abs().max())
    said = f'half precision changes a probability by up to {difference:.2g}'
    if not difference <= MAX_DIFFERENCE: raise Missing(said)
    print(said)
    return small, about

def write_files(folder: Path, model: str):
    "Write model, runtime and about.json. Names change with the content: a browser keeps what it has."
    with tempfile.TemporaryDirectory() as tmp:
        script, runtime = get_runtime(Path(tmp))
        content, about = get_model(model, Path(tmp))
    version, digest = PACKAGE.partition('@')[2], hashlib.sha256(content).hexdigest()[:8]
    parts = dict(script=(f'onnxruntime-{version}.mjs', script),
                 runtime=(f'onnxruntime-{version}.bin', gzip.compress(runtime, mtime=0)),
                 model=(f'model-{digest}.bin', gzip.compress(content, mtime=0)))
    for name, written in parts.values(): (folder/name).write_bytes(written)
    write_about(folder, name=about['name'], classes=about['classes'], size=about['size'][0],
                files={part: name for part, (name, _) in parts.items()},
                bytes=sum(len(written) for _, written in parts.values()))

def write_about(folder: Path, **about):
    "Write what the page reads first."
    (folder/'about.json').write_text(json.dumps(about, indent=1), encoding='utf-8')

def build_playground(folder: Path, model: str = MODEL):
    "Put what the page needs into its folder of the site; if something is missing, say what."
    shutil.copytree(root/'nbs'/'playground', folder, dirs_exist_ok=True)
    for name in PHOTOS: shutil.copy(root/'cifar_nb'/'examples'/name, folder/'examples')
    try: write_files(folder, model)
    except Missing as e:
        print(f'The page "Try it" has no model: {e}')
        write_about(folder, missing=str(e))

def main():
    parser = new_parser(__doc__)
    parser.add_argument('folder', type=Path, help='in the site: further/../playground')
    parser.add_argument('--model', default=MODEL, help=f'default: {MODEL}')
    args = parser.parse_args()
    build_playground(args.folder, args.model)

if __name__ == '__main__': main()
