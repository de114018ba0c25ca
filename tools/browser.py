"""The browser that the checks use, and how it is started."""
import shutil, sys

FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', 
         '--disable-background-networking', '--disable-component-update', '--disable-sync']

def find_browser() -> str:
    "Return the path of Debian's Chromium or of hosted CI's Chrome. End the program if there is neither."
    found = shutil.which('chromium') or shutil.which('google-chrome')
    return found or sys.exit('no browser: chromium or google-chrome is needed')
