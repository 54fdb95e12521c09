"""From tree to answer: a tree is turned once into nested Python functions, which each evaluation then only calls.

The functions take a ``Scope``: whatever knows the values around an expression (a form being answered, a plain mapping).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from surveys.errors import ExpressionError
from surveys.expressions import shuffles, tree
from surveys.expressions.functions import FUNCTIONS
from surveys.expressions.parse import parse
from surveys.expressions.values import Moment, Nodes, Value, boolean, days, moment, number, string, text_of
from surveys.nearest import nearest

__all__ = ["Expression", "Scope", "Variables", "compile", "evaluate"]


class Scope(Protocol):
    """What an expression may ask of its surroundings."""

    @property
    def today(self) -> date: ...
    @property
    def now(self) -> datetime: ...
    def nodes(self, name: str) -> Nodes: ...
    def column(self, name: str) -> Nodes: ...
    def current(self) -> str: ...
    def position(self, levels: int, /) -> int: ...
    def indexed(self, name: str, at: Mapping[str, int], /) -> str: ...
    def choice_label(self, question: str, value: str, /) -> str: ...
    def lookup(self, file: str, wanted: str, column: str, value: str, /) -> str: ...
    def random(self) -> float: ...
    def chance(self) -> str: ...


Evaluator: TypeAlias = Callable[[Any], Value]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: a pure function of the scope that it is given."""

    source: str
    tree: tree.Node = field(repr=False, compare=False)
    references: frozenset[str]
    run: Evaluator = field(repr=False, compare=False)

    def value(self, scope: Scope) -> Value:
        """The value, as XPath has it: text, number, true or false, date, or nodes."""
        return self.run(scope)

    def truth(self, scope: Scope) -> bool:
        return boolean(self.run(scope))

    def number(self, scope: Scope) -> float:
        return number(self.run(scope))

    def text(self, scope: Scope) -> str:
        return string(self.run(scope))


@lru_cache(maxsize=8192)
def compile(text: str) -> Expression:
    """An expression ready to be evaluated many times.

    Raises ExpressionError for broken syntax, an unknown function or a wrong number of arguments.

    >>> sorted(compile("${age} >= 18 and selected(${work}, 'paid')").references)
    ['age', 'work']
    """
    root = parse(text)
    names = frozenset(n.name for n in tree.walk(root) if isinstance(n, tree.Reference | tree.Name))
    try:
        return Expression(text, root, names, _compiled(root))
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply", text, 0, "use calculate questions") from None
    except ExpressionError as error:
        raise ExpressionError(error.message, text, error.offset, error.remedy) from None


def evaluate(
    text: str, variables: Mapping[str, object], *, today: date | None = None, now: datetime | None = None
) -> str | float | bool:
    """The value of an expression over a flat mapping of variables, for eligibility rules and derived outcomes.

    Variables may be written ``${age}`` or plainly ``age``. A variable that has no answer is empty; one that is not in
    the mapping raises ExpressionError. A date comes back as ISO text; ``today()`` needs ``today``, ``now()`` needs
    ``now``.

    >>> evaluate("age >= 18 and schooling != 'hbo_wo'", {"age": 44, "schooling": "mbo2"})
    True
    >>> evaluate("date-diff(birth_date, today(), 'years')", {"birth_date": "1980-11-23"}, today=date(2026, 11, 22))
    45.0
    """
    value = compile(text).value(Variables(variables, today, now))
    return string(value) if isinstance(value, Moment | tuple) else value


