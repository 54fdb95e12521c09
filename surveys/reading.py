"""Numbers, dates and times as people write them: with comma or point, in words or figures.

What can mean two things is not guessed: the person is asked to write it differently. Every function raises InputError
with a code of the message catalogue.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time

from surveys.errors import InputError

__all__ = ["read_date", "read_decimal", "read_integer", "read_time", "western"]

LONGEST = 80
"""No number or date is longer; matching patterns against a long text would cost time for nothing."""

_UNIT = re.compile(
    r"(?i)^(?:€|eur(?:o)?)\s*|\s*(?:€|eur(?:o)?'?s?|uur|uren|hours?|jaar|years?|weken|weeks?|dagen|days?)\.?$"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:([., ’'])\d{3})(?:\1\d{3})*")
_MONTHS = {
    "jan": 1, "januari": 1, "january": 1, "feb": 2, "februari": 2, "february": 2, "mrt": 3, "maart": 3, "mar": 3,
    "march": 3, "apr": 4, "april": 4, "mei": 5, "may": 5, "jun": 6, "juni": 6, "june": 6, "jul": 7, "juli": 7, "july":
    7, "aug": 8, "augustus": 8, "august": 8, "sep": 9, "sept": 9, "september": 9, "okt": 10, "oktober": 10, "oct": 10,
    "october": 10, "nov": 11, "november": 11, "dec": 12, "december": 12,
    # Turkish, Polish (as in "3 maja"), Ukrainian (as in "3 травня") and Arabic in both of its customs.
    "ocak": 1, "şubat": 2, "mart": 3, "nisan": 4, "mayıs": 5, "haziran": 6, "temmuz": 7, "ağustos": 8, "eylül": 9,
    "ekim": 10, "kasım": 11, "aralık": 12,
    "stycznia": 1, "lutego": 2, "marca": 3, "kwietnia": 4, "maja": 5, "czerwca": 6, "lipca": 7, "sierpnia": 8,
    "września": 9, "października": 10, "listopada": 11, "grudnia": 12,
    "січня": 1, "лютого": 2, "березня": 3, "квітня": 4, "травня": 5, "червня": 6, "липня": 7, "серпня": 8,
    "вересня": 9, "жовтня": 10, "листопада": 11, "грудня": 12,
    "يناير": 1, "فبراير": 2, "مارس": 3, "أبريل": 4, "مايو": 5, "يونيو": 6, "يوليو": 7, "أغسطس": 8, "سبتمبر": 9,
    "أكتوبر": 10, "نوفمبر": 11, "ديسمبر": 12, "كانون الثاني": 1, "شباط": 2, "آذار": 3, "نيسان": 4, "أيار": 5,
    "حزيران": 6, "تموز": 7, "آب": 8, "أيلول": 9, "تشرين الأول": 10, "تشرين الثاني": 11, "كانون الأول": 12,
}  # fmt: skip
_MONTH = r"[^\W\d_]+(?: [^\W\d_]+)?"


def western(text: str) -> str:
    """The text with the figures of any script as 0 to 9, and the Arabic comma of decimals as a comma.

    >>> western("٢٧-٣-١٩٨٥"), western("١٢٫٥"), western("۰۶ ۱۲۳۴۵۶۷۸")
    ('27-3-1985', '12,5', '06 12345678')
    """
    if text.isascii():
        return text
    plain = text.replace("٫", ",").replace("٬", ".").translate(_MARKS)
    return "".join(str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in plain)


# Marks that say which way to read: keyboards and copied numbers carry them, and nobody sees them.
_MARKS = dict.fromkeys((0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def _bare(text: str) -> str:
    if len(text) > LONGEST:
        raise InputError("number_not_understood")
    plain = (
        western(text)
        .strip()
        .replace("\u00a0", " ")
        .replace("\u202f", " ")
        .replace("\u2212", "-")
        .replace("\u2013", "-")
    )
    return _UNIT.sub("", _UNIT.sub("", plain)).strip()


def read_integer(text: str) -> int:
    """A whole number.

    >>> read_integer("1.250"), read_integer("€ 1 250"), read_integer("32 uur"), read_integer("40,0")
    (1250, 1250, 32, 40)
    """
    plain = _bare(text)
    sign, digits = (-1, plain[1:]) if plain.startswith("-") else (1, plain.removeprefix("+"))
    if re.fullmatch(r"[0-9]{1,15}", digits):
        return sign * int(digits)
    if _THOUSANDS.fullmatch(digits) and re.fullmatch(r"[0-9., ’']{1,19}", digits):
        return sign * int(re.sub(r"\D", "", digits))
    if re.fullmatch(r"[0-9]{1,15}[.,]0{1,2}", digits):
        return sign * int(re.split(r"[.,]", digits)[0])
    if re.fullmatch(r"[0-9]{1,15}[.,][0-9]+", digits):
        raise InputError("number_not_whole")
    raise InputError("number_not_understood")


def read_decimal(text: str) -> float:
    """A number that may have decimals, after a comma or a point.

    >>> read_decimal("12,5"), read_decimal("12.5"), read_decimal("1.234,50"), read_decimal("1,234.50")
    (12.5, 12.5, 1234.5, 1234.5)
    >>> read_decimal("1.500")
    Traceback (most recent call last):
    surveys.errors.InputError: number_ambiguous
    """
    plain = _bare(text)
    sign, digits = (-1, plain[1:]) if plain.startswith("-") else (1, plain.removeprefix("+"))
    if not re.fullmatch(r"[0-9., ’']{1,24}", digits) or not re.search(r"[0-9]", digits):
        raise InputError("number_not_understood")
    if re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", digits):
        raise InputError("number_ambiguous", without=re.sub(r"\D", "", digits), number=digits[:-2])
    if re.fullmatch(r"[0-9]*[.,]?[0-9]+|[0-9]+[.,]", digits):
        return sign * float(digits.replace(",", "."))
    whole, mark, rest = _split(digits)
    if (_THOUSANDS.fullmatch(whole) or whole.isdecimal()) and (rest.isdecimal() or not mark):
        if mark and mark in whole:
            raise InputError("number_not_understood")
        return sign * float(re.sub(r"\D", "", whole) + "." + (rest or "0"))
    raise InputError("number_not_understood")


def _split(digits: str) -> tuple[str, str, str]:
    """At the last comma or point, when only one of its kind is there: that is the decimal mark."""
    at = max(digits.rfind(","), digits.rfind("."))
    if at < 0 or digits.count(digits[at]) > 1:
        return digits, "", ""
    return digits[:at], digits[at], digits[at + 1 :]


def read_date(text: str) -> date:
    """A date, the day before the month unless the year comes first.

    >>> read_date("3-4-1985"), read_date("1985-04-03"), read_date("3 april 1985"), read_date("03041985")
    (datetime.date(1985, 4, 3), datetime.date(1985, 4, 3), datetime.date(1985, 4, 3), datetime.date(1985, 4, 3))
    >>> read_date("3 maja 1985"), read_date("٣ نيسان ١٩٨٥")
    (datetime.date(1985, 5, 3), datetime.date(1985, 4, 3))
    >>> read_date("31 februari 1985")
    Traceback (most recent call last):
    surveys.errors.InputError: date_impossible
    """
    if len(text) > LONGEST:
        raise InputError("date_not_understood")
    plain = " ".join(western(text).strip().replace("İ", "i").lower().replace(",", " ").split())
    if match := re.fullmatch(r"([0-9]{4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,2})", plain):
        return _date(match[1], int(match[2]), match[3])
    if match := re.fullmatch(r"([0-9]{1,2})[-/. ]+([0-9]{1,2})[-/. ]+([0-9]{2,4})", plain):
        return _date(match[3], int(match[2]), match[1])
    if match := re.fullmatch(r"([0-9]{2})([0-9]{2})([0-9]{4})", plain):
        return _date(match[3], int(match[2]), match[1])
    if match := re.fullmatch(
        r"([0-9]{1,2})(?:e|de|ste|st|nd|rd|th)?[-/. ]+(" + _MONTH + r")[-/. ]+'?([0-9]{2,4})", plain
    ):
        return _date(match[3], _month(match[2]), match[1])
    if match := re.fullmatch(r"([a-z]+)\.? ([0-9]{1,2})(?:st|nd|rd|th)? ([0-9]{4})", plain):
        return _date(match[3], _month(match[1]), match[2])
    raise InputError("date_not_understood")


def _month(name: str) -> int:
    if name not in _MONTHS:
        raise InputError("date_not_understood")
    return _MONTHS[name]


def _date(year: str, month: int, day: str) -> date:
    if len(year) != 4:
        raise InputError("date_year_digits")
    try:
        return date(int(year), month, int(day))
    except ValueError:
        raise InputError("date_impossible") from None


def read_time(text: str) -> time:
    """A time of day, to the minute.

    >>> read_time("14:30"), read_time("14u30"), read_time("9.05"), read_time("2 pm"), read_time("14 uur")
    (datetime.time(14, 30), datetime.time(14, 30), datetime.time(9, 5), datetime.time(14, 0), datetime.time(14, 0))
    """
    if len(text) > LONGEST:
        raise InputError("time_not_understood")
    plain = western(text).strip().lower()
    match = re.fullmatch(
        r"([0-9]{1,2})(?:\s*[:.uh]\s*([0-9]{2}))?(?::[0-9]{2})?\s*(uur|u|h|am|pm|a\.m\.|p\.m\.)?", plain
    )
    if match is None or (match[2] is None and match[3] is None):
        raise InputError("time_not_understood")
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "")[:1]
    if half in ("a", "p"):
        if not 1 <= hour <= 12:
            raise InputError("time_impossible")
        hour = hour % 12 + 12 * (half == "p")
    if hour > 23 or minute > 59:
        raise InputError("time_impossible")
    return time(hour, minute)
