"""Refuse to build a wheel without the front-end files: they are fetched at set-up and never committed."""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).resolve().parent))  # the build runs this file without its folder on the path

from tooling.front_end import uncompiled_catalogues, vendor_problems


class CompleteBuild(build_py):
    """build_py that stops when a file that people's browsers need is missing or is not the pinned one."""

    def run(self) -> None:
        problems = [*vendor_problems(), *uncompiled_catalogues()]
        if problems and not self.editable_mode:
            raise SystemExit("The wheel would be incomplete: " + "; ".join(problems) + ". Run: python3 run.py setup")
        super().run()


setup(cmdclass={"build_py": CompleteBuild})
