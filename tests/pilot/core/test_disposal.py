"""Files that must go are gone for good, and files that must stay are there, wherever a process dies in between."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta

import pytest
from small_pilot import START, Site, person
from sqlalchemy import select, text

from pilot import dataset, disposal, locking, mail, worker
from pilot.errors import Refused
from pilot.journey import followup, withdrawal
from pilot.models import Event, Freeze, Message, Participant

LATER = START + timedelta(days=10)


class Died(Exception):
    """The process is gone."""


def freeze(session, pilot, site: Site) -> Freeze:
    _version, protocol = locking.in_force(session, pilot.id)
    folder = site.settings.freezes
    return dataset.freeze(session, pilot, protocol, folder=folder, with_arms=False, actor_id=None, now=START)


def erase(session, pilot, site: Site, who: int = 1) -> int:
    """An erasure as every door carries it out; gives how many freezes gave way."""
    _version, protocol = locking.in_force(session, pilot.id)
    someone = session.scalars(select(Participant).order_by(Participant.id).offset(who - 1).limit(1)).one()
    withdrawal.withdraw(session, someone, "erase", actor_id=None, now=LATER)
    folder = site.settings.freezes
    return dataset.supersede(session, pilot, protocol, folder=folder, actor_id=None, now=LATER)


def files(site: Site) -> set[str]:
    return {path.relative_to(site.settings.freezes).as_posix() for path in site.settings.freezes.rglob("*.parquet")}


def _erase_and_die(site: Site) -> None:
    with site.writing() as (session, pilot):
        assert erase(session, pilot, site) == 1
        raise Died


def work(site: Site) -> worker.Done:
    return worker.round_once(site.database, site.settings, clock=lambda: LATER)


def destroyed(site: Site) -> list[dict]:
    with site.reading() as (session, _pilot):
        return list(session.scalars(select(Event.detail).where(Event.kind == disposal.DESTROYED)))


@pytest.fixture
def frozen(site: Site) -> Site:
    with site.writing() as (session, pilot):
        for number in (1, 2, 3):
            site.enrol(session, person(number), until="deliver")
        freeze(session, pilot, site)
    work(site)
    return site


def test_an_erasure_that_dies_before_its_commit_has_lost_no_freeze_and_leaves_no_other_file(frozen: Site):
    (before,), letters = files(frozen), set(frozen.settings.outbox.iterdir())
    assert letters
    with pytest.raises(Died):
        _erase_and_die(frozen)
    with frozen.reading() as (session, _pilot):
        (row,) = session.scalars(select(Freeze))
        assert len(dataset.read_freeze(frozen.settings.freezes, row)) == 3
    assert set(frozen.settings.outbox.iterdir()) == letters
    (orphan,) = files(frozen) - {before}
    assert work(frozen).destroyed == 0
    path = frozen.settings.freezes / orphan
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - disposal.UNFINISHED_SECONDS - 60))
    assert work(frozen).destroyed == 1
    assert files(frozen) == {before}


def test_an_erasure_that_dies_after_its_commit_is_ended_by_the_worker_once(frozen: Site):
    (before,), letters = files(frozen), set(frozen.settings.outbox.iterdir())
    with frozen.writing() as (session, pilot):
        erase(session, pilot, frozen)
    assert before in files(frozen)
    assert set(frozen.settings.outbox.iterdir()) == letters
    assert work(frozen).destroyed == 2
    assert before not in files(frozen)
    assert len(set(frozen.settings.outbox.iterdir())) == len(letters) - 1
    assert work(frozen).destroyed == 0
    with frozen.reading() as (session, _pilot):
        old, new = session.scalars(select(Freeze).order_by(Freeze.number))
        assert len(dataset.read_freeze(frozen.settings.freezes, new)) == 3
        with pytest.raises(Refused, match="superseded"):
            dataset.read_freeze(frozen.settings.freezes, old)
    assert destroyed(frozen) == [{"number": 1, "sha256": old.sha256}]


def test_a_sweep_that_dies_between_the_file_and_its_note_is_ended_by_the_next(frozen: Site):
    with frozen.writing() as (session, pilot):
        erase(session, pilot, frozen)
        old = session.scalars(select(Freeze).order_by(Freeze.number).limit(1)).one()
    (frozen.settings.freezes / old.file).unlink()
    assert destroyed(frozen) == []
    for _ in range(2):
        disposal.sweep(frozen.database, frozen.settings, now=LATER)
    assert destroyed(frozen) == [{"number": 1, "sha256": old.sha256}]


def test_a_file_that_a_disk_will_not_let_go_is_destroyed_once_it_does(frozen: Site):
    with frozen.writing() as (session, pilot):
        erase(session, pilot, frozen)
        old = session.scalars(select(Freeze).order_by(Freeze.number).limit(1)).one()
    path = frozen.settings.freezes / old.file
    held = path.read_bytes()
    path.unlink()
    path.mkdir()  # nothing that is there can be unlinked
    work(frozen)
    assert destroyed(frozen) == []
    path.rmdir()
    path.write_bytes(held)
    work(frozen)
    assert not path.exists()
    assert len(destroyed(frozen)) == 1


def test_a_freeze_that_is_made_during_an_erasure_holds_none_of_the_erased_answers(new_site, postgres_url: str):
    site = new_site(database_url=postgres_url)
    with site.writing() as (session, pilot):
        for number in (1, 2):
            site.enrol(session, person(number))
        freeze(session, pilot, site)

    def erasing() -> None:
        with site.writing() as (session, pilot):
            erase(session, pilot, site)

    other = threading.Thread(target=erasing)
    with site.writing() as (session, pilot):
        freeze(session, pilot, site)
        other.start()
        _waits(site)
    other.join()
    work(site)
    with site.reading() as (session, _pilot):
        rows = session.scalars(select(Freeze).order_by(Freeze.number)).all()
        assert [row.superseded_by is None for row in rows] == [False, False, True]
        data = dataset.read_freeze(site.settings.freezes, rows[-1]).set_index("withdrawn")
    assert data.loc[["erase"], ["baseline__work"]].isna().all(axis=None)
    assert files(site) == {rows[-1].file}


def _waits(site: Site) -> None:
    """Until the other transaction waits for its turn."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    deadline = time.monotonic() + 30
    with site.database.reading() as session:
        while not session.scalar(waiting):
            assert time.monotonic() < deadline, "the erasure waits for nothing"