@dataclass(frozen=True, slots=True)
class Variables:
    """A scope over a flat mapping name -> value."""

    values: Mapping[str, object]
    day: date | None = None
    moment: datetime | None = None

    @property
    def today(self) -> date:
        if self.day is not None:
            return self.day
        return self.now.date()

    @property
    def now(self) -> datetime:
        if self.moment is not None:
            return self.moment
        if self.day is None:
            raise ExpressionError("the expression asks for today's date, but none was given")
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)

    def nodes(self, name: str) -> Nodes:
        if name not in self.values:
            raise ExpressionError(f"there is no variable '{name}'")
        return (text_of(self.values[name]),)

    column = nodes

    def current(self) -> str:
        raise ExpressionError("'.' has no meaning here: there is no current question")

    def position(self, levels: int, /) -> int:
        raise ExpressionError(f"position({'/'.join(['..'] * levels)}) has no meaning outside a repeat")

    def indexed(self, name: str, at: Mapping[str, int], /) -> str:
        raise ExpressionError(f"indexed-repeat() of '{name}' in {', '.join(at)} has no meaning outside a form")

    def choice_label(self, question: str, value: str, /) -> str:
        raise ExpressionError(f"the choice '{value}' of '{question}' has no label outside a form")

    def lookup(self, file: str, wanted: str, column: str, value: str, /) -> str:
        raise ExpressionError(f"pulldata() of {wanted} where {column} is '{value}' has no file '{file}' outside a form")

    def random(self) -> float:
        raise ExpressionError("random() has no meaning outside a form")

    def chance(self) -> str:
        raise ExpressionError("uuid(), and randomize() without a seed, have no meaning outside a form")


def _compiled(node: tree.Node) -> Evaluator:
    match node:
        case tree.Number(value) | tree.String(value):
            return lambda _: value
        case tree.Reference(name):
            return lambda scope: scope.nodes(name)
        case tree.Name(name):
            return lambda scope: scope.column(name)
        case tree.Current():
            return lambda scope: (scope.current(),)
        case tree.Parent(at=at):
            raise ExpressionError("'..' can only be used in position(..)", "", at)
        case tree.Negative(operand):
            inner = _compiled(operand)
            return lambda scope: -number(inner(scope))
        case tree.Binary():
            return _binary(node)
        case tree.Call():
            return _call(node)


def _binary(node: tree.Binary) -> Evaluator:
    """Operators of one strength, one behind the other, are taken in a loop: "or" may join hundreds of conditions."""
    steps = [node]
    while (
        isinstance(steps[-1].left, tree.Binary)
        and tree.STRENGTH[steps[-1].left.operator] == tree.STRENGTH[node.operator]
    ):
        steps.append(steps[-1].left)
    if node.operator in ("and", "or"):
        return _conditions(node.operator, [steps[-1].left, *(step.right for step in reversed(steps))])
    if len(steps) == 1:
        return _pair(node)
    first = _compiled(steps[-1].left)
    rest = [(OPERATIONS[step.operator], _compiled(step.right)) for step in reversed(steps)]

    def in_turn(scope: Any) -> Value:
        value = first(scope)
        for operation, right in rest:
            value = operation(value, right(scope))
        return value

    return in_turn


def _conditions(operator: str, nodes: Sequence[tree.Node]) -> Evaluator:
    """What "and" and "or" join; what comes after the outcome is certain is not looked at."""
    truths = [_truth(node, _compiled(node)) for node in nodes]
    if len(truths) > 2:
        every = operator == "and"
        return lambda scope: all(t(scope) for t in truths) if every else any(t(scope) for t in truths)
    one, other = truths
    if operator == "and":
        return lambda scope: one(scope) and other(scope)
    return lambda scope: one(scope) or other(scope)


def _pair(node: tree.Binary) -> Evaluator:
    left, right, operation = _compiled(node.left), _compiled(node.right), OPERATIONS[node.operator]
    if node.operator in EQUALITY and isinstance(node.left, tree.Reference) and isinstance(node.right, tree.String):
        plain = _same_text(node.left.name, node.right.value, node.operator == "=")
        if plain is not None:
            return plain
    return lambda scope: operation(left(scope), right(scope))


def _truth(node: tree.Node, compiled: Evaluator) -> Callable[[Any], bool]:
    """A condition as true or false; comparisons are that already."""
    comparing = isinstance(node, tree.Binary) and node.operator in (*EQUALITY, *ORDER, "and", "or")
    sure = isinstance(node, tree.Call) and FUNCTIONS[node.function].gives == "boolean"
    if comparing or sure:
        return compiled  # type: ignore[return-value]
    return lambda scope: boolean(compiled(scope))


