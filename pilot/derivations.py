"""What a derived outcome amounts to for one person, and whether people who stop answering can bias it.

An outcome over several waves has a trap: "yes at any wave" is known from an early answer, and "no" only from the last
one. Of those who stop, the starters are then counted and the others are not, in every arm; so the level is too high,
and where arms differ the effect is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from analysis.plan_schema import Source
from surveys.codebook import Codebook, Variable
from surveys.expressions import Expression, Variables, tree
from surveys.expressions import compile as compile_expression
from surveys.expressions.values import string

MOST = 50_000
"""Combinations of answers that are tried for one outcome; beyond these the check says that it did not look."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """The two expressions of an outcome: what it is, and of whom it is known (None: of everybody it can be said of)."""

    derive: Expression
    known_if: Expression | None = None

    @classmethod
    def of(cls, source: Source) -> Derivation:
        """Of a source with `derive`; raises ExpressionError for a text that is no expression.

        >>> rule = Derivation.of(Source(derive="if(${a} = 'yes' or ${b} = 'yes', 1, 0)", known_if="${b} != ''"))
        >>> rule.value({"a": "yes", "b": ""}), rule.value({"a": "yes", "b": "no"})
        (None, 1.0)
        """
        return cls(
            compile_expression(source.derive or ""), compile_expression(source.known_if) if source.known_if else None
        )

    @property
    def references(self) -> frozenset[str]:
        """The columns that either expression reads."""
        return self.derive.references | (self.known_if.references if self.known_if else frozenset())

    @property
    def constants(self) -> list[str | float]:
        """The texts and numbers that either expression compares with."""
        trees = [self.derive.tree, *([self.known_if.tree] if self.known_if else [])]
        nodes = [node for root in trees for node in tree.walk(root)]
        return list(dict.fromkeys(node.value for node in nodes if isinstance(node, tree.String | tree.Number)))

    def value(self, answers: Mapping[str, Any]) -> float | None:
        """The outcome of one person from all columns that are read ("" for no answer); None where it is not known.

        A condition gives 1 and 0.

        >>> rule = Derivation.of(Source(derive="${a} = 'yes'"))
        >>> rule.value({"a": "yes"}), rule.value({"a": "no"})
        (1.0, 0.0)
        """
        scope = Variables(answers)
        if self.known_if is not None and not self.known_if.truth(scope):
            return None
        value = self.derive.value(scope)
        if isinstance(value, bool):
            return float(value)
        try:
            found = float(string(value))
        except ValueError:
            return None
        return found if math.isfinite(found) else None


def one_sided(rule: Derivation, books: Sequence[Codebook]) -> str:
    """What is wrong with an outcome when people stop answering, in words; "" when nothing is.

    `books` are the codebooks of the waves in their order. For each wave after which somebody can stop, the outcomes
    that are possible then are compared with those that are possible when all is answered: some but not all of them
    means that who stops is counted by what became of them.
    """
    read = [book for book in books if any(variable.name in rule.references for variable in book.variables)]
    if len(read) < 2:
        return ""
    wave_of = {variable.name: place for place, book in enumerate(read) for variable in book.variables}
    options = _options(rule, {variable.name: variable for book in read for variable in book.variables})
    if math.prod(len(some) for some in options.values()) > MOST:
        return "it reads too many answers to check what it does with people who stop"
    whole = set(_possible(rule, options))
    for last, book in enumerate(read[:-1]):
        left = {name: [""] if wave_of.get(name, -1) > last else some for name, some in options.items()}
        found = set(_possible(rule, left))
        if found and (never := whole - found):
            return (
                f"somebody who stops after '{book.wave}' can count as {_said(found)} and never as {_said(never)}, so "
                f"drop-out biases it; write under its source a `known_if` that needs an answer at '{read[-1].wave}'"
            )
    return ""


def _options(rule: Derivation, variables: Mapping[str, Variable]) -> dict[str, list[Any]]:
    """The answers to try: no answer, those that the expressions name, and one that they do not."""
    named = rule.constants
    found: dict[str, list[Any]] = {}
    for name in sorted(rule.references):
        codes = list(variables[name].values) if name in variables else []
        if codes:
            others = [code for code in codes if code not in named]
            found[name] = ["", *(code for code in codes if code in named), *others[:1]]
        else:
            numbers = {float(value) for value in named if isinstance(value, float | int)} | {0.0, 1.0}
            near = sorted({number + step for number in numbers for step in (-1, 0, 1)})
            found[name] = ["", *near, *(value for value in named if isinstance(value, str) and value)]
    return found


def _possible(rule: Derivation, options: Mapping[str, Sequence[Any]]) -> Iterator[float]:
    for combination in product(*options.values()):
        value = rule.value(dict(zip(options, combination, strict=True)))
        if value is not None:
            yield value


def _said(values: set[float]) -> str:
    some = [f"{value:g}" for value in sorted(values)]
    return " or ".join(some) if len(some) < 4 else f"{len(some)} of its values"
