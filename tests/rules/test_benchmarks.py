"""A benchmark answers in one form, `--json` included, and measures one thread."""

from __future__ import annotations

import ast
import re

from project_files import texts, trees, uses

BENCHMARKS = {name: tree for name, tree in trees().items() if re.match(r"benchmarks/[a-z]\w*\.py$", name)}
HEAVY_IMPORTS = re.compile(r"^(numpy|scipy|pandas|statsmodels|analysis|randomization|surveys|dashboards|pilot)\b")


def test_there_are_benchmarks():
    assert BENCHMARKS


def test_a_benchmark_reports_its_figures_in_the_common_form():
    odd = []
    for name, tree in BENCHMARKS.items():
        used = {use for _, use in uses(tree)}
        reports = any(re.search(r"(^|\.)report$", use) for use in used)
        ends_with_a_code = used & {"sys.exit", "SystemExit"}
        if not (reports and ends_with_a_code):
            odd.append(name)
    assert odd == [], "a benchmark ends with sys.exit(report(figures, sys.argv)) of benchmarks/_timing.py"


def test_a_benchmark_sets_one_thread_before_numbers_are_loaded():
    late = []
    for name, tree in BENCHMARKS.items():
        numbers = [node.lineno for node in imports(tree) if HEAVY_IMPORTS.match(imported(node))]
        threads = [n for n, line in enumerate(texts()[name].splitlines(), 1) if re.search(r"NUM_THREADS|_timing", line)]
        if numbers and (not threads or min(threads) > min(numbers)):
            late.append(name)
    assert late == []


def imports(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def imported(node: ast.Import | ast.ImportFrom) -> str:
    return node.names[0].name if isinstance(node, ast.Import) else node.module or ""
