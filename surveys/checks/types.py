"""Types: comparisons and sums that cannot mean what was intended, such as a choice that is not in its list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from surveys.checks.places import Cell, Place
from surveys.definition import Choice, Question
from surveys.errors import ExpressionError, Finding
from surveys.expressions import compile, tree
from surveys.expressions.functions import FUNCTIONS
from surveys.expressions.patterns import matcher
from surveys.expressions.values import days
from surveys.nearest import did_you_mean

__all__ = ["check", "type_of"]

Type = Literal["number", "date", "time", "string", "boolean", "choice", "choices", "any"]
KINDS: dict[str, Type] = {
    "text": "string", "integer": "number", "decimal": "number", "range": "number", "select_one": "choice",
    "select_multiple": "choices", "rank": "choices", "date": "date", "datetime": "date", "time": "time",
    "acknowledge": "string", "note": "string",
}  # fmt: skip
CONDITIONS = ("relevant", "required", "constraint", "readonly", "choice_filter")
COMPARING = ("=", "!=", "<", "<=", ">", ">=")
COUNTING = ("+", "-", "*", "div", "mod")
NUMBER = re.compile(r"\s*-?(\d+(\.\d*)?|\.\d+)\s*")


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:
    for cell in cells:
        if cell.expression is None:
            continue
        yield from _text_as_truth(place, cell)
        for node in tree.walk(cell.expression.tree):
            match node:
                case tree.Binary(operator, left, right) if operator in COMPARING:
                    yield from _comparison(place, cell, operator, left, right)
                case tree.Binary(operator, left, right) if operator in COUNTING:
                    yield from _sum(place, cell, left)
                    yield from _sum(place, cell, right)
                case tree.Negative(operand):
                    yield from _sum(place, cell, operand)
                case tree.Call("selected", (chosen, tree.String(value))):
                    yield from _in_list(place, cell, chosen, value)
                case tree.Call("regex", (_, tree.String(pattern))):
                    yield from _pattern(cell, pattern)
                case tree.Call("regex", (_, _)):
                    # An answer that is no pattern would stop the form for whoever typed it.
                    message = "the pattern of regex() is not written out"
                    yield cell.finding(message, "write it in quotes, for instance regex(., '^[0-9]{4}$')")


def _text_as_truth(place: Place, cell: Cell) -> Iterator[Finding]:
    """A calculation keeps true and false as texts, and every text is true (ODK XForms specification, "XPath")."""
    assert cell.expression is not None
    for node in _conditions(cell):
        found = place.instrument.places.get(node.name) if isinstance(node, tree.Reference) else None
        if found is None or not isinstance(found.item, Question) or not found.item.calculation:
            continue
        try:
            kind = type_of(place, cell, compile(found.item.calculation).tree)
        except ExpressionError:
            continue
        if kind == "boolean":
            yield cell.finding(
                f"{_shown(node)} holds the text 'true' or 'false', and both count as true",
                f"write {_shown(node)} = 'true'",
                "warning",
            )


def _conditions(cell: Cell) -> Iterator[tree.Node]:
    """The parts of an expression that are taken as true or false."""
    assert cell.expression is not None
    if cell.column in CONDITIONS:
        yield cell.expression.tree
    for node in tree.walk(cell.expression.tree):
        match node:
            case tree.Binary("and" | "or", left, right):
                yield from (left, right)
            case tree.Binary("=" | "!=", left, right):
                yield from (left,) if _is_truth(right) else (right,) if _is_truth(left) else ()
            case tree.Call("if" | "not" | "boolean", (first, *_)):
                yield first


def _is_truth(node: tree.Node) -> bool:
    return isinstance(node, tree.Call) and node.function in ("true", "false")


def type_of(place: Place, cell: Cell, node: tree.Node) -> Type:
    """The type that a node will have, as far as the form tells."""
    match node:
        case tree.Number() | tree.Negative():
            return "number"
        case tree.String():
            return "string"
        case tree.Current():
            return _kind(cell.item)
        case tree.Reference(name):
            return _kind(place.instrument.places[name].item) if name in place.instrument.places else "any"
        case tree.Binary(operator):
            return "number" if operator in COUNTING else "any" if operator == "|" else "boolean"
        case tree.Call(function):
            return FUNCTIONS[function].gives
        case _:
            return "any"


def _kind(item: object) -> Type:
    if not isinstance(item, Question) or item.calculation:
        return "any"
    return KINDS.get(item.kind, "any")


def _comparison(place: Place, cell: Cell, operator: str, left: tree.Node, right: tree.Node) -> Iterator[Finding]:
    for one, other in ((left, right), (right, left)):
        kind = type_of(place, cell, one)
        against = type_of(place, cell, other)
        literal = other.value if isinstance(other, tree.String) else None
        if kind in ("choice", "choices") and literal is not None and operator in ("=", "!="):
            yield from _in_list(place, cell, one, literal)
            if kind == "choices" and literal:
                yield cell.finding(
                    "a question with several answers is compared with one of them",
                    f"write selected({_shown(one)}, '{literal}')",
                    "warning",
                )
        elif kind == "choice" and isinstance(other, tree.Number) and operator in ("=", "!="):
            yield from _in_list(place, cell, one, f"{other.value:g}")
        elif kind == "number" and literal and not NUMBER.fullmatch(literal):
            yield cell.finding(f"a number is compared with the text '{literal}'", "compare it with a number")
        elif kind == "date" and literal and days(literal) is None:
            yield cell.finding(f"a date is compared with the text '{literal}'", "write a date as '2026-11-22'")
        elif kind == "date" and isinstance(other, tree.Number):
            yield cell.finding("a date is compared with a number", "use date-diff(), or date('2026-11-22')")
        elif kind == "boolean" and against == "string" and literal:
            yield cell.finding(f"true or false is compared with the text '{literal}'", "leave the comparison out")
    if operator not in ("=", "!=") and type_of(place, cell, left) == type_of(place, cell, right) == "string":
        yield cell.finding("texts have no order", "compare numbers or dates")


def _sum(place: Place, cell: Cell, node: tree.Node) -> Iterator[Finding]:
    kind = type_of(place, cell, node)
    if isinstance(node, tree.String) and node.value and not NUMBER.fullmatch(node.value) and days(node.value) is None:
        yield cell.finding(f"the text '{node.value}' is used as a number", "use concat() to join texts")
    elif kind in ("choice", "choices") and not _numeric(_choices(place, cell, node)):
        yield cell.finding(f"the choices of {_shown(node)} are not numbers", "use if() to give each choice a number")
    elif kind == "string" and isinstance(node, tree.Reference | tree.Current):
        yield cell.finding(
            f"the text {_shown(node)} is used as a number", "make it a question of type integer", "warning"
        )


def _numeric(choices: tuple[Choice, ...]) -> bool:
    return all(NUMBER.fullmatch(choice.name) for choice in choices)


def _choices(place: Place, cell: Cell, node: tree.Node) -> tuple[Choice, ...]:
    item: object = None
    if isinstance(node, tree.Current):
        item = cell.item
    elif isinstance(node, tree.Reference) and node.name in place.instrument.places:
        item = place.instrument.places[node.name].item
    if not isinstance(item, Question) or not item.choices:
        return ()
    return place.instrument.lists[item.choices]


def _in_list(place: Place, cell: Cell, node: tree.Node, value: str) -> Iterator[Finding]:
    names = [choice.name for choice in _choices(place, cell, node)]
    if not names or value in ("", *names):
        return
    remedy = did_you_mean(value, names, "choose from " + ", ".join(names[:12]))
    yield cell.finding(f"'{value}' is no choice of {_shown(node)}", remedy)


def _pattern(cell: Cell, pattern: str) -> Iterator[Finding]:
    try:
        matcher(pattern)
    except ExpressionError as error:
        yield cell.finding(f"the pattern '{pattern}' cannot be used: {error.message}", error.remedy)


def _shown(node: tree.Node) -> str:
    return f"${{{node.name}}}" if isinstance(node, tree.Reference) else "."
