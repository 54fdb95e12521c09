"""Everything that is kept about one person, for that person: the answer to 'what do you know about me?'

Plain values that become JSON as they are. Names stand as they were given, codes and arms as they are in the record.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot.db import Base
from pilot.models import (
    AdviceSession,
    Allocation,
    Caseload,
    Consent,
    DevelopmentPlan,
    Draft,
    Event,
    Exposure,
    GiftCard,
    Identity,
    Invitee,
    Message,
    Offer,
    PaperDecision,
    PaperEntry,
    Participant,
    PerformanceStatement,
    Redemption,
    Screening,
    Submission,
    Voucher,
    Withdrawal,
)

# What each part of the record says; numbers that only link tables, and hashes, say nothing to the person.
FIELDS: dict[type[Base], tuple[str, ...]] = {
    Invitee: ("reference", "outreach_arm", "name", "address", "email", "language", "sent_at", "opened_at"),
    Identity: (
        "name",
        "birth_date",
        "phone",
        "email",
        "postcode",
        "street",
        "house_number",
        "addition",
        "town",
        "second_name",
        "second_phone",
        "same_device_check",
        "resume_code",
        "earlier",
    ),
    Screening: ("answers", "eligible", "reason", "decided_at"),
    Consent: ("purpose", "version", "language", "given", "at"),
    Allocation: ("arm", "stratum", "allocated_at", "row_hash"),
    Draft: ("wave", "answers", "mode", "modes", "language", "started_at", "saved_at"),
    PaperEntry: ("wave", "turn", "typed", "entered_at"),
    PaperDecision: ("wave", "question", "first", "second", "value", "reason", "decided_at"),
    Submission: ("wave", "revision", "answers", "mode", "modes", "language", "started_at", "submitted_at"),
    AdviceSession: ("held_on", "minutes", "channel", "components", "notes", "next_appointment", "logged_at"),
    DevelopmentPlan: ("version", "goal", "steps", "written_at"),
    PerformanceStatement: ("minutes", "advisor_signed_at", "participant_signed_at"),
    Caseload: ("assigned_at", "ended_at", "reason"),
    Voucher: ("code", "amount_cents", "spent_cents", "issued_at", "expires_on"),
    GiftCard: ("wave", "amount_cents", "issued_at", "claimed_at"),
    Message: ("kind", "wave", "channel", "language", "status", "due_at", "sent_at"),
    Withdrawal: ("degree", "reason", "at"),
    Event: ("kind", "detail", "at"),
}
LISTS: tuple[tuple[str, type[Any]], ...] = (
    ("consents", Consent), ("drafts", Draft), ("answers", Submission), ("paper", PaperEntry),
    ("paper_decisions", PaperDecision), ("talks", AdviceSession),
    ("plans", DevelopmentPlan), ("advisors", Caseload), ("gift_cards", GiftCard), ("messages", Message),
    ("withdrawals", Withdrawal), ("events", Event),
)  # fmt: skip
SINGLE: tuple[tuple[str, type[Any]], ...] = (
    ("contact", Identity), ("screening", Screening), ("draw", Allocation), ("statement", PerformanceStatement),
    ("voucher", Voucher),
)  # fmt: skip


def of(session: Session, participant: Participant) -> dict[str, Any]:
    """What is kept about this participant, by kind; empty parts are left out."""
    found: dict[str, Any] = {
        "study_id": participant.study_id,
        "enrolled_at": participant.created_at.isoformat(),
        "language": participant.language,
        "invited_by": participant.outreach_arm,
        "covariates": dict(participant.covariates),
        "withdrawn": participant.withdrawn,
    }
    if participant.invitee is not None:
        found["invitation"] = _plain(participant.invitee)
    for name, kind in SINGLE:
        row = session.scalar(select(kind).where(kind.participant_id == participant.id))
        if row is not None:
            found[name] = _plain(row)
    for name, kind in LISTS:
        order = kind.version if kind is DevelopmentPlan else kind.id
        found[name] = [_plain(row) for row in session.scalars(_mine(kind, participant).order_by(order))]
    found["offers"] = _offers(session, participant)
    found["payments"] = _payments(session, participant)
    return {name: value for name, value in found.items() if value not in (None, [], {})}


def _mine(kind: type[Any], participant: Participant) -> Any:
    return select(kind).where(kind.participant_id == participant.id)


def _offers(session: Session, participant: Participant) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Exposure.kind, Exposure.at, Offer.title, Offer.provider)
        .outerjoin(Offer, Offer.id == Exposure.offer_id)
        .where(Exposure.participant_id == participant.id)
        .order_by(Exposure.id)
    )
    return [{"kind": kind, "at": at.isoformat(), "title": title, "provider": by} for kind, at, title, by in rows]


def _payments(session: Session, participant: Participant) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Redemption.provider, Redemption.amount_cents, Redemption.at)
        .join(Voucher, Voucher.id == Redemption.voucher_id)
        .where(Voucher.participant_id == participant.id)
        .order_by(Redemption.id)
    )
    return [{"provider": by, "amount_cents": cents, "at": at.isoformat()} for by, cents, at in rows]


def _plain(row: Base) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in FIELDS[type(row)]}
    return {name: v.isoformat() if isinstance(v, date | datetime) else v for name, v in values.items()}
