"""What the arms hold: training and funding on offer, who saw and was referred to what, and vouchers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pilot.db import Base


class Offer(Base):
    """A training, a source of funding, or other help, as imported from a file."""

    __tablename__ = "offers"

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(200))
    region: Mapped[str] = mapped_column(String(40), default="")
    level: Mapped[str] = mapped_column(String(20), default="")
    sector: Mapped[str] = mapped_column(String(60), default="")
    skills: Mapped[list[Any]] = mapped_column(default=list)
    cost_cents: Mapped[int] = mapped_column(default=0)
    weeks: Mapped[int | None]
    description: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(String(400), default="")
    valid_until: Mapped[date | None]
    search_text: Mapped[str] = mapped_column(Text)


class Exposure(Base):
    """What a participant saw of the catalogue or was referred to: what the arm really delivered."""

    __tablename__ = "exposures"
    __table_args__ = (Index("ix_exposures_participant_kind", "participant_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"))
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("offers.id"))
    kind: Mapped[str] = mapped_column(String(12))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]


class Voucher(Base):
    """Money for training, for one participant. `spent_cents` can never pass `amount_cents`."""

    __tablename__ = "vouchers"
    __table_args__ = (
        UniqueConstraint("participant_id"),
        CheckConstraint("spent_cents >= 0 AND spent_cents <= amount_cents", name="never_overspent"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"))
    code: Mapped[str] = mapped_column(String(20), unique=True)
    amount_cents: Mapped[int]
    spent_cents: Mapped[int] = mapped_column(default=0)
    issued_at: Mapped[datetime]
    expires_on: Mapped[date]


class Redemption(Base):
    """Money of a voucher that went to a provider. `nonce` makes a double click one redemption."""

    __tablename__ = "redemptions"
    __table_args__ = (UniqueConstraint("voucher_id", "nonce"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    voucher_id: Mapped[int] = mapped_column(ForeignKey("vouchers.id"), index=True)
    nonce: Mapped[str] = mapped_column(String(64))
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("offers.id"))
    provider: Mapped[str] = mapped_column(String(200))
    amount_cents: Mapped[int]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
