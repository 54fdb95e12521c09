"""A form read field by field: the values as types, and for every field that is not right yet the words to show at it.

The views of staff read with this, so that a date, an amount or a number is read the same on every page, and so that
what somebody typed comes back with the remark beside the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from pilot.web import forms
from surveys.contact import find_citizen_number

CLOCK = re.compile(r"(\d{1,2})(?:[:.h ]?(\d{2}))?")
MOST_CENTS = 10**9


class Faults:
    """What is not right yet, by field, in the order in which it was found."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, str]] = {}

    def add(self, field: str, message: str, *, at: str = "") -> None:
        """One remark a field, the first one. `at` is the id that the summary leads to when it is not the name."""
        self._found.setdefault(field, (at or field, message))

    def of(self, field: str) -> str | None:
        return self._found[field][1] if field in self._found else None

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Pairs (id, words) for the head of the page."""
        return list(self._found.values())

    def __bool__(self) -> bool:
        return bool(self._found)


class Reading:
    """The fields of one posted form, read one by one; `faults` holds what is not right."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self.form, self.faults = form, Faults()

    def text(self, name: str, *, longest: int = forms.LONGEST, lines: bool = False, needed: str = "") -> str:
        """A text; `needed` is what to say when it is empty. Own words (`lines`) may hold no citizen number."""
        try:
            found = forms.text(self.form, name, longest=longest, lines=lines)
        except forms.TooLong:
            self.faults.add(name, _("This is too long. Write at most %(longest)s characters.", longest=longest))
            return ""
        if lines and find_citizen_number(found) is not None:
            self.faults.add(name, _("This looks like a citizen service number. Take it out: we may not keep it."))
            return ""
        if needed and not found:
            self.faults.add(name, needed)
        return found

    def whole(self, name: str, *, needed: str) -> int:
        """A whole number as people write it; 0 when it is none."""
        typed = self.form.get(name, "").strip()
        if re.fullmatch(r"\d{1,6}", typed):
            return int(typed)
        self.faults.add(name, needed)
        return 0

    def cents(self, name: str) -> int:
        """An amount in euro, with a comma or a point before the cents; 0 when it is none."""
        typed = re.sub(r"[\s€]", "", self.form.get(name, ""))
        if re.search(r"\d\.\d{3}(,|$)", typed):
            typed = typed.replace(".", "")
        try:
            found = Decimal(typed.replace(",", ".")) * 100
            if found == int(found) and 0 < found <= MOST_CENTS:
                return int(found)
        except (InvalidOperation, OverflowError, ValueError):
            pass
        self.faults.add(name, _("Write an amount in euro, for example 165 or 82,50."))
        return 0

    def day(self, name: str, *, needed: bool = True) -> date | None:
        """The three fields of a date."""
        typed = forms.date_text(self.form, name)
        if not typed:
            if needed:
                self.faults.add(name, _("Write the day, the month and the year."), at=f"{name}-day")
            return None
        try:
            return date.fromisoformat(typed)
        except ValueError:
            self.faults.add(name, _("This day does not exist. Write it as 27 3 2027."), at=f"{name}-day")
            return None

    def moment(self, name: str, zone: ZoneInfo) -> datetime | None:
        """A day and a time of the clock where people live; nothing when neither was filled in. In UTC."""
        day, typed = self.day(name, needed=False), self.form.get(f"{name}-time", "").strip()
        if day is None:
            if typed and not self.faults.of(name):
                self.faults.add(name, _("Write the day as well as the time."), at=f"{name}-day")
            return None
        found = CLOCK.fullmatch(typed)
        hour, minute = (int(found[1]), int(found[2] or 0)) if found else (24, 0)
        if hour > 23 or minute > 59:
            self.faults.add(f"{name}-time", _("Write the time of the clock, for example 14:30."))
            return None
        return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)

    def one_of(self, name: str, known: tuple[str, ...], *, needed: str) -> str:
        """One of several choices."""
        found = self.form.get(name, "")
        if found in known:
            return found
        self.faults.add(name, needed, at=f"{name}-1")
        return ""


def parts_of(day: date | None) -> tuple[str, str, str]:
    """A date as the three fields show it."""
    return ("", "", "") if day is None else (str(day.day), str(day.month), str(day.year))