def test_copies_are_found_by_the_record_however_high_their_number_and_however_full_the_folder(frozen: Site):
    with frozen.writing() as (session, pilot):
        someone = session.scalars(select(Participant).order_by(Participant.id).limit(1)).one()
        mine = session.scalars(select(Message).where(Message.participant_id == someone.id).limit(1)).one()
        values = {column.key: getattr(mine, column.key) for column in Message.__table__.columns}
        many = [Message(**{**values, "id": 1_000_000 + n, "key": f"late:{n}"}) for n in range(disposal.AT_ONCE + 1)]
        session.add_all(many)
        session.flush()
        names = [mail.file_of(one.name, one.reference) for one in many]
        erase(session, pilot, frozen)
    other = frozen.settings.outbox / "999999-of-somebody-else.eml"
    for path in (*(frozen.settings.outbox / name for name in names), other):
        path.write_bytes(b"Dag")
    sweeps = [disposal.messages(frozen.database, frozen.settings.outbox, now=LATER) for _ in range(3)]
    assert (sweeps[0], sum(sweeps[1:])) == (disposal.AT_ONCE, 2)
    assert not any((frozen.settings.outbox / name).exists() for name in names)
    assert other.exists()


def test_a_copy_that_is_written_while_its_person_is_erased_is_found_all_the_same(frozen: Site):
    with frozen.writing() as (session, pilot):
        erase(session, pilot, frozen)
    work(frozen)
    with frozen.writing() as (session, _pilot):
        late = session.scalars(select(Message).where(Message.copy_gone_at.is_not(None)).limit(1)).one()
        path = frozen.settings.outbox / mail.file_of(late.name, late.reference)
        path.write_bytes(b"Dag")
        followup.settle(session, late.id, "sent", now=LATER)
    assert work(frozen).destroyed == 1
    assert not path.exists()
