"""What expressions do with dates and times.

A date with a time and a zone is put at UTC, as ``decimal-date-time`` is defined; one without a zone is taken as UTC.
Sources: ODK XForms specification, "Date and Time Functions"; W3C XML Schema, part 2, for how dates are written.
"""

from __future__ import annotations

import math
import re
from datetime import date

from surveys.errors import ExpressionError
from surveys.expressions.values import Moment, Value, as_date, days, moment, number, string

__all__ = ["date_and_time", "date_diff", "date_only", "decimal_date", "decimal_time", "format_date"]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME = re.compile(
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}(?:\.[0-9]+)?))?"
    r"(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)


def date_only(value: Value) -> Value:
    """The day of a text, a number of days or a date with a time; empty when it is none of these."""
    found = None if isinstance(value, bool) else as_date(value)
    return "" if found is None else moment(found.date())


def date_and_time(value: Value) -> Value:
    """The value as a date, with the time where it has one; empty when it is not a date."""
    if isinstance(value, Moment):
        return value
    found = None if isinstance(value, bool) else as_date(value)
    if found is None:
        return ""
    timed = "T" in string(value) if isinstance(value, str | tuple) else value != int(number(value))
    return moment(found) if timed else moment(found.date())


def decimal_date(value: Value) -> float:
    """Days since 1 January 1970 UTC; a number counts as that already, and text that is no date is not-a-number."""
    if isinstance(value, str | tuple):
        found = days(string(value))
        return math.nan if found is None else found
    return number(value)


def decimal_time(value: Value) -> float:
    """A time, or the time of a date with a time, as a part of the day: noon is 0.5. With a zone, the day of UTC."""
    text = string(value)
    if isinstance(value, float | bool):
        return math.nan
    if (whole := days(text)) is not None:
        return whole - math.floor(whole)
    match = _TIME.fullmatch(text)
    if match is None or int(match["hour"]) > 23 or int(match["minute"]) > 59 or float(match["second"] or 0) >= 60:
        return math.nan
    zone = match["zone"] or "Z"
    away = 0 if zone == "Z" else int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)
    minutes = int(match["hour"]) * 60 + int(match["minute"]) + float(match["second"] or 0) / 60
    return (minutes - (away if zone[0] == "+" else -away)) % 1440 / 1440


def format_date(value: Value, pattern: Value) -> str:
    """The date, and its time where asked for, in the writing of ``pattern``; empty when the value is not a date.

    Names of months and days are English in every language, so that a calculated value is the same for everybody.
    """
    found = as_date(value)
    if found is None:
        return ""
    parts = {
        "%": "%", "Y": f"{found.year:04d}", "y": f"{found.year:04d}"[2:], "m": f"{found.month:02d}", "n":
        str(found.month), "b": MONTHS[found.month - 1], "d": f"{found.day:02d}", "e": str(found.day), "H":
        f"{found.hour:02d}", "h": str(found.hour), "M": f"{found.minute:02d}", "S": f"{found.second:02d}", "3":
        f"{found.microsecond // 1000:03d}", "a": DAYS[found.weekday()],
    }  # fmt: skip

    def part(match: re.Match[str]) -> str:
        if match[1] not in parts:
            raise ExpressionError(f"format-date() does not know %{match[1]}")
        return parts[match[1]]

    return re.sub(r"%(.?)", part, string(pattern), flags=re.DOTALL)


def date_diff(first: Value, second: Value, unit: Value = "days") -> float:
    """Whole days, or completed months or years, from the first date to the second; negative when it lies earlier."""
    start, end = as_date(first), as_date(second)
    if start is None or end is None:
        return math.nan
    name = string(unit).rstrip("s")
    if name in ("day", "d"):
        return float((end.date() - start.date()).days)
    if name not in ("month", "m", "year", "y"):
        raise ExpressionError(f"date-diff() knows days, months and years, not '{string(unit)}'")
    months = _months(start.date(), end.date()) if end >= start else -_months(end.date(), start.date())
    return float(months if name in ("month", "m") else int(months / 12))


def _months(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
