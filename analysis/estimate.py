"""What every estimator of this package gives back: a number that knows what it means.

A value without its standard error, reference distribution and convention cannot be checked by anyone, so the three
travel together. Drawing an estimate or phrasing it for readers is the work of others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from analysis.errors import DesignNotEstimable, OptionError, UnknownCoefficient, nearest

Array = NDArray[Any]
Scale = Literal["identity", "log", "logit"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A set of values between two ends, in the units of the estimate; an open end is infinite.

    >>> Interval(0.8, 3.1)
    Interval(low=0.8, high=3.1)
    >>> 2 in Interval(0.8, 3.1)
    True
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise DesignNotEstimable(f"an interval cannot run from {self.low} to {self.high}")

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __iter__(self) -> Iterator[float]:
        return iter((self.low, self.high))


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimated effect with everything needed to judge it.

    `value` is in the units of the outcome. `scale` names the scale on which `se` and `statistic` live: "identity", or
    "log" for ratios, whose interval is computed on the log scale and carried back. `df` is `math.inf` where the
    reference distribution is the normal. `n` counts the rows that were used and `dropped` those left out for missing
    values. `extras` holds what only this estimator knows (means by arm, numbers of blocks or clusters).

    Raises DesignNotEstimable when a value is not finite or the standard error is zero.

    >>> effect = Estimate.of("treat", 1794.342, 670.9965, df=443, n=445, estimand="average effect on those assigned",
    ...                      convention="HC2", source="MacKinnon and White (1985)")
    >>> round(effect.p, 5)
    0.00777
    >>> [round(end, 1) for end in effect.interval(0.95)]
    [475.6, 3113.1]
    >>> effect.reading()
    'higher'
    """

    name: str
    value: float
    se: float
    statistic: float
    df: float
    p: float
    n: int
    estimand: str
    convention: str
    source: str
    dropped: int = 0
    scale: Scale = "identity"
    extras: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.se == 0:
            raise DesignNotEstimable(
                f"'{self.name}' has no sampling variation in these data, so no standard error exists",
                remedy="look whether the outcome is constant within every arm",
            )
        for part in ("value", "se", "statistic", "p"):
            if not math.isfinite(getattr(self, part)):
                raise DesignNotEstimable(f"the {part} of '{self.name}' could not be computed from these data")
        if self.se < 0:
            raise DesignNotEstimable(f"the standard error of '{self.name}' is below zero")
        if not self.df > 0 or not 0 <= self.p <= 1:
            raise DesignNotEstimable(f"'{self.name}' has {self.df:g} degrees of freedom; more than none are needed")

    @classmethod
    def of(
        cls,
        name: str,
        value: float,
        se: float,
        *,
        df: float,
        n: int,
        estimand: str,
        convention: str,
        source: str,
        dropped: int = 0,
        scale: Scale = "identity",
        extras: Mapping[str, Any] | None = None,
    ) -> Estimate:
        """An estimate whose statistic and two-sided p follow from value, standard error and df."""
        centre = on_scale(float(value), scale)
        statistic = centre / float(se) if se > 0 else math.inf
        p = float(two_sided_p(statistic, df))
        return cls(name, float(value), float(se), statistic, float(df), p, int(n), estimand, convention, source,
                   int(dropped), scale, dict(extras or {}))  # fmt: skip

    def interval(self, level: float = 0.95) -> Interval:
        """The confidence interval of the estimate's own reference distribution; raises OptionError outside (0, 1)."""
        half = critical_value(level, self.df) * self.se
        centre = on_scale(self.value, self.scale)
        return Interval(from_scale(centre - half, self.scale), from_scale(centre + half, self.scale))

    @property
    def null(self) -> float:
        """The value that means no effect: 0, or 1 for a ratio."""
        return from_scale(0.0, self.scale)

    def reading(self, level: float = 0.95) -> Literal["higher", "lower", "unclear"]:
        """What the interval allows to say. One that includes no effect reads "unclear", never "no effect"."""
        interval = self.interval(level)
        if self.null in interval:
            return "unclear"
        return "higher" if interval.low > self.null else "lower"

    def to_dict(self, level: float = 0.95) -> dict[str, Any]:
        """A mapping that JSON can hold; an infinite df (normal reference) becomes null."""
        interval = self.interval(level)
        return {
            "name": self.name, "value": self.value, "se": self.se, "statistic": self.statistic,
            "df": None if math.isinf(self.df) else self.df, "p": self.p, "n": self.n, "dropped": self.dropped,
            "level": level, "low": interval.low, "high": interval.high, "scale": self.scale,
            "estimand": self.estimand, "convention": self.convention, "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class JointTest:
    """A test that several coefficients (or group differences) are all nothing.

    `df2` is `math.inf` for a chi-square reference, in which case `statistic` is the Wald statistic itself; otherwise
    `statistic` is compared with F(df1, df2).
    """

    names: tuple[str, ...]
    statistic: float
    df1: float
    df2: float
    p: float
    convention: str
    source: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.statistic) and math.isfinite(self.p)):
            raise DesignNotEstimable(f"the joint test of {', '.join(self.names)} could not be computed")


