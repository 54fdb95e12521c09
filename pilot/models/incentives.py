"""Thanks for answering: gift cards, each for one person and one wave."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pilot.crypto import Encrypted
from pilot.db import Base


class GiftCard(Base):
    """One card, its code encrypted. Without a participant it still lies in the drawer."""

    __tablename__ = "gift_cards"
    __table_args__ = (UniqueConstraint("pilot_id", "code_hash"), UniqueConstraint("participant_id", "wave"))

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"))
    code: Mapped[str] = mapped_column(Encrypted("gift_cards.code"))
    code_hash: Mapped[str] = mapped_column(String(64))
    amount_cents: Mapped[int]
    drawer: Mapped[str] = mapped_column(String(40), default="")
    """The list of cards it belongs to, where the protocol names several."""
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participants.id"))
    wave: Mapped[str | None] = mapped_column(String(40))
    imported_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
