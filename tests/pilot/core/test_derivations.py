"""Derived outcomes: of whom they are known, and whether people who stop answering would bias them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_pilot import FOLDER, changed, shipped

from analysis.plan_schema import Outcome, Source
from pilot.cli import main
from pilot.derivations import Derivation
from pilot.errors import ProtocolError
from pilot.protocol import biased_outcomes

ANY = "${followup_3m__work} = 'employed' or ${followup_12m__work} = 'employed'"
LAST = "${followup_12m__work} != ''"
NEVER_ZERO = (
    "outcome 'training_started_12m': somebody who stops after 'followup_3m' can count as 1 and never as 0, so drop-out "
    "biases it; write under its source a `known_if` that needs an answer at 'followup_12m'"
)


def outcome_from(derive: str, known_if: str | None = None):
    def change(data):
        data["outcomes"][0]["source"] = {"derive": derive} | ({"known_if": known_if} if known_if else {})

    return changed(change)


@pytest.mark.parametrize(
    ("derive", "known_if", "told"),
    [
        (f"if({ANY}, 1, if({LAST}, 0, ''))", None, (NEVER_ZERO,)),
        (f"if({ANY}, 1, if({LAST}, 0, ''))", LAST, ()),
        (f"if({ANY}, 1, 0)", LAST, ()),
        (f"if({LAST}, if({ANY}, 1, 0), '')", None, ()),
        ("if(${followup_12m__work} = 'employed', 1, 0)", None, ()),
        ("if(${baseline__work} != '' and ${followup_12m__work} = ${baseline__work}, 1, if(${followup_12m__work} != '', "
         "0, ''))", None, ()),
    ],
)  # fmt: skip
def test_an_outcome_that_counts_only_some_of_those_who_stop_is_named_with_the_remedy(derive, known_if, told):
    assert biased_outcomes(outcome_from(derive, known_if)) == told


def test_the_outcomes_of_the_protocol_that_ships_are_fair():
    assert biased_outcomes(shipped()) == ()


def test_an_early_yes_of_somebody_who_stops_is_not_known():
    rule = Derivation.of(shipped().plan.outcomes[0].source)
    early, last = "followup_3m__training_started", "followup_12m__training_started"
    answers = dict.fromkeys(rule.references, "")
    assert rule.value(answers | {early: "yes"}) is None
    assert rule.value(answers | {early: "yes", last: "unknown"}) is None
    assert rule.value(answers | {early: "yes", last: "no"}) == 1
    assert rule.value(answers | {last: "no"}) == 0


def test_the_check_of_a_protocol_tells_it_and_holds_the_protocol_together(tmp_path: Path):
    shutil.copytree(FOLDER / "instruments", tmp_path / "instruments")
    text = (FOLDER / "protocol.yaml").read_text()
    rule = "      known_if: ${followup_12m__training_started} = 'yes' or ${followup_12m__training_started} = 'no'\n"
    last = "${followup_12m__training_started} ="
    before = text.replace(rule, "").replace(f"{last} 'yes', 1, 0)", f"{last} 'yes', 1, if({last} 'no', 0, ''))")
    (tmp_path / "protocol.yaml").write_text(before)
    said = CliRunner().invoke(main, ["--json", "protocol", "check", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert json.loads(said.output)["warnings"] == [NEVER_ZERO]


def test_a_rule_for_an_outcome_that_is_not_derived_or_reads_no_column_is_refused_by_its_place():
    with pytest.raises(ValueError, match="known_if says of whom a derived outcome is known"):
        Source(column="wage", known_if="${wage} > 0")
    with pytest.raises(ProtocolError, match=r"outcomes\.0\.source\.known_if: 'followup_12m__wrk' is no column"):
        outcome_from("if(${followup_12m__work} = 'employed', 1, 0)", "${followup_12m__wrk} != ''")


def test_a_plan_without_the_rule_keeps_its_fingerprint():
    plain = Outcome(name="y", kind="binary", source=Source(derive="if(a = 'yes', 1, 0)"))
    assert set(plain.model_dump(by_alias=True)["source"]) == {"column", "derive", "register"}
