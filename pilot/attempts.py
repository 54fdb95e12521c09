"""How often something that could be guessed may be tried, counted in the database: all processes count together.

The moments are those of the database's own clock, which every process shares. An attempt that is refused is not
counted: whoever waits is let in again when the oldest one that counts has passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from pilot.db import one_at_a_time, shared_clock
from pilot.models import Attempt

Limit = tuple[int, int]
"""So many attempts in so many seconds."""
AT_ONCE = 100
"""So many attempts that count no more are forgotten by each new one."""


def take(session: Session, key_hash: str, limits: Sequence[Limit]) -> bool:
    """Counts one more attempt, unless one of the limits is reached: then False, and nothing is kept.

    Of two attempts at the same moment the second waits for the first, in whatever process.
    """
    one_at_a_time(session, "attempt", int(key_hash[:7], 16))
    now = shared_clock(session)
    _forget(session, now - timedelta(seconds=max(seconds for _most, seconds in limits)))
    for most, seconds in limits:
        since = now - timedelta(seconds=seconds)
        query = select(func.count()).select_from(Attempt)
        if (session.scalar(query.where(Attempt.key_hash == key_hash, Attempt.at > since)) or 0) >= most:
            return False
    session.add(Attempt(key_hash=key_hash, at=now))
    session.flush()
    return True


def network(address: str) -> str:
    """The address, and of IPv6 the network of 64 bits that one connection gets: who has it has all of its addresses.

    >>> network("2001:db8:1:2:3:4:5:6"), network("192.0.2.7"), network("a socket")
    ('2001:db8:1:2::/64', '192.0.2.7', 'a socket')
    """
    try:
        return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address
    except ValueError:
        return address


def _forget(session: Session, before: datetime) -> None:
    """Passes over what another process is forgetting just now."""
    old = select(Attempt.id).where(Attempt.at <= before).order_by(Attempt.id).limit(AT_ONCE)
    found = session.scalars(old.with_for_update(skip_locked=True)).all()
    if found:
        session.execute(delete(Attempt).where(Attempt.id.in_(found)))
