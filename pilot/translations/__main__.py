"""Bring catalogues up to date with the texts of the pages: `python -m pilot.translations [persona …]`."""

from __future__ import annotations

import sys

from pilot.translations.gather import PERSONAS, SHARED, missing, update

if __name__ == "__main__":
    for persona in sys.argv[1:] or [SHARED, *PERSONAS]:
        update(persona)
    for text in missing():
        print(f"not translated: {text}")
