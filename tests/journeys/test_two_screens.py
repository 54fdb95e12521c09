"""One person on two screens: tabs, devices, double clicks, delays. Nothing is lost, doubled or silently overwritten."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from small_pilot import Site
from sqlalchemy import func, select
from visitors import Doors, Visitor

from pilot.models import Draft, Participant, Submission


@pytest.fixture
def both(either_site: Site, open_doors: Callable[[Site], Doors]) -> Doors:
    """The doors of a pilot on SQLite, and of one on PostgreSQL."""
    return open_doors(either_site)


def draft(doors: Doors, wave: str = "screening") -> Draft:
    with doors.site.reading() as (session, _pilot):
        return session.scalars(select(Draft).where(Draft.wave == wave)).one()


def another_screen(doors: Doors, visitor: Visitor, *, other_device: bool = False) -> Visitor:
    """The page that this person looks at, open once more: in another tab, or on another device by the same link."""
    second = doors.visitor(visitor.who)
    if not other_device:
        second.client = visitor.client
        second.page, second.path = visitor.page, visitor.path
        return second
    return second.open(visitor.path)


def together(*deeds: Callable[[], object]) -> list[object]:
    """Does all of it at the same moment."""
    gate = Barrier(len(deeds))

    def one(deed: Callable[[], object]) -> object:
        gate.wait()
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(one, deeds))


def test_the_link_opens_on_another_device_where_the_person_was(doors: Doors):
    visitor = doors.visitor().start().go_on("schooling")
    elsewhere = doors.visitor().open(f"/e/{visitor.token}")
    assert elsewhere.question == "schooling"
    assert elsewhere.go_on("next").status == 200


def test_a_code_is_not_guessed_by_trying(new_site, open_doors):
    doors = open_doors(new_site(settings={"login_limit": "5 per minute"}))
    guesser = doors.visitor().open(f"/p/{doors.site.slug}/resume")
    page, born = guesser.page, {"born-day": "3", "born-month": "7", "born-year": "1985"}
    statuses = []
    for number in range(7):
        guesser.page, guesser.path = page, f"/p/{doors.site.slug}/resume"
        statuses.append(guesser.send(code=f"AAAA{number:02d}", **born).status)
    assert statuses == [422] * 5 + [429] * 2
    assert "Te veel pogingen" in guesser.page


def test_two_tabs_on_two_questions_keep_both_answers(doors: Doors):
    first = doors.visitor().start().go_on("region")
    second = another_screen(doors, first).open(first.path.replace("region", "work"))
    first.send(region="oost")
    assert second.send(work="looking").status == 200
    assert draft(doors).answers["region"] == "oost"
    assert draft(doors).answers["work"] == "looking"


@pytest.mark.parametrize("other_device", [False, True])
def test_a_delayed_answer_is_told_of_the_newer_one_and_overwrites_it_only_when_asked(doors: Doors, other_device: bool):
    first = doors.visitor().start().go_on("schooling")
    second = another_screen(doors, first, other_device=other_device)
    first.send(schooling="mbo3")
    second.send(schooling="primary")
    assert (second.status, draft(doors).answers["schooling"]) == (409, "mbo3")
    assert "Er zijn nieuwere antwoorden" in second.page
    assert 'value="mbo3" type="radio" checked' in " ".join(second.page.split())
    second.send(schooling="primary")
    assert (second.status, draft(doors).answers["schooling"]) == (200, "primary")


def test_what_was_typed_too_late_is_shown_beside_the_newer_answer(new_site, open_doors, tmp_path):
    from showcase import showcase

    doors = open_doors(new_site(protocol=showcase(tmp_path / "p")))
    first = doors.visitor().start().go_on("story")
    second = another_screen(doors, first)
    first.send(story="Ik werk in een magazijn.")
    second.send(story="Ik werk in de <b>zorg</b>.")
    assert second.status == 409
    assert "Ik werk in een magazijn." in second.page
    assert "Ik werk in de &lt;b&gt;zorg&lt;/b&gt;." in second.page


def test_a_double_click_on_the_very_first_page_is_one_answer(both: Doors):
    visitor = both.visitor().start()
    screens = [another_screen(both, visitor) for _ in range(4)]
    for screen in screens:
        screen.client = both.app.test_client()
        screen.open(visitor.path)
    statuses = together(*(lambda screen=screen: screen.send().status for screen in screens))
    assert statuses == [200] * 4
    assert draft(both).revision == 1


def test_a_list_sent_from_two_devices_at_once_is_one_list(both: Doors):
    visitor = both.visitor().start().go_on("q").go_on("contact")
    visitor.go_on("check")
    screens = [another_screen(both, visitor, other_device=True) for _ in range(4)]
    together(*(lambda screen=screen: screen.send() for screen in screens))
    with both.site.reading() as (session, _pilot):
        assert session.scalar(select(func.count()).select_from(Submission)) == 1
        assert session.scalar(select(func.count()).select_from(Participant)) == 1


def test_a_page_on_its_way_while_the_list_is_sent_is_in_it_or_is_refused(both: Doors):
    visitor = both.visitor().start().go_on("contact").go_on("check")
    wave = visitor.path.split("/")[4]
    page = visitor.path.replace("/check/", "/q/") + "/work"
    late = another_screen(both, visitor, other_device=True).open(page)
    together(lambda: visitor.send(), lambda: late.send(work="none"))
    with both.site.reading() as (session, _pilot):
        sent = session.scalars(select(Submission)).one()
        kept = session.scalars(select(Draft).where(Draft.wave == wave)).one()
    assert kept.answers == sent.answers
