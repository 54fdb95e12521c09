"""The typed tree of an expression: what the parser gives, and the checks, the evaluator and the exporters read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "STRENGTH",
    "Binary",
    "Call",
    "Current",
    "Name",
    "Negative",
    "Node",
    "Number",
    "Parent",
    "Reference",
    "String",
    "walk",
]

STRENGTH = {"or": 1, "and": 2, "=": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "div": 6,
            "mod": 6, "|": 8}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    at: int = 0


@dataclass(frozen=True, slots=True)
class String:
    value: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """A question, group or repeat of the form: ``${age}``, ``../age`` or ``/data/age``."""

    name: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Name:
    """A bare name: a column of the choices sheet in a choice filter, a variable over a flat mapping."""

    name: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Current:
    """The value of the question that the expression belongs to, written ``.``."""

    at: int = 0


@dataclass(frozen=True, slots=True)
class Parent:
    """The repeat instance around the question, written ``..`` and used in ``position(..)``."""

    levels: int = 1
    at: int = 0


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Node
    at: int = 0


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node
    at: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]
    at: int = 0


Node: TypeAlias = Number | String | Reference | Name | Current | Parent | Negative | Binary | Call


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first.

    >>> [type(n).__name__ for n in walk(Binary("+", Number(1), Reference("age")))]
    ['Binary', 'Number', 'Reference']
    """
    # A stack instead of recursion: a condition may join hundreds of comparisons by "or".
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        match one:
            case Binary():
                waiting += (one.right, one.left)
            case Negative():
                waiting.append(one.operand)
            case Call():
                waiting += reversed(one.arguments)
            case _:
                continue
