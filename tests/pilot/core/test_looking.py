"""Looks that a registered spending pays for: together they claim no more than the plan allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from small_pilot import changed, shipped

from analysis.errors import OptionError
from analysis.monitoring import level_of_look
from pilot import looking

HALF = {"name": "half", "label": {"nl": "Halverwege", "en": "Half-way"}, "wave": "followup_12m", "share": 0.5}


def with_looks(at: Any = 2, spending: str = "lan_demets_obf"):
    def change(data: dict[str, Any]) -> None:
        data["looks"].insert(0, dict(HALF))
        data["sample_size"]["looks"] = {"at": at, "spending": spending}

    return changed(change)


@pytest.mark.parametrize(
    ("spending", "bounds"), [("lan_demets_obf", (2.963, 1.969)), ("lan_demets_pocock", (2.157, 2.201))]
)
def test_the_levels_of_two_looks_are_those_of_the_books(spending: str, bounds: tuple[float, float]):
    """Bounds of two equally spaced looks at a two-sided 5%: Jennison and Turnbull (2000), ch. 7."""
    levels = [level_of_look([0.5], spending=spending), level_of_look([0.5, 1.0], spending=spending)]
    assert levels == pytest.approx([2 * special.ndtr(-bound) for bound in bounds], rel=3e-3)


@pytest.mark.parametrize("information", [[], [0.0], [0.5, 0.5], [0.5, 1.1]])
def test_information_that_does_not_rise_is_refused(information: list[float]):
    with pytest.raises(OptionError, match="rises from look to look"):
        level_of_look(information)


def holm(p: np.ndarray) -> np.ndarray:
    order = np.sort(p, axis=1)
    return np.maximum.accumulate(order * np.arange(p.shape[1], 0, -1), axis=1).min(axis=1)


def test_three_tests_by_holm_at_two_looks_make_at_most_five_false_claims_in_a_hundred():
    rng, trials = np.random.default_rng(20261128), 200_000
    levels = [level_of_look([0.4], tests=3), level_of_look([0.4, 1.0], tests=3)]
    first = rng.standard_normal((trials, 3))
    last = np.sqrt(0.4) * first + np.sqrt(0.6) * rng.standard_normal((trials, 3))
    claims = np.zeros(trials, dtype=bool)
    for z, level in zip((first, last), levels, strict=True):
        claims |= holm(2 * special.ndtr(-np.abs(z))) <= level
    assert claims.mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)
    assert claims.mean() > 0.045


@pytest.mark.parametrize(("spending", "first"), [("lan_demets_obf", 0.01), ("pocock", 0.04)])
def test_a_pilot_reads_its_looks_by_the_people_whose_outcome_is_known(spending: str, first: float):
    protocol = with_looks(spending=spending)
    planned = sum(protocol.sample_size.n().analysed_by_arm.values())
    half = looking.level(protocol, [planned // 2], final=False)
    whole = looking.level(protocol, [planned // 2, planned], final=True)
    assert 0 < half < first < 0.05
    assert half <= whole < 0.05
    if spending == "lan_demets_obf":
        assert looking.level(protocol, [planned // 4], final=False) < half
    nothing_new = looking.level(protocol, [planned // 2, planned // 2], final=False)
    assert 0 < nothing_new <= half
    assert looking.spends(protocol)
    assert not looking.spends(shipped())


def test_the_check_names_looks_that_nothing_pays_for_and_a_size_for_another_analysis():
    def unpaid(data: dict[str, Any]) -> None:
        data["looks"].insert(0, dict(HALF))

    def three_by_holm(data: dict[str, Any]) -> None:
        plan = data["analysis_plan"]
        plan["contrasts"] += plan.pop("secondary_contrasts")
        plan["correction"]["contrasts"] = "holm"

    assert not list(looking.remarks(shipped()))
    (sized,) = looking.remarks(changed(three_by_holm))
    assert "sized for 2 comparisons (dunnett), while the analysis registers 3 (holm)" in sized
    assert any("each read at the full alpha" in told for told in looking.remarks(changed(unpaid)))
    assert not any("full alpha" in told for told in looking.remarks(with_looks()))
    assert any("3 looks are planned and 2 registered" in told for told in looking.remarks(with_looks(at=3)))
