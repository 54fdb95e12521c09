"""The outbox: every message is a row before it is sent, and the rows are the queue."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pilot.db import Base


class Message(Base):
    """One message to one person. `key` is unique: nothing is queued twice. `lease_until`: somebody is sending it."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_queue", "status", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"))
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participants.id"), index=True)
    invitee_id: Mapped[int | None] = mapped_column(ForeignKey("invitees.id"), index=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    wave: Mapped[str | None] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(5))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[str] = mapped_column(String(10), default="queued")
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    """Since when it is under way where a second try could double it; empty again once it is known how that went."""
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(300))
    copy_gone_at: Mapped[datetime | None]
    """When its copy in the outbox went, after the contact data of its person had; empty again when it is sent anew."""

    @property
    def name(self) -> str:
        """What its copy in the outbox is called; a folder of them stands in the order in which they were queued."""
        return f"{self.id:06d}-{self.kind}"

    @property
    def reference(self) -> str:
        """What providers and mail servers know this message by: the same at every try, also after it came back."""
        return f"{self.id}:{self.key.partition(':bounced:')[0]}"
