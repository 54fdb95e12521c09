"""The questionnaires of the pilot: read from their workbooks, complete in two languages, answerable to the end."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from surveys import Accepted, Context, Instrument, accept, analysable, check_xlsform, read_xlsform, walk

FOLDER = Path(__file__).parents[2] / "protocols" / "ontwikkeladvies" / "instruments"
NAMES = (
    "screening", "consent_understanding", "baseline", "after_advice", "followup_3m", "followup_6m", "followup_12m",
    "followup_24m", "session",
)  # fmt: skip
NOW = Context(date(2026, 11, 22), datetime(2026, 11, 22, 10, tzinfo=UTC), "nl")


@pytest.fixture(params=NAMES, scope="module")
def instrument(request: pytest.FixtureRequest) -> Instrument:
    return read_xlsform(FOLDER / f"{request.param}.xlsx")


def test_every_workbook_of_the_folder_is_tested():
    assert sorted(path.stem for path in FOLDER.glob("*.xlsx")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_workbook_has_a_finding_not_even_a_warning(name: str):
    assert check_xlsform(FOLDER / f"{name}.xlsx")[1] == ()


def test_every_text_is_there_in_dutch_and_in_english(instrument: Instrument):
    assert instrument.languages == ("nl", "en")
    for question in instrument.questions:
        if not question.silent:
            for texts in filter(None, (question.label, question.hint, question.constraint_message)):
                assert set(texts) == {"nl", "en"}, question.name
    for name, choices in instrument.lists.items():
        for choice in choices:
            assert set(choice.label) == {"nl", "en"}, (name, choice.name)


def test_an_instrument_survives_json_with_the_same_fingerprint(instrument: Instrument):
    copy = Instrument.from_dict(json.loads(json.dumps(instrument.to_dict())))
    assert copy == instrument
    assert copy.fingerprint == instrument.fingerprint


@pytest.mark.parametrize("last", [0, -1])
def test_a_person_who_answers_every_page_gets_to_the_end(instrument: Instrument, last: int):
    answers: dict[str, object] = {}
    typed = {"integer": "20", "decimal": "24,5", "date": "20-11-2026", "text": "Een cursus lassen"}
    for _ in range(60):
        step = walk(instrument, answers, context=NOW).next
        if step is None:
            break
        value = (
            "no"
            if step.kind == "another"
            else typed.get(step.kind) or (step.choices[last].name if step.choices else "")
        )
        result = accept(instrument, answers, step.key, {step.key: [value]}, context=NOW, language="nl")
        assert isinstance(result, Accepted), (step.key, result)
        answers = result.answers
    assert walk(instrument, answers, context=NOW).complete
    assert analysable(instrument, answers, context=NOW)


def test_the_screening_gives_the_variables_that_eligibility_needs():
    screening = read_xlsform(FOLDER / "screening.xlsx")
    assert [choice.name for choice in screening.lists["schooling"]] == [
        "none", "primary", "vmbo", "mbo1", "mbo2", "mbo3", "mbo4", "havo_vwo", "hbo_wo",
    ]  # fmt: skip
    assert [choice.name for choice in screening.lists["region"]] == ["noord", "oost", "west", "zuid"]
    answers = {"birth_date": "1980-11-23", "schooling": "mbo2", "work": "employed", "region": "noord"}
    assert analysable(screening, answers, context=NOW)["age"] == 45


def test_the_workbooks_are_what_the_source_says_byte_for_byte(tmp_path: Path):
    copy = tmp_path / "instruments"
    (copy / "source").mkdir(parents=True)
    for file in (FOLDER / "build.py", *(FOLDER / "source").iterdir()):
        target = copy / file.relative_to(FOLDER)
        target.write_bytes(file.read_bytes())
    subprocess.run([sys.executable, str(copy / "build.py")], check=True)
    for name in NAMES:
        assert (copy / f"{name}.xlsx").read_bytes() == (FOLDER / f"{name}.xlsx").read_bytes(), name


LATER = ("followup_3m", "followup_6m", "followup_12m", "followup_24m")
ASKED_OF_ALL_ARMS = (
    "training_started", "training_last_4_weeks", "career_advice_received", "portal_used", "funding_received", "work",
    "income_band", "training_intention", "opportunities", "satisfaction",
)  # fmt: skip
ASKED_WHEN_IT_APPLIES = ("training_hours", "training_payer", "training_anyway", "contract", "hours_worked")


@pytest.mark.parametrize("name", LATER)
def test_each_later_list_measures_take_up_contamination_work_and_outlook_in_all_arms(name: str):
    """What the pilot must be able to tell afterwards; nobody's arm decides which of these is asked."""
    form = read_xlsform(FOLDER / f"{name}.xlsx")
    assert {question.name for question in form.questions} >= {*ASKED_OF_ALL_ARMS, *ASKED_WHEN_IT_APPLIES}
    assert all(not form.question(one).relevant and form.question(one).required for one in ASKED_OF_ALL_ARMS)
    assert all("arm" not in form.question(one).relevant for one in ASKED_WHEN_IT_APPLIES)
    assert ("training_last_12_months" in form.places) == (name in ("followup_12m", "followup_24m"))
    for list_ in ("funding_received", "training_payer"):
        assert len(form.lists[form.question(list_).choices]) >= 5
