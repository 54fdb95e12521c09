"""Lists and files from a researcher: all of it or nothing, and every reason by its line."""

from __future__ import annotations

import pytest
from small_pilot import START, Site
from sqlalchemy import func, select

from pilot import imports, locking
from pilot.errors import Refused
from pilot.journey import outreach
from pilot.models import Allocation, Invitee, Participant, Submission
from pilot.problems import InvalidRows

ANSWERS = {"screening__birth_date": "1985-07-03", "screening__schooling": "mbo2", "screening__work": "employed",
           "screening__region": "noord", "screening__works_in_netherlands": "yes"}  # fmt: skip


def desk(site: Site, session) -> imports.Desk:
    pilot = site.pilot(session)
    version, protocol = locking.in_force(session, pilot.id)
    return imports.Desk(pilot, version, protocol, site.database.keyring, site.secret, site.settings.keys)


def complete_row(site: Site, number: int, **changes: str) -> dict[str, str]:
    """A row with every answer of screening and first list, as an export of the same person would hold them."""
    with site.writing() as (session, _pilot):
        model = site.enrol(session, number + 1000, until="baseline")
        first = session.scalars(select(Submission).where(Submission.participant_id == model.id)).one()
        row = {f"baseline__{name}": _cell(value) for name, value in first.answers.items()}
        session.rollback()
    own = {"reference": f"R{number}", "name": f"Rij {number}", "phone": f"06 1000{number:04d}", "email": ""}
    yes = {"consent__participate": "ja", "consent__linkage": "nee"}
    return {**own, **yes, **ANSWERS, **row, **changes}


def _cell(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else "OK" if value is True else str(value)


def take_in(site: Site, rows: list[dict[str, str]], *, allocate: bool = True) -> imports.Imported:
    with site.writing() as (session, _pilot):
        return imports.import_participants(session, desk(site, session), rows, allocate=allocate, now=START)


def people(site: Site) -> int:
    with site.reading() as (session, _pilot):
        return session.scalar(select(func.count()).select_from(Participant)) or 0


def test_a_file_of_people_goes_through_the_same_steps_as_everybody(either_site: Site):
    rows = [complete_row(either_site, number) for number in range(3)]
    rows[2]["screening__schooling"] = "hbo_wo"
    assert take_in(either_site, rows) == imports.Imported(enrolled=3, not_eligible=1, allocated=2)
    with either_site.reading() as (session, _pilot):
        arms = session.scalars(select(Allocation)).all()
        modes = set(session.scalars(select(Submission.mode)))
    assert len(arms) == 2
    assert modes == {"desk"}


WRONG = {
    "a telephone number that is none": ({"phone": "12"}, "no telephone number"),
    "no consent": ({"consent__participate": "nee"}, "without consent nobody is enrolled"),
    "consent that says neither": ({"consent__participate": "maybe"}, "write yes or no"),
    "an unknown answer": ({"screening__region": "mars"}, "screening__region"),
    "a missing answer": ({"screening__schooling": ""}, "screening__schooling"),
    "no reference": ({"reference": ""}, "'reference' is empty"),
    "no name": ({"name": ""}, "'name' is empty"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_one_wrong_row_keeps_the_whole_file_out(site: Site, fault: str):
    change, said = WRONG[fault]
    rows = [complete_row(site, 1), complete_row(site, 2, **change), complete_row(site, 3)]
    with pytest.raises(InvalidRows) as found:
        take_in(site, rows)
    assert [line for line, _reason in found.value.problems] == [3]
    assert said in str(found.value.problems[0][1])
    assert people(site) == 0


def test_every_wrong_row_is_named_and_a_misspelt_column_has_its_nearest_name(site: Site):
    rows = [complete_row(site, number, phone="12") for number in (1, 2)]
    with pytest.raises(InvalidRows) as found:
        take_in(site, rows)
    assert [line for line, _reason in found.value.problems] == [2, 3]
    misspelt = {("screening__regoin" if name == "screening__region" else name): v for name, v in rows[0].items()}
    with pytest.raises(InvalidRows, match="did you mean 'screening__region'"):
        take_in(site, [misspelt])


def test_the_same_reference_twice_or_again_is_refused(site: Site):
    row = complete_row(site, 1)
    with pytest.raises(InvalidRows, match="stands on line 2 too"):
        take_in(site, [row, {**row, "phone": "0612345678"}])
    take_in(site, [row])
    with pytest.raises(InvalidRows, match="imported before"):
        take_in(site, [row])
    assert people(site) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"reference,name\nR1,Zo\xeb\n", "line 2: this is no UTF-8")],
)
def test_a_file_that_is_no_table_is_explained(tmp_path, content: bytes | None, said: str):
    path = tmp_path / "people.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refused, match=said):
        imports.rows_of(path)


@pytest.mark.parametrize("text", ["\ufeffreference;name\nR1; Zoë \n", "reference,name\nR1, Zoë \n"])
def test_commas_and_semicolons_are_both_read(tmp_path, text: str):
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    assert imports.rows_of(path) == [{"reference": "R1", "name": "Zoë"}]


def invite(site: Site, rows: list[dict[str, str]], batch: str = "b") -> outreach.Imported:
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        return outreach.import_list(
            session, pilot, protocol, rows, batch=batch, keyring=site.database.keyring, actor_id=None, now=START
        )


def test_invited_people_are_split_evenly_before_anybody_is_known(site: Site):
    done = invite(site, [{"reference": str(number)} for number in range(101)])
    assert sorted(done.counts.values()) == [50, 51]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_latecomers_is_invited_too(site: Site, count: int):
    done = invite(site, [{"reference": str(number)} for number in range(count)])
    assert sum(done.counts.values()) == count


def test_a_list_with_one_bad_row_invites_nobody(site: Site):
    rows = [{"reference": "1"}, {"reference": ""}, {"reference": "1"}, {"reference": "4", "language": "xx"}]
    with pytest.raises(InvalidRows) as found:
        invite(site, rows)
    assert [line for line, _reason in found.value.problems] == [3, 4, 5]
    with pytest.raises(InvalidRows, match="the file is empty"):
        invite(site, [])
    with site.reading() as (session, _pilot):
        assert session.scalars(select(Invitee)).all() == []


def test_nobody_is_invited_twice_and_letters_are_handed_over_once(site: Site):
    invite(site, [{"reference": "1", "name": "Jan"}, {"reference": "2"}])
    with pytest.raises(InvalidRows, match="imported before"):
        invite(site, [{"reference": "1"}], "second")
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        first = outreach.hand_over(session, pilot, protocol, base_url="http://x", actor_id=None, now=START)
        again = outreach.hand_over(session, pilot, protocol, base_url="http://x", actor_id=None, now=START)
    assert [row["reference"] for row in first] == ["1", "2"]
    assert again == []
