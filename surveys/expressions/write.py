"""From tree back to text: how a changed expression is written in a workbook again."""

from __future__ import annotations

from surveys.expressions import tree
from surveys.expressions.tree import STRENGTH
from surveys.expressions.values import string

__all__ = ["write"]


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
        case tree.Binary():
            return _chain(node)


def _chain(node: tree.Binary) -> str:
    """Operators one behind the other, without recursion along the chain."""
    steps = [node]
    while isinstance(steps[-1].left, tree.Binary) and STRENGTH[steps[-1].left.operator] >= STRENGTH[steps[-1].operator]:
        steps.append(steps[-1].left)
    text = _within(steps[-1].left, STRENGTH[steps[-1].operator])
    return text + "".join(f" {s.operator} {_within(s.right, STRENGTH[s.operator] + 1)}" for s in reversed(steps))


def _within(node: tree.Node, strength: int) -> str:
    own = 9
    if isinstance(node, tree.Binary):
        own = STRENGTH[node.operator]
    elif isinstance(node, tree.Negative):
        own = 7
    text = write(node)
    return f"({text})" if own < strength else text
