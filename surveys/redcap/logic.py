"""REDCap's logic (``[age] > 18 and [help(2)] = '1'``) and our expressions, each into the other.

The meaning is kept, not only the words: REDCap's ``sum`` and ``mean`` leave out blank answers, and its ``datediff``
gives years of 365.2425 days. What one side cannot say raises ExpressionError.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from surveys.definition import Instrument, Question
from surveys.errors import ExpressionError
from surveys.expressions import parse, tree
from surveys.expressions.tree import STRENGTH
from surveys.expressions.values import days, string
from surveys.expressions.write import write

__all__ = ["to_expression", "to_logic"]

_TOKEN = re.compile(
    r"""(?P<string>"[^"]*"|'[^']*')|\[(?P<field>[a-z][a-z0-9_]*)(?:\((?P<code>[^)\]]+)\))?\](?P<event>\s*\[)?
    |(?P<unequal><>)|(?P<divide>/)|(?P<word>\b(?:and|or|AND|OR|And|Or)\b)""",
    re.VERBOSE,
)
TICKED = "redcap-ticked"
UNITS = {"d": "1", "y": "365.2425", "M": "30.44"}


def to_expression(text: str) -> str:
    """REDCap logic in our notation.

    >>> to_expression("[age] <> '' and [help(2)] = '1'")
    "${age} != '' and selected(${help}, '2')"
    >>> to_expression("datediff([born], 'today', 'y') >= 18")
    'abs(date-diff(${born}, today())) div 365.2425 >= 18'
    """

    def replaced(match: re.Match[str]) -> str:
        if match["event"]:
            raise ExpressionError("fields of other events are not supported", text, match.start())
        if match["field"]:
            field, code = match["field"], match["code"]
            return f"{TICKED}(${{{field}}}, '{code}')" if code else f"${{{field}}}"
        if match["word"]:
            return match["word"].lower()
        return {"<>": "!=", "/": " div "}.get(match[0], match[0])

    return write(_ours(parse(_TOKEN.sub(replaced, text))))


def _ours(node: tree.Node) -> tree.Node:
    match node:
        case tree.Binary("=" | "!=" as operator, tree.Call(function, arguments), right) if function == TICKED:
            chosen = tree.Call("selected", arguments)
            wanted = string(right.value) if isinstance(right, tree.String | tree.Number) else ""
            if wanted not in ("0", "1"):
                raise ExpressionError("a checkbox can only be compared with 0 or 1")
            return chosen if (wanted == "1") == (operator == "=") else tree.Call("not", (chosen,))
        case tree.Binary(operator, left, right):
            return tree.Binary(operator, _ours(left), _ours(right))
        case tree.Negative(operand):
            return tree.Negative(_ours(operand))
        case tree.Call(function, arguments):
            if function == TICKED:
                return tree.Call("if", (tree.Call("selected", arguments), tree.Number(1.0), tree.Number(0.0)))
            if function not in FROM_REDCAP:
                raise ExpressionError(f"the function {function}() of REDCap is not carried over")
            return FROM_REDCAP[function](tuple(map(_ours, arguments)))
        case _:
            return node


def _same(name: str) -> Callable[[tuple[tree.Node, ...]], tree.Node]:
    return lambda arguments: tree.Call(name, arguments)


def _filled_sum(arguments: tuple[tree.Node, ...]) -> tree.Node:
    """REDCap adds what was answered; our ``+`` with a blank gives no number."""
    terms = [tree.Call("coalesce", (argument, tree.Number(0.0))) for argument in arguments]
    total: tree.Node = terms[0]
    for term in terms[1:]:
        total = tree.Binary("+", total, term)
    return total if len(terms) > 1 else tree.Call("number", (total,))


def _filled_mean(arguments: tuple[tree.Node, ...]) -> tree.Node:
    if not all(isinstance(argument, tree.Reference) for argument in arguments):
        raise ExpressionError("mean() is carried over for fields only, not for calculated values")
    nodes = arguments[0]
    for argument in arguments[1:]:
        nodes = tree.Binary("|", nodes, argument)
    return tree.Binary("div", _filled_sum(arguments), tree.Call("count-non-empty", (nodes,)))


def _datediff(arguments: tuple[tree.Node, ...]) -> tree.Node:
    today = tree.Call("today", ())
    ends = tuple(today if a == tree.String("today", a.at) else a for a in arguments[:2])
    unit = arguments[2].value if len(arguments) > 2 and isinstance(arguments[2], tree.String) else ""
    if len(ends) < 2 or unit not in UNITS:
        raise ExpressionError("datediff() is carried over in the units d, M and y")
    signed = any(isinstance(a, tree.Call | tree.Name) and _name(a) == "true" for a in arguments[3:])
    between: tree.Node = tree.Call("date-diff", ends)
    if not signed:
        between = tree.Call("abs", (between,))
    return between if unit == "d" else tree.Binary("div", between, tree.Number(float(UNITS[unit])))


def _name(node: tree.Call | tree.Name) -> str:
    return node.function if isinstance(node, tree.Call) else node.name


FROM_REDCAP: dict[str, Callable[[tuple[tree.Node, ...]], tree.Node]] = {
    "if": _same("if"),
    "round": _same("round"),
    "rounddown": lambda a: tree.Call("floor", a[:1]),
    "roundup": lambda a: tree.Call("ceiling", a[:1]),
    "sqrt": _same("sqrt"),
    "abs": _same("abs"),
    "sum": _filled_sum,
    "mean": _filled_mean,
    "datediff": _datediff,
    "true": _same("true"),
    "false": _same("false"),
}


def to_logic(source: str, instrument: Instrument) -> str:
    """Our expression in REDCap's notation.

    >>> help = Question("age", "integer")
    >>> to_logic("${age} != '' and not(${age} = 3)", Instrument("f", (help,)))
    "[age] <> '' and [age] <> 3"
    """
    return _theirs(_plain(parse(source)), instrument)


# Only equality can be turned round: with a blank answer neither '>' nor '<=' holds.
OPPOSITE = {"=": "!=", "!=": "="}


def _plain(node: tree.Node) -> tree.Node:
    """Without ``not``: REDCap has none, so the condition below it is turned round."""
    match node:
        case tree.Call("not", (tree.Call("not", (inner,)),)):
            return _plain(inner)
        case tree.Call("not", (tree.Binary("and" | "or" as operator, left, right),)):
            other = "or" if operator == "and" else "and"
            return tree.Binary(other, _plain(tree.Call("not", (left,))), _plain(tree.Call("not", (right,))))
        case tree.Call("not", (tree.Binary("=" | "!=" as operator, left, right),)):
            return tree.Binary(OPPOSITE[operator], _plain(left), _plain(right))
        case tree.Call("not", (tree.Call("selected", arguments),)):
            return tree.Call("not-selected", arguments)
        case tree.Binary(operator, left, right):
            return tree.Binary(operator, _plain(left), _plain(right))
        case tree.Negative(operand):
            return tree.Negative(_plain(operand))
        case tree.Call(function, arguments):
            return tree.Call(function, tuple(map(_plain, arguments)))
        case _:
            return node


def _theirs(node: tree.Node, form: Instrument) -> str:
    match node:
        case tree.Number(value):
            return string(value)
        case tree.String(value):
            if days(value) is not None:
                return f"'{value}'"
            return f'"{value}"' if "'" in value else f"'{value}'"
        case tree.Reference(name):
            return f"[{name}]"
        case tree.Negative(operand):
            return f"-({_theirs(operand, form)})"
        case tree.Binary(operator, left, right) if operator not in ("mod", "|"):
            sides = (_side(left, STRENGTH[operator], form), _side(right, STRENGTH[operator] + 1, form))
            return f" { {'!=': '<>', 'div': '/'}.get(operator, operator) } ".join(sides)
        case tree.Call("selected" | "not-selected" as function, (tree.Reference(name), tree.String(code))):
            return _ticked(name, code, function == "selected", form)
        case tree.Call("today", ()):
            return "'today'"
        case tree.Call("date-diff", (first, second)):
            return f"datediff({_theirs(first, form)}, {_theirs(second, form)}, 'd', true)"
        case tree.Call("floor" | "ceiling" as function, (value,)):
            return f"{'rounddown' if function == 'floor' else 'roundup'}({_theirs(value, form)}, 0)"
        case tree.Call("if" | "round" | "sqrt" | "abs" as function, arguments):
            return f"{function}({', '.join(_theirs(argument, form) for argument in arguments)})"
        case tree.Call("true" | "false" as function, ()):
            return "1 = 1" if function == "true" else "1 = 0"
    raise ExpressionError(f"REDCap cannot say '{write(node)}'")


def _side(node: tree.Node, strength: int, form: Instrument) -> str:
    text = _theirs(node, form)
    weaker = isinstance(node, tree.Binary) and STRENGTH[node.operator] < strength
    return f"({text})" if weaker else text


def _ticked(name: str, code: str, chosen: bool, form: Instrument) -> str:
    place = form.places.get(name)
    several = place is not None and isinstance(place.item, Question) and place.item.kind == "select_multiple"
    if several:
        return f"[{name}({code})] = '{int(chosen)}'"
    return f"[{name}] {'=' if chosen else '<>'} '{code}'"
