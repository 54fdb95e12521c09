"""The conformance suite of question types: what holds for every kind, on every example and every shipped form."""

import json
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import Accepted, Choice, Context, Instrument, Question, Refused, accept, analysable, read_xlsform, walk
from surveys.codebook import TYPES, codebook
from surveys.definition import CHOOSING, Kind
from surveys.fields import READERS
from surveys.readability import SECONDS
from surveys.redcap.write import TYPES as REDCAP_TYPES
from surveys.xlsform import KINDS as XLSFORM_KINDS

ROOT = Path(__file__).parents[2]
FORMS = sorted(
    [*(Path(__file__).parent / "examples").glob("*.xlsx"), *(ROOT / "protocols").glob("*/instruments/*.xlsx")]
)
NOW = Context(date(2026, 11, 22), datetime(2026, 11, 22, 10, tzinfo=UTC), "nl", "p1")
KINDS = get_args(Kind)
ASKED = [kind for kind in KINDS if kind not in ("calculate", "hidden")]
STEADY = settings(derandomize=True, deadline=None, max_examples=20)
LISTS = {"abc": tuple(Choice(c, {"nl": c}) for c in "abc")}
typed = st.one_of(
    st.sampled_from(
        ["", "a", "b", "yes", "no", "12", "12,5", "3-4-1985", "14:30", "2026-01-02T10:00", "OK", "111222333"]
    ),
    st.text(max_size=12),
)


read = cache(read_xlsform)


def one(kind: str, **more: Any) -> Instrument:
    choices = "abc" if kind in CHOOSING else ""
    return Instrument("f", (Question("q", kind, {"nl": "Vraag?"}, choices=choices, **more),), lists=LISTS)  # type: ignore[arg-type]


def test_every_kind_is_known_wherever_kinds_are_listed():
    assert set(XLSFORM_KINDS.values()) == set(KINDS)
    assert set(TYPES) == set(KINDS) - {"note"}
    assert set(READERS) - {"another"} == set(ASKED) - {"note"}
    assert set(SECONDS) == set(ASKED)
    assert set(REDCAP_TYPES) == set(KINDS) - {"rank"}


@pytest.mark.parametrize("kind", ASKED)
@STEADY
@given(values=st.lists(typed, max_size=4))
def test_whatever_is_posted_is_stored_as_json_or_refused_in_words(kind: str, values: list[str]):
    form = one(kind)
    result = accept(form, {"other": 1}, "q", {"q": values}, context=NOW, language="nl")
    if isinstance(result, Refused):
        assert all(error.message and error.question == "q" for error in result.errors)
        return
    assert json.loads(json.dumps(result.answers)) == result.answers
    assert result.answers["other"] == 1
    assert walk(form, result.answers, context=NOW).complete
    assert codebook(form, "w").variables or kind == "note"


@pytest.mark.parametrize("kind", [kind for kind in ASKED if kind != "note"])
def test_a_required_question_is_not_passed_blank(kind: str):
    form = one(kind, required="true()")
    assert isinstance(accept(form, {}, "q", {}, context=NOW, language="nl"), Refused)
    assert not walk(form, {"q": None}, context=NOW).complete


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_that_does_not_apply_is_no_page_and_no_data(kind: str):
    extra = {"calculation": "1"} if kind == "calculate" else {}
    form = one(kind, relevant="1 = 2", **extra)
    assert walk(form, {"q": "x"}, context=NOW).steps == ()
    assert analysable(form, {"q": "x"}, context=NOW) == {}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_posting_the_same_answer_twice_changes_nothing(path: Path):
    form = read(path)
    step = walk(form, {}, context=NOW).next
    assert step is not None
    raw = {step.key: [{"date": "3-4-1985", "text": "0612345678"}.get(step.kind, _first(step))]}
    once = accept(form, {}, step.key, raw, context=NOW, language="nl")
    assert isinstance(once, Accepted), once
    assert accept(form, once.answers, step.key, raw, context=NOW, language="nl") == once


def _first(step: Any) -> str:
    if step.kind == "another":
        return "no"
    if step.kind == "rank":
        return ""
    return (
        step.choices[0].name
        if step.choices
        else {"time": "9:00", "datetime": "2026-01-01T09:00", "range": "4"}.get(step.kind, "18")
    )


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
@settings(derandomize=True, deadline=None, max_examples=4)
@given(data=st.data())
def test_any_stored_answers_give_a_path_and_data(path: Path, data: st.DataObject):
    """A form may change under stored answers, so no answer may break it."""
    form = read(path)
    keys = [q.name for q in form.questions] + ["child.1", "child.1.first_name", "person.1.jobs", "step.1"]
    stored = st.one_of(
        st.none(), st.text(max_size=4), st.integers(-5, 200), st.floats(-1, 99), st.lists(st.sampled_from("abc"))
    )
    answers = data.draw(st.dictionaries(st.sampled_from(keys), stored, max_size=6))
    steps = walk(form, answers, context=NOW)
    assert steps.position <= steps.total
    assert steps.complete == all(step.answered for step in steps.steps)
    found = analysable(form, answers, context=NOW)
    on_path = {step.key for step in steps.steps}
    hidden = {q.name for q in form.questions if q.silent}
    assert {key for key in found if not key.endswith("_count")} <= on_path | hidden | {
        key for key in found if key.rsplit(".", 1)[-1] in hidden
    }


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_finished_data_holds_exactly_what_the_path_asked(path: Path):
    form = read(path)
    asked = {step.key for step in walk(form, {}, context=NOW).steps if step.kind not in ("note", "another")}
    silent = {q.name for q in form.questions if q.silent}
    found = {key for key in analysable(form, {}, context=NOW) if not key.endswith("_count")}
    assert asked <= found
    assert {key for key in found - asked if key.rsplit(".", 1)[-1] not in silent} == set()