def _same_text(name: str, wanted: str, same: bool) -> Evaluator | None:
    """``${name} = 'text'``, the commonest condition of all; None when the text is a date and compares as days."""
    if days(wanted) is not None:
        return None
    if same:
        return lambda scope: wanted in scope.nodes(name)
    return lambda scope: any(node != wanted for node in scope.nodes(name))


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1, b)


def _modulo(a: float, b: float) -> float:
    return math.nan if b == 0 or math.isinf(a) else math.fmod(a, b)


EQUALITY = ("=", "!=")
ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _equal(left: Value, right: Value, same: bool) -> bool:
    """XPath 1.0, 3.4: a comparison with nodes holds when it holds for any of them."""
    if isinstance(left, bool) or isinstance(right, bool):
        return (boolean(left) == boolean(right)) is same
    if isinstance(left, tuple) and len(left) != 1:
        return any(_equal((one,), right, same) for one in left)
    if isinstance(right, tuple) and len(right) != 1:
        return any(_equal(left, (one,), same) for one in right)
    numeric = isinstance(left, float | int | Moment) or isinstance(right, float | int | Moment)
    if not numeric:
        a, b = string(left), string(right)
        if days(a) is None and days(b) is None:
            return (a == b) is same
        if days(a) is None or days(b) is None:
            return not same
    return (number(left) == number(right)) is same


def _ordered(left: Value, right: Value, before: Callable[[float, float], bool]) -> bool:
    if isinstance(left, tuple) and len(left) != 1:
        return any(_ordered((one,), right, before) for one in left)
    if isinstance(right, tuple) and len(right) != 1:
        return any(_ordered(left, (one,), before) for one in right)
    return before(number(left), number(right))


def _union(left: Value, right: Value) -> Nodes:
    if not (isinstance(left, tuple) and isinstance(right, tuple)):
        raise ExpressionError("'|' joins questions, not computed values")
    return left + right


def _ordering(before: Callable[[float, float], bool]) -> Callable[[Value, Value], Value]:
    return lambda left, right: _ordered(left, right, before)


OPERATIONS: dict[str, Callable[[Value, Value], Value]] = {
    "=": lambda left, right: _equal(left, right, True),
    "!=": lambda left, right: _equal(left, right, False),
    **{sign: _ordering(before) for sign, before in ORDER.items()},
    "+": lambda left, right: number(left) + number(right),
    "-": lambda left, right: number(left) - number(right),
    "*": lambda left, right: number(left) * number(right),
    "div": lambda left, right: _divide(number(left), number(right)),
    "mod": lambda left, right: _modulo(number(left), number(right)),
    "|": _union,
}


def _call(node: tree.Call) -> Evaluator:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise _unknown(node)
    count = len(node.arguments)
    if count < function.least or (function.most is not None and count > function.most):
        message = f"{node.function}() takes {_arity(function.least, function.most)}, not {count}"
        raise ExpressionError(message, "", node.at, "check the brackets and the commas")
    if node.function == "weighted-checklist" and count % 2:
        raise ExpressionError("weighted-checklist() takes a weight for each value", "", node.at, "add the last weight")
    if node.function in SPECIAL:
        return SPECIAL[node.function](node)
    apply = function.apply
    assert apply is not None
    arguments = tuple(_compiled(argument) for argument in node.arguments)
    if len(arguments) == 1:
        (only,) = arguments
        return lambda scope: apply(only(scope))
    if len(arguments) == 2:
        first, second = arguments
        return lambda scope: apply(first(scope), second(scope))
    return lambda scope: apply(*(argument(scope) for argument in arguments))


def _arity(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} argument{'s' * (least != 1)}"
    if least == most:
        return f"{least} argument{'s' * (least != 1)}"
    return f"{least} to {most} arguments"


def _unknown(node: tree.Call) -> ExpressionError:
    near = nearest(node.function, FUNCTIONS)
    remedy = f"did you mean {near}()?" if near else "see the list of functions"
    return ExpressionError(f"there is no function {node.function}()", "", node.at, remedy)


def _if(node: tree.Call) -> Evaluator:
    condition, yes, no = map(_compiled, node.arguments)
    return lambda scope: yes(scope) if boolean(condition(scope)) else no(scope)


