"""What happened, in plain sight: every step writes its own row here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pilot.db import Base


class Event(Base):
    """One deed: what, to whom, by whom, when, in which request. No personal data in `detail`."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_pilot_kind", "pilot_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int | None] = mapped_column(ForeignKey("pilots.id"))
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participants.id"), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]
