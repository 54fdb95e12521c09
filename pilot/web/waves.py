"""What the lists of questions are called by staff: by how long after the draw they are asked."""

from __future__ import annotations

from flask_babel import gettext, ngettext

from pilot.protocol import Protocol
from surveys.followups import Offset


def titles(protocol: Protocol) -> dict[str, str]:
    """Each list by how long after the draw it is asked."""
    return {wave.name: _after(wave.offset) for wave in protocol.waves}


def _after(offset: Offset) -> str:
    if offset.months:
        return ngettext("%(num)s month", "%(num)s months", offset.months)
    return ngettext("%(num)s day", "%(num)s days", offset.days) if offset.days else gettext("First list")
