"""A test that cannot fail is no test."""

from __future__ import annotations

import ast
import re

from project_files import dotted, functions, texts, trees, uses

WAYS_OUT = re.compile(
    r"^pytest\.(skip|xfail|importorskip|exit|mark\.(skip|skipif|xfail))$|^unittest\.(skip|mock)|^mock\."
)
CHECKS = re.compile(
    r"\bassert|\.raises\(|\.warns\(|fnmatch_lines|\bexpect\(|check\w*\(|wait_for_\w+\(|_holds\(|\bverify"
)

TESTS = {name: tree for name, tree in trees().items() if re.search(r"^tests/.*test_[^/]*\.py$", name)}


def test_no_test_is_skipped_expected_to_fail_or_mocked():
    ways_out = [
        f"{name}:{line} {use}" for name, tree in TESTS.items() for line, use in uses(tree) if WAYS_OUT.search(use)
    ]
    assert ways_out == []


def test_every_test_checks_something():
    checkless = []
    for name, tree in TESTS.items():
        sources = {function: ast.get_source_segment(texts()[name], function) or "" for function in functions(tree)}
        checking = {function.name for function, source in sources.items() if CHECKS.search(source)}
        for function, source in sources.items():
            called = {dotted(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
            handed_in = {argument.arg for argument in function.args.args}
            delegates = called & (checking | handed_in) or any(call.startswith(("test_", "assert_")) for call in called)
            if function.name.startswith("test_") and not CHECKS.search(source) and not delegates:
                checkless.append(f"{name}:{function.lineno} {function.name}")
    assert checkless == []


def test_no_test_hides_another_of_the_same_name():
    hidden = []
    for file, tree in TESTS.items():
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        hidden += sorted({f"{file}: {name}" for name in names if names.count(name) > 1})
    assert hidden == []


def test_no_example_in_a_docstring_is_skipped():
    mark = "doctest: +" + "SKIP"
    # One file tries the very rule that a skipped example fails the run.
    files = trees().keys() - {"tests/fixtures/test_nothing_skipped.py"}
    assert [name for name in files if mark in texts()[name]] == []
