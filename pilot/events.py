"""One line for one deed: what happened, to whom, by whom, when. Every step calls this in plain sight."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from pilot.models import Event, Participant, Pilot

# Written once, sent as it is: nobody reads an event in the request that wrote it.
_KEEP = insert(cast(Table, Event.__table__)).inline()


def record(
    session: Session,
    kind: str,
    subject: Pilot | Participant | None,
    *,
    now: datetime,
    actor_id: int | None = None,
    **detail: Any,
) -> None:
    """Writes the event. `detail` holds no personal data and names no arm, though a deed may tell one (a voucher)."""
    participant_id = subject.id if isinstance(subject, Participant) else None
    pilot_id = subject.pilot_id if isinstance(subject, Participant) else subject.id if subject is not None else None
    deed = {"pilot_id": pilot_id, "participant_id": participant_id, "actor_id": actor_id, "kind": kind}
    session.connection().execute(_KEEP, {**deed, "detail": detail, "at": now})
