"""Changing an instrument one question at a time, and what an import would say of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from surveys import Choice, Instrument, Question, Section, editing, read_xlsform
from surveys.errors import EditError
from surveys.xlsform_export import write_xlsform

EXAMPLES = Path(__file__).parent / "examples"
ROOT = Path(__file__).parents[2]
FORM = Instrument(
    "form",
    (
        Question("age", "integer", {"nl": "Hoe oud bent u?"}),
        Section(
            "work", (Question("job", "text", {"nl": "Wat doet u?"}), Question("hours", "integer", {"nl": "Uren?"}))
        ),
        Question("sure", "select_one", {"nl": "Weet u het zeker?"}, choices="yn"),
    ),
    lists={"yn": (Choice("yes", {"nl": "Ja"}), Choice("no", {"nl": "Nee"}))},
)


def names(form: Instrument) -> list[str]:
    return list(form.places)


def test_a_change_leaves_the_form_of_before_as_it_was():
    changed = editing.change(FORM, Question("job", "text", {"nl": "Wat is uw werk?"}))
    assert changed.question("job").label == {"nl": "Wat is uw werk?"}
    assert FORM.question("job").label == {"nl": "Wat doet u?"}
    assert changed.places["job"].parents[0].name == "work"


@pytest.mark.parametrize(
    ("after", "order"),
    [
        ("", ["new", "age", "work", "job", "hours", "sure"]),
        ("age", ["age", "new", "work", "job", "hours", "sure"]),
        ("in:work", ["age", "work", "new", "job", "hours", "sure"]),
        ("job", ["age", "work", "job", "new", "hours", "sure"]),
        ("work", ["age", "work", "job", "hours", "new", "sure"]),
    ],
)
def test_a_question_is_added_at_any_place(after: str, order: list[str]):
    assert names(editing.add(FORM, Question("new", "text"), after=after)) == order


def test_a_question_goes_up_and_down_through_every_place_and_comes_back():
    walked, form = [], editing.put(FORM, "sure", "")
    while (place := editing.behind(form, "sure")) is not None:
        form = editing.put(form, "sure", place)
        walked.append(names(form).index("sure"))
    assert walked == [1, 4]
    assert form == FORM
    form = editing.put(FORM, "hours", "")
    assert names(form)[0] == "hours"
    up = []
    form = FORM
    while (place := editing.before(form, "hours")) is not None:
        form = editing.put(form, "hours", place)
        up.append(names(form).index("hours"))
    assert up == [2, 1, 0]


def test_a_section_moves_with_what_it_holds_and_never_into_itself():
    moved = editing.put(FORM, "work", "sure")
    assert names(moved) == ["age", "sure", "work", "job", "hours"]
    with pytest.raises(EditError) as refused:
        editing.put(FORM, "work", "job")
    assert refused.value.code == "place_unknown"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda: editing.add(FORM, Question("age", "text")), "name_taken"),
        (lambda: editing.add(FORM, Question("2nd", "text")), "name_impossible"),
        (lambda: editing.add(FORM, Question("x" * 65, "text")), "name_impossible"),
        (lambda: editing.add(FORM, Question("x", "text"), after="gone"), "place_unknown"),
        (lambda: editing.add(FORM, Question("x", "text"), after="in:age"), "place_unknown"),
        (lambda: editing.remove(FORM, "work"), "section_not_empty"),
        (lambda: editing.remove(FORM, "gone"), "item_unknown"),
        (lambda: editing.change(FORM, Question("gone", "text")), "item_unknown"),
        (lambda: editing.set_choices(FORM, "gone", ()), "list_unknown"),
        (lambda: editing.set_choices(FORM, "yn", (Choice("a b"),)), "choice_impossible"),
        (lambda: editing.set_choices(FORM, "yn", (Choice("a"), Choice("a"))), "choice_twice"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(change, code: str):
    with pytest.raises(EditError) as refused:
        change()
    assert refused.value.code == code


def test_a_list_goes_with_the_last_question_that_uses_it():
    two = editing.add(FORM, Question("again", "select_one", choices="yn"), after="sure")
    assert editing.shared_by(two, two.question("sure")) == ("again",)
    assert "yn" in editing.remove(two, "sure").lists
    assert "yn" not in editing.remove(editing.remove(two, "sure"), "again").lists


def test_the_text_behind_other_is_not_edited_by_itself_and_its_list_keeps_other_last():
    form = read_xlsform(EXAMPLES / "select_other.xlsx")
    asked = next(q for q in form.questions if q.choices.endswith(" or_other"))
    assert editing.follows_from_other(form, f"{asked.name}_other")
    assert not editing.follows_from_other(form, asked.name)
    own = asked.choices.removesuffix(" or_other")
    changed = editing.set_choices(form, asked.choices, (*form.lists[own], Choice("new", {"en": "New"})))
    assert [c.name for c in changed.lists[asked.choices]][-2:] == ["new", "other"]
    assert read_xlsform(write_xlsform(changed).content) == changed


def test_a_draft_that_is_wrong_for_a_while_says_at_which_question():
    form = editing.change(FORM, replace(FORM.question("job"), relevant="${agee} > 17"))
    form = editing.add(form, Question("colour", "select_one", {"nl": "Kleur?"}, choices="colours"), after="sure")
    found = {(name, finding.message) for name, finding in editing.look(form)}
    assert ("colour", "'colour' has no choices yet") in found
    filled = editing.set_choices(form, "colours", (Choice("red", {"nl": "Rood"}),))
    assert [(name, f.message) for name, f in editing.look(filled)] == [("job", "there is no question 'agee'")]
    assert not editing.look(editing.change(filled, replace(FORM.question("job"), relevant="${age} > 17")))


def test_a_choice_without_a_translation_is_told_at_the_question_that_offers_it():
    form = replace(FORM, languages=("nl", "en"))
    named = {name for name, finding in editing.look(form) if "the choice 'yes'" in finding.message}
    assert named == {"sure"}


@pytest.mark.parametrize("path", sorted((ROOT / "protocols").glob("*/instruments/*.xlsx")), ids=lambda path: path.stem)
def test_the_shipped_instruments_have_nothing_to_mend_in_the_editor(path: Path):
    assert editing.look(read_xlsform(path)) == ()
