#!/usr/bin/env python3
"""Everything from a fresh machine to a running demo or a passed test, with Python 3.11+ and nothing else.

    python3 run.py demo            set up, make the demo pilots, serve them on this computer
    python3 run.py test            set up, then lint, types, contracts and every test but the heavy set
    python3 run.py test --heavy    the same, and then the heavy set
    python3 run.py setup           only set up
    python3 run.py bench           every benchmark, one after the other
    python3 run.py screenshots     the pictures of the guides, made again
    python3 run.py lock            the pinned requirements and front-end files, chosen again

It uses the standard library only, because it runs before anything is installed. What was set up is remembered by the
hashes of what it was made from, so that a second run starts within a second.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from tooling.front_end import compile_translations, install_front_end, lock_front_end
from tooling.packages import (
    REQUIREMENT_SETS,
    check_machine,
    install_python_packages,
    lock_requirements,
    make_environment,
)
from tooling.programs import install_programs
from tooling.running import PYTHON, ROOT, VENV, Stop, environment, say
from tooling.stamps import one_at_a_time

DEMO_HOME = ROOT / "var" / "demo"

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ruff check", ("ruff", "check", "--quiet", ".")),
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("djlint", ("djlint", "pilot", "--lint", "--quiet")),
    ("import contracts", ("lint-imports", "--no-cache")),
    ("pyright", ("pyright",)),
)


def set_up(wanted: str = "app") -> None:
    """Bring .venv, the front-end files and the translations up to date with what is pinned."""
    check_machine()
    with one_at_a_time():
        make_environment()
        install_python_packages(wanted)
        install_front_end(with_tests=wanted != "app")
        compile_translations()


def demo(options: argparse.Namespace) -> NoReturn:
    started = time.monotonic()
    check_port(options.port)
    set_up("app")
    say("  Making the demo pilots, unless they stand already …")
    pilot = VENV / "bin" / "pilot"
    address = f"http://127.0.0.1:{options.port}"
    env = {**environment(), "PILOT_HOME": str(DEMO_HOME), "PILOT_BASE_URL": address}
    DEMO_HOME.mkdir(parents=True, exist_ok=True)
    made = subprocess.run([pilot, "demo"], cwd=ROOT, env=env, check=False)
    if made.returncode:
        raise Stop("The demo could not be made; what went wrong stands above.")
    say(f"\n  Ready in {time.monotonic() - started:.0f} s: {address}/   (stop with Ctrl-C)\n")
    if options.browser and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"):
        subprocess.Popen([sys.executable, "-m", "tooling.open_browser", str(options.port), address], cwd=ROOT)
    # This process becomes the server, so that whatever stops the one has stopped the other.
    os.chdir(ROOT)
    os.execve(pilot, [str(pilot), "serve", "--port", str(options.port)], env)


def check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Stop(f"Port {port} is in use. Choose another: python3 run.py demo --port {port + 1}") from None


def test(options: argparse.Namespace, arguments: list[str]) -> int:
    """Every check in order, then pytest, whose closing line comes last; any failure makes the command fail."""
    set_up("test")
    install_programs()
    if arguments:
        say("  Only pytest runs, because it was given arguments: " + " ".join(arguments))
        return pytest(arguments, [])
    results = [] if options.heavy_only else [check(name, command) for name, command in CHECKS]
    codes = [0 if result["passed"] else 1 for result in results]
    if not options.heavy_only:
        # Two workers: tests that start servers and browsers must not starve each other on a small machine.
        codes.append(pytest(["-m", "not heavy", "-n", "2", "--dist", "worksteal"], results))
    if options.heavy or options.heavy_only:
        # One at a time: loads and crashes are measured, and a neighbour would be measured along.
        codes.append(pytest(["-m", "heavy", "--timeout", "3600", "--durations", "10"], []))
    return max(codes)


def check(name: str, command: Sequence[str]) -> dict:
    say(f"\n== {name}: {' '.join(command)}")
    started = time.monotonic()
    finished = subprocess.run([VENV / "bin" / command[0], *command[1:]], cwd=ROOT, env=environment(), check=False)
    seconds = time.monotonic() - started
    passed = finished.returncode == 0
    say(f"== {name}: {'passed' if passed else 'FAILED'} in {seconds:.1f} s")
    return {"name": name, "passed": passed, "seconds": round(seconds, 1)}


def pytest(arguments: Sequence[str], results: list[dict]) -> int:
    say(f"\n== pytest {' '.join(arguments)}")
    env = {**environment(), "ADVIESPILOT_CHECKS": json.dumps(results)}
    return subprocess.run([PYTHON, "-m", "pytest", *arguments], cwd=ROOT, env=env, check=False).returncode


def bench(arguments: list[str]) -> int:
    """Every benchmark (or those named), each a process of its own; fails when one misses its target."""
    set_up("bench")
    install_programs()
    names = [word for word in arguments if not word.startswith("-")]
    flags = [word for word in arguments if word.startswith("-")]
    found = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("[!_]*.py"))}
    if unknown := [name for name in names if name not in found]:
        raise Stop(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(found)}")
    missed = []
    env = {**environment(), "PYTHONPATH": str(ROOT)}
    for name in names or found:
        say(f"\n== {name}")
        if subprocess.run([PYTHON, found[name], *flags], cwd=ROOT, env=env, check=False).returncode:
            missed.append(name)
    say(f"\n{'A target was missed by: ' + ', '.join(missed) if missed else 'Every target was met.'}")
    return 1 if missed else 0


def screenshots() -> int:
    """The pictures of README and guides, taken from the demo in a real browser."""
    set_up("test")
    install_programs()
    env = {**environment(), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [PYTHON, ROOT / "docs" / "guide" / "screenshots.py"], cwd=ROOT, env=env, check=False
    ).returncode


def lock() -> int:
    set_up("app")
    lock_requirements()
    lock_front_end()
    say("Now run: python3 run.py test")
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="run.py", description="Set up, run and test Adviespilot on this computer.")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    demo_parser = commands.add_parser("demo", help="set up, make the demo pilots and serve them")
    demo_parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1 (default 8000)")
    demo_parser.add_argument("--no-browser", dest="browser", action="store_false", help="do not open a browser")
    test_parser = commands.add_parser(
        "test",
        help="set up, then every check and every test but the heavy set; given pytest's arguments, pytest alone",
    )
    test_parser.add_argument("--heavy", action="store_true", help="afterwards also the heavy set")
    test_parser.add_argument("--heavy-only", action="store_true", help="the heavy set by itself")
    setup_parser = commands.add_parser("setup", help="only set up")
    setup_parser.add_argument("--for", dest="wanted", choices=sorted(REQUIREMENT_SETS), default="app", help="for what")
    commands.add_parser("bench", help="run the benchmarks (names and --json may follow)")
    commands.add_parser("screenshots", help="make the pictures of the guides again")
    commands.add_parser("lock", help="choose and pin every version again")
    return top


def main(words: list[str] | None = None) -> int:
    options, rest = parser().parse_known_args(words)
    if rest and options.command not in {"test", "bench"}:
        parser().error(f"unknown: {' '.join(rest)}")
    try:
        if options.command == "demo":
            demo(options)
        if options.command == "test":
            return test(options, rest)
        if options.command == "bench":
            return bench(rest)
        if options.command == "screenshots":
            return screenshots()
        if options.command == "lock":
            return lock()
        set_up(options.wanted)
        say("Set up.")
        return 0
    except Stop as problem:
        say(f"\nStopped: {problem}")
        return 2
    except KeyboardInterrupt:
        say("\nStopped at your request.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
