"""Training vouchers: issued once, redeemed in parts, never overspent."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pilot.db import insert_once
from pilot.errors import NotYours, Refused
from pilot.events import record
from pilot.models import Allocation, Participant, Redemption, Voucher
from pilot.protocol import Protocol


def issue(
    session: Session,
    protocol: Protocol,
    participant: Participant,
    allocation: Allocation,
    *,
    secret: bytes,
    now: datetime,
) -> Voucher | None:
    """The voucher of this participant when the arm holds one; a second call gives the first voucher."""
    terms = protocol.arm(allocation.arm).voucher
    if terms is None:
        return None
    created = insert_once(
        session,
        Voucher,
        participant_id=participant.id,
        code=_code(secret, participant),
        amount_cents=terms.amount_cents,
        spent_cents=0,
        issued_at=now,
        expires_on=(now + timedelta(days=terms.valid_days)).date(),
    )
    if created:
        record(session, "voucher_issued", participant, now=now, amount_cents=terms.amount_cents)
        session.flush()
    return of(session, participant)


def of(session: Session, participant: Participant) -> Voucher | None:
    return session.scalar(select(Voucher).where(Voucher.participant_id == participant.id))


def redeem(
    session: Session,
    code: str,
    amount_cents: int,
    *,
    provider: str,
    nonce: str,
    actor_id: int | None,
    offer_id: int | None = None,
    now: datetime,
) -> Redemption:
    """Takes an amount off a voucher for a provider; the same form twice takes it once.

    The amount and the limit meet in one UPDATE, so that two redemptions at the same moment cannot overspend. Raises
    Refused when the voucher has expired or holds too little, NotYours when there is no such code.
    """
    typed = "".join(code.upper().split()).replace("-", "")
    voucher = session.scalar(select(Voucher).where(Voucher.code == typed).with_for_update())
    if voucher is None:
        raise NotYours("this voucher code is not known", code="unknown_code")
    done = session.scalar(select(Redemption).where(Redemption.voucher_id == voucher.id, Redemption.nonce == nonce))
    if done is not None:
        return done
    if amount_cents <= 0:
        raise Refused("the amount is more than zero", code="amount", field="amount")
    if not provider.strip():
        raise Refused("write who gives the training", code="provider_missing", field="provider")
    if now.date() > voucher.expires_on:
        raise Refused(f"the voucher was valid until {voucher.expires_on}", code="expired")
    taken = session.execute(
        update(Voucher)
        .where(Voucher.id == voucher.id, Voucher.spent_cents + amount_cents <= Voucher.amount_cents)
        .values(spent_cents=Voucher.spent_cents + amount_cents)
        .returning(Voucher.spent_cents)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        left = voucher.amount_cents - voucher.spent_cents
        raise Refused(f"the voucher holds {left / 100:.2f} euro; that is too little", code="overspent", left_cents=left)
    row = Redemption(
        voucher_id=voucher.id,
        nonce=nonce,
        offer_id=offer_id,
        provider=provider.strip(),
        amount_cents=amount_cents,
        actor_id=actor_id,
        at=now,
    )
    session.add(row)
    participant = session.get_one(Participant, voucher.participant_id)
    record(session, "voucher_redeemed", participant, now=now, actor_id=actor_id, amount_cents=amount_cents)
    session.flush()
    session.refresh(voucher)
    return row


def redemptions_of(session: Session, voucher: Voucher) -> Sequence[Redemption]:
    return session.scalars(select(Redemption).where(Redemption.voucher_id == voucher.id).order_by(Redemption.id)).all()


def _code(secret: bytes, participant: Participant) -> str:
    digest = hmac.new(secret, f"voucher:{participant.study_id}".encode(), hashlib.sha256).digest()
    return "V" + base64.b32encode(digest)[:11].decode()
