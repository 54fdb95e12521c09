"""From tree back to text: how a changed expression is written in a workbook again."""

from __future__ import annotations

from surveys.expressions import tree
from surveys.expressions.values import string

__all__ = ["write"]

STRENGTH = {"or": 1, "and": 2, "=": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "div": 6,
            "mod": 6, "|": 8}  # fmt: skip


def write(node: tree.Node) -> str:
    """The expression as text, with as few brackets as its meaning allows.

    >>> from surveys.expressions.parse import parse
    >>> write(parse("( ${a}+1 )*2 >= 3  and not( ${b}='x' )"))
    "(${a} + 1) * 2 >= 3 and not(${b} = 'x')"
    """
    match node:
        case tree.Number(value):
            return string(value)
        case tree.String(value):
            return f'"{value}"' if "'" in value else f"'{value}'"
        case tree.Reference(name):
            return f"${{{name}}}"
        case tree.Name(name):
            return name
        case tree.Current():
            return "."
        case tree.Parent(levels):
            return "/".join([".."] * levels)
        case tree.Negative(operand):
            return f"-{_within(operand, 7)}"
        case tree.Call(function, arguments):
            return f"{function}({', '.join(write(argument) for argument in arguments)})"
        case tree.Binary(operator, left, right):
            strength = STRENGTH[operator]
            return f"{_within(left, strength)} {operator} {_within(right, strength + 1)}"


def _within(node: tree.Node, strength: int) -> str:
    own = 9
    if isinstance(node, tree.Binary):
        own = STRENGTH[node.operator]
    elif isinstance(node, tree.Negative):
        own = 7
    text = write(node)
    return f"({text})" if own < strength else text
