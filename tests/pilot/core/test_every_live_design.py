"""Every design that can meet people one by one draws in the pilot, is stored with what it hung on, and replays."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from click.testing import CliRunner
from live_designs import DESIGNS, drawn_by
from small_pilot import START, Site, changed, person, shipped
from sqlalchemy import select

from pilot import audit, locking, results
from pilot.cli import main
from pilot.journey import answering
from pilot.models import Allocation
from pilot.protocol import InvalidProtocol, Protocol
from randomization import live

EACH = 9
YEAR = START + timedelta(days=420)


def amend(site: Site, protocol: Protocol) -> None:
    with site.writing() as (session, pilot):
        version = locking.propose(
            session, pilot, protocol, author_id=site.staff["researcher"], reason="another design", now=START
        )
        locking.approve(
            session, pilot, version, approver_id=site.staff["steward"], folder=site.settings.keys, now=START
        )


def enrolled(site: Site, numbers: range, *, now: datetime = START) -> list[Allocation]:
    with site.writing() as (session, _pilot):
        people = [site.enrol(session, person(number), now=now).id for number in numbers]
    with site.reading() as (session, _pilot):
        query = select(Allocation).where(Allocation.participant_id.in_(people)).order_by(Allocation.participant_id)
        return list(session.scalars(query))


def test_every_design_draws_in_turn_and_the_whole_record_replays(new_site, address: str):
    """One pilot whose allocation is amended from design to design: an epoch for each, all of them on one record."""
    site = new_site(database_url=address)
    for place, method in enumerate(DESIGNS):
        amend(site, drawn_by(method))
        rows = enrolled(site, range(100 * place, 100 * place + EACH))
        assert {row.epoch for row in rows} == {place + 2}
        design = drawn_by(method).allocation
        assert {row.arm for row in rows} <= set(design.names)
        assert len({row.stratum for row in rows}) == (1 if live.scope(design) == "pilot" or not design.strata else 8)
        logged = method in ("urn", "block_urn", "minimization", "adaptive")
        assert [row.basis is not None for row in rows] == [logged] * EACH
        if logged:
            assert all(Fraction(basis(row)["probabilities"][row.arm]) == Fraction(row.probability) for row in rows)
    with site.reading() as (session, pilot):
        assert audit.verify(session, pilot) == []
        assert audit.replay(session, pilot, key=site.key(), mode="live") == []
    replayed = CliRunner().invoke(main, ["--json", "audit", "replay", site.slug], env=environment(site))
    assert replayed.exit_code == 0, replayed.output
    assert json.loads(replayed.output)["rows"] == EACH * len(DESIGNS)


def basis(row: Allocation) -> dict[str, Any]:
    assert row.basis is not None
    return row.basis


def environment(site: Site) -> dict[str, str]:
    names = ("home", "kind", "database_url", "secret_key", "password_salt", "data_key", "keys", "base_url")
    return {f"PILOT_{name.upper()}": str(getattr(site.settings, name)) for name in names}


@pytest.mark.parametrize("method", ["minimization", "adaptive"])
def test_a_second_click_gives_the_same_arm_under_every_design(new_site, method: str):
    site = new_site(protocol=drawn_by(method))
    first, again = enrolled(site, range(1, 2)), enrolled(site, range(1, 2))
    assert [(row.arm, row.position, row.row_hash) for row in first] == [
        (row.arm, row.position, row.row_hash) for row in again
    ]


def test_outreach_arms_can_be_strata_so_that_the_second_stage_is_drawn_within_the_first(site: Site):
    within = {"method": "permuted_blocks", "ratio": shipped().allocation.to_dict()["ratio"], "multiples": [1]}
    amend(site, changed(lambda data: data.update(allocation={**within, "strata": ["outreach_arm"]})))
    rows = enrolled(site, range(1, 4))
    assert {row.stratum for row in rows} == {"open_link"}
    assert {row.covariates["outreach_arm"] for row in rows} == {"open_link"}
    assert len({row.arm for row in rows}) == 3
    with site.reading() as (session, pilot):
        assert audit.replay(session, pilot, key=site.key(), mode="live") == []


@pytest.fixture
def learned(new_site, address: str) -> Site:
    """An adaptive pilot after its interim look: of twenty-four people only those with the voucher began training."""
    site = new_site(database_url=address, protocol=drawn_by("adaptive"))
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        for number in range(24):
            participant = site.enrol(session, person(number))
            arm = session.scalars(select(Allocation.arm).where(Allocation.participant_id == participant.id)).one()
            given = {"training_started": "yes" if arm == "voucher" else "no"}
            later = START + timedelta(days=366)
            for wave in protocol.waves[1:]:
                site.fill(session, protocol, participant, wave.name, person(number), later, given=given)
                answering.submit(session, protocol, participant, wave.name, now=later)
        look = results.open_look(
            session, pilot, protocol, "interim", folder=site.settings.freezes,
            statistician_id=site.staff["statistician"], now=YEAR,
        )  # fmt: skip
        assert look.evidence is not None
        assert look.evidence["voucher"][0] > 0 == look.evidence["voucher"][1]
        assert look.evidence["portal"][0] == 0 < look.evidence["portal"][1]
    return site


def test_outcomes_reach_the_draw_by_a_look_and_are_kept_with_it(learned: Site):
    before = enrolled(learned, range(24))
    after = enrolled(learned, range(200, 212), now=YEAR)
    assert all(basis(row)["evidence"]["voucher"] == [0, 0] and "look" not in basis(row) for row in before)
    assert {round(float(Fraction(row.probability)), 5) for row in before} == {0.33333}
    assert {basis(row)["look"] for row in after} == {"interim"}
    chances = {arm: Fraction(chance) for arm, chance in basis(after[0])["probabilities"].items()}
    assert chances["voucher"] > Fraction(3, 4)
    assert min(chances.values()) >= Fraction(1, 10)
    with learned.reading() as (session, pilot):
        assert audit.verify(session, pilot) == []
        assert audit.replay(session, pilot, key=learned.key(), mode="live") == []


def test_evidence_that_no_look_gave_is_seen(learned: Site):
    enrolled(learned, range(200, 203), now=YEAR)
    with learned.writing() as (session, pilot):
        look = results.opened(session, pilot, "interim")
        assert look is not None
        assert look.evidence is not None
        look.evidence = {**look.evidence, "portal": [5, 0]}
        session.flush()
        assert {d.what for d in audit.replay(session, pilot, key=learned.key(), mode="live")} == {"evidence"}
        session.rollback()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"method": "complete"},
            "'complete' draws a complete list at once, and people arrive one by one; use permuted",
        ),
        ({"method": "clustered", "clusters": "region"}, "draw the clusters with `pilot randomize` before anybody"),
        ({"method": "permuted_blocks", "strata": ["regio"]}, "'regio' is no covariate; define it under population"),
        ({"method": "minimization", "factors": ["regio"]}, "'regio' is no covariate; define it under population"),
        ({"method": "adaptive"}, "give it a floor above 0 and name the column of the chances under analysis_plan"),
    ],
)
def test_a_design_that_people_cannot_be_drawn_by_is_refused_with_the_remedy(change: dict, said: str):
    ratio = shipped().allocation.to_dict()["ratio"]
    with pytest.raises(InvalidProtocol) as found:
        changed(lambda data: data.update(allocation={"ratio": ratio, **change}))
    assert said in str(found.value)


def test_an_adaptive_pilot_needs_a_look_to_learn_from():
    def only_final(data: dict) -> None:
        data["looks"] = [look for look in data["looks"] if look.get("final")]

    with pytest.raises(InvalidProtocol) as found:
        changed(only_final, drawn_by("adaptive"))
    assert "add a look without `final`" in str(found.value)


def test_the_maximal_procedure_needs_to_know_how_many_are_planned():
    with pytest.raises(InvalidProtocol) as found:
        drawn_by("maximal_procedure", length=None)
    assert "`length`, the number of people planned for a stratum" in str(found.value)


def test_a_long_maximal_procedure_keeps_its_chances_exactly(new_site, address: str):
    """Chances of long sequences are fractions of dozens of digits."""
    site = new_site(database_url=address, protocol=drawn_by("maximal_procedure", length=400, mti=5, strata=[]))
    rows = enrolled(site, range(1, 7))
    assert max(len(row.probability) for row in rows) > 40
    with site.reading() as (session, pilot):
        assert audit.replay(session, pilot, key=site.key(), mode="live") == []


def test_two_stages_are_refused_with_the_way_to_have_them():
    with pytest.raises(InvalidProtocol) as found:
        changed(lambda data: data.update(allocation=two_stages()))
    assert "write 'outreach_arm' under strata" in str(found.value)


def two_stages() -> dict:
    first = {"method": "complete", "ratio": {"letter": 1, "call": 1}}
    return {"method": "two_stage", "first": first, "second": {"portal": 1, "advice": 1, "voucher": 1}}
