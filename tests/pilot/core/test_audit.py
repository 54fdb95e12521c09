"""The trail of allocations: whatever is done to it is seen, and the key gives back every arm in it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from small_pilot import START, Site, changed
from sqlalchemy import text
from sqlalchemy.orm import Session

from pilot import audit, keys, locking
from pilot.errors import Refused
from pilot.models import Pilot

PEOPLE = 12


@pytest.fixture
def filled(site: Site) -> Site:
    """Twelve people in two strata, three of them in a small one."""
    with site.writing() as (session, _pilot):
        for number in range(PEOPLE):
            site.enrol(session, 8 * number + (1 if number % 4 == 0 else 2), now=at(number))
    return site


def at(number: int):
    return START + timedelta(minutes=number)


def test_a_trail_that_nobody_touched_is_clean(filled: Site):
    with filled.reading() as (session, pilot):
        assert audit.verify(session, pilot) == []
        assert audit.replay(session, pilot, key=filled.key(), mode="live") == []
        assert len(list(audit.export(session, pilot))) == PEOPLE


LARGE = "stratum = (SELECT stratum FROM allocations GROUP BY stratum ORDER BY count(*) DESC LIMIT 1)"
OTHER_ARM = "CASE arm WHEN 'portal' THEN 'voucher' ELSE 'portal' END"
TAMPERING: dict[str, list[str]] = {
    "an arm changed": [f"UPDATE allocations SET arm = {OTHER_ARM} WHERE position = 2 AND {LARGE}"],
    "an arm changed at the end": [f"UPDATE allocations SET arm = {OTHER_ARM} WHERE position = 9 AND {LARGE}"],
    "a moment changed": ["UPDATE allocations SET allocated_at = '2026-03-02 08:00:00.000000' WHERE position = 1"],
    "a probability changed": ["UPDATE allocations SET probability = '1/2' WHERE position = 3"],
    "covariates changed": ['UPDATE allocations SET covariates = \'{"region": "elsewhere"}\' WHERE position = 3'],
    "a row deleted from the middle": [f"DELETE FROM allocations WHERE position = 4 AND {LARGE}"],
    "the first row deleted": [f"DELETE FROM allocations WHERE position = 1 AND {LARGE}"],
    "the last row deleted": [f"DELETE FROM allocations WHERE position = 9 AND {LARGE}"],
    "a whole stratum deleted": [f"DELETE FROM allocations WHERE NOT {LARGE}"],
    "two rows swapped": [
        f"UPDATE allocations SET position = 99 WHERE position = 5 AND {LARGE}",
        f"UPDATE allocations SET position = 5 WHERE position = 6 AND {LARGE}",
        f"UPDATE allocations SET position = 6 WHERE position = 99 AND {LARGE}",
    ],
    "people of two rows swapped": [
        "CREATE TEMP TABLE pair AS SELECT position, participant_id, idempotency_key FROM allocations "
        f"WHERE position IN (5, 6) AND {LARGE}",
        "UPDATE allocations SET participant_id = -position, idempotency_key = position "
        f"WHERE position IN (5, 6) AND {LARGE}",
        "UPDATE allocations SET participant_id = (SELECT participant_id FROM pair WHERE pair.position = 11 + "
        "allocations.participant_id) WHERE participant_id < 0",
    ],
    "a row put in behind the last": [
        "INSERT INTO allocations (pilot_id, mode, epoch, stratum, position, participant_id, idempotency_key, arm, "
        "probability, covariates, fingerprint, allocated_at, previous_hash, row_hash) "
        "SELECT pilot_id, mode, epoch, stratum, 10, participant_id + 1000, 'x', arm, "
        "probability, covariates, fingerprint, allocated_at, row_hash, row_hash FROM allocations "
        f"WHERE position = 9 AND {LARGE}",
        "INSERT INTO participants (id, pilot_id, mode, study_id, nonce, outreach_arm, language, link_generation, "
        "created_at, covariates) SELECT participant_id, pilot_id, mode, 'INTRUDER', 'x', 'open', 'nl', 1, "
        "allocated_at, covariates FROM allocations WHERE idempotency_key = 'x'",
    ],
    "the counter set back": [f"UPDATE stratum_state SET next_position = 5 WHERE {LARGE}"],
    "the head changed": [f"UPDATE stratum_state SET head = '{'a' * 64}'"],
    "the counters gone": ["DELETE FROM stratum_state"],
}


def meddle(session: Session, statements: list[str]) -> None:
    session.execute(text("PRAGMA defer_foreign_keys = ON"))
    for statement in statements:
        session.execute(text(statement))
    session.expire_all()


@pytest.mark.parametrize("way", TAMPERING)
def test_tampering_is_seen(filled: Site, way: str):
    with filled.writing() as (session, pilot):
        meddle(session, TAMPERING[way])
        assert audit.verify(session, pilot) != []
        session.rollback()


def chains(session: Session, pilot: Pilot) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for row in audit.export(session, pilot):
        found.setdefault(row["stratum"], []).append((row["position"], row["row_hash"]))
    return found


def test_a_tail_that_was_cut_off_with_its_counter_is_seen_by_the_anchor_only(filled: Site):
    """Whoever may write the tables can shorten chain and counter together; the record kept outside shows it."""
    keyring = filled.database.keyring
    with filled.writing() as (session, pilot):
        record = audit.anchor(session, pilot, keyring=keyring, now=at(60))
        assert audit.against_anchor(session, pilot, record, keyring=keyring) == []
        stratum, rows = max(chains(session, pilot).items(), key=lambda item: len(item[1]))
        meddle(
            session,
            [
                f"DELETE FROM allocations WHERE stratum = '{stratum}' AND position > 6",
                f"UPDATE stratum_state SET next_position = 7, head = '{rows[5][1]}' WHERE stratum = '{stratum}'",
            ],
        )
        assert audit.verify(session, pilot) == []
        lost = audit.against_anchor(session, pilot, record, keyring=keyring)
        assert len(lost) == 1
        assert stratum in lost[0]
        session.rollback()


def test_an_anchor_stands_while_the_log_grows(filled: Site):
    keyring = filled.database.keyring
    with filled.writing() as (session, pilot):
        record = audit.anchor(session, pilot, keyring=keyring, now=at(60))
        filled.enrol(session, 802, now=at(61))
        assert audit.against_anchor(session, pilot, record, keyring=keyring) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["heads"].clear(),
        lambda record: record.update(at="2020-01-01"),
        lambda record: record.update(signature="0" * 64),
        lambda record: record.pop("sha256"),
    ],
)
def test_an_anchor_that_was_changed_says_so(filled: Site, change: Callable[[dict], object]):
    keyring = filled.database.keyring
    with filled.reading() as (session, pilot):
        record = audit.anchor(session, pilot, keyring=keyring, now=at(60))
        change(record)
        assert "the anchor was changed" in audit.against_anchor(session, pilot, record, keyring=keyring)[0]


def test_the_revealed_key_replays_every_arm_and_sees_one_that_was_changed(filled: Site):
    with filled.writing() as (session, pilot):
        with pytest.raises(Refused, match="after closing"):
            locking.reveal(session, pilot, folder=filled.settings.keys, actor_id=None, now=at(60))
        locking.close(session, pilot, actor_id=None, now=at(60))
        published = locking.reveal(session, pilot, folder=filled.settings.keys, actor_id=None, now=at(61))
        revealed = {row.mode: bytes.fromhex(row.revealed_key or "") for row in published}
        assert audit.commitment_holds(session, pilot, key=revealed["live"], mode="live")
        assert not audit.commitment_holds(session, pilot, key=revealed["live"], mode="test")
        assert audit.replay(session, pilot, key=revealed["live"], mode="live") == []
        assert audit.replay(session, pilot, key=revealed["test"], mode="live") != []
        meddle(session, TAMPERING["an arm changed"])
        found = audit.replay(session, pilot, key=revealed["live"], mode="live")
        assert any(difference.what == "arm" and difference.position == 2 for difference in found)
        session.rollback()


def test_a_forged_chain_without_the_key_is_seen_by_replay(filled: Site):
    """Hashes can be made anew by anybody; the arms cannot."""
    from randomization import live

    with filled.writing() as (session, pilot):
        meddle(session, TAMPERING["an arm changed"])
        heads: dict[str, str] = {}
        for row in list(audit.export(session, pilot)):
            stratum, previous = row["stratum"], heads.get(row["stratum"], live.GENESIS)
            heads[stratum] = live.chain_hash(previous, row["recorded"])
            session.execute(
                text("UPDATE allocations SET previous_hash = :p, row_hash = :h WHERE stratum = :s AND position = :n"),
                {"p": previous, "h": heads[stratum], "s": stratum, "n": row["position"]},
            )
        for stratum, head in heads.items():
            session.execute(text("UPDATE stratum_state SET head = :h WHERE stratum = :s"), {"h": head, "s": stratum})
        session.expire_all()
        assert audit.verify(session, pilot) == []
        assert {d.what for d in audit.replay(session, pilot, key=filled.key(), mode="live")} == {"arm"}
        session.rollback()


def test_replay_follows_each_epoch_by_the_design_that_was_in_force(filled: Site):
    """An amended ratio opens a second epoch; both are derived from the one key."""

    def amend(data: dict) -> None:
        data["allocation"]["ratio"] = {"portal": 2, "advice": 1, "voucher": 1}
        data["allocation"]["multiples"] = [1, 2]

    with filled.writing() as (session, pilot):
        author, approver = filled.staff["researcher"], filled.staff["steward"]
        version = locking.propose(session, pilot, changed(amend), author_id=author, reason="fewer advisors", now=at(70))
        locking.approve(session, pilot, version, approver_id=approver, folder=filled.settings.keys, now=at(71))
        for number in range(20):
            filled.enrol(session, 8 * (100 + number) + 2, now=at(80 + number))
        rows = list(audit.export(session, pilot))
        assert audit.verify(session, pilot) == []
        assert audit.replay(session, pilot, key=filled.key(), mode="live") == []
    assert {row["epoch"] for row in rows} == {1, 2}
    assert [row["position"] for row in rows if row["epoch"] == 2] == list(range(1, 21))


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path):
    first = keys.create(tmp_path / "keys", "proef", "live", random.Random(1).randbytes)
    again = keys.create(tmp_path / "keys", "proef", "live", random.Random(2).randbytes)
    assert first == again == keys.read(tmp_path / "keys", "proef", "live")
    assert keys.path(tmp_path / "keys", "proef", "live").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [None, b"short"])
def test_a_key_that_is_gone_or_cut_stops_everything(tmp_path, content: bytes | None):
    if content is not None:
        keys.path(tmp_path, "proef", "live").write_bytes(content)
    with pytest.raises(Exception, match=r"proef-live\.key"):
        keys.read(tmp_path, "proef", "live")
