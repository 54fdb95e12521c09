"""Outcomes from a register in a rehearsal: drawn from what the section states, joined to the freeze, and analysed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_pilot import changed

from pilot.errors import Refused
from pilot.protocol import Protocol
from pilot.rehearsal.report import report_of
from pilot.rehearsal.run import Order, Rehearsed, rehearse
from pilot.rehearsal.trials import Stage, table
from pilot.rehearsal.world import world_of

STARTED, WORK = "training_started_12m", "in_work_12m"


def from_a_register(data: dict[str, Any]) -> None:
    """The outcome that the pilot is sized for comes from a register, the others from the lists."""
    data["outcomes"][0]["source"] = {"register": "enrolments"}
    data["sample_size"]["outcomes"][0]["measured_by"] = "register"


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return changed(from_a_register)


@pytest.fixture(scope="module")
def done(protocol) -> Rehearsed:
    return rehearse(protocol, Order(72, 3, seed=5))


def test_an_outcome_from_a_register_is_estimated_and_lacks_only_what_the_register_lacks(protocol, done):
    report = report_of(protocol, done)
    assert report.findings == ()
    assert {row.outcome for row in report.rows if row.planned is not None} == {STARTED}
    assert all(row.truth == pytest.approx(0.033) for row in report.rows if row.planned is not None)
    assert {row.truth for row in report.rows if row.outcome != STARTED} == {0.0}
    assert "linkage" in report.once
    assert "outcomes_linked" in report.each


def test_the_register_loses_the_share_that_is_stated_and_nobody_who_asked_for_no_more_data_is_looked_up(protocol, done):
    people = done.passage.data.assign(withdrawn=["no_data" if place < 5 else "" for place in range(72)])
    data = table(Stage(protocol, done.worlds, done.answers, people, 20_000, 5, False), "assumed", 1)
    stopped = data["withdrawn"].isin(["no_data", "erase"]).to_numpy()
    assert stopped.any()
    assert data.loc[stopped, STARTED].isna().all()
    known = data.loc[~stopped]
    assert known[STARTED].notna().mean() == pytest.approx(0.98, abs=3 * np.sqrt(0.02 * 0.98 / len(known)))
    assert known[WORK].notna().mean() == pytest.approx(0.6, abs=0.02), "the lists lose the share of the survey"
    shares = known.groupby("arm")[STARTED].mean()
    assert shares["voucher"] - shares["portal"] == pytest.approx(0.033, abs=0.03)


def test_a_register_that_the_section_says_nothing_of_is_refused_with_the_remedy():
    def change(data: dict[str, Any]) -> None:
        data["outcomes"][2]["source"] = {"register": "wages"}

    with pytest.raises(Refused, match=f"'{WORK}' comes from a register, and nothing says what to expect of it; add it"):
        world_of(changed(change), "assumed")


def test_two_outcomes_from_registers_each_follow_their_own_line_of_the_section():
    def change(data: dict[str, Any]) -> None:
        data["outcomes"][2]["source"] = {"register": "wages"}
        about = {"range": [0.01, 0.9], "source": "made for a test"}
        data["sample_size"]["outcomes"].append(
            {"name": WORK, "kind": "binary", "control": {"value": 0.5, **about}, "effect": {"value": 0.2, **about},
             "effect_on": "assigned", "measured_by": "register"}
        )  # fmt: skip

    world = world_of(changed(change), "assumed")
    assert set(world.registers) == {WORK}
    assert world.registers[WORK].effect("advice", "portal") == pytest.approx(0.2)
    assert world.registers[WORK].linked == pytest.approx(0.98)
    assert world.answers["followup_12m"] == pytest.approx(0.6)


def test_an_outcome_read_from_a_column_as_it_stands_is_refused_with_what_to_write_instead():
    def change(data: dict[str, Any]) -> None:
        data["outcomes"][1]["source"] = {"column": "followup_12m__training_last_4_weeks"}

    with pytest.raises(Refused, match="is read from column 'followup_12m__training_last_4_weeks' as it stands"):
        rehearse(changed(change), Order(48, 2, seed=5))


@pytest.mark.heavy
def test_over_many_trials_the_arms_differ_by_what_is_assumed(protocol, done):
    stage = Stage(protocol, done.worlds, done.answers, done.passage.data, 2000, 11, False)
    tables = [table(stage, "assumed", number) for number in range(60)]
    arms = protocol.plan.arms
    means = {arm: np.array([data.loc[data["arm"] == arm, STARTED].mean() for data in tables]) for arm in arms}
    for treated in ("advice", "voucher"):
        found = means[treated] - means["portal"]
        assert abs(found.mean() - 0.033) < 3 * found.std(ddof=1) / np.sqrt(len(found))
