"""Attempts at what could be guessed: counted where every process sees them, and forgotten when they count no more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pilot.db import Base


class Attempt(Base):
    """One attempt. `key_hash` is a keyed hash of the page and of the address it came from, which is kept nowhere."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_key_hash_at", "key_hash", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(index=True)
