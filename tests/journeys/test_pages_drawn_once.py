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


def again(protocol, record):
    from pilot.protocol import from_record

    return from_record(protocol.canonical, record)


def test_the_number_of_pages_kept_is_bounded(doors: Doors, monkeypatch):
    monkeypatch.setattr(fresh, "MOST", 2)
    at(doors, 1, "check")
    assert len(fresh._pages) == 2
