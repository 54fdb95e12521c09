"""Numbers, shares, money and dates are written in one place, so that every page and report writes them alike.

Patterns come from the Unicode CLDR through Babel; the minus sign is the real one (U+2212), which screen readers
pronounce and which does not break off at the end of a line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from dashboards.errors import TextError
from dashboards.texts import LANGUAGES, Language, text

Unit = Literal["share", "money", "number", "ratio"]
"""What an outcome is counted in: a share of people, euros, a plain number (score, hours, count) or a ratio."""

MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NO-BREAK SPACE}"
LOCALES: dict[Language, str] = {"nl": "nl_NL", "en": "en_GB"}


@dataclass(frozen=True, slots=True)
class Formatter:
    """Writes values in one language. Every method raises `TextError` for NaN: a missing number is never printed.

    >>> nl, en = Formatter("nl"), Formatter("en")
    >>> nl.decimal(-1794.342, 2), en.decimal(-1794.342, 2)
    ('−1.794,34', '−1,794.34')
    """

    language: Language

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise TextError(f"there are no number formats for '{self.language}'", remedy="Choose nl or en.")

    @property
    def _locale(self) -> str:
        return LOCALES[self.language]

    def integer(self, value: float) -> str:
        """A whole number with thousands separated.

        >>> Formatter("nl").integer(12345)
        '12.345'
        """
        return self.decimal(value, 0)

    def decimal(self, value: float, digits: int = 1) -> str:
        """A number with exactly `digits` decimals, rounded half to even on its shortest decimal form."""
        number = _checked(value)
        if math.isinf(number):
            return (MINUS if number < 0 else "") + "∞"
        rounded = round(number, digits)
        if rounded == 0:
            rounded = 0.0  # no "−0,0"
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(rounded, format=pattern, locale=self._locale).replace("-", MINUS)

    def significant(self, value: float, digits: int = 3) -> str:
        """A number with `digits` significant digits, never fewer than its whole part.

        >>> Formatter("en").significant(0.012345), Formatter("en").significant(1794.342)
        ('0.0123', '1,794')
        """
        number = _checked(value)
        if number == 0 or math.isinf(number):
            return self.decimal(number, 0)
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(number))))
        return self.decimal(number, min(decimals, 10))

    def percent(self, share: float, digits: int = 0) -> str:
        """A share between 0 and 1 as a percentage.

        >>> Formatter("nl").percent(0.274, 1)
        '27,4%'
        """
        return self.decimal(100 * _checked(share), digits) + "%"

    def money(self, euros: float, digits: int = 0) -> str:
        """An amount in euros.

        >>> Formatter("nl").money(-1200), Formatter("en").money(1200.5, 2)
        ('€\xa0−1.200', '€1,200.50')
        """
        number = _checked(euros)
        if math.isinf(number):
            return self.decimal(number)
        decimals = "." + "0" * digits if digits else ""
        pattern = (
            f"¤{NARROW}#,##0{decimals};¤{NARROW}-#,##0{decimals}" if self.language == "nl" else f"¤#,##0{decimals}"
        )
        rounded = round(number, digits)
        written = format_currency(
            0.0 if rounded == 0 else rounded, "EUR", format=pattern, locale=self._locale, currency_digits=False
        )
        return written.replace("-", MINUS)

    def date(self, day: date) -> str:
        """A day in words.

        >>> Formatter("nl").date(date(2026, 11, 22)), Formatter("en").date(date(2026, 11, 22))
        ('22 november 2026', '22 November 2026')
        """
        return format_date(day.date() if isinstance(day, datetime) else day, "d MMMM y", locale=self._locale)

    def day_month(self, day: date) -> str:
        """A day for an axis: short month, year in two digits.

        >>> Formatter("en").day_month(date(2026, 3, 2))
        '2 Mar 26'
        """
        return format_date(day, "d MMM yy", locale=self._locale).replace(".", "")

    def p_value(self, p: float) -> str:
        """A p-value to three decimals, or that it is below a thousandth.

        >>> Formatter("en").p_value(0.00004), Formatter("nl").p_value(0.0412)
        ('< 0.001', '0,041')
        """
        if not 0 <= _checked(p) <= 1:
            raise TextError(f"a p-value lies between 0 and 1, not at {p}", remedy="Check the analysis.")
        return "< " + self.decimal(0.001, 3) if p < 0.001 else self.decimal(p, 3)

    def between(self, low: float, high: float, write: Callable[[float], str] | None = None) -> str:
        """An interval in words, each end written by `write` (default: three significant digits).

        >>> Formatter("en").between(4, 12, Formatter("en").integer)
        '4 to 12'
        """
        write = write or self.significant
        return text("common.interval", self.language, low=write(low), high=write(high))

    def level(self, level: float) -> str:
        """A confidence level as a percentage without needless decimals.

        >>> Formatter("en").level(0.95), Formatter("nl").level(0.975)
        ('95%', '97,5%')
        """
        return self.percent(level, 0 if math.isclose(100 * level, round(100 * level)) else 1)


def writer(
    unit: Unit, form: Formatter, *, difference: bool = False, digits: int | None = None
) -> Callable[[float], str]:
    """The way values of a unit are written; a difference between shares is in percentage points.

    >>> writer("share", Formatter("en"), difference=True)(0.083)
    '8.3'
    >>> writer("money", Formatter("en"))(1794.3)
    '€1,794'
    """
    if unit == "share":
        places = 1 if digits is None else digits
        return (lambda v: form.decimal(100 * v, places)) if difference else (lambda v: form.percent(v, places))
    if unit == "money":
        return lambda v: form.money(v, digits or 0)
    if unit == "ratio":
        return lambda v: form.decimal(v, 2 if digits is None else digits)
    return (lambda v: form.significant(v)) if digits is None else (lambda v: form.decimal(v, digits))


def _checked(value: float) -> float:
    number = float(value)
    if math.isnan(number):
        raise TextError("a number is missing where one must be printed", remedy="Compute it, or leave the line out.")
    return number
