"""A pilot, the protocol it obeys, and what was published, frozen and looked at under it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pilot.db import Base


class Pilot(Base):
    """One randomised pilot. Life: draft -> locked -> running -> closed."""

    __tablename__ = "pilots"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(10), default="draft")
    mode: Mapped[str] = mapped_column(String(4), default="test")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    clock_shift: Mapped[int] = mapped_column(default=0)

    versions: Mapped[list[ProtocolVersion]] = relationship(back_populates="pilot", order_by="ProtocolVersion.number")


class ProtocolVersion(Base):
    """A protocol as proposed, approved by a second person, and frozen. Number 0 is the lock, 1, 2, … amendments."""

    __tablename__ = "protocol_versions"
    __table_args__ = (UniqueConstraint("pilot_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"), index=True)
    number: Mapped[int]
    canonical: Mapped[str] = mapped_column(Text, deferred=True)
    instruments: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    epoch: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    proposed_at: Mapped[datetime]
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    locked_at: Mapped[datetime | None]

    pilot: Mapped[Pilot] = relationship(back_populates="versions")


class Commitment(Base):
    """What was published at lock about the allocation key, and, after closing, the key itself."""

    __tablename__ = "commitments"
    __table_args__ = (UniqueConstraint("pilot_id", "mode"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"))
    mode: Mapped[str] = mapped_column(String(4))
    commitment: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime]
    revealed_at: Mapped[datetime | None]
    revealed_key: Mapped[str | None] = mapped_column(String(64))


class Freeze(Base):
    """One immutable set of analysis data and its manifest. Erasure supersedes it; the manifest stays."""

    __tablename__ = "freezes"
    __table_args__ = (UniqueConstraint("pilot_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"), index=True)
    number: Mapped[int]
    file: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    manifest: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    superseded_by: Mapped[int | None] = mapped_column(ForeignKey("freezes.id"))


class Look(Base):
    """A look at outcomes by arm that the protocol permits, opened by a statistician on one freeze."""

    __tablename__ = "looks"
    __table_args__ = (UniqueConstraint("pilot_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    freeze_id: Mapped[int] = mapped_column(ForeignKey("freezes.id"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    results: Mapped[dict[str, Any]]
    evidence: Mapped[dict[str, Any] | None]

    freeze: Mapped[Freeze] = relationship()


class Publication(Base):
    """What readers outside the pilot see from one moment on, part by part; `cells` says who stands behind each number.

    A part is {source, held}: what its figures are drawn from, and why it was kept back, if it was.
    """

    __tablename__ = "publications"
    __table_args__ = (UniqueConstraint("pilot_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"), index=True)
    number: Mapped[int]
    look_id: Mapped[int | None] = mapped_column(ForeignKey("looks.id"))
    made_at: Mapped[datetime]
    parts: Mapped[dict[str, Any]]
    cells: Mapped[dict[str, Any]] = mapped_column(deferred=True)


class QuestionnaireDraft(Base):
    """One version of a questionnaire that is being written. Versions are added and never changed, so that nothing that
    somebody wrote is lost; what is asked of people changes only with the protocol.
    """

    __tablename__ = "questionnaire_drafts"
    __table_args__ = (UniqueConstraint("pilot_id", "name", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    number: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    deed: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(120), default="")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    saved_at: Mapped[datetime]
