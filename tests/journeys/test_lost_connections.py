"""The database goes away in the middle of a draw: whoever clicked gets one arm, and nobody gets two."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from arrivals import broken_promises
from small_pilot import Site
from sqlalchemy import event, select, text
from visitors import Doors, Visitor

from pilot import access
from pilot.models import Allocation, Event, Participant


@pytest.fixture
def doors(new_site: Callable[..., Site], postgres_url: str, open_doors: Callable[[Site], Doors]) -> Doors:
    return open_doors(new_site(database_url=postgres_url))


# The moments of the draw at which the connection is cut: before the statement that begins so, or after it.
MOMENTS = ("UPDATE stratum_state", "INSERT INTO allocations", "INSERT INTO events", "COMMIT")


def cut_once(doors: Doors, moment: str, *, after: bool) -> list[str]:
    """Cuts this request's own connection at the moment, once. Gives the list of cuts that were made."""
    engine, cuts = doors.app.extensions["adviespilot"].database.write_engine, []

    def kill(connection) -> None:
        if cuts:
            return
        cuts.append(moment)
        backend = {"p": connection.connection.dbapi_connection.info.backend_pid}
        with doors.site.database.write_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            other.execute(text("SELECT pg_terminate_backend(:p)"), backend)
            while other.execute(text("SELECT count(*) FROM pg_stat_activity WHERE pid = :p"), backend).scalar():
                time.sleep(0.01)

    if moment == "COMMIT":
        event.listen(engine, "commit", kill)
    else:
        place = "after_cursor_execute" if after else "before_cursor_execute"

        @event.listens_for(engine, place)
        def watch(connection, cursor, statement, parameters, context, executemany) -> None:
            if statement.startswith(moment):
                kill(connection)

    return cuts


def at_the_draw(doors: Doors, number: int) -> Visitor:
    """A visitor whose earlier pages are on record, with the page of the draw open."""
    with doors.site.writing() as (session, _pilot):
        participant = doors.site.enrol(session, number, until="baseline")
        token = access.link_token(doors.site.settings.secret_key, participant, "enrol", now=doors.now)
    return doors.visitor(number).open(f"/e/{token}/draw")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_connection_that_is_cut_during_the_draw_costs_nobody_a_place(doors: Doors, moment: str, after: bool):
    visitor = at_the_draw(doors, 1)
    cuts = cut_once(doors, moment, after=after)
    visitor.send()
    assert cuts == [moment]
    assert visitor.step == "next"
    assert_one_arm_each(doors, 1)
    assert at_the_draw(doors, 9).send().step == "next"
    assert_one_arm_each(doors, 2)


def assert_one_arm_each(doors: Doors, people: int) -> None:
    with doors.site.reading() as (session, _pilot):
        everybody = session.scalars(select(Participant.id)).all()
        arms = session.scalars(select(Allocation)).all()
        drawn = session.scalars(select(Event).where(Event.kind == "allocated")).all()
    assert len(everybody) == len(arms) == len(drawn) == people
    assert broken_promises(doors.site, [], everybody=everybody) == []


def test_a_commit_whose_answer_was_lost_is_found_again(doors: Doors, monkeypatch: pytest.MonkeyPatch):
    """The transaction was kept, and the connection broke before that was heard: trying again finds the arm."""
    visitor = at_the_draw(doors, 1)
    database = doors.app.extensions["adviespilot"].database
    commits: list[int] = []
    engine = database.write_engine
    plain = engine.dialect.do_commit

    def commit(connection) -> None:
        plain(connection)
        commits.append(1)
        if len(commits) == 1:
            raise engine.dialect.dbapi.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(engine.dialect, "do_commit", commit)
    visitor.send()
    assert visitor.step == "next"
    assert len(commits) >= 2
    assert_one_arm_each(doors, 1)


def test_two_clicks_at_the_same_moment_give_one_arm(doors: Doors):
    first = at_the_draw(doors, 1)
    clicks: list[Visitor] = []
    for _ in range(4):
        click = Visitor(doors, first.who)
        click.client.set_cookie("session", first.client.get_cookie("session").value, domain="localhost")
        click.page, click.path = first.page, first.path
        clicks.append(click)
    threads = [threading.Thread(target=click.send) for click in clicks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [click.step for click in clicks] == ["next"] * 4
    assert len({click.page.count("receipt") for click in clicks}) == 1
    assert_one_arm_each(doors, 1)
