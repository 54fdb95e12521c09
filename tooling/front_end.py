"""Fetch the front-end files that package.json pins, check their hashes, and compile the translations."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

from tooling.packages import REQUIREMENTS, installer, uv_environment
from tooling.running import ROOT, VENV, Stop, environment, progress, quietly, say
from tooling.stamps import digest, stamp, stamps

VENDOR = ROOT / "pilot" / "web" / "static" / "vendor"
TRANSLATIONS = ROOT / "pilot" / "translations"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def package_json() -> dict:
    return json.loads((ROOT / "package.json").read_text())


def vendor_problems() -> list[str]:
    """Front-end files that are missing or are not the ones that package.json names."""
    problems = []
    for name, file in package_json()["vendor"].items():
        path = VENDOR / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
            problems.append(f"{name} is not the pinned file")
    return problems


def install_front_end(*, with_tests: bool) -> None:
    made_from = digest(ROOT / "package.json", ROOT / "package-lock.json")
    known = stamps()
    tests_ready = known.get("front end test") == made_from and AXE.is_file()
    if known.get("front end app") == made_from and not vendor_problems() and (tests_ready or not with_tests):
        return
    with progress("Fetching the front-end files"):
        npm = find_npm()
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        quietly(
            command if with_tests else [*command, "--omit=dev"],
            env=environment(),
            failure="The front-end files could not be fetched.",
        )
        VENDOR.mkdir(parents=True, exist_ok=True)
        for name, file in package_json()["vendor"].items():
            source = ROOT / "node_modules" / file["from"]
            if file.get("take") == "style rules":
                (VENDOR / name).write_text(style_rules(source.read_text(encoding="utf-8")), encoding="utf-8")
            else:
                shutil.copyfile(source, VENDOR / name)
        if problems := vendor_problems():
            raise Stop("The front-end files are not the pinned ones: " + "; ".join(problems))
    stamp("front end app", made_from)
    if with_tests:
        stamp("front end test", made_from)


def style_rules(bundle: str) -> str:
    """The rules that Plotly would add to the page by itself, as a style sheet.

    A content security policy without inline styles keeps Plotly from adding them, and without them the layers of a
    chart lie below each other. They stand in the bundle as one object: selector to declarations, X being the chart
    and Y its notices.
    """
    string = r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """
    rule = rf"(?: (?:{string}|\w+) : (?:{string}) ,? )"
    whole = re.search(rf'\{{ (?="X,X\ div":) {rule}+ \}}', bundle, re.VERBOSE)
    if not whole:
        raise Stop("Plotly's style rules were not found in its bundle; has its version changed?")
    places = {"X": ".js-plotly-plot .plotly", "Y": ".plotly-notifier"}
    sheet = []
    for selector, declarations in re.findall(rf"({string}|\w+) : ({string})", whole[0], re.VERBOSE):
        selector = selector.strip("\"'")
        named = re.sub(r"\b[XY]\b", lambda found: places[found[0]], selector)
        sheet.append(f"{named} {{{declarations[1:-1]}}}")
    return "\n".join(sheet) + "\n"


def catalogues() -> list[Path]:
    return sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po"))


def uncompiled_catalogues() -> list[str]:
    return [f"{po.relative_to(ROOT)} is not compiled" for po in catalogues() if not po.with_suffix(".mo").is_file()]


def find_npm() -> str:
    """The system's npm, else the one inside a Python wheel; Node is needed at set-up only."""
    path = environment()["PATH"]
    if found := shutil.which("npm", path=path):
        return found
    say("    no npm on this computer; fetching one as a Python wheel")
    wheel = [*installer(), "--require-hashes", "-r", str(REQUIREMENTS / "node.txt")]
    quietly(wheel, env=uv_environment(), failure="npm is not on this computer and its wheel could not be installed.")
    if found := shutil.which("npm", path=path):
        return found
    raise Stop("npm was not found. Install Node.js 20 or later (https://nodejs.org) and try again.")


def compile_translations() -> None:
    made_from = digest(*catalogues())
    if stamps().get("translations") == made_from and not uncompiled_catalogues():
        return
    if catalogues():
        with progress("Compiling the translations"):
            for po in catalogues():
                command = [VENV / "bin" / "pybabel", "compile", "--locale", po.parent.parent.name]
                failure = f"The translations of {po.relative_to(ROOT)} could not be compiled."
                quietly([*command, "-i", po, "-o", po.with_suffix(".mo")], env=environment(), failure=failure)
    stamp("translations", made_from)


def lock_front_end() -> None:
    """Make package-lock.json from package.json, without addresses."""
    command = [find_npm(), "install", "--package-lock-only", "--omit-lockfile-registry-resolved", "--ignore-scripts"]
    with progress("Locking package-lock.json"):
        quietly(command, env=environment(), failure="package-lock.json could not be made.")
