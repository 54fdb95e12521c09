"""Every form of staff that is sent twice at once, or again an hour later, has one effect."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import func, select

from pilot.db import Base
from pilot.models import Offer, User

TALK = {"held_on-day": "5", "held_on-month": "3", "held_on-year": "2026", "minutes": "150", "channel": "in_person",
        "components": ["goals"]}  # fmt: skip
Sent = tuple[str, str, str, dict[str, Any]]
"""Who sends what from which page to where: (who, path, page, fields)."""


def people_page(office, rest: str = "") -> str:
    return f"participants/{office.study_id('voucher', advisor='advisor')}{rest}"


def contact(office) -> Sent:
    path = f"steward/people/{office.study_id('portal')}/contact"
    return "steward", path, path, {"name": "Ander", "phone": "06 11 22 33 44", "email": "", "reason": "typing"}


def talk(office) -> Sent:
    path = people_page(office, "/talk")
    return "advisor", path, path, TALK


def plan(office) -> Sent:
    path = people_page(office, "/plan")
    return "advisor", path, path, {"goal": "Vast werk", "steps": "Zoeken"}


def handover(office) -> Sent:
    path = people_page(office, "/handover")
    with office.database.reading() as session:
        colleague = session.scalar(select(User.id).where(User.email == "colleague@proef.nl"))
    return "advisor", path, path, {"colleague": str(colleague), "reason": "away"}


def referral(office) -> Sent:
    with office.database.reading() as session:
        offer = session.scalar(select(Offer.id).order_by(Offer.id).limit(1))
    return "advisor", people_page(office, f"/offers/{offer}"), people_page(office, "/offers"), {}


def payment(office) -> Sent:
    path = people_page(office, "/voucher")
    return "advisor", path, path, {"amount": "100", "provider": "ROC"}


def stop(office) -> Sent:
    page = f"steward/people/{office.study_id('portal')}"
    return "steward", f"{page}/stop", page, {"degree": "no_contact", "sure": "yes"}


def letters(office) -> Sent:
    return "steward", "steward/letters", "steward/letters", {}


def kept_out(office) -> Sent:
    page = "/administrator/people"
    with office.database.reading() as session:
        other = session.scalar(select(User.id).where(User.email == "advisor@proef.nl"))
    return "administrator", f"{page}/{other}/active", page, {"active": "no"}


def let_in(office) -> Sent:
    page = "/administrator/people/new"
    fields = {"email": "twee@proef.nl", "name": "Twee", "role": "steward", "pilot": office.slug}
    return "administrator", page, page, fields


FORMS: dict[str, Callable[[Any], Sent]] = {
    one.__name__: one
    for one in (contact, talk, plan, handover, referral, payment, stop, letters, kept_out, let_in)
}  # fmt: skip


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"the page holds no field '{name}'"
    return unescape(found[1])


def rows(office) -> dict[str, int]:
    """How many rows each table holds; events are among them, so that a deed is on record once."""
    with office.database.reading() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_is_sent_again_changes_nothing_more(office, form: str):
    who, path, page, fields = FORMS[form](office)
    client, site = office.browser(who), office.settings.base_url
    shown = client.get(office._path(page), query_string={"lang": "en"}, base_url=site).text
    sent = {"csrf_token": hidden(shown, "csrf_token"), **fields}
    if 'name="nonce"' in shown:
        sent["nonce"] = hidden(shown, "nonce")
    before = rows(office)
    counts, answers = [], []
    for _again in range(2):
        answers.append(client.post(office._path(path), data=sent, base_url=site, headers={"Referer": site}).status_code)
        counts.append(rows(office))
    office.now += timedelta(hours=1)
    answers.append(client.post(office._path(path), data=sent, base_url=site, headers={"Referer": site}).status_code)
    counts.append(rows(office))
    assert answers[0] in (200, 303), answers
    assert counts[1] == counts[0]
    assert counts[2] == counts[0]
    assert before != counts[0] or form == "letters"
    assert all(status in (200, 303, 404, 409, 422) for status in answers)
