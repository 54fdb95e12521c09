"""The forecast says what a simulation of the same process says."""

from __future__ import annotations

from datetime import date, timedelta

import dashboard_samples as samples
import numpy as np
import pytest

from dashboards.disclosure import Rules
from dashboards.errors import FigureError
from dashboards.recruitment import Target, forecast, recruitment

START = date(2026, 1, 1)
TODAY = START + timedelta(days=99)


def test_the_interval_agrees_with_simulated_arrivals():
    arrivals = {START + timedelta(days=i): (3 if i % 2 else 1) for i in range(100)}
    target = Target(300, START, START + timedelta(days=200))
    rng = np.random.default_rng(20261122)
    recent = sum(n for day, n in arrivals.items() if day > TODAY - timedelta(days=28))
    rates = rng.gamma(recent + 0.5, 1 / 28, 200_000)
    waits = rng.gamma(300 - sum(arrivals.values()), 1 / rates)
    found = forecast(arrivals, target, TODAY)
    assert found.early is not None
    assert found.middle is not None
    assert found.late is not None
    for day, quantile in ((found.early, 0.1), (found.middle, 0.5), (found.late, 0.9)):
        assert (day - TODAY).days == pytest.approx(np.quantile(waits, quantile), abs=1.1)


def test_a_target_that_was_reached_is_told_with_its_day():
    arrivals = {START + timedelta(days=i): 10 for i in range(100)}
    found = forecast(arrivals, Target(300, START, TODAY), TODAY)
    assert found.middle == found.early == found.late == START + timedelta(days=29)
    figure = recruitment(arrivals, Target(300, START, TODAY), today=TODAY, language="en")
    assert figure.sentence.endswith("The target has been reached.")


def test_a_pilot_that_stands_still_promises_no_day():
    figure = recruitment({START: 20}, Target(300, START, TODAY), today=TODAY, language="en")
    assert figure.sentence.startswith("20 of 300 people were allocated; the plan was 300 by now.")
    assert "not reached within three years" in figure.sentence or "very uncertain" in figure.sentence


def test_counts_add_up_week_by_week_to_today():
    figure = recruitment(samples.ARRIVALS, samples.TARGET, today=date(2026, 5, 6), language="en")
    counts = [row[1].value for row in figure.table.rows]
    assert counts == sorted(counts)
    assert counts[-1] == sum(samples.ARRIVALS.values())


def test_in_public_few_people_are_withheld_and_others_rounded():
    figure = recruitment(samples.ARRIVALS, samples.TARGET, today=date(2026, 5, 6), language="en", rules=Rules())
    values = [row[1].value for row in figure.table.rows]
    assert all(value is None or value % 5 == 0 for value in values)
    assert "withheld" in {row[1].text for row in figure.table.rows} or all(
        v is None or v >= 10 or v == 0 for v in values
    )


@pytest.mark.parametrize("arrivals", [{START: -1}, {TODAY + timedelta(days=1): 3}])
def test_impossible_arrivals_are_refused(arrivals):
    with pytest.raises(FigureError):
        recruitment(arrivals, samples.TARGET, today=TODAY, language="en")
