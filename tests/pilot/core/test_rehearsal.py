"""The dress rehearsal: everything runs, the seed decides, and what it reports is what happened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from small_pilot import FOLDER, changed, shipped

from pilot.cli import main
from pilot.errors import Refused
from pilot.rehearsal.report import Simulated, report_of
from pilot.rehearsal.run import Order, Rehearsed, rehearse
from pilot.rehearsal.trials import Stage, table
from pilot.rehearsal.world import world_of

PEOPLE, TRIALS = 48, 3
ORDER = Order(PEOPLE, TRIALS, seed=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsal")


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    """What the command says of a small rehearsal."""
    words = ["--json", "rehearse", str(FOLDER), "--participants", str(PEOPLE), "--trials", str(TRIALS), "--seed", "5"]
    said = CliRunner().invoke(main, [*words, "--jobs", "1", "-o", str(folder)])
    assert said.exit_code == 0, said.output
    return json.loads(said.output)


@pytest.fixture(scope="module")
def again(told, folder: Path) -> tuple[Rehearsed, list[tuple[str, int]]]:
    """The same rehearsal asked for once more, its last line torn off before, with what the progress bar was told."""
    (kept,) = (folder / "checkpoint").glob("*/trials.jsonl")
    kept.write_text(kept.read_text()[:-20])
    seen: list[tuple[str, int]] = []
    note = lambda what, now, of: seen.append((what, now))  # noqa: E731
    return rehearse(shipped(), ORDER, checkpoint=folder / "checkpoint", progress=note), seen


def test_every_synthetic_person_passes_through_and_the_record_adds_up(told):
    assert told["findings"] == []
    (row,) = [row for row in told["flow"]["en"]["rows"] if row[0] == "Allocated by chance"]
    assert row[1][1] == PEOPLE


def test_each_contrast_has_power_false_claims_and_coverage_with_their_error(told):
    assert len(told["rows"]) == 9
    for row in told["rows"]:
        for name in ("power", "false_positive", "coverage", "bias", "rmse", "null_coverage"):
            assert row[name]["error"] > 0
    sized = [row for row in told["rows"] if row["planned"] is not None]
    assert {(row["treated"], row["comparison"]) for row in sized} == {("advice", "portal"), ("voucher", "portal")}
    assert all(row["truth"] == pytest.approx(0.033) for row in sized)


def test_the_report_says_in_both_languages_that_nobody_in_it_exists(told, folder):
    dutch, english = ((folder / f"report.{language}.html").read_text() for language in ("nl", "en"))
    assert "Alle mensen in dit verslag zijn verzonnen." in dutch
    assert "Everybody in this report is made up." in english
    assert "de pilot is bedoeld voor 11.880 mensen. Deze repetitie had er 48." in dutch
    assert "the pilot plans for 11,880 people and this rehearsal had 48." in english
    assert "--participants 11880" in english
    for name in ("letters", "screening", "opening of the final look"):
        assert name in english


def test_a_rehearsal_goes_on_where_it_stopped_even_after_a_torn_line(told, again):
    done, seen = again
    assert seen[0] == ("trials", 2 * TRIALS - 1)
    assert seen[-1] == ("trials", 2 * TRIALS)
    found = json.loads(json.dumps(report_of(shipped(), done).to_dict()))
    assert found == {name: told[name] for name in found}


def test_a_trial_draws_its_arms_live_within_strata(again):
    done, _ = again
    stage = Stage(shipped(), done.worlds, done.answers, done.passage.data, 600, 5, False)
    first, same, other = (table(stage, "assumed", number) for number in (1, 1, 2))
    assert first.equals(same)
    assert not first["arm"].equals(other["arm"])
    counts = first.groupby(["region", "schooling"])["arm"].value_counts().unstack(fill_value=0)
    # Blocks hold at most nine people: two of each arm more or less is all that an unfinished block allows.
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 3


def test_people_answer_what_amounts_to_their_outcome(again):
    answers = again[0].answers
    wanted = np.array([0.0, 1.0] * 50)
    assert (answers.values[answers.choose(wanted, np.random.default_rng(1))] == wanted).all()


def test_a_contrast_that_can_hardly_be_estimated_is_named_and_not_left_out_in_silence(again):
    done = again[0]
    empty = {
        world: [{**t, "effects": dict.fromkeys(t["effects"])} for t in trials] for world, trials in done.trials.items()
    }
    report = report_of(shipped(), replace(done, trials=empty))
    assert report.rows == ()
    assert "refused" in report.warnings
    assert "training_started_12m: advice against portal could hardly ever be estimated" in " ".join(report.notes)


def test_the_null_world_has_the_same_people_and_no_effect():
    assumed, null = world_of(shipped(), "assumed"), world_of(shipped(), "null")
    assert assumed.effect("voucher", "portal") == pytest.approx(0.033)
    assert null.effect("voucher", "portal") == 0
    assert null.take_up == assumed.take_up


def test_an_outcome_that_is_sized_and_never_asked_is_refused_by_its_place():
    def rename(data: dict[str, Any]) -> None:
        data["sample_size"]["outcomes"][0]["name"] = "wages"

    with pytest.raises(Refused, match="'wages' is no outcome of the protocol"):
        world_of(changed(rename), "assumed")


@pytest.mark.parametrize("keys", [{"participants": 10}, {"trials": 1}])
def test_a_rehearsal_too_small_to_say_anything_is_refused(keys):
    with pytest.raises(Refused, match=next(iter(keys))):
        Order(**{"participants": 100, "trials": 10, "seed": 1, **keys})


@pytest.mark.heavy
def test_the_number_of_processes_changes_nothing(told, folder):
    spread = rehearse(shipped(), ORDER, jobs=2)
    found = json.loads(json.dumps(report_of(shipped(), spread).to_dict()))
    assert found == {name: told[name] for name in found}


@pytest.mark.heavy
def test_in_a_full_rehearsal_every_trial_goes_through_the_database():
    done = rehearse(shipped(), Order(45, 2, seed=3, full=True))
    report = report_of(shipped(), done)
    assert report.full
    assert report.findings == ()
    assert done.trials["null"][0] != done.trials["null"][1]


def everybody_answers(data: dict[str, Any]) -> None:
    """A large effect on everybody assigned, nobody lost, no correction: the formula then says what must come out."""
    section = data["sample_size"]
    section["attrition"], section["take_up"], section["correction"] = {}, None, "none"
    section["take_up_control"] = None
    section["outcomes"][0] |= {
        "effect_on": "assigned",
        "effect": {"value": 0.15, "range": [0.1, 0.2], "source": "made for a test"},
        "control": {"value": 0.4, "range": [0.3, 0.5], "source": "made for a test"},
    }
    data["analysis_plan"]["correction"] = {"contrasts": "none", "outcomes": {}}


@pytest.mark.heavy
def test_when_nobody_stops_the_power_is_the_computed_one_and_the_level_is_kept():
    protocol = changed(everybody_answers)
    report = report_of(protocol, rehearse(protocol, Order(240, 60, seed=2)))

    def near(found: Simulated, exact: float) -> bool:
        return abs(found.value - exact) < 3 * found.error

    for row in report.rows:
        if row.planned is not None:
            # Two people in a hundred withdraw and take their answers with them.
            assert abs(row.power.value - row.planned) < 3 * row.power.error + 0.02
            assert near(row.bias, 0.0)
            assert near(row.coverage, 0.95)
            assert near(row.false_positive, 0.05)
