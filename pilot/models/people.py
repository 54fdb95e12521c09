"""The people of a pilot. Identity and contact data live in a table of their own, joined by the participant only."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pilot.crypto import Encrypted
from pilot.db import Base


class Invitee(Base):
    """Everyone who was invited, also those who never answered: reach itself can be analysed."""

    __tablename__ = "invitees"
    __table_args__ = (UniqueConstraint("pilot_id", "reference"), UniqueConstraint("pilot_id", "code_hash"))

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"), index=True)
    reference: Mapped[str] = mapped_column(String(80))
    batch: Mapped[str] = mapped_column(String(80))
    outreach_arm: Mapped[str] = mapped_column(String(60))
    covariates: Mapped[dict[str, Any]]
    code: Mapped[str] = mapped_column(Encrypted("invitees.code"))
    code_hash: Mapped[str] = mapped_column(String(64))
    name: Mapped[str | None] = mapped_column(Encrypted("invitees.name"))
    address: Mapped[str | None] = mapped_column(Encrypted("invitees.address"))
    email: Mapped[str | None] = mapped_column(Encrypted("invitees.email"))
    language: Mapped[str] = mapped_column(String(5), default="nl")
    imported_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]


class Participant(Base):
    """A person from the first page on. Research data hang on the study id; nothing here says who it is."""

    __tablename__ = "participants"
    __table_args__ = (
        UniqueConstraint("pilot_id", "nonce"),
        UniqueConstraint("pilot_id", "invitee_id"),
        Index("ix_participants_pilot_mode", "pilot_id", "mode"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pilot_id: Mapped[int] = mapped_column(ForeignKey("pilots.id"))
    mode: Mapped[str] = mapped_column(String(4))
    study_id: Mapped[str] = mapped_column(String(16), unique=True)
    nonce: Mapped[str] = mapped_column(String(64))
    invitee_id: Mapped[int | None] = mapped_column(ForeignKey("invitees.id"))
    outreach_arm: Mapped[str] = mapped_column(String(60))
    language: Mapped[str] = mapped_column(String(5))
    link_generation: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    covariates: Mapped[dict[str, Any]] = mapped_column(default=dict)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    possible_duplicate_of: Mapped[int | None] = mapped_column(ForeignKey("participants.id"))
    withdrawn: Mapped[str | None] = mapped_column(String(12))

    identity: Mapped[Identity | None] = relationship(back_populates="participant")
    invitee: Mapped[Invitee | None] = relationship()


class Identity(Base):
    """Name and contact data, encrypted; gone after the last wave. Keyed hashes only flag possible duplicates."""

    __tablename__ = "identities"

    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    name: Mapped[str | None] = mapped_column(Encrypted("identities.name"))
    birth_date: Mapped[str | None] = mapped_column(Encrypted("identities.birth_date"))
    phone: Mapped[str | None] = mapped_column(Encrypted("identities.phone"))
    email: Mapped[str | None] = mapped_column(Encrypted("identities.email"))
    postcode: Mapped[str | None] = mapped_column(Encrypted("identities.postcode"))
    street: Mapped[str | None] = mapped_column(Encrypted("identities.street"))
    house_number: Mapped[str | None] = mapped_column(Encrypted("identities.house_number"))
    addition: Mapped[str | None] = mapped_column(Encrypted("identities.addition"))
    town: Mapped[str | None] = mapped_column(Encrypted("identities.town"))
    """For letters; asked only where the protocol sends them, and nobody has to give it."""
    second_name: Mapped[str | None] = mapped_column(Encrypted("identities.second_name"))
    second_phone: Mapped[str | None] = mapped_column(Encrypted("identities.second_phone"))
    """Somebody who knows where the participant is; only with a yes of its own, and never written to."""
    phone_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    email_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    address_hash: Mapped[str | None] = mapped_column(String(64))
    device_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    """Of the mark that the telephone or computer carried on which the person signed up by themselves."""
    resume_code: Mapped[str | None] = mapped_column(Encrypted("identities.resume_code"))
    resume_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    earlier: Mapped[str | None] = mapped_column(Encrypted("identities.earlier"))
    """What stood here before each correction, oldest first, as JSON; it goes when the rest of the row goes."""

    participant: Mapped[Participant] = relationship(back_populates="identity")

    @property
    def letter_address(self) -> str | None:
        """The lines below the name on an envelope; None while any part of the address is missing."""
        if not (self.street and self.house_number and self.postcode and self.town):
            return None
        place = " ".join(part for part in (self.street, self.house_number, self.addition) if part)
        return f"{place}\n{self.postcode}  {self.town}"

    @property
    def same_device_check(self) -> bool:
        """Whether a mark of the device is kept: what the person may know of a hash."""
        return self.device_hash is not None

    def forget_second(self) -> None:
        """The second person goes, earlier values too: a third person, who may have asked for it."""
        kept = [
            {k: v for k, v in one.items() if not k.startswith("second_")} for one in json.loads(self.earlier or "[]")
        ]
        self.earlier = json.dumps(kept, ensure_ascii=False) if kept else None
        self.second_name = self.second_phone = None


class Screening(Base):
    """The outcome of screening and its reason, as decided under one protocol."""

    __tablename__ = "screenings"

    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    answers: Mapped[dict[str, Any]]
    eligible: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(60), default="")
    fingerprint: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime]


class Consent(Base):
    """One yes or no to one consent text, in one version and language. A later row overrules an earlier one."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(5))
    given: Mapped[bool]
    at: Mapped[datetime]


class Withdrawal(Base):
    """A participant stops, in one of three degrees: no more contact; no more data; erase what the law allows."""

    __tablename__ = "withdrawals"

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), index=True)
    degree: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text, default="")
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
