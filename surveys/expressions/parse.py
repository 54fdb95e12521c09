"""From text to tree: syntax is judged here, meaning elsewhere."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from surveys.errors import ExpressionError
from surveys.expressions import tree

__all__ = ["parse"]

# Deeper nesting than any form needs; without a bound a hostile cell exhausts the interpreter's stack.
LONGEST = 10_000
DEEPEST = 60


@v_args(inline=True)
class _Build(Transformer[Token, tree.Node]):
    def number(self, token: Token) -> tree.Node:
        return tree.Number(float(token), _at(token))

    def string(self, token: Token) -> tree.Node:
        return tree.String(str(token)[1:-1], _at(token))

    def reference(self, token: Token) -> tree.Node:
        return tree.Reference(str(token)[2:-1].strip(), _at(token))

    def current(self, token: Token) -> tree.Node:
        return tree.Current(_at(token))

    def parent(self, token: Token) -> tree.Node:
        return tree.Parent(token.count(".."), _at(token))

    def sibling(self, token: Token) -> tree.Node:
        return tree.Reference(token.rsplit("/", 1)[1], _at(token))

    absolute = sibling

    def bare(self, token: Token) -> tree.Node:
        return tree.Name(str(token), _at(token))

    def negative(self, token: Token, operand: tree.Node) -> tree.Node:
        return tree.Negative(operand, _at(token))

    def binary(self, left: tree.Node, operator: Token, right: tree.Node) -> tree.Node:
        return tree.Binary(str(operator), left, right, _at(operator))

    def call(self, token: Token, *arguments: Any) -> tree.Node:
        return tree.Call(str(token), tuple(a for a in arguments if a is not None), _at(token))


def _at(token: Token) -> int:
    return token.start_pos or 0


@cache
def _parser() -> Lark:
    grammar = files("surveys.expressions").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Build())


@lru_cache(maxsize=8192)
def parse(text: str) -> tree.Node:
    """The tree of an expression.

    Raises ExpressionError with the offset of the character where the text stops making sense.

    >>> parse("${age} >= 18")
    Binary(operator='>=', left=Reference(name='age', at=0), right=Number(value=18.0, at=10), at=7)
    >>> parse("${age} >= ")
    Traceback (most recent call last):
    surveys.errors.ExpressionError: the expression stops too early (at character 11 of: ${age} >= )
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression of {len(text)} characters is too long; at most {LONGEST} are read")
    if _depth(text) > DEEPEST:
        raise ExpressionError(
            f"more than {DEEPEST} brackets or signs inside each other", text, 0, "use calculate questions"
        )
    if not text.strip():
        raise ExpressionError("the expression is empty")
    if "${last-saved#" in text:
        raise ExpressionError("${last-saved#…} is not supported", text, text.index("${last-saved#"))
    try:
        return _parser().parse(text)  # type: ignore[return-value]
    except UnexpectedInput as error:
        raise _explain(error, text) from None
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply", text, 0, "use calculate questions") from None


_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_MINUSES = re.compile(r"-(?:\s*-)+")


def _depth(text: str) -> int:
    """How deep brackets lie inside each other, and signs behind each other; what stands in quotes does not count."""
    bare = _QUOTED.sub("", text)
    depth = deepest = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return max([deepest, *(run.count("-") for run in _MINUSES.findall(bare))])


# What people write out of habit, and what it is called here.
INSTEAD = {
    "%": "write mod for what is left after dividing", "^": "write pow(x, y) for a power", "/": "write div to divide",
    "!": "write not(…)", "÷": "write div to divide", "×": "write * to multiply", "−": "use a plain hyphen for minus",
    "–": "use a plain hyphen for minus", "&": "write and in small letters", "[": "use a choice filter or pulldata()",
    "AND": "write and in small letters", "OR": "write or in small letters", "And": "write and in small letters",
    "Or": "write or in small letters", "<>": "write != for unequal", "==": "write one = for equal",
}  # fmt: skip


def _explain(error: UnexpectedInput, text: str) -> ExpressionError:
    offset = error.pos_in_stream if error.pos_in_stream is not None else len(text)
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        return ExpressionError("the expression stops too early", text, len(text), "close the bracket or add a value")
    if isinstance(error, UnexpectedCharacters):
        character = text[offset] if offset < len(text) else ""
        if character in "'\"‘’“”":
            remedy = "close the quotation mark, and use straight quotation marks"
        elif character == "$":
            remedy = "write a question as ${name}"
        else:
            remedy = INSTEAD.get(character, "see the list of operators and functions")
        return ExpressionError(f"the character {character!r} is not understood here", text, offset, remedy)
    token = str(getattr(error, "token", ""))
    remedy = INSTEAD.get(token) or INSTEAD.get(text[max(offset - 1, 0) : offset + 1])
    remedy = remedy or INSTEAD.get(token[:1], "an operator or a value is missing")
    return ExpressionError(f"'{token}' is not understood here", text, offset, remedy)
