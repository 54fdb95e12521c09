"""Telephone numbers as people write them, and the citizen number that nobody may write down here.

Sources: the Dutch numbering plan (nine digits after the leading 0), ITU-T E.164 (at most 15 digits after +); the
11-proof of the citizen number (BSN): the digits times 9, 8, 7, 6, 5, 4, 3, 2 and -1 add up to a multiple of 11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from surveys.errors import InputError
from surveys.reading import western

__all__ = ["find_citizen_number", "is_citizen_number", "read_phone"]

# Nine digits in one run always count, unless they follow 31: those are telephone numbers. With spaces, points or
# hyphens between them they count only when no further digit stands beside them.
_RUN = re.compile(r"(?<!\d)(?<!31 )(?<!31-)(?<!31\.)(?<!\(0\))\d{9}(?!\d)")
_GROUPED = re.compile(r"(?<![\d+])(?<!\d[ .\-])\d(?:[ .\-]?\d){8}(?![ .\-]?\d)")
# Spaces and dashes of word processors and telephones, which look like the plain ones, and signs that nobody sees.
_BETWEEN = {
    **dict.fromkeys((0xA0, 0x202F, *range(0x2000, 0x200B)), " "),
    **dict.fromkeys(range(0x2010, 0x2016), "-"),
    **dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF), None),
}
_EIGHT = re.compile(
    r"(?i)(?:bsn|burgerservicenummer|sofi-?nummer|citizen service number)\D{0,20}(\d(?:[ .\-]?\d){7})(?!\d)"
)


def read_phone(text: str) -> str:
    """A telephone number in E.164 form; a number without a country is Dutch.

    >>> ways = ("0612345678", "06-12 34 56 78", "+31 6 12345678", "0031612345678", "+31 (0)6 12345678")
    >>> {read_phone(number) for number in ways}
    {'+31612345678'}
    >>> read_phone("+48 512 345 678")
    '+48512345678'
    """
    plain = western(text).strip()
    if not re.fullmatch(r"\+?[\d\s().\-/]{6,30}", plain, re.ASCII):
        raise InputError("phone_not_understood")
    international = plain.startswith("+") or re.sub(r"\D", "", plain).startswith("00")
    digits = re.sub(r"\D", "", plain.replace("(0)", ""))
    if international:
        digits = digits.removeprefix("00") if not plain.startswith("+") else digits
        if digits.startswith("31"):
            return _dutch(digits[2:].removeprefix("0"))
        if not 8 <= len(digits) <= 15 or digits.startswith("0"):
            raise InputError("phone_not_understood")
        return f"+{digits}"
    if len(digits) == 9 and digits.startswith("6"):
        return _dutch(digits)
    if not digits.startswith("0"):
        raise InputError("phone_not_understood")
    return _dutch(digits[1:])


def _dutch(national: str) -> str:
    if len(national) != 9 or national.startswith("0"):
        raise InputError("phone_digits")
    return f"+31{national}"


def is_citizen_number(digits: str) -> bool:
    """Whether nine digits (or eight, a leading 0 left out) pass the 11-proof.

    >>> is_citizen_number("111222333"), is_citizen_number("123456789"), is_citizen_number("000000000")
    (True, False, False)
    """
    padded = digits.zfill(9)
    if len(padded) != 9 or not padded.isascii() or not padded.isdecimal() or int(padded) == 0:
        return False
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(int(digit) * weight for digit, weight in zip(padded, weights, strict=True)) % 11 == 0


def find_citizen_number(text: str) -> str | None:
    """The first run of nine digits that passes the 11-proof, with or without spaces, points and hyphens in it.

    Eight digits count only after a word such as BSN: written dates would otherwise be taken for citizen numbers.

    >>> find_citizen_number("mijn nummer is 1112.22.333, bel me"), find_citizen_number("bel 06-12345678")
    ('111222333', None)
    >>> find_citizen_number("١١١٢٢٢٣٣٣"), find_citizen_number("1112\u00a022\u2013333")
    ('111222333', '111222333')
    """
    return next(_candidates(western(text).translate(_BETWEEN)), None)


def _candidates(text: str) -> Iterator[str]:
    for pattern, group in ((_RUN, 0), (_GROUPED, 0), (_EIGHT, 1)):
        for match in pattern.finditer(text):
            digits = re.sub(r"\D", "", match[group])
            if is_citizen_number(digits):
                yield digits
