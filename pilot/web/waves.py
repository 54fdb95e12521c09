"""What the lists of questions are called by staff: by how long after the draw they are asked."""

from __future__ import annotations

from flask_babel import ngettext

from pilot.protocol import Protocol


def titles(protocol: Protocol) -> dict[str, str]:
    """Each list by how long after the draw it is asked."""
    return {wave.name: ngettext("%(num)s month", "%(num)s months", wave.offset.months) for wave in protocol.waves}
