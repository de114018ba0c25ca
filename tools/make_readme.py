#!/usr/bin/env python3
"""Make README.md from nbs/index.ipynb and its saved outputs.

The same result on every machine: nbdev_readme needs Quarto and runs the notebook again, this needs neither.
"""
import posixpath, re

import nbformat

from project import directives, nbs, root

def markdown(cell) -> str:
    "Return a cell as Markdown: prose unchanged, code in a block unless `echo: false`, outputs below it."
    if cell.cell_type == 'markdown': return cell.source
    marks = directives(cell.source)
    if 'hide' in marks: return ''
    parts = [] if marks.get('echo') == 'false' else [f'```python\n{cell.source}\n```']
    for out in cell.outputs:
        data = out.get('data', {})
        if 'text/markdown' in data: parts.append(data['text/markdown'])
        elif out.output_type == 'stream' or 'text/plain' in data:
            parts.append(f"```\n{out.get('text') or data['text/plain']}\n```")
    return '\n\n'.join(parts)

def from_root(match) -> str:
    "Return a relative link of the notebook as README.md needs it."
    return f"]({posixpath.normpath(posixpath.join(nbs.name, match[1]))})"

if __name__ == '__main__':
    notebook = nbformat.read(nbs/'index.ipynb', as_version=4)
    text = '\n\n'.join(part for part in map(markdown, notebook.cells) if part)
    text = re.sub(r'\]\((?![a-z]+:|[#/])([^()\s]+)\)', from_root, text)
    header = '<!-- Made from nbs/index.ipynb by tools/make_readme.py. Edit that. -->'
    (root/'README.md').write_text(f'{header}\n\n{text}\n', encoding='utf-8')
