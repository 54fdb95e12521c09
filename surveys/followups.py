"""Follow-up waves: when each person is asked what, counted from the day of allocation so that all arms are asked alike.

The module knows dates only. Sending, telephoning and stopping after completion or withdrawal happen elsewhere.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal, get_args

from surveys.errors import WaveError
from surveys.nearest import did_you_mean

__all__ = ["CHANNELS", "MODES", "Due", "Offset", "Reminder", "Wave", "due", "read_waves", "schedule"]

Mode = Literal["self", "phone", "desk", "paper"]
Channel = Literal["email", "sms", "letter", "phone"]
MODES: tuple[str, ...] = get_args(Mode)
CHANNELS: tuple[str, ...] = get_args(Channel)
WRITTEN = tuple(channel for channel in CHANNELS if channel != "phone")
_OFFSET = re.compile(r"([+-]?\d{1,4})\s*(day|week|month|year)s?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance in the calendar: months and days. A month after 31 January is the last day of February."""

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str, path: tuple[str | int, ...] = ()) -> Offset:
        """From words: "3 months", "2 weeks", "10 days", "1 year". Raises WaveError.

        >>> Offset.parse("2 weeks"), Offset.parse("1 year")
        (Offset(months=0, days=14), Offset(months=12, days=0))
        """
        match = _OFFSET.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise WaveError(f"'{text}' is not a period", path, "write for instance 3 months, 2 weeks or 10 days")
        count, unit = int(match[1]), match[2].lower()
        months = {"month": count, "year": 12 * count}.get(unit, 0)
        return cls(months, {"day": count, "week": 7 * count}.get(unit, 0))

    def after(self, day: date) -> date:
        """The date this far after a day.

        >>> Offset(months=3).after(date(2026, 11, 30))
        datetime.date(2027, 2, 28)
        """
        year, month = divmod(day.year * 12 + day.month - 1 + self.months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last)) + timedelta(days=self.days)

    def __str__(self) -> str:
        """In words again: ``Offset.parse(str(offset))`` gives the same offset when only one unit is used."""
        if self.months:
            return f"{self.months} month{'s' * (abs(self.months) != 1)}"
        return f"{self.days} day{'s' * (abs(self.days) != 1)}"


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder: how long after the invitation, and along which channel (None: the channel of the invitation)."""

    after: Offset
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave of the protocol.

    ``offset`` counts from the day of allocation to the day the wave is due; the window opens ``opens`` and closes
    ``closes`` after that day (``opens`` may be negative). Raises WaveError when the window closes before it opens, a
    reminder falls outside it, or a mode is unknown. ``channels`` are the ways to reach people, the first that a person
    has is taken; a reminder may name another one first.

    >>> wave = Wave.from_dict({"name": "followup_3m", "offset": "3 months", "window": {"opens": "-1 week",
    ...     "closes": "6 weeks"}, "reminders": ["1 week", {"after": "2 weeks", "channel": "sms"}],
    ...     "modes": ["self", "phone"]})
    >>> wave.instrument, wave.on(date(2026, 1, 15)).closes_on
    ('followup_3m', datetime.date(2026, 5, 27))
    """

    name: str
    instrument: str
    offset: Offset
    opens: Offset = field(default_factory=Offset)
    closes: Offset = Offset(days=42)
    reminders: tuple[Reminder, ...] = ()
    modes: tuple[str, ...] = ("self",)
    channels: tuple[str, ...] = ("email", "sms")

    def __post_init__(self) -> None:
        start = date(2027, 1, 31)
        here = self.on(start)
        if here.due_on < start:
            raise WaveError(
                f"wave '{self.name}' lies before allocation", ("offset",), "give an offset of 0 days or more"
            )
        if here.closes_on < here.opens_on:
            raise WaveError(f"the window of wave '{self.name}' closes before it opens", ("window",))
        for i, (day, _) in enumerate(here.reminders_on):
            if not here.opens_on < day <= here.closes_on:
                message = f"reminder {i + 1} of wave '{self.name}' falls outside its window"
                raise WaveError(message, ("reminders", i), "count reminders from the day the window opens")
        if not self.modes:
            raise WaveError(f"wave '{self.name}' has no mode", ("modes",), "choose from " + ", ".join(MODES))
        for i, mode in enumerate(self.modes):
            if mode not in MODES:
                raise WaveError(f"there is no mode '{mode}'", ("modes", i), "choose from " + ", ".join(MODES))
        if not self.channels:
            raise WaveError(f"wave '{self.name}' has no channel", ("channels",), "choose from email, sms, letter")
        for i, channel in enumerate(self.channels):
            if channel not in WRITTEN or channel in self.channels[:i]:
                message = f"'{channel}' is no channel of a message, or stands there twice"
                raise WaveError(message, ("channels", i), "choose from " + ", ".join(WRITTEN))
        for i, reminder in enumerate(self.reminders):
            if reminder.channel is not None and reminder.channel not in CHANNELS:
                message = f"there is no channel '{reminder.channel}'"
                raise WaveError(message, ("reminders", i, "channel"), "choose from " + ", ".join(CHANNELS))

    @property
    def by_letter(self) -> bool:
        """Whether a message of this wave may be a letter."""
        return "letter" in self.channels or any(reminder.channel == "letter" for reminder in self.reminders)

    def on(self, allocated_on: date) -> Due:
        """The dates of this wave for a person allocated on that day."""
        due_on = self.offset.after(allocated_on)
        opens_on = self.opens.after(due_on)
        reminders = tuple((reminder.after.after(opens_on), reminder.channel) for reminder in self.reminders)
        return Due(self, due_on, opens_on, self.closes.after(due_on), reminders)

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> Wave:
        """A wave as the protocol writes it. Raises WaveError with the path of keys; an unknown key is an error."""
        known = ("name", "instrument", "offset", "window", "reminders", "modes", "channels")
        _only(mapping, known, path)
        for key in ("name", "offset"):
            if not mapping.get(key):
                raise WaveError(f"a wave needs '{key}'", (*path, key))
        window = mapping.get("window") or {}
        if isinstance(window, str):
            window = {"closes": window}
        _only(window, ("opens", "closes"), (*path, "window"))
        try:
            return cls(
                name=str(mapping["name"]),
                instrument=str(mapping.get("instrument") or mapping["name"]),
                offset=Offset.parse(mapping["offset"], ("offset",)),
                opens=Offset.parse(window.get("opens", "0 days"), ("window", "opens")),
                closes=Offset.parse(window.get("closes", "42 days"), ("window", "closes")),
                reminders=tuple(_reminder(r, i) for i, r in enumerate(mapping.get("reminders") or ())),
                modes=tuple(mapping.get("modes") or ("self",)),
                channels=_several(mapping.get("channels", ("email", "sms"))),
            )
        except WaveError as error:
            raise WaveError(error.message, (*path, *error.path), error.remedy) from None

    def to_dict(self) -> dict[str, Any]:
        """The form that ``from_dict`` reads."""
        return {
            "name": self.name,
            "instrument": self.instrument,
            "offset": str(self.offset),
            "window": {"opens": str(self.opens), "closes": str(self.closes)},
            "reminders": [
                {"after": str(r.after)} | ({"channel": r.channel} if r.channel else {}) for r in self.reminders
            ],
            "modes": list(self.modes),
            "channels": list(self.channels),
        }


