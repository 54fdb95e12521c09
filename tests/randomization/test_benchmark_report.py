"""The benchmarks' report: a table or JSON, and an exit code that fails when a target is missed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(figures: str, *argv: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; from _timing import Figure, report; sys.exit(report([{figures}], sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *argv], cwd=BENCHMARKS, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("figure", "code", "text"),
    [
        ("Figure('a', 3.0, 2.0, 'peer')", 0, "at least 2"),
        ("Figure('a', 1.0, 2.0, 'peer')", 1, "MISSED"),
        ("Figure('a', 1.0, 2.0, 'peer', at_most=True)", 0, "at most 2"),
        ("Figure('a', 3.0, 2.0, 'peer', at_most=True)", 1, "MISSED"),
        ("Figure('a', None, 2.0, 'peer')", 0, "not measured"),
        ("Figure('a', 0.1, None, 'limit')", 0, "against limit"),
    ],
)
def test_a_missed_target_fails_and_an_absent_peer_does_not(figure: str, code: int, text: str) -> None:
    found = run(figure)
    assert found.returncode == code, found.stderr
    assert text in found.stdout


def test_json_gives_one_object_a_figure() -> None:
    found = run("Figure('a', 3.0, 2.0, 'peer'), Figure('b', None, 2.0, 'peer')", "--json")
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    assert [line["name"] for line in lines] == ["a", "b"]
    assert lines[1]["ratio"] is None


def test_times_are_positive_and_longer_work_takes_longer() -> None:
    code = (
        "from _timing import interleaved_cpu, median_cpu\n"
        "short, long = interleaved_cpu([lambda: sum(range(2000)), lambda: sum(range(200000))], rounds=3)\n"
        "assert 0 < short < long\n"
        "assert median_cpu(lambda: None) > 0\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=BENCHMARKS, check=True)
