"""What is wrong with a line of a file that comes in: a code with its values, so that each page says it in its language.

As text a reason is English, for the command line; pages have their own words for each code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pilot.errors import Refused

TEXTS: Mapping[str, str] = {
    "empty_file": "the file is empty; give a header line and at least one row",
    "unknown_column": "the column '{column}' is not known; leave it out",
    "misspelt_column": "the column '{column}' is not known; did you mean '{near}'?",
    "no_reference_column": "the column 'reference' is missing; give every person a number of your own",
    "empty": "'{column}' is empty",
    "no_reference": "the column 'reference' is empty or missing; give every person a number of your own",
    "too_long": "'{column}' is longer than {longest} characters",
    "twice": "reference '{reference}' stands on line {line} too; keep one",
    "known": "reference '{reference}' was imported before; leave the row out",
    "no_consent": "{column}: without consent nobody is enrolled; leave the row out",
    "yes_or_no": "{column}: write yes or no, not '{value}'",
    "phone": "phone: '{value}' is no telephone number",
    "no_contact": "give a phone number or an e-mail address",
    "answer": "{column}: {message}",
    "one_of": "{column} '{value}' is not one of {known}",
    "url": "the address (url) starts with https://",
    "day": "{column} '{value}' is no date; write it as 2027-12-31",
    "amount": "{column} '{value}' is no amount in euro",
    "whole": "{column} '{value}' is no whole number",
    "card_twice": "this card is there twice, or was imported before; leave the row out",
    "card_amount": "this card has another amount than the others; everybody gets the same",
    "bounce_columns": "name a column 'message' or 'address', so that it is known what came back",
    "bounce_nothing": "this line names no message and no address",
    "bounce_message": "no message '{value}' of this pilot was sent",
    "bounce_address": "nobody in this pilot has the address '{value}'",
    "bounce_not_sent": "no message was sent to '{value}'",
    "bounce_passing": "'{value}' is no lasting failure; the address stays in use",
    "encoding": "this is no UTF-8; save the file as 'CSV UTF-8'",
    "no_table": "this is no table with lines and columns; save the file as 'CSV UTF-8'",
    "column_twice": "the column '{column}' is there twice; keep one",
    "cells": "this line has {found} cells, the first line {columns}; put a text with a comma between quotes",
    "recruitment_closed": "recruitment is closed",
    "full": "all places are taken",
    "step": "this row cannot be taken in: {message}",
}
LONGEST = 80


class Reason:
    """Why a line is not taken in. `values` are cut: a line of a wrong file can be very long.

    >>> str(Reason("empty", column="name")), Reason("empty", column="name").code
    ("'name' is empty", 'empty')
    """

    def __init__(self, code: str, **values: object) -> None:
        self.code, self.values = code, {name: _cut(str(value)) for name, value in values.items()}
        self.text = TEXTS[code].format(**self.values)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Reason({self.text!r})"


Problem = tuple[int, Reason]


class InvalidRows(Refused):
    """A file of which nothing was taken in; `problems` names line and reason of everything that is wrong."""

    code = "invalid_file"

    def __init__(self, problems: Sequence[Problem]) -> None:
        ordered = sorted(problems, key=lambda problem: problem[0])
        super().__init__("nothing was imported:\n" + "\n".join(f"  line {line}: {reason}" for line, reason in ordered))
        self.problems = tuple(ordered)


def _cut(text: str) -> str:
    return text if len(text) <= 4 * LONGEST else f"{text[: 4 * LONGEST]}…"
