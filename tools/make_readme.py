#!/usr/bin/env python3
"""Make README.md from nbs/index.ipynb and its saved outputs.

The same result on every machine: nbdev_readme needs Quarto and runs the notebook again, this needs neither.
"""
import re
from pathlib import Path

import nbformat

root = Path(__file__).resolve().parent.parent

def markdown(cell) -> str:
    "A cell as Markdown: prose as it is, code in a block unless it says `echo: false`, text outputs below it."
    if cell.cell_type == 'markdown': return cell.source
    if re.match(r'#\|\s*hide', cell.source): return ''
    parts = [] if re.match(r'#\|\s*echo:\s*false', cell.source) else [f'```python\n{cell.source}\n```']
    for out in cell.outputs:
        data = out.get('data', {})
        if 'text/markdown' in data: parts.append(data['text/markdown'])
        elif out.output_type == 'stream' or 'text/plain' in data: parts.append(f"```\n{out.get('text') or data['text/plain']}\n```")
    return '\n\n'.join(parts)

nb = nbformat.read(root/'nbs'/'index.ipynb', as_version=4)
text = '\n\n'.join(part for part in map(markdown, nb.cells) if part)
text = re.sub(r'\]\(((?:images/)?\w+\.(?:ipynb|qmd|png))\)', r'](nbs/\1)', text) # links are relative to nbs/
(root/'README.md').write_text(f'<!-- Made from nbs/index.ipynb by tools/make_readme.py. Edit that. -->\n\n{text}\n', encoding='utf-8')
