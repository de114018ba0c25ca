#!/usr/bin/env python3
"""Build the documentation site: with Quarto if it is on PATH, else with smalldocs.

    python tools/build_site.py [--output DIR] [--with quarto|smalldocs] [--model RUN|NAME]

Both read nbs/_quarto.yml, which points to _quarto.yml and nbs/sidebar.yml. These are the steps of
nbdev_docs, with three differences: README.md is left to tools/make_readme.py, the API comes from
tools/api_table.py, and every notebook's page has links to open it in Colab, download it, see it and
edit it on GitHub, made from settings.ini. The page "Try it" gets its model from tools/build_playground.py.
"""
import os, re, shutil, subprocess, sys
from itertools import groupby
from pathlib import Path
from typing import Any

from execnb.nbio import mk_cell, read_nb, write_nb
from nbdev.config import get_config
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

from api_table import api_entry, constant_entries, definitions, exported_constants
from build_playground import MODEL, build_playground
from project import all_notebooks, default_exp, new_parser, notebook_name, root

# What smalldocs can't do and need not: Quarto's names for following the system's colours, as it always
# does, and for the widths of columns, which it has from styles.css.
KNOWN_WARNINGS = {f'format.html.{name} is ignored' for name in ('respect-user-color-scheme', 'grid')}

DOWNLOADS = 'notebooks' # folder of the site

# Steps of nbdev that we leave out: running cells, and putting an `#| exports` cell behind its documentation.
SKIPPED = 'exec_show_docs,mv_exports,add_fold'

def shown_name(cell) -> str:
    "Return the name that one of nbdev's show_doc cells shows, or an empty text."
    match = cell.cell_type == 'code' and re.search(r'(?m)^show_doc\(([\w.]+)\)', cell.source)
    return match[1] if match else ''

def folded(names: list[str], entries: str) -> list[str]:
    "Return entries as Markdown that is folded away. Pandoc wants the headings in a block of their own."
    title = ', '.join(f'<code>{name}</code>' for name in names)
    summary = f'<summary>Reference: {title}</summary>'
    return ['<details class="api">', summary, '::: {.api-entries}', entries, ':::', '</details>']

def with_api(cells: list, module: str, order: dict) -> list:
    "Replace nbdev's show_doc cells by folded entries in source order."
    result = []
    for shows, group in groupby(cells, key=lambda cell: bool(shown_name(cell))):
        if not shows:
            result += group
            continue
        names = sorted(map(shown_name, group), key=list(order).index)
        entries = '\n\n---\n\n'.join(api_entry(module, name) for name in names)
        result.append(mk_cell('\n\n'.join(folded(names, entries)), 'markdown'))
    return result

def free_anchors(text: str, anchors: set[str]) -> str:
    "Give a heading such as `## Crop` another anchor than that of `crop`."
    def other(match):
        name = match[1].lower()
        return f'{match[0]} {{#about-{name}}}' if name in anchors else match[0]
    return re.sub(r'(?m)^#+ (\w+)$', other, text)

def process_notebook(path: Path, source: Path, cfg):
    "Add the links and the API to a notebook that nbdev has prepared, in place."
    nb: Any = read_nb(path)
    to_root = '../'*len(Path(notebook_name(source)).parent.parts)
    nb.cells.insert(1, mk_cell(notebook_links(source, cfg), 'markdown')) # the first cell is the front matter
    if module := default_exp(source):
        file = cfg.lib_path/f"{module.replace('.', '/')}.py"
        order, constants = definitions(file), exported_constants(file)
        anchors = {name.lower() for name in [*order, *constants]}
        for cell in nb.cells:
            if cell.cell_type == 'markdown': cell.source = free_anchors(cell.source, anchors)
        nb.cells = with_api(nb.cells, f'{cfg.lib_name}.{module}', order)
        if constants: nb.cells.append(mk_cell(constant_entries(constants, file, cfg), 'markdown'))
    for cell in nb.cells: # links stay within this site
        if cell.cell_type != 'markdown': continue
        cell.source = cell.source.replace(f']({cfg.doc_host}{cfg.doc_baseurl}/', f']({to_root}')
    write_nb(nb, path)

