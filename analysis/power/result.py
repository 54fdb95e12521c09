"""What a power question answers with: the number, how it was reached, and what other conventions would have said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Result", "Rival", "Values"]


class Values(Mapping[str, Any]):
    """An immutable mapping that also pickles, so that results travel to other processes.

    >>> Values({"n": 10})["n"]
    10
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any] | None = None):
        object.__setattr__(self, "_items", dict(items or {}))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("these values are frozen")

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[type[Values], tuple[dict[str, Any]]]:
        return (Values, (self._items,))


@dataclass(frozen=True, slots=True)
class Rival:
    """The same question answered under another convention; `why_not` is set when that convention has no answer."""

    convention: str
    value: float | None
    rounded: float | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One solved power question.

    `solved` names the quantity that was left out; `value` is its unrounded number and `rounded` the one to use: a size
    is rounded up, a power down, a minimum detectable effect away from its null value. `inputs` holds every quantity of
    the question, the solved one included; `details` what follows from it (totals, degrees of freedom, critical value).
    `at_rounded` repeats the details at the rounded number, with the power then achieved.
    Every name in `inputs` and `details` is also an attribute: `result.n`, `result.power`, `result.df`.

    >>> from analysis.power import two_means
    >>> answer = two_means(delta=0.2, sd=1, power=0.8)
    >>> answer.solved, round(answer.value, 2), answer.rounded, answer.at_rounded["n_total"]
    ('n', 393.41, 394, 788)
    """

    solved: str
    value: float
    rounded: float
    test: str
    convention: str
    formula: str
    source: str
    inputs: Values
    details: Values = field(default_factory=Values)
    at_rounded: Values = field(default_factory=Values)
    warnings: tuple[str, ...] = ()
    rivals: tuple[Rival, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name not in type(self).__slots__:
            for place in (self.inputs, self.details):
                if name in place:
                    return place[name]
        raise AttributeError(f"this result holds no '{name}'")

    def to_dict(self) -> dict[str, Any]:
        """The result as plain JSON-able values, for a page, a document or an archive."""
        return {
            "solved": self.solved,
            "value": self.value,
            "rounded": self.rounded,
            "test": self.test,
            "convention": self.convention,
            "formula": self.formula,
            "source": self.source,
            "inputs": dict(self.inputs),
            "details": dict(self.details),
            "at_rounded": dict(self.at_rounded),
            "warnings": list(self.warnings),
            "rivals": [
                {"convention": r.convention, "value": r.value, "rounded": r.rounded, "why_not": r.why_not}
                for r in self.rivals
            ],
        }
