"""`pilot note`: a steward's note about an allocation has its reason and its own details, and leaves the arm alone."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from small_pilot import Site, person
from sqlalchemy import select

from pilot.cli import main
from pilot.journey import allocation
from pilot.models import Allocation, Event


@pytest.fixture
def told(site: Site):
    """`told("unblind", …)` keeps a note about the one person of a pilot; gives exit code and answer."""
    with site.writing() as (session, _pilot):
        study_id = site.enrol(session, person(1)).study_id
    names = ("home", "kind", "database_url", "secret_key", "password_salt", "data_key", "keys")
    environment = {f"PILOT_{name.upper()}": str(getattr(site.settings, name)) for name in names}

    def run(*words: str, by: str = "steward@proef.nl", reason: str = "because"):
        command = ["--json", "note", "add", site.slug, study_id, *words, "--by", by, "--reason", reason]
        return CliRunner().invoke(main, command, env=environment)

    run.site, run.study_id = site, study_id  # type: ignore[attr-defined]
    run.listed = lambda: CliRunner().invoke(main, ["--json", "note", "list", site.slug], env=environment)  # type: ignore[attr-defined]
    return run


KINDS = {
    "unblind": (), "withdraw": (), "override": ("--given", "voucher"), "stratum-error": ("--right", "region=west"),
}  # fmt: skip


def test_each_kind_is_kept_with_reason_actor_and_detail_and_the_arm_stays(told):
    with told.site.reading() as (session, _pilot):
        before = session.scalars(select(Allocation)).one()
    answers = {kind: json.loads(told(kind, *words).output) for kind, words in KINDS.items()}
    replaced = json.loads(told("replace", "--replaced-by", told.study_id).output)
    assert replaced["detail"] == {"replaced_by": told.study_id}
    assert answers["unblind"]["arm"] == before.arm
    assert answers["override"] == {
        **answers["override"], "arm": None, "detail": {"given": "voucher"}, "study_id": told.study_id,
    }  # fmt: skip
    notes = json.loads(told.listed().output)["notes"]
    assert [one["kind"] for one in notes] == [*(kind.replace("-", "_") for kind in KINDS), "replace"]
    assert {(one["reason"], one["by"]) for one in notes} == {("because", "steward@proef.nl")}
    with told.site.reading() as (session, _pilot):
        after = session.scalars(select(Allocation)).one()
        kinds = set(session.scalars(select(Event.kind).where(Event.kind.startswith("allocation_"))))
    assert (after.arm, after.row_hash, after.position) == (before.arm, before.row_hash, before.position)
    assert kinds == {f"allocation_{kind}" for kind in allocation.NOTES}


@pytest.mark.parametrize(
    ("words", "others", "said"),
    [
        (("unblind",), {"by": "researcher@proef.nl"}, "researcher@proef.nl is no steward"),
        (("unblind",), {"by": "nobody@proef.nl"}, "nobody signs in as nobody@proef.nl"),
        (("unblind",), {"reason": " "}, "give the reason"),
        (("override",), {}, "--given belongs to a note of override, and is needed there"),
        (("unblind", "--given", "voucher"), {}, "--given belongs to a note of override"),
        (("override", "--given", "nothing"), {}, "'nothing' is no arm; choose from"),
        (("stratum-error", "--right", "regio=west"), {}, "with a name out of"),
        (("replace", "--replaced-by", "NOBODY"), {}, "has study id NOBODY"),
    ],
)
def test_a_note_that_cannot_be_is_refused_and_nothing_is_kept(told, words, others, said: str):
    found = told(*words, **others)
    assert found.exit_code == 1
    assert said in found.output
    assert json.loads(told.listed().output)["notes"] == []