def process_notebooks(cfg) -> Path:
    "Make the folder with everything in nbs/, the notebooks as nbdev prepares them, but run no cell."
    shutil.rmtree(cfg.config_path/'_proc', ignore_errors=True)
    refresh_quarto_yml()
    cfg['skip_procs'] = SKIPPED
    folder = proc_nbs(n_workers=0, skip_folder_re=r'^[_.]|^runs$')
    for source in all_notebooks(): process_notebook(folder/notebook_name(source), source, cfg)
    return folder

def notebook_links(path: Path, cfg) -> str:
    "Return links to a notebook: on Colab, to download, and on GitHub. HTML, since `.ipynb` is to stay."
    name = notebook_name(path)
    place = f'{cfg.branch}/{cfg.nbs_path.name}/{name}'
    blob, edit = (f'{cfg.user}/{cfg.repo}/{what}/{place}' for what in ('blob', 'edit'))
    local = '../'*name.count('/') + f'{DOWNLOADS}/{name}'
    links = [(f'https://colab.research.google.com/github/{blob}', '', 'Open in Colab'),
             (local, f' download="{path.name}"', 'Download'),
             (f'https://github.com/{blob}', '', 'View on GitHub'),
             (f'https://github.com/{edit}', '', 'Edit')]
    button = '<a class="btn btn-sm btn-primary" href='
    anchors = [f'{button}"{href}"{more}>{text}</a>' for href, more, text in links]
    return '\n'.join(['```{=html}', '<p>', *anchors, '</p>', '```'])

def copy_notebooks(output: Path):
    "Put the notebooks into the site, with their outputs, to be downloaded."
    for path in all_notebooks():
        copy = output/DOWNLOADS/notebook_name(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)

def strip_numbers(folder: Path):
    "Rename 01_model.ipynb to model.ipynb, as in nbdev's addresses: smalldocs names a page after its file."
    for path in [*folder.rglob('*.ipynb'), *folder.rglob('*.qmd'), folder/'sidebar.yml']:
        text = path.read_text(encoding='utf-8')
        text = re.sub(r'(\]\(|href: )((?:[\w.-]+/)*)\d+\w?_(?=\w+\.(?:ipynb|qmd))', r'\1\2', text)
        path.write_text(re.sub(r'output-file: [\w./]+\\n', '', text), encoding='utf-8')
        path.rename(path.with_name(re.sub(r'^\d+\w?_', '', path.name)))

def render(folder: Path, tool: str):
    "Make the site from processed notebooks."
    if tool == 'quarto':
        subprocess.run(['quarto', 'render', '--no-cache'], cwd=folder, check=True)
        return
    from smalldocs.site import build
    strip_numbers(folder)
    site = build(folder, quiet=True)
    unknown = set(site.warnings) - KNOWN_WARNINGS
    if unknown: sys.exit('\n'.join(sorted(unknown)))
    for theme in (site.out/'site_libs'/'themes').glob('*.css'): # no fonts from other sites
        text = re.sub(r'@import url\([^)]*\);?', '', theme.read_text(encoding='utf-8'))
        theme.write_text(text, encoding='utf-8')

def main():
    parser = new_parser(__doc__)
    parser.add_argument('--output', type=Path, help='default: doc_path in settings.ini')
    parser.add_argument('--with', dest='tool', choices=['quarto', 'smalldocs'],
                        default='quarto' if shutil.which('quarto') else 'smalldocs')
    parser.add_argument('--model', default=MODEL, help=f'that of the page "Try it"; default: {MODEL}')
    args = parser.parse_args()
    output = args.output and args.output.resolve()
    os.chdir(root) # nbdev looks for settings.ini from here
    cfg = get_config()
    output = output or cfg.doc_path
    if output.exists() and not (output/'site_libs').is_dir():
        sys.exit(f'{output} exists and is not a site; it would be deleted')
    folder = process_notebooks(cfg)
    render(folder, args.tool)
    shutil.rmtree(output, ignore_errors=True)
    shutil.move(folder/cfg.doc_path.name, output)
    copy_notebooks(output)
    build_playground(output/'playground', args.model)
    shutil.rmtree(folder)
    (cfg.nbs_path/'nbdev.yml').unlink()

if __name__ == '__main__': main()
