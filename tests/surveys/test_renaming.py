"""A question gets another name and everything that refers to it follows; a copy refers to itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from surveys import Choice, Instrument, Question, Section, editing, read_xlsform, renaming
from surveys.errors import EditError
from surveys.xlsform_export import write_xlsform

EXAMPLES = Path(__file__).parent / "examples"


def form(**more: str) -> Instrument:
    asked = (
        Question("age", "integer", {"nl": "Hoe oud?"}),
        Section(
            "house",
            (
                Question("who", "text", {"nl": "Wie, na ${age} jaar?"}, relevant="${age} > 17"),
                Question("sum", "calculate", calculation="../who + /data/age + concat('age ', \"../age\", ${age})"),
            ),
            repeats=True,
            repeat_count="${age} - 16",
        ),
        Question("town", "select_one", {"nl": "Waar?"}, choices="towns", choice_filter="age = ${age}"),
        Question(
            "kind",
            "select_multiple",
            {"nl": "Wat?"},
            choices="kinds or_other",
            parameters={"randomize": "true", "seed": "${age}"},
        ),
        Question("kind_other", "text", {"nl": "Wat bedoelt u met 'anders'?"}, relevant="selected(${kind}, 'other')"),
        Question("last", "text", {"nl": "Nog iets?"}, default="age", **more),  # type: ignore[arg-type]
    )
    kinds = (Choice("a", {"nl": "Voor ${age}"}),)
    return Instrument(
        "f", asked, lists={
            "towns": (Choice("x", {"nl": "X"}, columns={"age": "age"}),),
            "kinds": kinds, "kinds or_other": (*kinds, Choice("other", {"nl": "Anders"})),
        },
    )  # fmt: skip


def test_every_expression_text_and_list_follows_and_nothing_else():
    named = renaming.rename(form(constraint="${age} > 1 and . != 'age'"), "age", "years")
    assert [*named.places][:1] == ["years"]
    assert named.question("who").relevant == "${years} > 17"
    assert named.question("who").label == {"nl": "Wie, na ${years} jaar?"}
    assert named.question("sum").calculation == "../who + /data/years + concat('age ', \"../age\", ${years})"
    assert named.places["house"].item.repeat_count == "${years} - 16"  # type: ignore[union-attr]
    assert named.question("town").choice_filter == "age = ${years}"
    assert named.lists["towns"] == form().lists["towns"]
    assert named.lists["kinds"][0].label == {"nl": "Voor ${years}"}
    assert named.question("kind").parameters["seed"] == "${years}"
    assert (named.question("last").constraint, named.question("last").default) == ("${years} > 1 and . != 'age'", "age")
    assert renaming.rename(named, "years", "age") == form(constraint="${age} > 1 and . != 'age'")


def test_other_namely_follows_its_question():
    named = renaming.rename(form(relevant="${kind_other} != ''"), "kind", "sort")
    assert named.question("sort_other").relevant == "selected(${sort}, 'other')"
    assert named.question("last").relevant == "${sort_other} != ''"
    assert editing.follows_from_other(named, "sort_other")


def test_a_group_gets_another_name_in_paths_too():
    named = renaming.rename(form(calculation="count(${house}) + /data/house/who"), "house", "home")
    assert named.question("last").calculation == "count(${home}) + /data/home/who"


@pytest.mark.parametrize(
    ("new", "code"),
    [("town", "name_taken"), ("1x", "name_impossible"), ("", "name_impossible"), ("x" * 65, "name_impossible")],
)
def test_a_name_that_cannot_be_is_refused(new: str, code: str):
    with pytest.raises(EditError) as refused:
        renaming.rename(form(), "age", new)
    assert (refused.value.code, refused.value.field) == (code, "new_name")


@pytest.mark.parametrize("broken", ["age > 3", "/data/age +", "if(../age", "'it's ../age'"])
def test_what_cannot_be_read_is_named_with_its_place(broken: str):
    with pytest.raises(EditError) as refused:
        renaming.rename(form(relevant=broken), "age", "years")
    assert (refused.value.code, refused.value.values["name"], refused.value.values["column"]) == (
        "rename_unread", "last", "relevant",
    )  # fmt: skip


def test_what_cannot_be_read_and_names_it_plainly_follows():
    assert renaming.rename(form(relevant="${age} >"), "age", "years").question("last").relevant == "${years} >"


def test_the_name_of_other_namely_must_be_free_as_well():
    taken = editing.add(form(), Question("sort_other", "text"), after="last")
    with pytest.raises(EditError) as refused:
        renaming.rename(taken, "kind", "sort")
    assert refused.value.values["name"] == "sort_other"
    with pytest.raises(EditError):
        renaming.rename(form(), "kind_other", "more")


def test_a_copy_of_a_group_refers_to_itself():
    grown, name = renaming.copy(form(), "house")
    assert (name, list(grown.places)[4:7]) == ("house_2", ["house_2", "who_2", "sum_2"])
    assert grown.question("sum_2").calculation.startswith("../who_2 + /data/age")
    assert grown.question("sum").calculation == form().question("sum").calculation
    again, third = renaming.copy(grown, "house")
    assert third == "house_3"
    assert "who_3" in again.places


def test_a_copy_of_a_question_with_other_namely_comes_with_its_own():
    grown, _name = renaming.copy(form(), "kind")
    assert [q for q in grown.places if q.startswith("kind")] == ["kind", "kind_other", "kind_2", "kind_2_other"]
    assert grown.question("kind_2_other").relevant == "selected(${kind_2}, 'other')"


def test_who_refers_to_a_question_is_told():
    assert renaming.mentions(form(), "age") == ("house", "who", "sum", "town")
    assert renaming.mentions(form(), "town") == ()


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.xlsx"))[::2], ids=lambda file: file.stem)
def test_every_example_stays_as_good_as_it_was_when_its_questions_are_renamed_and_copied(file: Path):
    before = read_xlsform(file)
    found = sorted(str(finding.message) for _name, finding in editing.look(before) if finding.severity == "error")
    named = before
    for name in [n for n in before.places if not editing.follows_from_other(before, n)]:
        named = renaming.rename(named, name, f"new_{name}")
    after = sorted(str(finding.message) for _name, finding in editing.look(named) if finding.severity == "error")
    assert after == [message.replace("new_", "") for message in found]
    back = named
    for name in [n for n in named.places if not editing.follows_from_other(named, n)]:
        back = renaming.rename(back, name, name.removeprefix("new_"))
    assert back == before


def test_a_language_is_added_empty_and_every_missing_text_is_named():
    spoken = editing.add_language(form(), "en")
    assert spoken.languages == ("nl", "en")
    missing = [(name, finding.message) for name, finding in editing.look(spoken) if finding.severity == "warning"]
    assert ("age", "'age' has no label in 'en'") in missing
    assert ("town", "the choice 'x' of 'towns' has no label in 'en'") in missing
    assert not [one for one in missing if one[0] == "kind_other"]
    written = write_xlsform(replace(spoken, title="F"))
    assert read_xlsform(written.content).languages == ("nl", "en")
    filled = editing.change(spoken, replace(spoken.question("age"), label={"nl": "Hoe oud?", "en": "How old?"}))
    assert ("age", "'age' has no label in 'en'") not in [(n, f.message) for n, f in editing.look(filled)]


@pytest.mark.parametrize(
    ("code", "why"), [("nl", "language_there"), ("Deutsch", "language_impossible"), ("", "language_impossible")]
)
def test_a_language_that_cannot_be_added_is_refused(code: str, why: str):
    with pytest.raises(EditError) as refused:
        editing.add_language(form(), code)
    assert refused.value.code == why
