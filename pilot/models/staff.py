"""Who works on a pilot: people with a login, the organisations they work for, and what they may do in which pilot."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pilot.db import Base

ROLES = ("researcher", "statistician", "advisor", "interviewer", "policymaker", "steward", "administrator")

staff_roles = Table(
    "staff_roles",
    Base.metadata,
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", Integer, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
)


class Organisation(Base):
    """A regional desk, private office, institute or ministry."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    region: Mapped[str | None] = mapped_column(String(40))


class Role(Base):
    """A role as the sign-in library knows it; what it allows in a pilot stands in `memberships`."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    description: Mapped[str | None] = mapped_column(String(200))


class User(Base):
    """A member of staff. The columns are those that the sign-in library asks for."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    username: Mapped[str | None] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200), default="")
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    confirmed_at: Mapped[datetime | None]
    create_datetime: Mapped[datetime | None]
    update_datetime: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(String(5), default="nl")
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    tf_phone_number: Mapped[str | None] = mapped_column(String(128))
    mf_recovery_codes: Mapped[list[Any] | None]
    first_password: Mapped[bool] = mapped_column(default=False)
    """Somebody else knows the password: the person chooses an own one before anything else."""
    totp_used: Mapped[int | None]
    """The interval of thirty seconds of the last code that was taken; an earlier or the same one is not taken again."""

    roles: Mapped[list[Role]] = relationship(secondary=staff_roles, lazy="selectin")
    memberships: Mapped[list[Membership]] = relationship(back_populates="user", lazy="selectin")


class Membership(Base):
    """One role of one person in one pilot, for an organisation. No pilot: every pilot (administrators only)."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("user_id", "pilot_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    pilot_id: Mapped[int | None] = mapped_column(ForeignKey("pilots.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    role: Mapped[str] = mapped_column(String(40))

    user: Mapped[User] = relationship(back_populates="memberships")
    organisation: Mapped[Organisation | None] = relationship()