@dataclass(frozen=True, slots=True, eq=False)
class Regression(Mapping[str, Estimate]):
    """The coefficients of one regression by name, with their joint covariance.

    A coefficient of a factor may be asked for by the name of its column when it is the only one of that column:
    `fit["arm"]` finds "arm[T.advice]". Iterating gives the names in the order of the design. `refused` maps a
    coefficient without a standard error to the reason; asking for it raises DesignNotEstimable.
    """

    names: tuple[str, ...]
    coefficients: Array
    covariance: Array
    dfs: Array
    n: int
    outcome: str
    estimand: str
    convention: str
    source: str
    dropped: int = 0
    residual_variance: float = math.nan
    r_squared: float = math.nan
    extras: Mapping[str, Any] = field(default_factory=dict, repr=False)
    working: Any = field(default=None, repr=False)
    refused: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> Estimate:
        place = self.position(name)
        self.require([self.names[place]])
        variance = float(self.covariance[place, place])
        return Estimate.of(
            self.names[place], float(self.coefficients[place]), math.sqrt(max(variance, 0.0)),
            df=float(self.dfs[place]), n=self.n, estimand=self.estimand, convention=self.convention,
            source=self.source, dropped=self.dropped, extras=self.extras,
        )  # fmt: skip

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def require(self, names: Iterable[str]) -> None:
        """Raise DesignNotEstimable with its reason for the first of these coefficients without a standard error."""
        for name in names:
            if name in self.refused:
                raise DesignNotEstimable(self.refused[name])

    def position(self, name: str) -> int:
        """Where a coefficient stands; raises UnknownCoefficient naming the nearest one."""
        if name in self.names:
            return self.names.index(name)
        if name == "(Intercept)" and "Intercept" in self.names:
            return self.names.index("Intercept")
        starts = (f"{name}[", f"C({name})[", f"C({name}, ")
        levels = [i for i, known in enumerate(self.names) if known.startswith(starts) and ":" not in known]
        if len(levels) == 1:
            return levels[0]
        raise UnknownCoefficient(
            f"the regression has no coefficient '{name}'", remedy=nearest(name, self.names, "coefficient")
        )

    @property
    def standard_errors(self) -> Array:
        """Standard errors in the order of `names`; raises DesignNotEstimable when one of them does not exist."""
        self.require(self.names)
        return np.sqrt(np.diag(self.covariance))


def on_scale(value: float, scale: Scale) -> float:
    """A value on the scale where its standard error lives."""
    if scale == "identity":
        return value
    if scale == "log":
        return math.log(value) if value > 0 else -math.inf
    return math.log(value / (1 - value)) if 0 < value < 1 else math.copysign(math.inf, value - 0.5)


def from_scale(value: float, scale: Scale) -> float:
    """Back from that scale to the units of the estimate."""
    if scale == "identity":
        return value
    return math.exp(value) if scale == "log" else 1 / (1 + math.exp(-value))


def two_sided_p(statistic: Any, df: Any) -> Any:
    """P(|T| >= |statistic|) under Student's t with `df` degrees of freedom; the normal where df is infinite."""
    size, freedom = np.abs(statistic), np.asarray(df, dtype=float)
    with np.errstate(invalid="ignore"):
        tail = np.where(np.isinf(freedom), ndtr(-size), stdtr(np.where(np.isinf(freedom), 1.0, freedom), -size))
    return 2 * tail


def critical_value(level: float, df: float) -> float:
    """The two-sided critical value of Student's t (or the normal) at a confidence level inside (0, 1)."""
    if not 0 < level < 1:
        raise OptionError(f"a confidence level lies between 0 and 1, not at {level}", remedy="write 0.95 for 95%")
    upper = (1 + level) / 2
    return float(ndtri(upper) if math.isinf(df) else stdtrit(df, upper))
