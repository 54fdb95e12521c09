"""The protocol that counts for the pilot of this page: read once a request, and never for a page that is an error."""

from __future__ import annotations

from flask import g

from pilot import locking
from pilot.errors import Refused
from pilot.models import ProtocolVersion
from pilot.protocol import Protocol


def in_force() -> tuple[ProtocolVersion, Protocol]:
    """The locked version that counts now, and its protocol. Raises Refused when nothing is locked."""
    if "in_force" not in g:
        g.in_force = locking.in_force(g.session, g.pilot.id)
    return g.in_force


def is_known() -> bool:
    """Whether the protocol of this page can be asked for. An error page asks for nothing that was not read before it:
    the database may be what failed.
    """
    if "in_force" in g:
        return True
    if g.get("pilot") is None or g.get("failed"):
        return False
    try:
        in_force()
    except Refused:
        return False
    return True
