"""A design is a value: what may be drawn, with which chances. Stored, drawn from, permuted, simulated and replayed.

Everything downstream trusts a `Design`, so it checks itself once, when it is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.canonical import sha256_hex
from randomization.errors import DesignError, DesignNotDefined

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from randomization.predictability import Predictability
    from randomization.support import Support
    from randomization.units import Layout

Number = int | float | str | Fraction
Ratio = Mapping[str, Number] | Sequence[str]
MOST_ARMS = 200


def exact(value: Number, *, path: tuple[str | int, ...]) -> Fraction:
    """The fraction a person meant: 0.2 is 1/5, "2/3" and 0.6666666666666666 are two thirds.

    >>> exact(0.2, path=()), exact(2 / 3, path=()), exact("1/7", path=())
    (Fraction(1, 5), Fraction(2, 3), Fraction(1, 7))
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Fraction):
        try:
            value = float(value)  # numpy numbers
        except (TypeError, ValueError):
            raise DesignError(f"{value!r} is not a number", path=path, remedy="write 2, 0.5 or '1/3'") from None
    try:
        fraction = Fraction(value) if not isinstance(value, float) else Fraction(repr(float(value)))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise DesignError(f"{value!r} is not a number", path=path, remedy="write 2, 0.5 or '1/3'") from None
    if isinstance(value, float):
        simple = fraction.limit_denominator(10_000)
        if float(simple) == value:
            return simple
    return fraction


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm and its share in the ratio; the weight stays an exact fraction.

    >>> Arm("advice", Fraction(2))
    Arm(name='advice', weight=Fraction(2, 1))
    """

    name: str
    weight: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise DesignError(f"an arm is named {self.name!r}", path=("ratio",), remedy="give every arm a name")
        if self.weight <= 0:
            raise DesignError(
                f"arm {self.name!r} has ratio {self.weight}",
                path=("ratio", self.name),
                remedy="give it a ratio above zero or leave the arm out",
            )


def read_arms(ratio: Ratio) -> tuple[Arm, ...]:
    """Arms from names (equal shares) or from a mapping name -> share, reduced to the smallest whole numbers.

    Raises `DesignError` for a ratio that is zero or negative, a name twice, or fewer than two arms.

    >>> [str(arm.weight) for arm in read_arms({"portal": 0.2, "advice": 0.7, "voucher": 0.1})]
    ['2', '7', '1']
    """
    if isinstance(ratio, Mapping):
        pairs = [(name, exact(weight, path=("ratio", name))) for name, weight in ratio.items()]
    elif isinstance(ratio, str) or not isinstance(ratio, Iterable):
        raise DesignError(
            f"arms are given as {ratio!r}", path=("ratio",), remedy="give names, or a mapping of name to ratio"
        )
    else:
        pairs = [(arm.name, arm.weight) if isinstance(arm, Arm) else (arm, Fraction(1)) for arm in ratio]
    arms = [Arm(name, weight) for name, weight in pairs]
    common = reduce(lcm, (arm.weight.denominator for arm in arms), 1)
    whole = [int(arm.weight * common) for arm in arms]
    divisor = reduce(gcd, whole, 0) or 1
    return tuple(Arm(arm.name, Fraction(weight // divisor)) for arm, weight in zip(arms, whole, strict=True))


def read_columns(columns: Sequence[str] | str | None, *, key: str = "strata") -> tuple[str, ...]:
    """Column names, each once, in the order given.

    >>> read_columns(["region", "schooling"])
    ('region', 'schooling')
    """
    if not (columns is None or isinstance(columns, Iterable)):
        raise DesignError(f"{key} holds {columns!r}", path=(key,), remedy="write a list of column names")
    names = () if columns is None else (columns,) if isinstance(columns, str) else tuple(columns)
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise DesignError(f"{key} names the column {name!r}", path=(key, place), remedy="write a column name")
        if name in names[:place]:
            raise DesignError(f"{key} names column {name!r} twice", path=(key, place), remedy="name it once")
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What every design can do; the constructors of `randomization` make them.

    `units` is a data frame (one row a unit), or a whole number of units when no column is needed.
    Arm codes are places in `arms`. Two designs with one fingerprint are one mechanism.
    """

    method: ClassVar[str] = ""
    live: ClassVar[bool] = False

    arms: tuple[Arm, ...]
    strata: tuple[str, ...] = ()
    cache: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if len(names) < 2:
            raise DesignError("a design needs at least two arms", path=("ratio",), remedy="name the comparison too")
        if len(names) > MOST_ARMS:
            raise DesignError(f"{len(names)} arms are too many", path=("ratio",), remedy=f"use at most {MOST_ARMS}")
        for name in names:
            if names.count(name) > 1:
                raise DesignError(f"arm {name!r} is named twice", path=("ratio", name), remedy="name each arm once")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arms, in the order of their codes."""
        return tuple(arm.name for arm in self.arms)

    @property
    def weights(self) -> tuple[int, ...]:
        """The ratio in its smallest whole numbers."""
        return tuple(int(arm.weight) for arm in self.arms)

    @property
    def shares(self) -> tuple[Fraction, ...]:
        """Each arm's share of the ratio; they sum to one."""
        total = sum(self.weights)
        return tuple(Fraction(weight, total) for weight in self.weights)

    @property
    def equal(self) -> bool:
        """Whether all arms have the same share."""
        return len(set(self.weights)) == 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the units that the design reads; each design adds its own to the strata."""
        return self.strata

    @property
    def numbers(self) -> tuple[str, ...]:
        """Those of `columns` that are read as numbers."""
        return ()

    @property
    def truths(self) -> tuple[str, ...]:
        """Those of `columns` that are read as true or false."""
        return ()

    def parameters(self) -> dict[str, Any]:
        """The method's own settings in the spelling of its constructor; each design adds its own."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """The human form, as written under `allocation:` in a protocol; `from_dict` reads it back."""
        form: dict[str, Any] = {"method": self.method, "ratio": dict(zip(self.names, self.weights, strict=True))}
        if self.strata:
            form["strata"] = list(self.strata)
        return form | self.parameters()

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the canonical JSON of `to_dict()`; the order of the arms does not change it."""
        if "fingerprint" not in self.cache:
            self.cache["fingerprint"] = sha256_hex(self.to_dict())
        return self.cache["fingerprint"]

    def __reduce__(self) -> tuple[Any, ...]:
        # What is kept for speed (the layout of a million units) does not travel to other processes.
        from randomization.mapping import from_dict

        return from_dict, (self.to_dict(),)

    # ---- batch: everybody at once ------------------------------------------------------------------------------

    def layout(self, units: pd.DataFrame | int) -> Layout:
        """The units checked and grouped once; cached, and reused while the columns hold the same values."""
        from randomization.units import layout_of

        return layout_of(self, units)

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:  # noqa: ARG002
        """Arm codes, uint8 of shape (n, units); every design has its own."""
        raise DesignNotDefined(f"no rule says how {self.method or 'this design'} draws")

    def tallies(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        """Numbers by stratum and arm in `n` draws, shape (n, strata, arms); units left out are not counted."""
        from randomization.units import tally

        return tally(self.codes(layout, n, seed), layout.group, len(layout.labels), len(self.arms))

    def draw(self, units: pd.DataFrame | int, seed: int) -> pd.Series:
        """One allocation: a Series of arm names indexed like `units` (an int gives 0, 1, 2, …).

        Raises `UnitsError` when the units do not fit the design.
        """
        from randomization.units import named

        layout = self.layout(units)
        return named(self.codes(layout, 1, seed)[0], self.names, layout.index)

    def draws(self, units: pd.DataFrame | int, n: int, seed: int) -> np.ndarray:
        """`n` independent allocations by the same mechanism: uint8 arm codes, shape (n, units).

        `draws(units, 1, seed)[0]` is `draw(units, seed)`; 255 marks a unit that misfits="drop" left out.
        """
        if n < 1:
            raise DesignError(f"{n} draws were asked for", path=("n",), remedy="ask for at least one")
        return self.codes(self.layout(units), n, seed)

    def probabilities(self, units: pd.DataFrame | int, *, n: int = 10_000, seed: int = 0) -> pd.DataFrame:
        """Each unit's chance of each arm, shape (units, arms), columns the names of the arms.

        `.attrs["exact"]` says whether they follow from the mechanism; if not, they are shares of `n` draws and
        `.attrs["standard_error"]` is the greatest standard error among them (`.attrs["draws"]` their number).
        """
        from randomization.probabilities import frame_of

        return frame_of(self, self.layout(units), n=n, seed=seed)

    def exact_probabilities(self, layout: Layout) -> np.ndarray | None:
        """Chances of shape (units, arms) when the mechanism gives them in closed form; else None."""
        import numpy as np

        return np.tile(np.array([float(share) for share in self.shares]), (layout.n, 1))

    def n_allocations(self, units: pd.DataFrame | int) -> int:
        """Exact number of distinct allocations with a chance above zero."""
        return len(self.support(units).probabilities)

    def support(self, units: pd.DataFrame | int, *, limit: int = 200_000) -> Support:
        """Every possible allocation with its exact chance; `TooManyAllocations` beyond `limit` of them."""
        from randomization.support import collect

        return collect(self, self.layout(units), limit)

    def outcomes(self, layout: Layout, limit: int) -> Iterable[tuple[tuple[int, ...], Fraction]]:  # noqa: ARG002
        """(allocation, chance) pairs for `support`; an allocation may come more than once."""
        raise DesignNotDefined(f"the allocations of {self.method or 'this design'} cannot be listed one by one")

    def predictability(self, n: int) -> Predictability:  # noqa: ARG002 - sequential designs read it
        """How well somebody who knows the past guesses the next arm, over `n` arrivals of one stratum."""
        raise DesignNotDefined(
            f"{self.method} allocates everybody at once, so no next arm can be guessed",
            remedy="ask a sequential design",
        )
