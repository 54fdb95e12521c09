"""The cells that are checked are those that readers see: what a figure withholds is withheld, the rest is in range."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import PreAnalysisPlan
from dashboards import cells
from dashboards.disclosure import Rules
from dashboards.masking import Look
from dashboards.reach import STAGES, ReachArm, reach
from dashboards.result_figures import Reader, effects, in_words, small_arms

RULES = Rules()
LOOK = Look.opened("final", pd.Timestamp("2027-03-01").date())


@given(st.lists(st.lists(st.integers(0, 60), min_size=len(STAGES), max_size=len(STAGES)), min_size=1, max_size=3))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_the_funnel_shows_what_its_cells_say(counts):
    falls = [sorted((n + 1 for n in arm), reverse=True) for arm in counts]
    sets = {f"arm {a}": {s: frozenset(f"{a}-{i}" for i in range(n)) for s, n in zip(STAGES, arm, strict=True)}
            for a, arm in enumerate(falls)}  # fmt: skip
    told = cells.of_reach(sets, RULES)
    figure = reach([ReachArm(name, {s: len(who) for s, who in arm.items()}) for name, arm in sets.items()],
                   language="en", rules=RULES)  # fmt: skip
    width = len(sets) + 1
    for row, shown in enumerate(figure.table.rows):
        columns = shown[1::2]
        for column, cell in enumerate(columns):
            known = told[row * width + column]
            assert (cell.value is None) == known.withheld
            assert cell.value is None or RULES.rounding_range(int(cell.value)) == (known.low, known.high)


def outcome_of(small: int):
    """An outcome that `small` of two hundred people with a voucher had, and many of the others."""
    plan = PreAnalysisPlan.from_dict({
        "allocation": {"method": "complete", "ratio": {"portal": 1, "advice": 1, "voucher": 1}},
        "outcomes": [{"name": "trained", "kind": "binary", "source": {"column": "trained"}}],
        "analysis_plan": {"control": "portal"},
    })  # fmt: skip
    arms = np.repeat(["portal", "advice", "voucher"], 200)
    had = np.concatenate([np.arange(200) < 40, np.arange(200) < 70, np.arange(200) < small])
    return plan.run(pd.DataFrame({"arm": arms, "trained": had.astype(int)})).outcomes[0]


@pytest.mark.parametrize(("small", "hidden"), [(4, True), (30, False)])
def test_an_effect_does_not_give_away_an_arm_that_is_too_small(small: int, hidden: bool):
    outcome, reader = outcome_of(small), Reader("en", LOOK, rules=RULES)
    assert small_arms(outcome, RULES) == ({"voucher"} if hidden else set())
    shown = [row[0] for row in effects(outcome, reader).table.rows]
    assert any("voucher" in str(name) for name in shown) is not hidden
    assert any("advice" in str(name) for name in shown)
    withheld = [row[0] for row in in_words(outcome, reader).table.rows if row[1].value is None]
    assert withheld == (["voucher"] if hidden else [])
    inside = [row[0] for row in effects(outcome, Reader("en", LOOK)).table.rows]
    assert any("voucher" in str(name) for name in inside), "inside the pilot everything is shown"


def test_the_cells_of_an_outcome_are_withheld_where_its_sentence_is():
    values = {f"v{n}": float(n < 4) for n in range(200)}
    other = {f"p{n}": float(n < 40) for n in range(200)}
    told = cells.of_outcome("trained", {"portal": other, "voucher": values}, {("voucher", "portal"): [*values, *other]},
                            "share", RULES)  # fmt: skip
    assert [cell.withheld for cell in told] == [False, False, True, True, True]
