"""Looks that are paid for, intervals that hold at any time, and what was delivered to whom."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Trial
from analysis.delivery import by_advisor, fidelity
from analysis.errors import DataError, OptionError
from analysis.monitoring import AlphaLedger, confidence_sequence


def test_the_ledger_gives_the_bounds_of_the_spending_function(reference):
    expected, ledger = reference["group_sequential"], AlphaLedger(alpha=0.05)
    for look, (z, spent) in enumerate(zip(expected["z"], expected["alpha_spent"], strict=True), start=1):
        assert ledger.bound(look / 3) == pytest.approx(z, rel=2e-4)
        assert ledger.spent_at(look / 3) / 2 == pytest.approx(spent, rel=2e-4)
        ledger = ledger.look(look / 3, z=0.5)
    assert ledger.decision == "ended: not shown"
    assert ledger.left == pytest.approx(0.0, abs=1e-12)


def test_unplanned_timing_of_looks_keeps_the_error():
    rng = np.random.default_rng(9)
    times = np.array([0.21, 0.4, 0.83, 1.0])
    ledger = AlphaLedger(alpha=0.05, spending="lan_demets_pocock")
    bounds = []
    for time in times:
        bounds.append(ledger.bound(time))
        ledger = ledger.look(time, z=0.0)
    steps = rng.normal(size=(200_000, 4)) * np.sqrt(np.diff(times, prepend=0))
    z = np.cumsum(steps, axis=1) / np.sqrt(times)
    assert (np.abs(z) >= bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.002)


def test_a_stopped_trial_takes_no_further_look_and_information_only_grows():
    stopped = AlphaLedger().look(0.5, z=4.0)
    assert stopped.decision.startswith("stop")
    with pytest.raises(OptionError, match="has stopped"):
        stopped.look(1.0, z=1.0)
    with pytest.raises(OptionError, match="cannot follow"):
        AlphaLedger().look(0.5, z=1.0).look(0.4, z=1.0)


def test_a_confidence_sequence_holds_however_often_one_looks():
    rng = np.random.default_rng(4)
    left_out = fixed = 0
    for _ in range(200):
        z = rng.random(1_000) < 0.4
        y = rng.normal(0.2 * z)
        found = confidence_sequence(y, z, probability=0.4, tightest_at=500)
        left_out += ((found.low[50:] > 0.2) | (found.high[50:] < 0.2)).any()
        n1, n0 = np.cumsum(z)[50:], np.cumsum(~z)[50:]
        estimate = np.cumsum(y * z)[50:] / n1 - np.cumsum(y * ~z)[50:] / n0
        fixed += (np.abs(estimate - 0.2) > 1.96 * np.sqrt(1 / n1 + 1 / n0)).any()
    assert left_out / 200 <= 0.08
    assert fixed / 200 > 0.2  # which is why looking at a fixed interval all the time is not allowed


def test_a_confidence_sequence_needs_complete_outcomes_and_real_probabilities():
    with pytest.raises(DataError, match="outcome is missing"):
        confidence_sequence([1, np.nan, 2, 3], [1, 0, 1, 0], probability=0.5, tightest_at=10)
    with pytest.raises(DataError, match="between 0 and 1"):
        confidence_sequence([1, 2, 2, 3], [1, 0, 1, 0], probability=1.0, tightest_at=10)


def test_delivery_tells_fidelity_from_contamination():
    data = pd.DataFrame({"arm": ["advice"] * 4 + ["portal"] * 4, "minutes": [240, 300, 60, None, 0, 0, 250, 0]})
    advice, portal = fidelity(Trial(data), {"minutes": 240}, {"advice": ["minutes"]})
    assert (advice.n, advice.known, advice.reached, advice.contamination) == (4, 3, 2, False)
    assert (portal.reached, portal.contamination) == (1, True)


def test_advisors_with_few_people_are_pulled_to_the_average():
    rng = np.random.default_rng(1)
    sizes = [2, *[40] * 10]
    who = np.repeat([f"advisor {k}" for k in range(11)], sizes)
    y = rng.normal(np.repeat(rng.normal(size=11), sizes))
    y[:2] = 9.0
    found = by_advisor(Trial(pd.DataFrame({"arm": "advice", "who": who, "y": y})), "y", "who")
    small = next(row for row in found.rows if row.n == 2)
    large = next(row for row in found.rows if row.n == 40)
    assert abs(small.shrunk - found.average) < 0.85 * abs(small.mean - found.average)
    assert abs(large.shrunk - large.mean) < 0.1 * abs(large.mean - found.average) + 1e-9
    assert found.descriptive
