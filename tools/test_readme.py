#!/usr/bin/env python3
"""Run the test command of README.md as it is written there, in the current folder, and count the notebooks.

    python3 tools/test_readme.py     needs nothing but Python

Prints what the command prints, each line with the seconds so far. The last line counts the notebooks.
Unless nbdev_test says which ones failed, or that all passed, all of them have failed.
"""
import os, re, subprocess, sys, time

from project import all_notebooks, root

def test_command(readme: str) -> str:
    "Return the code block of README.md that runs nbdev_test."
    blocks = re.findall(r'(?ms)^```\w*\n(.*?)^```', readme)
    found = [block for block in blocks if 'nbdev_test' in block]
    if len(found) != 1: sys.exit(f'README.md has {len(found)} code blocks with nbdev_test, not one')
    return found[0].strip()

def stream(command: str) -> tuple[str, int]:
    "Run a command, print its lines as they come, and return them all and its exit status."
    start, lines = time.time(), []
    env = os.environ | {'PYTHONUNBUFFERED': '1', 'PIP_QUIET': '2'} # of pip, errors only
    process = subprocess.Popen(['bash', '-c', command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=env, text=True, errors='replace')
    for line in process.stdout or ():
        lines.append(line)
        print(f'{time.time() - start:5.0f} s  {line}'.replace(f'{os.getcwd()}/', ''), end='', flush=True)
    return ''.join(lines), process.wait()

def count_failed(output: str, status: int, total: int) -> int:
    "Return how many of the notebooks failed, by what nbdev_test said."
    if status == 0 and re.search(r'(?m)^Success\.$', output): return 0
    listed = re.search(r'Tests Failed On The Following Notebooks:\n=+\n((?:\t.+\n)+)', output)
    return min(listed[1].count('\n'), total) if status and listed else total

if __name__ == '__main__':
    command = test_command((root/'README.md').read_text(encoding='utf-8'))
    print(command, flush=True)
    output, status = stream(command)
    total = len(all_notebooks())
    failed = count_failed(output, status, total)
    print(f'notebooks: {total - failed} passed, {failed} failed')
    sys.exit(failed > 0)
