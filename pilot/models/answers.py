"""Answers: a draft that every page saves; a submission that is never changed, only followed by a higher revision."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pilot.db import Base


class Draft(Base):
    """The answers so far of one participant in one wave. `revision` rises a page: an old page overwrites nothing."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("participant_id", "wave"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"))
    wave: Mapped[str] = mapped_column(String(40))
    instrument: Mapped[str] = mapped_column(String(64))
    answers: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=0)
    mode: Mapped[str] = mapped_column(String(12))
    modes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """How each answer was given, by the key of its question; `mode` is how the latest page was."""
    language: Mapped[str] = mapped_column(String(5))
    started_at: Mapped[datetime]
    saved_at: Mapped[datetime]


class Submission(Base):
    """One finished instrument: participant x wave x revision, with the fingerprint of the instrument it obeyed.

    `answers` is all that was said; `analysed` is what was on the path when it was submitted, calculations included.
    """

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("participant_id", "wave", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"))
    wave: Mapped[str] = mapped_column(String(40), index=True)
    revision: Mapped[int]
    instrument: Mapped[str] = mapped_column(String(64))
    answers: Mapped[dict[str, Any]]
    analysed: Mapped[dict[str, Any]]
    mode: Mapped[str] = mapped_column(String(12))
    modes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """How each answer was given; empty when all were given as `mode` says."""
    language: Mapped[str] = mapped_column(String(5))
    started_at: Mapped[datetime]
    submitted_at: Mapped[datetime]
