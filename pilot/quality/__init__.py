"""High-frequency checks: what a researcher looks at each week while answers come in, to mend what can still be mended.

A flag is a reason to look, never a verdict: nothing here changes or leaves out an answer, and people who look alike are
never merged. Numbers by arm carry blinded letters and no sizes; a group of fewer than ten people shows no number. What
cannot be checked yet says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from pilot.models import Pilot
from pilot.protocol import Protocol
from pilot.quality.alike import Alike, alike
from pilot.quality.arms import DIFFERS, DOUBT, Group, Same, groups, same
from pilot.quality.interviewers import Effect, Interviewer, effect, effects, held, interviewers
from pilot.quality.lists import (
    ENOUGH,
    SMALL,
    Finished,
    Flag,
    Found,
    Skipped,
    Undone,
    far_out,
    finished,
    left_open,
    not_allowed,
    speeders,
    straight,
)
from surveys import Instrument

__all__ = [
    "DIFFERS",
    "DOUBT",
    "ENOUGH",
    "SMALL",
    "Alike",
    "Checks",
    "Effect",
    "Finished",
    "Flag",
    "Found",
    "Group",
    "Interviewer",
    "Same",
    "Skipped",
    "Undone",
    "check",
    "effect",
    "far_out",
    "left_open",
    "not_allowed",
    "same",
    "speeders",
    "straight",
]


@dataclass(frozen=True, slots=True)
class Checks:
    """Everything that the page shows."""

    lists: int
    fast: Found
    flat: Found
    far: Found
    not_allowed: Found
    alike: tuple[Alike, ...]
    skipped: tuple[Skipped, ...]
    interviewers: tuple[Interviewer, ...]
    effects: tuple[Effect, ...]
    groups: tuple[Group, ...]
    same: tuple[Same, ...]


def check(session: Session, pilot: Pilot, protocol: Protocol, *, blind: Callable[[str], str], today: date) -> Checks:
    """All checks of the pilot as it stands. `blind` gives a keyed hash of a name: it orders letters and numbers."""
    lists = finished(session, pilot)
    forms = {wave.name: protocol.instrument_of(wave.name) for wave in protocol.waves}
    by_wave = {wave: some for wave in forms if (some := [one for one in lists if one.wave == wave])}
    interviews = held(session, pilot, lists, blind)
    letters, tests = groups(session, pilot, protocol, blind, today)

    def each(judge: Callable[[Instrument, str, Sequence[Finished]], Found]) -> Found:
        return _together(forms, by_wave, judge)

    return Checks(
        lists=len(lists),
        fast=each(lambda _form, wave, some: speeders(wave, some)),
        flat=each(straight),
        far=each(far_out),
        not_allowed=each(not_allowed),
        alike=tuple(alike(session, pilot)),
        skipped=tuple(skip for wave, some in by_wave.items() for skip in left_open(forms[wave], wave, some)),
        interviewers=tuple(interviewers(forms, interviews)),
        effects=tuple(effects(protocol, forms, lists, interviews)),
        groups=tuple(letters),
        same=tuple(tests),
    )


def _together(
    forms: Mapping[str, Instrument],
    by_wave: Mapping[str, Sequence[Finished]],
    judge: Callable[[Instrument, str, Sequence[Finished]], Found],
) -> Found:
    found = Found()
    for wave, some in by_wave.items():
        found += judge(forms[wave], wave, some)
    return found
