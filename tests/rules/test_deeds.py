"""Every deed that the record can hold has a name that stewards read."""

from __future__ import annotations

import ast

from project_files import in_packages

from pilot.journey.allocation import NOTES
from pilot.web.steward import deeds


def kinds() -> set[str]:
    """The kinds of events that the code writes: `record(session, "kind", …)` and `Event(kind="kind")`."""
    found: set[str] = set()
    for tree in in_packages("pilot").values():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == "record" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                found.add(str(node.args[1].value))
            if node.func.id == "Event":
                found |= {
                    str(k.value.value) for k in node.keywords if k.arg == "kind" and isinstance(k.value, ast.Constant)
                }
    return found


def test_every_kind_of_event_has_a_name():
    written = kinds()
    assert len(written) > 30
    assert sorted(kind for kind in written if kind not in deeds.NAMES) == []
    assert sorted(f"allocation_{note}" for note in NOTES if f"allocation_{note}" not in deeds.NAMES) == []
