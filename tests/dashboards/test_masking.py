"""Before a permitted look no figure depends on who had which outcome in which arm."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import dashboard_samples as samples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.effects import Effect, Pooled
from dashboards.errors import FigureError
from dashboards.figure import Figure
from dashboards.flow import ArmFlow, Enrolment, Wave, flow
from dashboards.forest import forest
from dashboards.masking import Look
from dashboards.render import figure_html
from dashboards.response import response
from dashboards.sentence import ArmOutcome, sentences
from dashboards.shares import Group
from dashboards.subgroups import Subgroup, subgroups

MASKED = samples.MASKED
POOLED = Pooled("Started training", 0.23, 1200)


def seen(figure: Figure) -> str:
    return figure_html(figure, "en") + json.dumps(figure.plotly)


SHOWN: dict[str, Callable[[float, float], Figure]] = {
    "forest": lambda a, b: forest(
        [Effect("Advice", a - b, a - b - 0.1, a - b + 0.1, 400)], look=MASKED, language="en", pooled=[POOLED]
    ),
    "sentences": lambda a, b: sentences(
        [ArmOutcome("Advice", "with advice", a, 400, Effect("x", a - b, -1, 1, 400))],
        ArmOutcome("Portal", "without", b, 400), samples.WORDS, look=MASKED, language="en", pooled=POOLED,
    ),
    "subgroups": lambda a, b: subgroups(
        [Subgroup("region", (Effect("north", a - b, -1, 1, 400),), a)], look=MASKED, language="en", contrast="Advice"
    ),
}  # fmt: skip


@pytest.mark.parametrize("make", SHOWN.values(), ids=list(SHOWN))
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_outcomes_by_arm_leave_no_trace_in_a_masked_figure(make, first, second):
    assert seen(make(first, second)) == seen(make(second, first)) == seen(make(0.5, 0.5))


@given(st.integers(0, 400), st.integers(0, 400))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_masked_response_and_follow_up_depend_on_the_sum_only(first, second):
    def of(a: int, b: int) -> str:
        groups = [Group("Portal", a, 400), Group("Advice", b, 400)]
        arms = [ArmFlow(g.name, 400, 400, waves=(Wave("12 months", g.count, {"lost": 400 - g.count}),)) for g in groups]
        answered = response(groups, look=MASKED, language="en", wave="12 months")
        return seen(answered) + seen(flow(Enrolment(800), arms, look=MASKED, language="en"))

    assert of(first, second) == of(second, first)


def test_letters_hide_names_and_places_but_keep_the_numbers():
    def letters(seed: int) -> Figure:
        return response(samples.GROUPS, look=MASKED, language="en", wave="12 months", when_masked="letters", seed=seed)

    orders = {tuple(row[2].text for row in letters(seed).table.rows) for seed in range(40)}
    assert len(orders) == 6
    assert {tuple(sorted(order)) for order in orders} == {("300", "340", "350")}
    assert "Portal" not in seen(letters(1))
    assert "Advice" not in seen(letters(1))


def test_letters_without_a_seed_are_refused():
    with pytest.raises(FigureError, match="masked letters need a seed"):
        response(samples.GROUPS, look=MASKED, language="en", wave="w", when_masked="letters")


def test_a_masked_page_says_so_and_until_when():
    assert "until the next permitted look, on 1 March 2027" in SHOWN["forest"](0.2, 0.1).sentence


@pytest.mark.parametrize("parts", [(True, "", None), (True, "final", None), (False, "final", date(2027, 3, 1))])
def test_a_look_is_open_with_name_and_day_or_masked_without(parts):
    with pytest.raises(FigureError):
        Look(*parts)
