"""What a person typed, made fit for the record: one place cleans text, and one place joins a date."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping

from surveys.reading import western

NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
LONGEST = 2_000


class TooLong(ValueError):
    """A text is longer than its field can hold; `longest` says how long it may be."""

    def __init__(self, longest: int) -> None:
        super().__init__(f"the text is longer than {longest} characters")
        self.longest = longest


def new_nonce() -> str:
    """A mark for a form: two posts with the same mark are one deed."""
    return secrets.token_urlsafe(18)


def nonce(form: Mapping[str, str]) -> str:
    """The mark the form carries; a new one when it is missing or strange, so that nobody is refused for it."""
    given = form.get("nonce", "")
    return given if NONCE.fullmatch(given) else new_nonce()


def text(form: Mapping[str, str], name: str, *, longest: int = LONGEST, lines: bool = False) -> str:
    """The text of a field: one spelling for each letter (NFC), no control characters, no spaces around it.

    Raises TooLong when more than `longest` characters are left.

    >>> text({"name": "  Jose\\u0301 \\x00 de  Wit "}, "name")
    'José de Wit'
    """
    raw = unicodedata.normalize("NFC", form.get(name, ""))
    kept = "\n" if lines else ""
    raw = raw.replace("\r\n", "\n").replace("\r", "\n")
    clean = "".join(sign if sign in kept or unicodedata.category(sign) not in ("Cc", "Cs") else " " for sign in raw)
    joined = "\n".join(re.sub(r"[^\S\n]+", " ", line).strip() for line in clean.split("\n")).strip()
    if len(joined) > longest:
        raise TooLong(longest)
    return joined


def date_parts(form: Mapping[str, str], name: str) -> tuple[str, str, str]:
    """Day, month and year as typed, to show them again."""
    day, month, year = (western(form.get(f"{name}-{part}", "")).strip()[:12] for part in ("day", "month", "year"))
    return day, month, year


def date_text(form: Mapping[str, str], name: str) -> str:
    """The three fields of a date as one text, year first; empty when nothing was filled in. Whether it is a day that
    exists is for who reads it.

    >>> date_text({"born-day": "3", "born-month": "7", "born-year": "1985"}, "born")
    '1985-07-03'
    """
    day, month, year = date_parts(form, name)
    if not (day or month or year):
        return ""
    return f"{year.zfill(4)}-{month.zfill(2)}-{day.zfill(2)}"