def _coalesce(node: tree.Call) -> Evaluator:
    arguments = tuple(map(_compiled, node.arguments))
    return lambda scope: next((text for a in arguments if (text := string(a(scope)))), "")


def _once(node: tree.Call) -> Evaluator:
    (first,) = map(_compiled, node.arguments)
    return lambda scope: scope.current() or string(first(scope))


def _own(convert: Callable[[Value], Value]) -> Callable[[tree.Call], Evaluator]:
    """A function that looks at the current question when it gets no argument."""

    def build(node: tree.Call) -> Evaluator:
        if not node.arguments:
            return lambda scope: convert(scope.current())
        inner = _compiled(node.arguments[0])
        return lambda scope: convert(inner(scope))

    return build


def _position(node: tree.Call) -> Evaluator:
    argument = node.arguments[0]
    if not isinstance(argument, tree.Parent):
        raise ExpressionError(
            "position() takes '..', the repeat around the question", "", node.at, "write position(..)"
        )
    return lambda scope: float(scope.position(argument.levels))


def _indexed(node: tree.Call) -> Evaluator:
    target, *pairs = node.arguments
    groups, indexes = pairs[::2], tuple(map(_compiled, pairs[1::2]))
    if (
        not isinstance(target, tree.Reference)
        or len(pairs) % 2
        or not all(isinstance(g, tree.Reference) for g in groups)
    ):
        raise ExpressionError(
            "indexed-repeat() takes a question, then a repeat and a number for each level",
            "",
            node.at,
            "write indexed-repeat(${age}, ${person}, 2)",
        )
    names = [g.name for g in groups if isinstance(g, tree.Reference)]
    wanted = target.name

    def indexed(scope: Scope) -> Value:
        positions = [number(index(scope)) for index in indexes]
        if any(p < 1 or p % 1 for p in positions) or any(map(math.isnan, positions)):
            return ""
        return scope.indexed(wanted, {name: int(p) for name, p in zip(names, positions, strict=True)})

    return indexed


def _randomize(node: tree.Call) -> Evaluator:
    nodes, *seed = map(_compiled, node.arguments)

    def shuffle(scope: Scope) -> Value:
        found = nodes(scope)
        if not isinstance(found, tuple):
            raise ExpressionError("randomize() takes a question or repeat, not a computed value")
        start = number(seed[0](scope)) if seed else float(shuffles.number_of(scope.chance()))
        return shuffles.shuffled(found, start)

    return shuffle


def _uuid(node: tree.Call) -> Evaluator:
    if not node.arguments:
        return lambda scope: shuffles.unique(scope.chance())
    length = _compiled(node.arguments[0])
    return lambda scope: shuffles.token(scope.chance(), number(length(scope)))


def _choice_name(node: tree.Call) -> Evaluator:
    value, named = node.arguments
    if isinstance(named, tree.String):
        question = named.value.strip().removeprefix("${").removesuffix("}").strip()
    elif isinstance(named, tree.Reference):
        question = named.name
    else:
        raise ExpressionError("jr:choice-name() takes a value and a question", "", node.at, "write '${question}'")
    chosen = _compiled(value)
    return lambda scope: scope.choice_label(question, string(chosen(scope)))


def _pulldata(node: tree.Call) -> Evaluator:
    arguments = tuple(map(_compiled, node.arguments))
    return lambda scope: scope.lookup(*(string(argument(scope)) for argument in arguments))


SPECIAL: dict[str, Callable[[tree.Call], Evaluator]] = {
    "if": _if,
    "coalesce": _coalesce,
    "once": _once,
    "string": _own(string),
    "string-length": _own(lambda v: float(len(string(v)))),
    "normalize-space": _own(lambda v: re.sub("[ \\t\\r\\n]+", " ", string(v)).strip(" ")),
    "number": _own(number),
    "position": _position,
    "randomize": _randomize,
    "uuid": _uuid,
    "indexed-repeat": _indexed,
    "jr:choice-name": _choice_name,
    "pulldata": _pulldata,
    "today": lambda _: lambda scope: moment(scope.today),
    "now": lambda _: lambda scope: moment(scope.now),
    "random": lambda _: lambda scope: scope.random(),
}
