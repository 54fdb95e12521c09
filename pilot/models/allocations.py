"""Who was allocated to what, and how anyone can check it afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pilot.db import Base


class StratumState(Base):
    """The counter of one stratum: its row is the lock under which the next arm is derived."""

    __tablename__ = "stratum_state"

    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"), primary_key=True)
    mode: Mapped[str] = mapped_column(String(4), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    stratum: Mapped[str] = mapped_column(String(200), primary_key=True)
    next_position: Mapped[int] = mapped_column(default=1)
    state: Mapped[dict[str, Any] | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    head: Mapped[str] = mapped_column(String(64), default="")


class Allocation(Base):
    """One derived arm. Rows are inserted and never changed; a position once used is never used again.

    `basis` is what the chances hung on where they hang on more than the stratum and the position: margins, balls or
    evidence before the draw, and the chance of every arm.
    """

    __tablename__ = "allocations"
    __table_args__ = (UniqueConstraint("participant_id"), UniqueConstraint("pilot_id", "idempotency_key"))

    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"), primary_key=True)
    mode: Mapped[str] = mapped_column(String(4), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    stratum: Mapped[str] = mapped_column(String(200), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"))
    idempotency_key: Mapped[str] = mapped_column(String(64))
    arm: Mapped[str] = mapped_column(String(60))
    probability: Mapped[str] = mapped_column(Text)
    covariates: Mapped[dict[str, Any]]
    basis: Mapped[dict[str, Any] | None]
    fingerprint: Mapped[str] = mapped_column(String(64))
    allocated_at: Mapped[datetime]
    previous_hash: Mapped[str] = mapped_column(String(64))
    row_hash: Mapped[str] = mapped_column(String(64))


class AllocationNote(Base):
    """What was done about an allocation afterwards: unblinded, withdrawn, replaced, overridden, stratum error.

    None of these changes the arm that is analysed.
    """

    __tablename__ = "allocation_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    detail: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