@dataclass(frozen=True, slots=True)
class Due:
    """A wave for one person: when it is due, when its window opens and closes, and the days of its reminders."""

    wave: Wave
    due_on: date
    opens_on: date
    closes_on: date
    reminders_on: tuple[tuple[date, str | None], ...]

    def status(self, today: date) -> Literal["early", "open", "closed"]:
        if today < self.opens_on:
            return "early"
        return "open" if today <= self.closes_on else "closed"

    def reminders_until(self, today: date) -> int:
        """How many reminders should have gone out by today, had the person not answered."""
        return sum(day <= today for day, _ in self.reminders_on)


def read_waves(section: Iterable[Mapping[str, Any]]) -> tuple[Wave, ...]:
    """The waves of a protocol, in order of their offset. Raises WaveError with the path of keys."""
    waves = [Wave.from_dict(mapping, (i,)) for i, mapping in enumerate(section)]
    seen: dict[str, int] = {}
    for i, wave in enumerate(waves):
        if wave.name in seen:
            raise WaveError(f"the wave '{wave.name}' is there twice", (i, "name"), "give each wave its own name")
        seen[wave.name] = i
    return tuple(sorted(waves, key=lambda wave: wave.on(date(2027, 1, 31)).due_on))


def schedule(waves: Iterable[Wave], allocated_on: date) -> tuple[Due, ...]:
    """The dates of every wave for a person allocated on that day."""
    return tuple(wave.on(allocated_on) for wave in waves)


def due(waves: Iterable[Wave], allocated_on: date, today: date) -> tuple[Due, ...]:
    """The waves whose window is open today, the earliest due first.

    >>> waves = read_waves([{"name": "m3", "offset": "3 months"}, {"name": "m6", "offset": "6 months"}])
    >>> [d.wave.name for d in due(waves, date(2026, 1, 1), date(2026, 4, 2))]
    ['m3']
    """
    open_ = [d for d in schedule(waves, allocated_on) if d.status(today) == "open"]
    return tuple(sorted(open_, key=lambda d: d.due_on))


def _only(mapping: Mapping[str, Any], known: tuple[str, ...], path: tuple[str | int, ...]) -> None:
    if not isinstance(mapping, Mapping):
        raise WaveError("this must be a mapping of keys to values", path)
    for key in mapping:
        if key not in known:
            remedy = did_you_mean(str(key), known, "known are " + ", ".join(known))
            raise WaveError(f"the key '{key}' is not known here", (*path, key), remedy)


def _several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _reminder(value: Any, i: int) -> Reminder:
    if isinstance(value, str):
        return Reminder(Offset.parse(value, ("reminders", i)))
    _only(value, ("after", "channel"), ("reminders", i))
    return Reminder(Offset.parse(value.get("after", ""), ("reminders", i, "after")), value.get("channel"))
