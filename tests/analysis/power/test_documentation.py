"""The table of methods and the package name the same functions, and every known family has its row."""

import inspect
import json
import re
from pathlib import Path

from analysis import power

ROOT = Path(__file__).parents[3]
ROWS = (ROOT / "docs/methods/power.md").read_text()
CASES = json.loads((ROOT / "tests/reference/power/known_values.json").read_text())["cases"]


def test_every_public_function_has_a_row():
    functions = [name for name in power.__all__ if inspect.isfunction(getattr(power, name))]
    helpers = {"restricted_proportions", "restricted_proportions_ratio", "tost_power", "tost_power_z", "crossing"}
    helpers |= {"spent", "event_probability"}
    assert [name for name in functions if f"`{name}`" not in ROWS and name not in helpers] == []


def test_every_function_in_the_table_exists():
    rows = [line.split("|")[2] for line in ROWS.splitlines() if re.match(r"\| [a-z]", line) and line.count("|") > 6]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(named) > 50
    assert [name for name in sorted(named) if not hasattr(power, name)] == []


def test_every_family_of_the_known_values_has_a_row():
    functions = {case["function"] for case in CASES}
    assert [name for name in sorted(functions) if f"`{name}`" not in ROWS] == []


def test_every_argument_of_a_power_question_is_a_keyword():
    signatures = [inspect.signature(f).parameters for f in vars(power).values() if inspect.isfunction(f)]
    asked = [parameters for parameters in signatures if {"power", "alpha"} <= set(parameters)]
    assert len(asked) > 40
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for parameters in asked for p in parameters.values())
