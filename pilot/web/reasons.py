"""Why something on record was changed: a few reasons that can be counted, and one in own words where none fits.

What is kept is the reason's name, or "other: " with the words. Actor and moment stand in the event, the value before
it in the earlier revision.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from pilot.web.reading import Reading

OTHER = "other"
LONGEST = 200
HANDOVER: dict[str, object] = {
    "away": lazy_gettext("The advisor is away or leaves"),
    "moved": lazy_gettext("The participant moved house"),
    "asked": lazy_gettext("The participant asked for it"),
    "language": lazy_gettext("A colleague speaks the language better"),
    "workload": lazy_gettext("The advisor has too many people"),
}
CORRECTION: dict[str, object] = {
    "typing": lazy_gettext("Typed wrongly"),
    "misread": lazy_gettext("The question was misunderstood"),
    "asked": lazy_gettext("The participant asked for it"),
    "changed": lazy_gettext("It was right then and has changed"),
}
LEARNED: dict[str, object] = {
    "told_by_participant": lazy_gettext("The participant told an interviewer"),
    "told_by_second": lazy_gettext("The person whom the participant named told an interviewer"),
}


def options(known: Mapping[str, object]) -> list[tuple[str, object]]:
    """The choices of a form."""
    return [*known.items(), (OTHER, lazy_gettext("Something else, namely:"))]


def read(reading: Reading, known: Mapping[str, object]) -> str:
    """The reason that was chosen; an empty text, with a remark at its field, when there is none."""
    chosen = reading.one_of("reason", (*known, OTHER), needed=_("Choose why. The reason is kept."))
    namely = " ".join(reading.text("reason_namely", longest=LONGEST, lines=True).split())
    if chosen != OTHER:
        return chosen
    if not namely:
        reading.faults.add("reason_namely", _("Write why, in a few words."))
        return ""
    return f"{OTHER}: {namely}"


def said(kept: str) -> str:
    """A reason that was kept, as people read it; one that was written in own words as it stands."""
    known = {**HANDOVER, **CORRECTION, **LEARNED}
    return str(known[kept]) if kept in known else kept.removeprefix(f"{OTHER}: ")
