"""Paper forms: each is typed twice by different people, and where they differ somebody decides and says why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pilot.db import Base


class PaperEntry(Base):
    """A form as one person typed it, by the keys of its lines. `turn` is 1 or 2; neither sees the other's."""

    __tablename__ = "paper_entries"
    __table_args__ = (UniqueConstraint("participant_id", "wave", "turn"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"))
    wave: Mapped[str] = mapped_column(String(40))
    turn: Mapped[int]
    instrument: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(5))
    typed: Mapped[dict[str, Any]]
    entered_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    entered_at: Mapped[datetime]


class PaperDecision(Base):
    """What counts where the two entries of a form differ: both values, the one that was decided on, and why."""

    __tablename__ = "paper_decisions"
    __table_args__ = (UniqueConstraint("participant_id", "wave", "question"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"))
    wave: Mapped[str] = mapped_column(String(40))
    question: Mapped[str] = mapped_column(String(120))
    first: Mapped[str] = mapped_column(Text)
    second: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime]
