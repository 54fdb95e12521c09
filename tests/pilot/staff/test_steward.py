"""A steward takes files in, sends letters out, answers people who ask about their data, and reads the record."""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from small_pilot import FOLDER, person
from sqlalchemy import func, select

from pilot import dataset, imports, locking, worker
from pilot.imports import rows_in
from pilot.journey import answering, consent
from pilot.models import Allocation, Event, Freeze, Identity, Invitee, Offer, Participant, Submission

LIST = "reference,name,address,region\nA1,Ans Proef,Dorpsstraat 1,noord\nA2,=Bert Proef,Dorpsstraat 2,zuid\n"


def upload(office, path: str, text: str | bytes, *, who: str = "steward", **form):
    content = text.encode() if isinstance(text, str) else text
    return office.post(who, path, file=(io.BytesIO(content), "list.csv"), **form)


def how_many(office, kind) -> int:
    with office.database.reading() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_list_of_people_to_invite_is_taken_in_and_handed_to_the_printer_once(office):
    assert upload(office, "steward/imports/invitations", LIST, batch="lijst een").status_code == 303
    assert "2 letters wait." in office.get("steward", "steward/letters")
    answer = office.post("steward", "steward/letters")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert [row["reference"] for row in rows] == ["A1", "A2"]
    assert rows[1]["name"] == "'=Bert Proef", "a spreadsheet takes no name for a formula"
    assert all(re.fullmatch(rf"http://localhost/p/{office.slug}/c/\w{{8}}", row["link"]) for row in rows)
    assert "No letter waits." in office.get("steward", "steward/letters")
    with office.database.reading() as session:
        assert {invitee.sent_at for invitee in session.query(Invitee)} == {office.now}


