"""How a count of people is shown: exact to those inside the pilot, rounded or withheld in public, and labelled so."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.disclosure import Rules
from dashboards.figure import Number
from dashboards.format import Formatter
from dashboards.texts import text


def withheld(form: Formatter) -> Number:
    """A cell that may not be seen."""
    return Number(text("disclosure.withheld", form.language))


def shown(count: int, form: Formatter, rules: Rules | None, *, hidden: bool = False) -> Number:
    """A count for a table: exact without rules; with rules rounded, or withheld when asked.

    >>> shown(1197, Formatter("en"), None).text, shown(1197, Formatter("en"), Rules()).text
    ('1,197', '1,195')
    >>> shown(3, Formatter("en"), Rules(), hidden=True)
    Number(text='withheld', value=None)
    """
    if hidden:
        return withheld(form)
    value = count if rules is None else rules.rounded(count)
    return Number(form.integer(value), value)


def count_note(form: Formatter, rules: Rules | None, hidden: Sequence[bool] = ()) -> str:
    """What a reader must know about the counts: exact, or rounded and withheld by which rule."""
    if rules is None:
        return text("disclosure.exact", form.language)
    parts = []
    if rules.rounding_base > 1:
        parts.append(text("disclosure.rounded", form.language, base=form.integer(rules.rounding_base)))
    if any(hidden):
        parts.append(text("disclosure.some_withheld", form.language, least=form.integer(rules.min_cell)))
    return " ".join(parts)
