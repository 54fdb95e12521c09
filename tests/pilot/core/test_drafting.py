"""Drafts of questionnaires on both databases: versions without holes, and nothing lost when people save at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from small_pilot import START, Site, shipped

from pilot import drafting
from pilot.errors import NotYours, Refused, Stale
from surveys import Question
from surveys.editing import add, change

TRIES = 50


def begun(site: Site) -> None:
    with site.writing() as (session, pilot):
        form = shipped().instruments["screening"]
        drafting.start(session, pilot, "mine", form, copied="screening", author_id=None, now=START)


def numbers(site: Site) -> list[int]:
    with site.reading() as (session, pilot):
        return [row.number for row in drafting.history(session, pilot, "mine")]


def test_people_who_save_at_the_same_moment_lose_nothing(either_site: Site):
    begun(either_site)

    def one_more(number: int) -> None:
        for _try in range(TRIES):
            try:
                with either_site.writing() as (session, pilot):
                    drafting.change(
                        session, pilot, "mine", lambda form: add(form, Question(f"q{number}", "text")), seen=1,
                        touches=(), deed=("added", f"q{number}"), author_id=None, now=START,
                    )  # fmt: skip
                return
            except Stale:
                continue
        raise AssertionError("never came through")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one_more, range(12)))
    with either_site.reading() as (session, pilot):
        form = drafting.read(session, pilot, "mine").form
    assert {f"q{number}" for number in range(12)} <= set(form.places)
    assert numbers(either_site) == list(range(13, 0, -1))


def test_the_same_question_changed_from_an_old_version_is_refused_and_the_newest_stays(site: Site):
    begun(site)

    def said(words: str) -> None:
        with site.writing() as (session, pilot):
            drafting.change(
                session, pilot, "mine", lambda form: change(form, Question("region", "text", {"nl": words})), seen=1,
                touches=("region",), deed=("changed", "region"), author_id=None, now=START,
            )  # fmt: skip

    said("eerst")
    with pytest.raises(Stale, match="version 2 was saved in the meantime"):
        said("later")
    with site.reading() as (session, pilot):
        assert drafting.read(session, pilot, "mine").form.question("region").label == {"nl": "eerst"}
    assert numbers(site) == [2, 1]


def test_an_earlier_version_comes_back_as_a_new_one_and_only_over_what_was_seen(site: Site):
    begun(site)
    with site.writing() as (session, pilot):
        drafting.change(
            session, pilot, "mine", lambda form: add(form, Question("extra", "text")), seen=1, touches=(),
            deed=("added", "extra"), author_id=None, now=START,
        )  # fmt: skip
    with site.writing() as (session, pilot), pytest.raises(Stale):
        drafting.restore(session, pilot, "mine", 1, seen=1, author_id=None, now=START)
    with site.writing() as (session, pilot):
        back = drafting.restore(session, pilot, "mine", 1, seen=2, author_id=None, now=START)
        assert (back.number, "extra" in back.form.places) == (3, False)


def test_what_is_not_there_or_has_an_impossible_name_is_refused(site: Site):
    begun(site)
    form = shipped().instruments["screening"]
    with site.writing() as (session, pilot):
        with pytest.raises(NotYours):
            drafting.read(session, pilot, "other")
        with pytest.raises(NotYours):
            drafting.read(session, pilot, "mine", 9)
        for name, code in (("mine", "taken"), ("Mine", "name"), ("", "name"), ("a" * 41, "name")):
            with pytest.raises(Refused) as refused:
                drafting.start(session, pilot, name, form, copied="x", author_id=None, now=START)
            assert refused.value.code == code
