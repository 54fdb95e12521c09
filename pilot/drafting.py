"""Questionnaires that are being written: every change is a version of its own, and no version is ever changed.

What is asked of people changes only with the protocol: a draft starts as a copy, of a questionnaire in force or of a
workbook, and ends as a workbook that somebody puts into the next protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from pilot.errors import NotYours, Refused, Stale
from pilot.events import record
from pilot.models import Pilot, QuestionnaireDraft
from surveys import Instrument
from surveys.editing import parts

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MOST_DRAFTS = 200


@dataclass(frozen=True, slots=True)
class Work:
    """One version of a draft, with its instrument."""

    row: QuestionnaireDraft
    form: Instrument

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def number(self) -> int:
        return self.row.number


def newest(session: Session, pilot: Pilot) -> list[QuestionnaireDraft]:
    """The newest version of every draft of a pilot, by name, without what stands in it."""
    latest = (
        select(QuestionnaireDraft.name, func.max(QuestionnaireDraft.number).label("number"))
        .where(QuestionnaireDraft.pilot_id == pilot.id)
        .group_by(QuestionnaireDraft.name)
        .subquery()
    )
    query = select(QuestionnaireDraft).join(
        latest, (QuestionnaireDraft.name == latest.c.name) & (QuestionnaireDraft.number == latest.c.number)
    )
    return list(session.scalars(query.where(QuestionnaireDraft.pilot_id == pilot.id).order_by(QuestionnaireDraft.name)))


def history(session: Session, pilot: Pilot, name: str) -> list[QuestionnaireDraft]:
    """Every version of a draft, the newest first, without what stands in it."""
    query = select(QuestionnaireDraft).where(QuestionnaireDraft.pilot_id == pilot.id, QuestionnaireDraft.name == name)
    return list(session.scalars(query.order_by(QuestionnaireDraft.number.desc())))


def read(session: Session, pilot: Pilot, name: str, number: int | None = None) -> Work:
    """A version of a draft, the newest unless told. Raises NotYours when it is not there."""
    query = select(QuestionnaireDraft).where(QuestionnaireDraft.pilot_id == pilot.id, QuestionnaireDraft.name == name)
    if number is not None:
        query = query.where(QuestionnaireDraft.number == number)
    query = query.order_by(QuestionnaireDraft.number.desc()).limit(1).options(undefer(QuestionnaireDraft.content))
    row = session.scalar(query)
    if row is None:
        raise NotYours("there is no such draft")
    return Work(row, Instrument.from_dict(row.content))


def start(
    session: Session, pilot: Pilot, name: str, form: Instrument, *, copied: str, author_id: int | None, now: datetime
) -> Work:
    """The first version of a draft: a copy of `form`; `copied` says of what. Raises Refused when the name is taken."""
    if not NAME.fullmatch(name):
        raise Refused(
            "the name of a draft has letters without accents, figures, _ and -, and starts with a letter", code="name"
        )
    known = {row.name for row in newest(session, pilot)}
    if name in known:
        raise Refused(f"there is a draft '{name}' already; go on with that one, or choose another name", code="taken")
    if len(known) >= MOST_DRAFTS:
        raise Refused(f"a pilot has at most {MOST_DRAFTS} drafts", code="too_many")
    return _keep(session, pilot, name, 1, form, ("copied", copied), author_id, now)


def change(
    session: Session,
    pilot: Pilot,
    name: str,
    make: Callable[[Instrument], Instrument],
    *,
    seen: int,
    touches: Iterable[str],
    deed: tuple[str, str],
    author_id: int | None,
    now: datetime,
) -> Work:
    """A next version, made from the newest. `seen` is the version that the author looked at, `touches` the questions
    that the change is about.

    When somebody else saved in between, the change is made on theirs, unless they touched one of the same questions:
    then nothing is kept and Stale says so. A change that changes nothing makes no version.
    """
    latest = read(session, pilot, name)
    if latest.number != seen:
        base = read(session, pilot, name, seen)
        if any(parts(base.form, one) != parts(latest.form, one) for one in touches):
            raise Stale(f"version {latest.number} was saved in the meantime, with the same question in it")
    form = make(latest.form)
    if form == latest.form:
        return latest
    return _keep(session, pilot, name, latest.number + 1, form, deed, author_id, now)


def restore(
    session: Session, pilot: Pilot, name: str, number: int, *, seen: int, author_id: int | None, now: datetime
) -> Work:
    """An earlier version as the newest. Raises Stale when somebody saved after the version that the author saw."""
    latest, wanted = read(session, pilot, name), read(session, pilot, name, number)
    if latest.number != seen:
        raise Stale(f"version {latest.number} was saved in the meantime")
    if wanted.form == latest.form:
        return latest
    return _keep(session, pilot, name, latest.number + 1, wanted.form, ("restored", str(number)), author_id, now)


def _keep(
    session: Session,
    pilot: Pilot,
    name: str,
    number: int,
    form: Instrument,
    deed: tuple[str, str],
    author_id: int | None,
    now: datetime,
) -> Work:
    row = QuestionnaireDraft(
        pilot_id=pilot.id, name=name, number=number, content=form.to_dict(), deed=deed[0], subject=deed[1][:120],
        author_id=author_id, saved_at=now,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Two people saved in the same moment: the number was taken between the look and the deed.
        raise Stale("somebody else saved at the same moment; nothing was overwritten") from None
    record(session, "questionnaire_drafted", pilot, now=now, actor_id=author_id, name=name, number=number)
    return Work(row, form)
