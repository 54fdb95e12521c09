"""The life of a protocol: nothing changes without a second person, and only a changed draw opens a new epoch."""

from __future__ import annotations

import pytest
from small_pilot import START, Site, changed
from sqlalchemy import select

from pilot import locking
from pilot.errors import Refused
from pilot.models import Pilot, ProtocolVersion
from pilot.protocol import InvalidProtocol, Protocol, read


def longer(data: dict) -> None:
    data["pilot"]["recruitment"]["end"] = "2027-12-31"


def other_ratio(data: dict) -> None:
    data["allocation"]["ratio"] = {"portal": 2, "advice": 1, "voucher": 1}


def amend(site: Site, protocol: Protocol, *, approver: str = "steward", reason: str = "because") -> ProtocolVersion:
    with site.writing() as (session, pilot):
        author = site.staff["researcher"]
        version = locking.propose(session, pilot, protocol, author_id=author, reason=reason, now=START)
        locking.approve(session, pilot, version, approver_id=site.staff[approver], folder=site.settings.keys, now=START)
    return version


def test_an_amendment_opens_a_new_epoch_only_when_the_draw_changes(site: Site):
    assert amend(site, changed(longer)).epoch == 1
    second = amend(site, changed(other_ratio, changed(longer)))
    assert (second.number, second.epoch) == (2, 2)
    assert amend(site, changed(longer)).epoch == 3


def test_positions_start_again_in_a_new_epoch_and_go_on_in_the_old_one(site: Site):
    with site.writing() as (session, _pilot):
        before = site.allocate(session, site.enrol(session, 8))
    amend(site, changed(longer))
    with site.writing() as (session, _pilot):
        same = site.allocate(session, site.enrol(session, 16))
    amend(site, changed(other_ratio, changed(longer)))
    with site.writing() as (session, _pilot):
        after = site.allocate(session, site.enrol(session, 24))
    assert [(a.epoch, a.position) for a in (before, same, after)] == [(1, 1), (1, 2), (2, 1)]
    assert before.fingerprint != same.fingerprint != after.fingerprint


def test_the_author_cannot_lock_the_own_proposal(site: Site):
    with pytest.raises(Refused) as found:
        amend(site, changed(longer), approver="researcher")
    assert found.value.code == "second_person"
    with site.writing() as (session, pilot):
        version = locking.propose(session, pilot, changed(longer), author_id=1, reason="r", now=START)
        with pytest.raises(Refused):
            locking.approve(session, pilot, version, approver_id=None, folder=site.settings.keys, now=START)


@pytest.mark.parametrize(
    ("change", "reason", "code"), [(longer, " ", "reason_missing"), (lambda _: None, "r", "no_change")]
)
def test_an_amendment_says_why_and_changes_something(site: Site, change, reason: str, code: str):
    with pytest.raises(Refused) as found:
        amend(site, changed(change), reason=reason)
    assert found.value.code == code


def test_a_version_is_locked_once(site: Site):
    version = amend(site, changed(longer))
    with site.writing() as (session, pilot):
        again = session.get_one(ProtocolVersion, version.id)
        with pytest.raises(Refused) as found:
            locking.approve(session, pilot, again, approver_id=3, folder=site.settings.keys, now=START)
    assert found.value.code == "already_locked"


def test_a_proposal_that_was_not_approved_changes_nothing_and_is_replaced_by_the_next(site: Site):
    with site.writing() as (session, pilot):
        locking.propose(session, pilot, changed(longer), author_id=1, reason="r", now=START)
        locking.propose(session, pilot, changed(other_ratio), author_id=1, reason="r", now=START)
        version, _protocol = locking.in_force(session, pilot.id)
        rows = session.scalars(select(ProtocolVersion).order_by(ProtocolVersion.number)).all()
    assert version.number == 0
    assert [row.number for row in rows] == [0, 1]


def test_the_life_of_a_pilot_goes_one_way(new_site):
    site = new_site(mode=None)
    steps = []
    with site.writing() as (session, pilot):
        for step in (
            lambda: locking.close(session, pilot, actor_id=None, now=START),
            lambda: locking.reveal(session, pilot, folder=site.settings.keys, actor_id=None, now=START),
            lambda: locking.start(session, pilot, mode="practice", actor_id=None, now=START),
        ):
            with pytest.raises(Refused) as found:
                step()
            steps.append(found.value.code)
        locking.start(session, pilot, mode="live", actor_id=None, now=START)
        locking.close(session, pilot, actor_id=None, now=START)
        with pytest.raises(Refused):
            locking.start(session, pilot, mode="live", actor_id=None, now=START)
        with pytest.raises(Refused):
            locking.propose(session, pilot, changed(longer), author_id=1, reason="r", now=START)
        with pytest.raises(Refused):
            locking.create(session, changed(longer), now=START)
    assert steps == ["not_running", "not_closed", "mode"]


def test_a_draft_has_no_protocol_in_force(site: Site):
    with site.writing() as (session, _pilot):
        draft = Pilot(slug="leeg", title={"nl": "Leeg"}, created_at=START)
        session.add(draft)
        session.flush()
        with pytest.raises(Refused) as found:
            locking.in_force(session, draft.id)
    assert found.value.code == "not_locked"


def test_what_was_locked_is_read_back_as_it_was(either_site: Site):
    with either_site.reading() as (session, pilot):
        version, protocol = locking.in_force(session, pilot.id)
        assert protocol.fingerprint == version.fingerprint == changed(lambda _: None).fingerprint
        assert protocol.canonical == version.canonical


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(armz=[]), "armz"),
        (lambda d: d["population"]["eligibility"][0].update(rule="${aeg} >= 18"), "did you mean 'age'"),
        (lambda d: d["allocation"].update(strata=["regoin"]), "regoin"),
        (lambda d: d["arms"].pop(), "allocation.ratio"),
        (lambda d: d["looks"][0].update(wave="followup_99m"), "there is no wave 'followup_99m'"),
        (lambda d: d["consent"]["texts"][0]["text"].pop("en"), "nobody consents unread"),
        (lambda d: d["analysis_plan"].update(covariates=["agee"]), "did you mean 'age'"),
        (lambda d: d["pilot"].pop("slug"), "pilot.slug: is missing"),
    ],
)
def test_a_protocol_that_cannot_be_names_place_and_remedy(change, said: str):
    with pytest.raises(InvalidProtocol) as found:
        changed(change)
    assert said in str(found.value)


def test_a_broken_file_names_its_lines(tmp_path):
    file = tmp_path / "protocol.yaml"
    file.write_text("pilot:\n  slug: a\n  slug: b\nquestion: [\n")
    with pytest.raises(InvalidProtocol, match="line"):
        read(tmp_path)
    file.write_text("pilot:\n  slug: a\n  slug: b\n")
    with pytest.raises(InvalidProtocol, match=r"line 3, pilot.slug: stands twice \(first on line 2\)"):
        read(tmp_path)
