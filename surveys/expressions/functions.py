"""The functions that an expression may call: a table, so that adding one is adding a line.

Each entry holds how many arguments it takes, what kind of value it gives (for the checks at import) and a plain Python
function over values. Functions that need the form around them (``position``, ``indexed-repeat``, ``jr:choice-name``,
…) and those that must not evaluate every argument (``if``, ``coalesce``) live in ``evaluate``.

Source: ODK XForms specification, section "XPath functions"; W3C XML Path Language 1.0, section 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from surveys.errors import ExpressionError
from surveys.expressions import dates, digests, places
from surveys.expressions.patterns import matcher
from surveys.expressions.values import Nodes, Value, boolean, number, string

__all__ = ["FUNCTIONS", "Function", "Kind"]

Kind = Literal["string", "number", "boolean", "date", "any"]


@dataclass(frozen=True, slots=True)
class Function:
    """What may be known of a function without calling it, and the function itself (None: needs the form)."""

    least: int
    most: int | None
    gives: Kind
    apply: Callable[..., Any] | None = None


MOST_DIGITS = 340
"""Beyond these a number of double precision has no digits left to round."""


def _flat(values: Iterable[Value]) -> list[Value]:
    """Nodes spread out: a function such as ``max`` looks at every node, not only at the first."""
    spread: list[Value] = []
    for value in values:
        spread.extend(value) if isinstance(value, tuple) else spread.append(value)
    return spread


def _nodes(value: Value, name: str) -> Nodes:
    if not isinstance(value, tuple):
        raise ExpressionError(f"{name}() takes a question or repeat, not a computed value")
    return value


def _round(value: Value, digits: Value = 0.0) -> float:
    """XPath 1.0, 4.4: of two numbers that are equally near the one closer to positive infinity, as written in decimals.

    1.005 is rounded as it is written, not as the slightly smaller number that the computer holds.
    """
    x, n = number(value), _int(digits)
    if not math.isfinite(x) or n != n or n > MOST_DIGITS:
        return x
    scale = Fraction(10) ** int(max(n, -MOST_DIGITS))
    return math.copysign(float(math.floor(Fraction(repr(x)) * scale + Fraction(1, 2)) / scale), x)


def _int(value: Value) -> float:
    x = number(value)
    return float(math.trunc(x)) if math.isfinite(x) else x


def _whole(rounding: Callable[[float], int]) -> Callable[[Value], float]:
    """``floor`` and ``ceiling``: -0.5 goes up to negative zero (XPath 1.0, 4.4)."""

    def rounded(value: Value) -> float:
        x = number(value)
        return math.copysign(float(rounding(x)), x) if math.isfinite(x) else x

    return rounded


def _power(base: Value, exponent: Value) -> float:
    """XPath 3.0, math:pow: zero to a negative power is infinite, and so is what grows too large, with its sign."""
    x, y = number(base), number(exponent)
    odd = y == y and not math.isinf(y) and y % 2 == 1
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and odd else math.inf
    except ValueError:
        return (math.copysign(math.inf, x) if odd else math.inf) if x == 0 else math.nan


def _sum(value: Value) -> float:
    """XPath 1.0, 4.4: a node that is not a number makes the sum not-a-number."""
    numbers = [number(x) for x in _nodes(value, "sum")]
    return math.fsum(numbers) if all(map(math.isfinite, numbers)) else float(sum(numbers))


def _real(function: Callable[..., float]) -> Callable[..., float]:
    """A function of real numbers that gives not-a-number outside its domain, as XPath arithmetic does."""

    def computed(*values: Value) -> float:
        try:
            return float(function(*(number(value) for value in values)))
        except (ValueError, ZeroDivisionError):
            return math.nan
        except OverflowError:
            return math.inf

    return computed


def _log(base: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: -math.inf if x == 0 else base(x)


def _extreme(choose: Callable[[list[float]], float]) -> Callable[..., float]:
    def extreme(*values: Value) -> float:
        found = [number(value) for value in _flat(values)]
        return math.nan if not found or any(x != x for x in found) else choose(found)

    return extreme


def _substring(text: Value, start: Value, length: Value = math.inf) -> str:
    """XPath 1.0, 4.2: characters count from 1 and both numbers are rounded; not-a-number selects nothing."""
    first, count = math.floor(number(start) + 0.5) if math.isfinite(number(start)) else number(start), number(length)
    if math.isfinite(count):
        count = float(math.floor(count + 0.5))
    end = first + count
    return "".join(c for i, c in enumerate(string(text), start=1) if i >= first and i < end)


def _substr(text: Value, start: Value, end: Value | None = None) -> str:
    first = _int(start)
    last = None if end is None else _int(end)
    if first != first or (last is not None and last != last):
        return ""
    return string(text)[int(first) : None if last is None else int(last)]


def _before(text: Value, mark: Value) -> str:
    head, found, _ = string(text).partition(string(mark)) if string(mark) else ("", "", "")
    return head if found else ""


def _after(text: Value, mark: Value) -> str:
    return string(text).partition(string(mark))[2] if string(mark) else string(text)


def _translate(text: Value, old: Value, new: Value) -> str:
    table: dict[int, str | None] = {}
    replacement = string(new)
    for i, character in enumerate(string(old)):
        table.setdefault(ord(character), replacement[i] if i < len(replacement) else None)
    return string(text).translate(table)


def _regex(text: Value, pattern: Value) -> bool:
    try:
        holds = matcher(string(pattern))
    except ExpressionError as error:
        message = f"the pattern {string(pattern)!r} of regex() cannot be used: {error.message}"
        raise ExpressionError(message, remedy=error.remedy) from None
    return holds(string(text))


def _selected(chosen: Value, choice: Value) -> bool:
    return string(choice).strip() in string(chosen).split(" ")


def _selected_at(chosen: Value, index: Value) -> str:
    position, parts = _int(index), string(chosen).split(" ")
    return parts[int(position)] if position == position and 0 <= position < len(parts) else ""


def _checklist(least: Value, most: Value, *values: Value) -> bool:
    true = sum(_ticked(value) for value in _flat(values))
    return _within(true, least, most)


def _weighted(least: Value, most: Value, *pairs: Value) -> bool:
    ticked = [v for value in pairs[::2] for v in _flat([value])]
    weights = [number(w) for weight in pairs[1::2] for w in _flat([weight])]
    return _within(sum(w for v, w in zip(ticked, weights, strict=False) if _ticked(v) and w == w), least, most)


def _ticked(value: Value) -> bool:
    return value.strip() != "" if isinstance(value, str) else boolean(value)


def _within(total: float, least: Value, most: Value) -> bool:
    low, high = number(least), number(most)
    return (low < 0 or total >= low) and (high < 0 or total <= high)


def _true_text(value: Value) -> bool:
    return string(value) in ("1", "true")


FUNCTIONS: dict[str, Function] = {
    # logic
    "if": Function(3, 3, "any"),
    "coalesce": Function(2, None, "string"),
    "once": Function(1, 1, "string"),
    "not": Function(1, 1, "boolean", lambda v: not boolean(v)),
    "true": Function(0, 0, "boolean", lambda: True),
    "false": Function(0, 0, "boolean", lambda: False),
    "boolean": Function(1, 1, "boolean", boolean),
    "boolean-from-string": Function(1, 1, "boolean", _true_text),
    "checklist": Function(3, None, "boolean", _checklist),
    "weighted-checklist": Function(4, None, "boolean", _weighted),
    # choices
    "selected": Function(2, 2, "boolean", _selected),
    "selected-at": Function(2, 2, "string", _selected_at),
    "count-selected": Function(1, 1, "number", lambda v: float(len(string(v).split()))),
    "jr:choice-name": Function(2, 2, "string"),
    "pulldata": Function(4, 4, "string"),
    # text
    "string": Function(0, 1, "string"),
    "string-length": Function(0, 1, "number"),
    "normalize-space": Function(0, 1, "string"),
    "concat": Function(0, None, "string", lambda *v: "".join(map(string, _flat(v)))),
    "join": Function(1, None, "string", lambda mark, *v: string(mark).join(map(string, _flat(v)))),
    "contains": Function(2, 2, "boolean", lambda a, b: string(b) in string(a)),
    "starts-with": Function(2, 2, "boolean", lambda a, b: string(a).startswith(string(b))),
    "ends-with": Function(2, 2, "boolean", lambda a, b: string(a).endswith(string(b))),
    "substring": Function(2, 3, "string", _substring),
    "substr": Function(2, 3, "string", _substr),
    "substring-before": Function(2, 2, "string", _before),
    "substring-after": Function(2, 2, "string", _after),
    "translate": Function(3, 3, "string", _translate),
    "regex": Function(2, 2, "boolean", _regex),
    "digest": Function(2, 3, "string", digests.digest),
    "base64-decode": Function(1, 1, "string", digests.base64_decode),
    "uuid": Function(0, 1, "string"),
    # numbers
    "number": Function(0, 1, "number"),
    "int": Function(1, 1, "number", _int),
    "round": Function(1, 2, "number", _round),
    "floor": Function(1, 1, "number", _whole(math.floor)),
    "ceiling": Function(1, 1, "number", _whole(math.ceil)),
    "abs": Function(1, 1, "number", lambda v: abs(number(v))),
    "pow": Function(2, 2, "number", _power),
    "sqrt": Function(1, 1, "number", _real(math.sqrt)),
    "exp": Function(1, 1, "number", _real(math.exp)),
    "exp10": Function(1, 1, "number", _real(lambda x: 10.0**x)),
    "log": Function(1, 1, "number", _real(_log(math.log))),
    "log10": Function(1, 1, "number", _real(_log(math.log10))),
    "sin": Function(1, 1, "number", _real(math.sin)),
    "cos": Function(1, 1, "number", _real(math.cos)),
    "tan": Function(1, 1, "number", _real(math.tan)),
    "asin": Function(1, 1, "number", _real(math.asin)),
    "acos": Function(1, 1, "number", _real(math.acos)),
    "atan": Function(1, 1, "number", _real(math.atan)),
    "atan2": Function(2, 2, "number", _real(math.atan2)),
    "pi": Function(0, 0, "number", lambda: math.pi),
    "random": Function(0, 0, "number"),
    # several nodes
    "sum": Function(1, 1, "number", _sum),
    "count": Function(1, 1, "number", lambda v: float(len(_nodes(v, "count")))),
    "count-non-empty": Function(
        1, 1, "number", lambda v: float(sum(node != "" for node in _nodes(v, "count-non-empty")))
    ),
    "min": Function(1, None, "number", _extreme(min)),
    "max": Function(1, None, "number", _extreme(max)),
    "randomize": Function(1, 2, "any"),
    "position": Function(1, 1, "number"),
    "indexed-repeat": Function(3, 7, "string"),
    # places on earth
    "area": Function(1, 1, "number", places.area),
    "distance": Function(1, 1, "number", places.distance),
    # dates
    "today": Function(0, 0, "date"),
    "now": Function(0, 0, "date"),
    "date": Function(1, 1, "date", dates.date_only),
    "date-time": Function(1, 1, "date", dates.date_and_time),
    "decimal-date-time": Function(1, 1, "number", dates.decimal_date),
    "decimal-time": Function(1, 1, "number", dates.decimal_time),
    "format-date": Function(2, 2, "string", dates.format_date),
    "format-date-time": Function(2, 2, "string", dates.format_date),
    "date-diff": Function(2, 3, "number", dates.date_diff),
}
