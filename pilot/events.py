"""One line for one deed: what happened, to whom, by whom, when. Every step calls this in plain sight."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from pilot.models import Event, Participant, Pilot


def record(
    session: Session,
    kind: str,
    subject: Pilot | Participant | None,
    *,
    now: datetime,
    actor_id: int | None = None,
    **detail: Any,
) -> Event:
    """Adds the event. `detail` holds no personal data and names no arm, though a deed may tell one (a voucher)."""
    participant_id = subject.id if isinstance(subject, Participant) else None
    pilot_id = subject.pilot_id if isinstance(subject, Participant) else subject.id if subject is not None else None
    event = Event(pilot_id=pilot_id, participant_id=participant_id, actor_id=actor_id, kind=kind, detail=detail, at=now)
    session.add(event)
    return event
