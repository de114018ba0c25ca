"""The browser that the checks use, and how it is started."""
import shutil, sys

FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

def find_browser() -> str:
    "Path of Debian's Chromium or of hosted CI's Chrome; ends the program where there is neither."
    return shutil.which('chromium') or shutil.which('google-chrome') or sys.exit('no browser: chromium or google-chrome is needed')
