"""People take part: by letter or by link, in any spelling, with breaks, double clicks and old pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from small_pilot import START, person
from sqlalchemy import select
from visitors import Doors, errors

from pilot import access, locking, own_data
from pilot.journey import consent, outreach, withdrawal
from pilot.models import (
    Allocation,
    Consent,
    Draft,
    Event,
    Identity,
    Invitee,
    Message,
    Participant,
    Screening,
    Submission,
)


def everyone(doors: Doors, model):
    with doors.site.reading() as (session, _pilot):
        return session.scalars(select(model)).all()


def invite(doors: Doors, *references: str) -> dict[str, str]:
    """Reference to code of people who got a letter."""
    site = doors.site
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        rows = [{"reference": reference, "name": f"Brief {reference}"} for reference in references]
        outreach.import_list(
            session, pilot, protocol, rows, batch="b", keyring=site.database.keyring, actor_id=None, now=START
        )
        return {row.reference: row.code for row in session.scalars(select(Invitee))}


def test_somebody_comes_by_the_open_link_and_is_drawn(doors: Doors):
    visitor = doors.visitor().start().go_on()
    allocation, participant = everyone(doors, Allocation)[0], everyone(doors, Participant)[0]
    assert visitor.status == 200
    assert allocation.row_hash[:12] in visitor.page
    assert participant.outreach_arm == "open_link"
    assert allocation.covariates["region"] == visitor.who.region
    assert [m.kind for m in everyone(doors, Message)] == ["receipt"]


def test_somebody_comes_by_the_code_in_a_letter_typed_as_people_type(doors: Doors):
    code = invite(doors, "A1")["A1"]
    typed = f" {code[:4].lower()}-{code[4:]} "
    visitor = doors.visitor().start(code=typed).go_on("contact")
    assert "Brief A1" in visitor.page
    participant, invitee = everyone(doors, Participant)[0], everyone(doors, Invitee)[0]
    assert participant.invitee_id == invitee.id
    assert participant.outreach_arm == invitee.outreach_arm != "open_link"
    assert invitee.opened_at is not None


def test_the_address_in_a_letter_opens_again_and_again_for_one_person(doors: Doors):
    code = invite(doors, "A1")["A1"]
    for _ in range(3):
        visitor = doors.visitor().open(f"/p/{doors.site.slug}/c/{code}").send()
        assert visitor.step == "q"
    assert len(everyone(doors, Participant)) == 1


def test_a_code_that_nobody_was_given_is_explained(doors: Doors):
    visitor = doors.visitor().start(code="ZZZZ9999")
    assert visitor.status == 422
    assert "Vergelijk" in errors(visitor.page)
    assert everyone(doors, Participant) == []


def test_somebody_of_seventeen_hears_where_else_to_go(doors: Doors):
    young = person(1, birth_date=START.date().replace(year=START.year - 18) + timedelta(days=1))
    visitor = doors.visitor(young).start().go_on("other-help")
    assert "jonger dan 18" in visitor.page
    assert everyone(doors, Screening)[0].reason == "too_young"
    again = visitor.open(f"/e/{visitor.token}/draw")
    assert again.step == "other-help"


def test_somebody_takes_part_on_the_eighteenth_birthday(doors: Doors):
    adult = person(1, birth_date=START.date().replace(year=START.year - 18))
    assert doors.visitor(adult).start().go_on("consent").status == 200


def test_the_birth_date_leaves_the_answers_once_the_age_is_known(doors: Doors):
    doors.visitor().start().go_on("contact")
    assert "birth_date" not in everyone(doors, Screening)[0].answers
    assert all("birth_date" not in draft.answers for draft in everyone(doors, Draft))
    assert everyone(doors, Identity)[0].birth_date == "1985-07-03"


def test_a_no_to_taking_part_ends_kindly(doors: Doors):
    visitor = doors.visitor().start().go_on("consent")
    visitor.send(participate="no", linkage="no")
    assert visitor.step == "declined"
    assert visitor.open(f"/e/{visitor.token}/contact").step == "declined"
    assert everyone(doors, Allocation) == []


def test_a_no_to_linkage_is_no_obstacle(doors: Doors):
    visitor = doors.visitor().start().go_on("consent")
    assert visitor.send(participate="yes", linkage="no").step == "contact"


def test_a_consent_page_without_a_choice_stays_and_says_so(doors: Doors):
    visitor = doors.visitor().start().go_on("consent").send(participate="yes")
    assert (visitor.status, visitor.step) == (422, "consent")
    assert visitor.send(linkage="yes").step == "contact"


@pytest.mark.parametrize(
    "change",
    # Not the last letter: of its six bits only four belong to the signature, so another one can say the same.
    [lambda t: t[:-20] + ("A" if t[-20] != "A" else "B") + t[-19:], lambda t: "x" + t, lambda t: "x"],
)
def test_a_forged_link_looks_like_a_page_that_is_not_there(doors: Doors, change):
    visitor = doors.visitor().start()
    forged = doors.visitor().open(f"/e/{change(visitor.token)}/draw")
    assert forged.status == 404


def test_a_link_of_one_purpose_opens_no_other_page(doors: Doors):
    visitor = doors.visitor().start().go_on()
    portal = visitor.link("/portal/").split("/")[2]
    assert visitor.open(f"/portal/{portal}").status == 200
    assert visitor.open(f"/e/{portal}/next").status == 404


def test_an_old_link_says_that_it_is_too_old(doors: Doors):
    visitor = doors.visitor().start()
    path = visitor.path
    doors.now = START + timedelta(days=access.LINK_DAYS["enrol"], minutes=2)
    assert doors.visitor().open(path).status == 410
    doors.now = START + timedelta(days=access.LINK_DAYS["enrol"] - 1)
    assert doors.visitor().open(path).status == 200


def test_every_form_sent_twice_is_sent_once(doors: Doors):
    """A double click, and the same form again an hour later: one person, one consent, one list, one arm."""
    visitor = doors.visitor().start()
    for _ in range(80):
        if visitor.step == "next":
            break
        page, path, answers = visitor.page, visitor.path, visitor.answers({})
        visitor.send(**answers)
        ahead = (visitor.page, visitor.path)
        doors.now += timedelta(hours=1)
        visitor.page, visitor.path = page, path
        visitor.send(**answers)
        assert visitor.status in (200, 409), path
        visitor.page, visitor.path = ahead
    kinds = [event.kind for event in everyone(doors, Event)]
    assert kinds.count("enrolled") == kinds.count("screened") == kinds.count("allocated") == 1
    assert kinds.count("consent") == 2
    assert [s.revision for s in everyone(doors, Submission)] == [1]
    assert [m.kind for m in everyone(doors, Message)] == ["receipt"]


def test_the_start_form_sent_twice_makes_one_person(doors: Doors):
    visitor = doors.visitor().open(f"/p/{doors.site.slug}")
    page = visitor.page
    visitor.send()
    visitor.page, visitor.path = page, f"/p/{doors.site.slug}"
    visitor.send()
    assert len(everyone(doors, Participant)) == 1


def test_reloading_after_the_draw_gives_the_same_arm(doors: Doors):
    visitor = doors.visitor().start().go_on()
    receipt = everyone(doors, Allocation)[0].row_hash[:12]
    for path in (visitor.path, f"/e/{visitor.token}/draw", f"/e/{visitor.token}", f"/e/{visitor.token}/check/baseline"):
        assert receipt in visitor.open(path).page
    assert len(everyone(doors, Allocation)) == 1


def test_a_half_filled_form_stays_on_its_page_and_keeps_what_was_typed(doors: Doors):
    visitor = doors.visitor().start().go_on("contact")
    visitor.send(name="Fatima", phone="", email="")
    assert visitor.status == 422
    assert 'value="Fatima"' in visitor.page
    assert "telefoonnummer of een e-mailadres" in errors(visitor.page)
    first = doors.visitor(2).start().go_on("schooling")
    assert first.send().status == 422


@pytest.mark.parametrize(
    "typed", ["06 12345678", "06-12 34 56 78", "+31 6 1234 5678", "0031612345678", "(06) 12.34.56.78"]
)
def test_a_telephone_number_is_taken_as_people_write_it(doors: Doors, typed: str):
    doors.visitor().start().go_on("contact").send(name="Jan", phone=typed, email="")
    assert everyone(doors, Identity)[0].phone == "+31612345678"


@pytest.mark.parametrize("typed", ["12", "geen", "06 1234567"])
def test_something_that_is_no_telephone_number_is_explained(doors: Doors, typed: str):
    visitor = doors.visitor().start().go_on("contact").send(name="Jan", phone=typed, email="")
    assert visitor.status == 422
    assert f'value="{typed}"' in visitor.page


def test_a_name_of_ten_thousand_letters_is_not_kept(doors: Doors):
    visitor = doors.visitor().start().go_on("contact").send(name="x" * 10_000, phone="0612345678")
    assert visitor.status == 422
    assert "200" in errors(visitor.page)
    assert not any(one.name for one in everyone(doors, Identity))


@pytest.mark.parametrize("name", ["Zoë 🌷 O'Brien-Şahin", "李小龍", "<script>alert(1)</script>", "محمد"])
def test_a_name_is_kept_as_it_is_written(doors: Doors, name: str):
    visitor = doors.visitor().start().go_on("contact").send(name=name, phone="0612345678")
    assert everyone(doors, Identity)[0].name == name
    assert "<script>alert" not in visitor.open(f"/e/{visitor.token}/contact").page


def test_somebody_stops_half_way_and_goes_on_elsewhere_with_code_and_birth_date(doors: Doors):
    visitor = doors.visitor().start().go_on("contact")
    visitor.send(**visitor.answers({}))
    stopped_at = visitor.send(**visitor.answers({})).path
    code = everyone(doors, Identity)[0].resume_code or ""
    elsewhere = doors.visitor(9).open(f"/p/{doors.site.slug}/resume")
    born = {"born-day": "3", "born-month": "7", "born-year": "1985"}
    assert elsewhere.send(code=code, **{**born, "born-year": "1986"}).status == 422
    assert elsewhere.send(code="AAAAAA", **born).status == 422
    elsewhere.send(code=f"{code[:3].lower()} {code[3:]}", **born)
    assert elsewhere.path.split("/")[3:] == stopped_at.split("/")[3:]
    assert elsewhere.go_on().status == 200
    assert len(everyone(doors, Participant)) == 1


def test_an_old_page_overwrites_no_newer_answer(doors: Doors):
    visitor = doors.visitor().start().go_on("schooling")
    old = doors.visitor()
    old.client, old.page, old.path = visitor.client, visitor.page, visitor.path
    visitor.go_on("check")
    assert old.send(schooling="primary").status == 409
    assert everyone(doors, Draft)[0].answers["schooling"] == visitor.who.schooling
    old.page, old.path = visitor.page, visitor.path
    assert visitor.go_on("consent").status == 200


def test_an_answer_can_be_changed_before_it_is_sent_and_not_after(doors: Doors):
    visitor = doors.visitor().start().go_on("check")
    back = f"/e/{visitor.token}/q/screening/region"
    visitor.open(back).send(region="zuid")
    visitor.go_on("contact")
    assert everyone(doors, Participant)[0].covariates["region"] == "zuid"
    assert visitor.open(back).step == "contact"


def test_nobody_takes_part_after_the_last_day(doors: Doors):
    doors.now = START.replace(year=2027, month=7, day=1)
    assert 'name="nonce"' not in doors.visitor().open(f"/p/{doors.site.slug}").page


def test_a_draw_by_hand_before_the_questions_leads_back_to_them(doors: Doors):
    visitor = doors.visitor().start()
    asked = visitor.path
    assert visitor.open(f"/e/{visitor.token}/draw").path == asked
    assert everyone(doors, Allocation) == []


OWN = {"name": "Jan", "phone": "0612345678"}
SECOND = {"second_name": "Zus Tweede", "second_phone": "06 11 11 22 22"}
BOTH = {"second_yes": "yes", "second_knows": "yes"}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (SECOND, "second_yes"),
        ({**SECOND, "second_yes": "yes"}, "second_knows"),
        ({**BOTH, "second_name": "Zus Tweede"}, "second_phone"),
        ({**BOTH, "second_phone": "0611112222"}, "second_name"),
        ({**BOTH, **SECOND, "second_phone": "12"}, "second_phone"),
    ],
)
def test_somebody_else_to_call_is_kept_only_whole_and_with_a_yes(doors: Doors, form: dict[str, str], field: str):
    visitor = doors.visitor().start().go_on("contact").send(**OWN, **form)
    assert visitor.status == 422
    assert f'href="#{field}"' in visitor.page
    assert "<details open" in visitor.page
    assert not any(one.second_name or one.second_phone for one in everyone(doors, Identity))


def test_somebody_else_to_call_is_named_taken_back_and_gone_with_the_rest(doors: Doors):
    visitor = doors.visitor().start().go_on("contact")
    assert "<details open" not in visitor.page
    visitor.send(**OWN, **SECOND, **BOTH)
    assert visitor.status == 200

    def standing():
        with doors.site.writing() as (session, _pilot):
            someone = session.scalars(select(Participant)).one()
            contact = own_data.of(session, someone)["contact"]
            second = contact["second_name"], contact["second_phone"]
            return second, consent.standing(session, someone).get("second_contact")

    assert standing() == (("Zus Tweede", "+31611112222"), ("1", True))
    again = visitor.open(f"/e/{visitor.token}/contact")
    assert 'value="Zus Tweede"' in again.page
    again.send(**OWN, second_name="", second_phone="")
    assert standing() == ((None, None), ("1", False))
    visitor.open(f"/e/{visitor.token}/contact").send(**OWN, **SECOND, **BOTH)
    with doors.site.writing() as (session, _pilot):
        someone = session.scalars(select(Participant)).one()
        withdrawal.withdraw(session, someone, "erase", actor_id=None, now=START)
    assert everyone(doors, Identity) == []


def test_whoever_skips_it_leaves_no_yes_and_no_no(doors: Doors):
    doors.visitor().start().go_on("contact").send(**OWN)
    with doors.site.writing() as (session, _pilot):
        someone = session.scalars(select(Participant)).one()
        assert "second_contact" not in consent.standing(session, someone)


def test_naming_somebody_else_instead_is_a_yes_of_its_own_and_keeps_nothing_of_the_first(doors: Doors):
    visitor = doors.visitor().start().go_on("contact").send(**OWN, **SECOND, **BOTH)
    other = {"second_name": "Broer Derde", "second_phone": "06 22 22 33 33"}
    visitor.open(f"/e/{visitor.token}/contact").send(**OWN, **other, **BOTH)
    (identity,) = everyone(doors, Identity)
    assert (identity.second_name, identity.second_phone, identity.earlier) == ("Broer Derde", "+31622223333", None)
    told = [event.detail for event in everyone(doors, Event) if event.kind == "second_contact_changed"]
    assert [one["who"] for one in told] == ["own"]
    assert [row.given for row in everyone(doors, Consent) if row.purpose == "second_contact"] == [True, True]
