"""Interim looks and designs that learn from them, in a rehearsal: by the rules and the code of a real pilot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_pilot import changed

from analysis.results import Results
from pilot.errors import Refused
from pilot.protocol import Protocol
from pilot.rehearsal.looks import NEVER, calendar, in_turn
from pilot.rehearsal.page import html
from pilot.rehearsal.passage import seen
from pilot.rehearsal.report import report_of
from pilot.rehearsal.run import Order, Rehearsed, rehearse
from pilot.rehearsal.stopping import stopping
from pilot.rehearsal.trials import Stage, looked, views

HALF = {"name": "half", "label": {"nl": "Halverwege", "en": "Half-way"}, "wave": "followup_12m", "share": 0.5}


def with_a_look(data: dict[str, Any], **more: Any) -> None:
    data["looks"].insert(0, HALF | more)


def learning(data: dict[str, Any]) -> None:
    with_a_look(data, share=0.1)
    data["allocation"] = {"method": "adaptive", "ratio": data["allocation"]["ratio"], "floor": 0.1}
    data["analysis_plan"]["columns"] = {"probability": "probability"}


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return changed(with_a_look)


@pytest.fixture(scope="module")
def done(protocol) -> Rehearsed:
    return rehearse(protocol, Order(72, 3, seed=5))


def test_each_look_is_opened_in_the_passage_and_in_every_trial_with_the_people_allocated_by_then(protocol, done):
    assert [one["look"] for one in done.passage.looks] == ["half", "final"]
    assert done.passage.findings == []
    for trial in (*done.trials["assumed"], *done.trials["null"]):
        half, final = trial["looks"]
        assert (half["look"], final["look"], final["people"]) == ("half", "final", 72)
        assert 0 < half["people"] <= 72


def test_a_look_knows_only_what_was_answered_by_its_day(protocol, done):
    stage = Stage(protocol, done.worlds, done.answers, done.passage.data, 600, 5, False)
    (first, early), (_, whole) = views(stage, "assumed", 1)
    assert first == "half"
    assert early["arm"].tolist() == whole["arm"].tolist()[: len(early)]
    then, later = (data["followup_12m__responded"].to_numpy() for data in (early, whole))
    assert 0 < then.sum() < later.sum()
    then, later = (data["training_started_12m"].to_numpy(float) for data in (early, whole))
    known = ~np.isnan(then)
    assert (then[known] == later[: len(then)][known]).all()


def test_a_look_opens_on_the_first_day_on_which_its_share_is_settled(protocol):
    n, rng = 400, np.random.default_rng(1)
    answers = {wave.name: rng.random(n) < 0.6 for wave in protocol.waves[1:]}
    when = calendar(protocol, rng.random(n) < 0.02, answers, rng)
    (half, day), (final, end) = in_turn(protocol, when)
    assert (half.name, final.name, end) == ("half", "final", NEVER)

    def share(day: int) -> float:
        here = when.people(day)
        settled = np.minimum(np.minimum(when.answered["followup_12m"], when.left), when.closed["followup_12m"])
        return float((settled[:here] <= day).mean())

    assert share(day) >= 0.5 > share(day - 1)


@pytest.mark.heavy
def test_a_look_at_an_outcome_that_nobody_was_asked_is_reported_with_the_reason():
    def change(data: dict[str, Any]) -> None:
        with_a_look(data, wave="followup_3m", share=0.1)

    protocol = changed(change)
    report = report_of(protocol, rehearse(protocol, Order(60, 2, seed=5)))
    assert "closed" in report.warnings
    assert "look 'half' could not always be opened: " in " ".join(report.notes)
    assert report.stopping is not None
    assert report.stopping.rows[0].opened.value == 0


def trial(*looks: tuple[str, int, bool | None]) -> dict[str, Any]:
    return {"looks": [{"look": name, "people": n, "claims": claims, "why": ""} for name, n, claims in looks]}


def test_a_pilot_stops_at_the_first_look_that_claims_and_false_claims_count_over_all_looks(protocol):
    nothing = trial(("half", 40, False), ("final", 100, False))
    early, late = trial(("half", 40, True), ("final", 100, False)), trial(("half", 60, False), ("final", 100, True))
    found = stopping(
        protocol,
        {
            "assumed": [early, late],
            "null": [trial(("half", 50, True), ("final", 100, True)), nothing, nothing, nothing],
        },
    )  # fmt: skip
    assert found is not None
    half, final = found.rows
    assert (half.look, half.people, half.stops.value, half.false_stops.value) == ("half", 50.0, 0.5, 0.25)
    assert (final.look, final.stops.value, final.false_stops.value) == ("final", 0.5, 0.0)
    assert (found.claims.value, found.false_claims.value) == (1.0, 0.25)
    assert (found.people.value, found.people_null.value) == (70.0, 87.5)


def test_looks_that_a_spending_pays_for_are_opened_at_its_levels_in_the_passage_and_in_trials():
    def paid(data: dict[str, Any]) -> None:
        with_a_look(data)
        data["sample_size"]["looks"] = {"at": 2, "spending": "lan_demets_pocock"}

    protocol = changed(paid)
    done = rehearse(protocol, Order(72, 2, seed=5))
    final = Results.from_dict(done.passage.results)
    levels = {c.main.level for o in final.outcomes for c in o.contrasts if c.main is not None}
    assert len(levels) == 1
    assert 0.95 < levels.pop() < 1
    stage = Stage(protocol, done.worlds, done.answers, done.passage.data, 72, 5, False)
    half, last = [found for _, _, found in looked(stage, "null", 1) if isinstance(found, Results)]
    at = [one.outcomes[0].contrasts[0].main for one in (half, last)]
    assert all(main is not None and main.level > 0.95 for main in at)
    assert "Each look is read at the level that the spending" in html(report_of(protocol, done), protocol, "en")


def test_the_report_shows_the_looks_in_both_languages(protocol, done):
    report = report_of(protocol, done)
    assert "Halverwege" in html(report, protocol, "nl")
    english = html(report, protocol, "en")
    assert "Half-way" in english
    assert "read at the full level of the plan, because the sample-size section plans no looks" in english
    assert seen("half", 3, "no")["claims"] is None


@pytest.mark.heavy
def test_a_design_that_learns_draws_by_what_the_look_showed_in_passage_and_trials():
    protocol = changed(learning)
    done = rehearse(protocol, Order(240, 2, seed=4))
    assert done.passage.findings == [], "the replay draws every arm again from the look behind it"
    assert done.passage.looks[0]["people"] < 240
    stage = Stage(protocol, done.worlds, done.answers, done.passage.data, 400, 4, False)
    (_, early), (_, whole) = views(stage, "assumed", 1)
    chances = whole["probability"].round(4).tolist()
    assert len(set(chances[: len(early)])) == 1
    assert len(set(chances[len(early) :])) > 1
    assert whole["arm"].tolist()[: len(early)] == early["arm"].tolist()


def test_looks_at_an_outcome_from_a_register_are_refused_with_the_remedy():
    def change(data: dict[str, Any]) -> None:
        with_a_look(data)
        data["outcomes"][0]["source"] = {"register": "enrolments"}

    with pytest.raises(Refused, match="a freeze holds no register, from which 'training_started_12m' comes"):
        rehearse(changed(change), Order(60, 2, seed=5))
