"""A page that is drawn once for everybody holds nothing of who saw it first."""

from __future__ import annotations

import re

import pytest
from showcase import showcase
from visitors import Doors, Visitor

from pilot.web.participant import fresh


@pytest.fixture(autouse=True)
def nothing_drawn_yet():
    fresh._pages.clear()


def without_own(visitor: Visitor) -> str:
    form = re.search(r'name="csrf_token" value="([^"]+)"', visitor.page)
    assert form
    return visitor.page.replace(visitor.token, "LINK").replace(form[1], "FORM")


def at(doors: Doors, number: int, question: str) -> Visitor:
    return doors.visitor(number).start().go_on(question)


def test_two_people_get_the_same_page_each_with_the_own_link_and_form(doors: Doors):
    first, second = at(doors, 1, "schooling"), at(doors, 2, "schooling")
    assert without_own(first) == without_own(second)
    assert first.token not in second.page
    assert second.token in second.page
    assert second.go_on("next").status == 200
    assert first.go_on("next").status == 200


def test_what_is_kept_holds_no_link_no_token_and_no_answer(doors: Doors):
    visitor = at(doors, 1, "region")
    visitor.open(visitor.path.replace("region", "schooling"))
    assert "checked" in visitor.page
    kept = " ".join(fresh._pages.values())
    assert kept
    assert visitor.token not in kept
    assert "checked" not in kept


def test_each_language_has_its_own_page(doors: Doors):
    visitor = at(doors, 1, "schooling")
    dutch = visitor.page
    english = visitor.open(f"{visitor.path}?lang=en").page
    assert "Welke school" in dutch
    assert "What is the highest school" in english


def test_an_answer_that_a_question_repeats_is_never_kept(new_site, open_doors, tmp_path):
    protocol = showcase(tmp_path / "p")
    form = protocol.baseline.instrument
    record = protocol.instruments_record()
    record[form]["children"].append({"name": "echo", "kind": "text", "label": {"nl": "U zei: ${story}. Klopt dat?"}})
    doors = open_doors(new_site(protocol=again(protocol, record)))
    given = {"story": "Mijn geheim.", "distance": "12", "town": "t3", "order-computer": "1", "order-taal": "2",
             "order-lassen": "3", "start_work": "8:30", "last_talk-day": "3", "last_talk-month": "2",
             "last_talk-year": "2026", "last_talk-time": "14:00", "child.1": "no"}  # fmt: skip
    visitor = doors.visitor().start().go_on("echo", given)
    assert "U zei: Mijn geheim.. Klopt dat?" in visitor.page
    assert "Mijn geheim" not in " ".join(fresh._pages.values())


GIVEN = {"distance": "12", "town": "t3", "order-computer": "1", "order-taal": "2", "order-lassen": "3",
         "start_work": "8:30", "last_talk-day": "3", "last_talk-month": "2", "last_talk-year": "2026",
         "last_talk-time": "14:00", "child.1": "no"}  # fmt: skip
ECHOES = [
    {"name": "in_hint", "kind": "text", "label": {"nl": "Nog iets?"}, "hint": {"nl": "U zei: ${story}"}},
    {"name": "in_guidance", "kind": "text", "label": {"nl": "Nog meer?"}, "guidance": {"nl": "U zei: ${story}"}},
    {"name": "in_choice", "kind": "select_one", "label": {"nl": "Wat klopt?"}, "choices": "echoes"},
    {"name": "group", "label": {"nl": "Over ${story}"},
     "children": [{"name": "in_section", "kind": "text", "label": {"nl": "En dit?"}}]},
    {"name": "as_default", "kind": "text", "label": {"nl": "Verbeter dit."}, "default": "${story}"},
    {"name": "worked_out", "kind": "text", "label": {"nl": "Uw woorden."}, "calculation": "concat('-', ${story})"},
]  # fmt: skip


def test_two_people_who_answer_in_turn_never_see_each_others_words_language_or_link(new_site, open_doors, tmp_path):
    """Every place in which a page can repeat an answer, opened by two people one after the other."""
    protocol = showcase(tmp_path / "p")
    record = protocol.instruments_record()
    form = record[protocol.baseline.instrument]
    form["children"] += ECHOES
    form["lists"]["echoes"] = [{"name": "a", "label": {"nl": "Dat ik zei: ${story}"}}, {"name": "b"}]
    doors = open_doors(new_site(protocol=again(protocol, record)))
    stories = ("Mijn geheim is Anna", "Mijn geheim is Bram")
    two = [doors.visitor(number).start().go_on("in_hint", {"story": story, **GIVEN})
           for number, story in enumerate(stories, 1)]  # fmt: skip
    seen = 0
    for question in ("in_hint", "in_guidance", "in_choice", "in_section", "as_default", "worked_out"):
        for number, visitor in enumerate(two):
            visitor.open(f"{visitor.path.rpartition('/')[0]}/{question}?lang={('nl', 'en')[number]}")
            assert stories[number] in visitor.page, question
            assert stories[1 - number] not in visitor.page, question
            assert two[1 - number].token not in visitor.page
            assert f'<html lang="{("nl", "en")[number]}"' in visitor.page
            seen += 1
            assert visitor.send(**{question: "a"}).status == 200
    assert seen == 12
    kept = " ".join(fresh._pages.values())
    assert not any(word in kept for word in ("geheim", *(visitor.token for visitor in two)))


def test_a_word_in_the_address_of_one_person_stands_on_no_page_of_another(doors: Doors):
    first = at(doors, 1, "schooling")
    first.open(f"{first.path}?name=Jansen")
    assert "Jansen" in first.page
    second = at(doors, 2, "schooling")
    assert "Jansen" not in second.page
    assert "Jansen" not in " ".join(fresh._pages.values())


def again(protocol, record):
    from pilot.protocol import from_record

    return from_record(protocol.canonical, record)


def test_the_number_of_pages_kept_is_bounded(doors: Doors, monkeypatch):
    monkeypatch.setattr(fresh, "MOST", 2)
    at(doors, 1, "check")
    assert len(fresh._pages) == 2
