#!/usr/bin/env python3
"""Build the documentation site: with Quarto where it is on PATH, else with smalldocs.

    python tools/build_site.py [--output DIR] [--with quarto|smalldocs]

Both read nbs/_quarto.yml, which points to _quarto.yml and nbs/sidebar.yml. These are the steps of nbdev_docs, except that README.md is
left to tools/make_readme.py, that the API comes from tools/api_table.py, and that every notebook's page has links to it on Colab and on
GitHub, made from settings.ini.
"""
import argparse, os, re, shutil, subprocess, sys
from pathlib import Path

from execnb.nbio import mk_cell, read_nb, write_nb
from nbdev.config import get_config
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

from api_table import api_entries, constant_entries, exported_constants

# What smalldocs can't do and need not: Quarto's name for following the system's colours, which smalldocs always does.
KNOWN_WARNINGS = {'format.html.respect-user-color-scheme is ignored'}

def process_notebooks(cfg) -> Path:
    "The folder with everything in nbs/, the notebooks as nbdev prepares them, but no cell of them is executed."
    shutil.rmtree(cfg.config_path/'_proc', ignore_errors=True)
    refresh_quarto_yml()
    cfg['skip_procs'] = 'exec_show_docs'
    folder = proc_nbs(n_workers=0, skip_folder_re=r'^[_.]|^runs$')
    for path in folder.glob('*.ipynb'):
        nb = read_nb(path)
        nb.cells.insert(1, mk_cell(notebook_links(path.name, cfg), 'markdown')) # the first cell is the front matter
        shown = {i: match[1] for i, cell in enumerate(nb.cells) if cell.cell_type == 'code' and (match := re.search(r'(?m)^show_doc\(([\w.]+)\)', cell.source))}
        module = cfg.lib_path/re.sub(r'^\d+_(.*)', r'\1.py', path.stem) # index has none
        constants = exported_constants(module) if module.suffix else {}
        anchors = {name.lower() for name in [*shown.values(), *constants]}
        for i, cell in enumerate(nb.cells):
            if i in shown: nb.cells[i] = cell = mk_cell(api_entries(shown[i]), 'markdown')
            elif cell.cell_type == 'markdown': # a heading such as `## Crop` must not take the anchor of `crop`
                cell.source = re.sub(r'(?m)^#+ (\w+)$', lambda m: f'{m[0]} {{#about-{m[1].lower()}}}' if m[1].lower() in anchors else m[0], cell.source)
            if cell.cell_type == 'markdown': cell.source = cell.source.replace(f']({cfg.doc_host}{cfg.doc_baseurl}/', '](') # stay within this site
        if constants: nb.cells.append(mk_cell(constant_entries(constants, module, cfg), 'markdown'))
        write_nb(nb, path)
    return folder

def notebook_links(name: str, cfg) -> str:
    "Links to a notebook on Colab and on GitHub, as Markdown."
    place = f'{cfg.user}/{cfg.repo}/blob/{cfg.branch}/{cfg.nbs_path.name}/{name}'
    return (f'[Open in Colab](https://colab.research.google.com/github/{place}){{.btn .btn-sm .btn-primary}} '
            f'[Notebook on GitHub](https://github.com/{place}){{.btn .btn-sm .btn-primary}}')

def strip_numbers(folder: Path):
    "01_model.ipynb becomes model.ipynb, as in nbdev's addresses: smalldocs names a page after its file."
    for path in [*folder.glob('*.ipynb'), *folder.glob('*.qmd'), folder/'sidebar.yml']:
        text = path.read_text(encoding='utf-8')
        text = re.sub(r'(\]\(|href: )\d+\w?_(?=\w+\.(?:ipynb|qmd))', r'\1', text)
        path.write_text(re.sub(r'output-file: [\w.]+\\n', '', text), encoding='utf-8')
        path.rename(folder/re.sub(r'^\d+\w?_', '', path.name))

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
        theme.write_text(re.sub(r'@import url\([^)]*\);?', '', theme.read_text(encoding='utf-8')), encoding='utf-8')

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--output', type=Path, help='default: doc_path in settings.ini')
    parser.add_argument('--with', dest='tool', choices=['quarto', 'smalldocs'], default='quarto' if shutil.which('quarto') else 'smalldocs')
    args = parser.parse_args()
    output = args.output and args.output.resolve()
    os.chdir(Path(__file__).resolve().parent.parent) # nbdev looks for settings.ini from here
    cfg = get_config()
    output = output or cfg.doc_path
    if output.exists() and not (output/'site_libs').is_dir(): sys.exit(f'{output} exists and is not a site; it would be deleted')
    folder = process_notebooks(cfg)
    render(folder, args.tool)
    shutil.rmtree(output, ignore_errors=True)
    shutil.move(folder/cfg.doc_path.name, output)
    shutil.rmtree(folder)
    (cfg.nbs_path/'nbdev.yml').unlink()

if __name__ == '__main__': main()