def sheets(content: bytes) -> int:
    """How many pages a PDF has; its objects are packed."""
    packed = re.findall(rb"/FlateDecode.*?>>\s*stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    inside = content + b"".join(zlib.decompressobj().decompress(stream) for stream in packed)
    return len(re.findall(rb"/Type /Page\b", inside))


def test_letters_are_printed_one_a_sheet_and_again_only_for_who_has_not_come(office):
    people = "reference,name,address\nA1,Anna Proef,Straat 1\nA2,Bert Proef,Straat 2\n"
    upload(office, "steward/imports/invitations", people, batch="lijst twee")
    made = office.post("steward", "steward/letters/print", page="steward/letters")
    assert made.status_code == 303
    assert office.post("steward", "steward/letters/print", page="steward/letters").status_code == 303
    shown = office.html("steward", "steward/letters")
    (number,) = set(re.findall(r"letters/(\d+)\.pdf", shown))
    path = f"/{office.slug}/steward/letters/{number}.pdf"
    first = office.browser("steward").get(path)
    assert first.mimetype == "application/pdf"
    assert sheets(first.data) == 2
    assert office.browser("interviewer").get(path).status_code == 404
    with office.database.writing() as session:
        session.query(Invitee).filter_by(reference="A1").one().opened_at = office.now
    assert sheets(office.browser("steward").get(path).data) == 1
    for _ in range(2):
        office.post("steward", f"steward/letters/{number}/posted", page="steward/letters")
    with office.database.reading() as session:
        kinds = [event.kind for event in session.query(Event) if event.kind.startswith("letters_")]
    assert kinds == ["letters_handed_over", "letters_posted"]
    assert "They are posted" not in office.get("steward", "steward/letters")


def test_a_bad_row_imports_nobody_and_each_line_says_why(office):
    bad = LIST + "A1,Nog een keer,,\n,Zonder kenmerk,,\n"
    answer = upload(office, "steward/imports/invitations", bad)
    assert answer.status_code == 422
    assert "Nothing was imported" in answer.text
    assert re.search(r"Line 4:</strong> Reference &#39;A1&#39; stands on line 2 too", answer.text)
    assert re.search(r"Line 5:</strong> &#39;reference&#39; is empty or missing", answer.text)
    assert how_many(office, Invitee) == 0


@pytest.mark.parametrize("kind", ["invitations", "participants", "catalogue"])
def test_a_form_without_a_file_and_a_file_in_another_alphabet_are_explained(office, kind):
    before = how_many(office, Offer)
    missing = office.post("steward", f"steward/imports/{kind}")
    assert missing.status_code == 422
    assert "Choose a file." in missing.text
    strange = upload(office, f"steward/imports/{kind}", b"reference,name\nA1,Andr\xe9\n")
    assert strange.status_code == 422
    assert "Line 2:</strong> This is no UTF-8" in strange.text
    assert "Nothing was imported" in upload(office, f"steward/imports/{kind}", "reference,name\n").text
    assert (how_many(office, Invitee), how_many(office, Offer)) == (0, before)


def file_of_people(office, *numbers: int, **changed: str) -> str:
    """A researcher's own file: the answers that people of these numbers gave, as columns."""
    with office.site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        columns = imports.columns(protocol)
        rows = []
        for number in numbers:
            someone = person(number)
            one = office.site.enrol(session, someone, until="baseline")
            waves = (answering.SCREENING, protocol.baseline.name)
            answers = {
                f"{wave}__{name}": " ".join(value) if isinstance(value, list) else value
                for wave in waves
                for name, value in said(session, one, wave).items()
            }
            row = {"reference": f"R{number}", "name": someone.name, "phone": someone.phone, "email": "",
                   "screening__birth_date": someone.birth_date.isoformat(),
                   **{name: "yes" for name in columns if name.startswith("consent__")}}  # fmt: skip
            rows.append({name: {**answers, **row}.get(name, "") for name in columns})
        session.rollback()
    rows[-1].update(changed)
    written = io.StringIO()
    writer = csv.DictWriter(written, columns)
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def said(session, someone: Participant, wave: str) -> dict[str, Any]:
    draft = answering.draft(session, someone, wave)
    assert draft is not None
    return draft.answers


def test_people_from_a_researchers_file_are_enrolled_and_drawn(office):
    before = how_many(office, Allocation)
    answer = upload(office, "steward/imports/participants", file_of_people(office, 41, 42), draw="yes")
    assert answer.status_code == 303, answer.text
    assert how_many(office, Allocation) == before + 2
    assert "Taken in: 2 people" in office.get("steward", "steward/imports/participants")


def test_one_bad_person_in_a_file_takes_in_nobody(office):
    before = how_many(office, Participant), how_many(office, Allocation)
    text = file_of_people(office, 43, 44, phone="12")
    answer = upload(office, "steward/imports/participants", text, draw="yes")
    assert answer.status_code == 422
    assert re.search(r"Line 3:</strong> phone: &#39;12&#39; is no telephone number", answer.text)
    assert (how_many(office, Participant), how_many(office, Allocation)) == before


def test_a_misspelt_column_names_the_right_one(office):
    text = file_of_people(office, 45).replace("screening__schooling", "screening__schoolign", 1)
    assert "Did you mean &#39;screening__schooling&#39;?" in upload(office, "steward/imports/participants", text).text


def test_the_catalogue_is_replaced_by_reference_and_a_bad_row_changes_nothing(office):
    before = how_many(office, Offer)
    text = (FOLDER / "catalogue.csv").read_text(encoding="utf-8")
    first = rows_in(text.encode())[0]
    header = "reference,kind,title,provider,cost\n"
    assert (
        upload(office, "steward/imports/catalogue", f"{header}{first['reference']},training,Nieuw,ROC,5\n").status_code
        == 303
    )
    wrong = upload(office, "steward/imports/catalogue", f"{header}N1,training,Goed,ROC,5\nN2,dance,Fout,ROC,veel\n")
    assert wrong.status_code == 422
    assert "kind: &#39;dance&#39; is not one of" in wrong.text
    with office.database.reading() as session:
        assert session.scalar(select(Offer.title).where(Offer.reference == first["reference"])) == "Nieuw"
    assert how_many(office, Offer) == before


def flagged(office) -> tuple[str, str]:
    """Two people with one telephone number; the second is drawn as well."""
    with office.site.writing() as (session, _pilot):
        first = session.scalars(select(Identity).order_by(Identity.participant_id)).first()
        again = office.site.enrol(session, person(80, phone=first.phone, email=None), until="allocate")
        return first.participant.study_id, again.study_id


@pytest.mark.parametrize(("verdict", "withdrawn"), [("same", "no_contact"), ("different", None)])
def test_a_possible_duplicate_is_judged_once_and_no_arm_changes(office, verdict, withdrawn):
    first, later = flagged(office)
    shown = office.get("steward", "steward/duplicates")
    assert first in shown
    assert later in shown
    page = "steward/duplicates"
    assert office.post("steward", f"{page}/{later}", page=page, verdict="perhaps").status_code == 409
    arms = how_many(office, Allocation)
    assert office.post("steward", f"{page}/{later}", page=page, verdict=verdict).status_code == 303
    assert "Nothing is to be judged." in office.get("steward", page)
    with office.database.reading() as session:
        assert office.participant(session, later).withdrawn == withdrawn
        assert office.participant(session, first).withdrawn is None
        kept = session.query(Event).filter_by(kind="duplicate_judged").one()
        assert kept.detail == {"verdict": verdict, "first": first}
    assert how_many(office, Allocation) == arms


def test_a_person_is_found_by_number_code_telephone_or_address_and_by_nothing_else(office):
    study_id = office.study_id("advice")
    with office.database.reading() as session:
        known = session.get(Identity, office.participant(session, study_id).id)
    local = "0" + known.phone.removeprefix("+31")
    for typed in (study_id.lower(), known.resume_code, known.phone, local, known.email.upper()):
        answer = office.post("steward", "steward/people", who=typed)
        assert answer.status_code == 303, typed
        assert answer.location.endswith(study_id)
    for typed in ("", "NOBODY2222", known.name):
        assert office.post("steward", "steward/people", who=typed).status_code == 422


def test_people_get_everything_that_is_kept_about_them_and_that_is_kept_too(office):
    study_id = office.study_id("voucher")
    page = f"steward/people/{study_id}"
    answer = office.post("steward", f"{page}/copy", page=page)
    assert answer.mimetype == "application/json"
    kept = json.loads(answer.data)
    assert kept["contact"]["name"] == office.name_of(study_id)
    assert kept["draw"]["arm"] == "voucher"
    assert {one["wave"] for one in kept["answers"]} == {"baseline"}
    assert kept["voucher"]["amount_cents"] > 0
    assert "own data handed over" in office.get("steward", "audit")


def test_contact_data_are_mended_and_a_wrong_number_is_not_taken(office):
    study_id = office.study_id("portal")
    page = f"steward/people/{study_id}/contact"
    assert office.post("steward", page, name="Nieuwe Naam", phone="123", email="").status_code == 422
    new = {"name": "Nieuwe Naam", "phone": "06 98 76 54 32", "email": ""}
    assert "Choose why." in office.post("steward", page, **new).text
    before = office.name_of(study_id)
    assert office.post("steward", page, **new, reason="other", reason_namely="  getrouwd ").status_code == 303
    shown = office.get("steward", f"steward/people/{study_id}")
    assert "Nieuwe Naam" in shown
    assert "+31698765432" in shown
    with office.database.reading() as session:
        person = office.participant(session, study_id)
        event = session.query(Event).filter_by(kind="contact_corrected").one()
        (earlier,) = json.loads(session.get(Identity, person.id).earlier)
    assert event.detail["reason"] == "other: getrouwd"
    assert event.detail["fields"] == ["name", "phone", "email", "postcode"]
    assert event.actor_id is not None
    assert (earlier["name"], earlier["by"], earlier["why"]) == (before, event.actor_id, "other: getrouwd")
    assert before not in str(event.detail)
    assert "reason: getrouwd" in office.get("steward", "audit")


def test_an_answer_is_mended_in_a_new_revision_with_its_reason(office):
    study_id = office.study_id("portal")
    page = f"steward/people/{study_id}/answers/baseline"
    key = "training_intention"
    shown = office.html("steward", f"{page}/{key}")
    values = re.findall(rf'name="{key}" value="([^"]+)" type="radio"(?! checked)', shown)
    assert values
    without = office.post("steward", f"{page}/{key}", **{key: values[0]})
    assert without.status_code == 422
    assert "Choose why." in without.text
    assert office.post("steward", f"{page}/{key}", **{key: "no such answer"}, reason="typing").status_code == 422
    assert office.post("steward", f"{page}/{key}", **{key: values[0]}, reason="typing").status_code == 303
    assert "Revision 2." in office.get("steward", page)
    with office.database.reading() as session:
        mine = Submission.participant_id == office.participant(session, study_id).id
        old, new = session.scalars(select(Submission).where(mine).order_by(Submission.revision))
        assert new.answers[key] == values[0] != old.answers[key]
        event = session.query(Event).filter_by(kind="answer_corrected").one()
        assert (event.detail["questions"], event.detail["reason"]) == ([key], "typing")


def test_the_degrees_of_stopping_have_no_picture_that_is_not_there(office):
    shown = office.html("steward", f"steward/people/{office.study_id('advice')}")
    assert shown.count('name="degree"') == 3
    assert 'src="secondary"' not in shown


def test_erasure_takes_away_the_answers_and_replaces_every_freeze(office):
    study_id = office.study_id("advice")
    name, folder = office.name_of(study_id), office.settings.freezes
    with office.site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        dataset.freeze(session, pilot, protocol, folder=folder, with_arms=False, actor_id=None, now=office.now)
    page = f"steward/people/{study_id}"
    assert office.post("steward", f"{page}/stop", page=page, degree="erase").status_code == 422
    assert office.post("steward", f"{page}/stop", page=page, degree="erase", sure="yes").status_code == 303
    shown = office.get("steward", page)
    assert name not in shown
    assert "There are no contact data." in shown
    office.get("steward", f"{page}/answers/baseline", status=404)
    with office.database.reading() as session:
        first, second = session.scalars(select(Freeze).order_by(Freeze.number))
        assert first.superseded_by == second.id
        rows = dataset.read_freeze(folder, second)
        assert rows.loc[rows["study_id"] == study_id, "baseline__work"].isna().all()
        assert rows.loc[rows["study_id"] != study_id, "baseline__work"].notna().all()


def test_the_audit_page_says_that_the_record_is_whole_and_says_so_when_it_is_not(office):
    shown = office.get("steward", "audit")
    assert "12 draws were followed link by link" in shown
    assert "would give away what comes next" in shown
    with office.database.writing() as session:
        one = session.query(Allocation).order_by(Allocation.stratum, Allocation.position).first()
        one.arm = "voucher" if one.arm != "voucher" else "portal"
    broken = office.get("steward", "audit")
    assert "The record of draws does not add up" in broken
    assert "was changed after it was written" in broken


def test_the_record_is_filtered_by_deed_and_by_person(office):
    study_id, other = office.study_id("advice"), office.study_id("portal")
    client = office.browser("steward")
    path = f"/{office.slug}/audit?lang=en"
    mine = client.get(f"{path}&person={study_id.lower()}&kind=allocated").text
    assert study_id in mine
    assert other not in mine
    assert "Nothing of this kind is on record." in client.get(f"{path}&person=NOBODY2222").text


def test_the_overview_says_until_when_names_are_kept_and_when_they_went(office):
    shown = office.get("steward", "steward")
    row = re.search(r"Names and contact data of participants (\d+ \w+ \d+) (\d+ \w+ \d+) 12", shown)
    assert row, shown
    needed, goes = (datetime.strptime(day, "%d %B %Y").replace(tzinfo=UTC) for day in row.groups())
    assert goes - needed == timedelta(days=30)
    office.now = goes + timedelta(hours=12)
    assert "(the worker has not run since)" in office.get("steward", "steward")
    worker.round_once(office.database, office.settings, clock=lambda: office.now)
    assert f"done on {row[2]} 0" in office.get("steward", "steward")


def test_the_overview_says_what_was_published_and_what_was_kept_back(office):
    assert "What policymakers see" not in office.get("steward", "steward")
    worker.round_once(office.database, office.settings, clock=lambda: office.now)
    assert "Recruitment 5 March 2026" in office.get("steward", "steward")


def test_messages_are_counted_by_kind_and_never_show_an_address(office):
    shown = office.get("steward", "messages")
    assert "Receipt of the draw 12 0 0 0" in shown
    assert "@" not in shown


def test_an_advisor_has_none_of_these_pages(office):
    study_id = office.study_id("advice", advisor="advisor")
    for path in ("steward", "steward/people", f"steward/people/{study_id}", "steward/letters", "messages", "audit"):
        assert "There is no such page" in office.get("advisor", path, status=404)


def test_somebody_else_to_call_is_mended_or_taken_away_by_a_steward_and_never_added(office):
    study_id = office.study_id("portal")
    page = f"steward/people/{study_id}/contact"
    form = {"name": "Nieuwe Naam", "phone": "0698765432", "reason": "typing"}
    second = {"second_name": "Zus Tweede", "second_phone": "06 11 11 22 22"}
    assert "second_name" not in office.html("steward", page)
    assert office.post("steward", page, **form, **second).status_code == 303

    def kept():
        with office.database.reading() as session:
            known = office.participant(session, study_id).identity
            return known.second_name, known.second_phone, known.earlier or ""

    assert kept()[:2] == (None, None)
    with office.database.writing() as session:
        someone = office.participant(session, study_id)
        someone.identity.second_name, someone.identity.second_phone = "Zus Eerste", "+31611112222"
        consent.second_contact(session, someone, given=True, language="nl", now=office.now)
    assert office.post("steward", page, **form, second_name="Zus Tweede").status_code == 422
    assert office.post("steward", page, **form, **second, second_as="same").status_code == 303
    assert kept()[:2] == ("Zus Tweede", "+31611112222")
    assert "Zus Eerste" in kept()[2]
    assert office.post("steward", page, **form).status_code == 303
    name, phone, earlier = kept()
    assert (name, phone) == (None, None)
    assert "Zus" not in earlier
    assert "+31611112222" not in earlier
    with office.database.reading() as session:
        assert consent.standing(session, office.participant(session, study_id))["second_contact"] == ("1", False)


def test_the_menu_marks_the_room_that_a_page_lies_in_and_offers_no_page_that_is_not_there(office):
    def marked(who: str, path: str) -> list[tuple[str, str]]:
        menu = office.html(who, path).split('<nav class="rooms"')[1].split("</nav>")[0]
        return re.findall(r'aria-current="(page|true)">([^<]+)<', menu)

    assert marked("researcher", "sample-size") == [("page", "Sample size")]
    assert marked("researcher", "sample-size/time") == [("true", "Sample size")]
    assert marked("steward", "flow") == [("page", "Flow")]
    assert "/looks" not in office.html("steward", "flow")
    assert "/looks" in office.html("researcher", "flow")
