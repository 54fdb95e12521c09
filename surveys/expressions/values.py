"""The four kinds of value of XPath 1.0, a fifth for dates, and the conversions between them.

A value is a ``str``, a ``float``, a ``bool``, a ``Moment`` (a date, or a date with a time) or a tuple of strings (the
nodes that a reference points at, in the order of the form). Two rules come from ODK rather than from XPath 1.0: text
that is an ISO date counts as a number of days since 1 January 1970, and a node without an answer is false.

Sources: W3C XML Path Language 1.0, sections 3.4 and 4; ODK XForms specification, section "XPath".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

__all__ = ["Moment", "Nodes", "Value", "as_date", "boolean", "days", "moment", "number", "string", "text_of"]

NO_ANSWER = ("NAType", "NaTType")
"""How pandas writes down that there is no value; not-a-number is no answer either."""
EPOCH = date(1970, 1, 1).toordinal()
# XPath 1.0, 4.4: digits of ASCII with at most one point and a minus; "1e3" and "+5" are not numbers.
_NUMBER = re.compile(r"[ \t\r\n]*-?([0-9]+(\.[0-9]*)?|\.[0-9]+)[ \t\r\n]*")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(T.*)?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or a date with a time: days since 1 January 1970 (UTC), and how it is written."""

    days: float
    text: str


class Truth(str):
    """True or false as a value of a flat mapping: it reads as "true" or "false", and false is not true.

    A plain text "false" is true, as XPath has it; a Python ``False`` among the variables must never be.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return self == "true"


Nodes: TypeAlias = tuple[str, ...]
Value: TypeAlias = str | float | bool | Moment | Nodes


def string(value: Value) -> str:
    """The value as text; of several nodes the first counts.

    >>> string(3.0), string(0.5), string(True), string(()), string(float("nan"))
    ('3', '0.5', 'true', '', 'NaN')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return value[0] if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Moment):
        return value.text
    return _number_text(value)


def _number_text(value: float) -> str:
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value):
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text


def number(value: Value) -> float:
    """The value as a number; not-a-number when the text is neither a number nor a date.

    >>> number("12.5"), number("1970-01-11"), number(True), number("")
    (12.5, 10.0, 1.0, nan)
    """
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, float | int):
        return float(value)
    if isinstance(value, Moment):
        return value.days
    text = string(value)
    if isinstance(text, Truth):
        return 1.0 if text else 0.0
    if _NUMBER.fullmatch(text):
        return float(text)
    found = days(text)
    return math.nan if found is None else found


def boolean(value: Value) -> bool:
    """The value as true or false: empty text, 0, not-a-number and nodes without an answer are false.

    >>> boolean("no"), boolean(0.0), boolean(("",)), boolean(("", "x"))
    (True, False, False, True)
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, float | int):
        return value == value and value != 0
    if isinstance(value, Moment):
        return value.days == value.days
    if isinstance(value, tuple):
        return any(value)
    return bool(value)


def days(text: str) -> float | None:
    """Days since 1 January 1970 of an ISO date or date with a time; None when the text is not one.

    >>> days("2024-02-29"), days("1970-01-02T12:00:00+00:00"), days("2023-02-29")
    (19782.0, 1.5, None)
    """
    if len(text) < 8 or text[4] != "-":
        return None
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
        if match[4] is None:
            return float(day.toordinal() - EPOCH)
        moment_ = datetime.fromisoformat(f"{day.isoformat()}{match[4]}")
    except ValueError:
        return None
    if moment_.tzinfo is None:
        moment_ = moment_.replace(tzinfo=UTC)
    return moment_.timestamp() / 86_400


def moment(value: date | datetime) -> Moment:
    """A Python date, or date with a time, as a value of an expression.

    >>> moment(date(1970, 1, 3))
    Moment(days=2.0, text='1970-01-03')
    """
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return Moment(aware.timestamp() / 86_400, aware.isoformat(timespec="milliseconds"))
    return Moment(float(value.toordinal() - EPOCH), value.isoformat())


def as_date(value: Value) -> datetime | None:
    """The value as a date with a time in UTC; None when it is not a date. A number counts days since 1970."""
    found = value.days if isinstance(value, Moment) else number(value)
    if found != found or not -719_162 <= found <= 2_932_896:
        return None
    return datetime.fromordinal(EPOCH + math.floor(found)).replace(tzinfo=UTC) + timedelta(
        milliseconds=round((found - math.floor(found)) * 86_400_000)
    )


def text_of(answer: Any) -> str:
    """A stored answer as the text that an expression sees; choices are joined by spaces, as in an XForm.

    >>> text_of(None), text_of(["a", "b"]), text_of(2.50), text_of(True), text_of(float("nan"))
    ('', 'a b', '2.5', 'true', '')
    """
    if isinstance(answer, str):
        return answer
    if answer is None or type(answer).__name__ in NO_ANSWER:
        return ""
    if getattr(answer, "ndim", None) == 0 and hasattr(answer, "item"):
        answer = answer.item()  # a scalar of numpy
    if isinstance(answer, bool):
        return Truth("true" if answer else "false")
    if isinstance(answer, float):
        return _number_text(answer) if math.isfinite(answer) else ""
    if isinstance(answer, int):
        return str(answer)
    if isinstance(answer, Decimal):
        return format(answer, "f") if answer.is_finite() else ""
    if isinstance(answer, list | tuple):
        return " ".join(str(item) for item in answer)
    if isinstance(answer, date | datetime):
        return moment(answer).text
    return str(answer)
