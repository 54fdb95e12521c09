"""How code behaves everywhere: randomness and time come through the door, only the edge commits, nothing listens."""

from __future__ import annotations

import ast
import re

from project_files import dotted, in_packages, uses

LIBRARIES = ("randomization", "analysis", "surveys", "dashboards")
# The edges of the program, where a request, a command or a job begins and ends.
EDGES = ("pilot/app.py", "pilot/clock.py", "pilot/web/", "pilot/cli", "pilot/worker", "pilot/demo", "pilot/db")

CLOCKS = re.compile(r"\b(datetime\.now|datetime\.utcnow|datetime\.today|date\.today|time\.time)$")
HIDDEN_RANDOMNESS = re.compile(
    r"^random\.(?!Random$|SystemRandom$)\w+$"
    r"|^(np|numpy)\.random\.(?!default_rng|Generator|SeedSequence|BitGenerator|PCG64|PCG64DXSM|Philox|SFC64|MT19937)\w+$"
)


def inside() -> dict[str, ast.Module]:
    """The packages without the edges."""
    return {name: tree for name, tree in in_packages().items() if not name.startswith(EDGES)}


def found(files: dict[str, ast.Module], pattern: re.Pattern[str]) -> list[str]:
    return [f"{name}:{line} {use}" for name, tree in files.items() for line, use in uses(tree) if pattern.search(use)]


def test_no_library_or_step_of_the_journey_asks_what_time_it_is():
    assert found(inside(), CLOCKS) == []


def test_no_randomness_without_a_seed_that_was_handed_in():
    assert found(inside(), HIDDEN_RANDOMNESS) == []


def test_a_random_generator_is_never_made_without_a_seed():
    unseeded = [
        f"{name}:{node.lineno}"
        for name, tree in in_packages().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.search(r"(^|\.)(default_rng|SeedSequence)$", dotted(node.func))
        and not (node.args or node.keywords)
    ]
    assert unseeded == []


def test_only_the_edge_commits():
    assert found(inside(), re.compile(r"\.(commit|rollback)$")) == []


def test_nothing_listens_behind_the_readers_back():
    assert found(inside(), re.compile(r"\bevent\.(listens_for|listen)$|\.connect_via$")) == []


def test_no_library_prints():
    printed = [
        f"{name}:{node.lineno}"
        for name, tree in in_packages(*LIBRARIES).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and dotted(node.func) == "print"
        # A progress bar that was asked for names the stream it goes to.
        and "file" not in {keyword.arg for keyword in node.keywords}
    ]
    assert printed == []


def test_nothing_is_evaluated_or_unpickled():
    assert found(in_packages(), re.compile(r"^(eval|exec|pickle\.loads?|yaml\.(unsafe_load|full_load))$")) == []
