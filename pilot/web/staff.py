"""What pages of staff share: the protocol in force, who is signed in, and today where people live."""

from __future__ import annotations

from datetime import date

from flask import g

from pilot import locking
from pilot.models import ProtocolVersion, User
from pilot.protocol import Protocol
from pilot.web.rules import signed_in_user
from pilot.web.state import state


def me() -> User:
    """The member of staff who asks; the page's rule has let in nobody else."""
    user = signed_in_user()
    assert user is not None, "the rule lets in nobody who has not signed in"
    return user


def in_force() -> tuple[ProtocolVersion, Protocol]:
    """The protocol that counts for the pilot of this page. Raises Refused while none is locked."""
    return locking.in_force(g.session, g.pilot.id)


def today() -> date:
    """The day it is for the pilot, where people live."""
    return g.now.astimezone(state().settings.zone).date()
