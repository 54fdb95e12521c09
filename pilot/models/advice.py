"""What people get: the advisor's caseload, talks, plan, referrals, and the statement that it was delivered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pilot.crypto import Encrypted
from pilot.db import Base


class Caseload(Base):
    """Which advisor guides which participant. A handover is a new row; the latest counts."""

    __tablename__ = "caseloads"

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), index=True)
    advisor_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    assigned_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")


class AdviceSession(Base):
    """One talk: when, how long, by what means, and which components were delivered."""

    __tablename__ = "advice_sessions"
    __table_args__ = (UniqueConstraint("participant_id", "nonce"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), index=True)
    advisor_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    nonce: Mapped[str] = mapped_column(String(64))
    held_on: Mapped[date]
    minutes: Mapped[int]
    channel: Mapped[str] = mapped_column(String(20))
    components: Mapped[list[Any]]
    notes: Mapped[str | None] = mapped_column(Encrypted("advice_sessions.notes"))
    next_appointment: Mapped[datetime | None]
    logged_at: Mapped[datetime]


class DevelopmentPlan(Base):
    """The ontwikkelplan in its fixed format; a change is a new version."""

    __tablename__ = "development_plans"
    __table_args__ = (UniqueConstraint("participant_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), index=True)
    advisor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int]
    goal: Mapped[str] = mapped_column(Encrypted("development_plans.goal"))
    steps: Mapped[str] = mapped_column(Encrypted("development_plans.steps"))
    written_at: Mapped[datetime]


class PerformanceStatement(Base):
    """The prestatieverklaring: advisor and participant both say that the advice was given."""

    __tablename__ = "performance_statements"

    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    advisor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    minutes: Mapped[int]
    advisor_signed_at: Mapped[datetime]
    participant_signed_at: Mapped[datetime | None]
