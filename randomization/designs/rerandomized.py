"""Rerandomization: draws are thrown away until the covariates are in balance, and nothing is claimed beyond that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.design import Design, Number, exact, read_columns
from randomization.errors import DesignError, DesignNotDefined, TooManyAllocations, UnitsError
from randomization.streams import SeededStream
from randomization.units import LEFT_OUT, Layout

if TYPE_CHECKING:
    import numpy as np

BATCH = 256
PATIENCE = 2_000
EXACT_LIMIT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerandomized(Design):
    """See `rerandomized`."""

    method: ClassVar[str] = "rerandomized"
    base: Design
    covariates: tuple[str, ...] = ()
    p_accept: Fraction | None = None
    limit: Fraction | None = None

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if len(self.arms) != 2:
            raise DesignNotDefined(
                f"rerandomization on the Mahalanobis distance compares two arms, not {len(self.arms)}",
                path=("base",),
                remedy="see Branson, Dasgupta and Rubin (Ann Appl Stat 2016) for factorial arms, or use `minimization`",
            )
        if self.base.live or getattr(self.base, "misfits", "") == "drop":
            raise DesignNotDefined(
                f"{self.base.method} cannot be drawn again as a whole",
                path=("base",),
                remedy="use complete, blocked, clustered or matched_pairs as the base",
            )
        if not self.covariates:
            raise DesignError("no covariate is named", path=("covariates",), remedy="name the columns to balance")
        if self.p_accept is not None and not 0 < self.p_accept <= 1:
            raise DesignError(f"p_accept is {self.p_accept}", path=("p_accept",), remedy="choose it above 0, up to 1")
        if self.limit is not None and self.limit <= 0:
            raise DesignError(f"the threshold is {self.limit}", path=("threshold",), remedy="choose it above 0")

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.base.columns, *self.covariates)

    @property
    def numbers(self) -> tuple[str, ...]:
        return (*self.base.numbers, *self.covariates)

    def to_dict(self) -> dict[str, Any]:
        rule = {"threshold": str(self.limit)} if self.p_accept is None else {"p_accept": str(self.p_accept)}
        return {"method": self.method, "base": self.base.to_dict(), "covariates": list(self.covariates)} | rule

    @property
    def threshold(self) -> float:
        """Largest Mahalanobis distance that is accepted: the chi-square quantile of `p_accept`, or as given."""
        from scipy.special import chdtri

        if self.p_accept is None:
            return float(self.limit or 0)
        return float("inf") if self.p_accept == 1 else float(chdtri(len(self.covariates), 1 - float(self.p_accept)))

    @property
    def v_a(self) -> float:
        """Share of the covariates' variance that is left: P(chi2_{k+2} <= a) / P(chi2_k <= a)."""
        from scipy.special import chdtr

        k, a = len(self.covariates), self.threshold
        return float(chdtr(k + 2, a) / chdtr(k, a))

    def variance_reduction(self, r2: float = 1.0) -> float:
        """Relative reduction of the estimator's variance, (1 - v_a) R2; with R2 = 1 that of the covariates themselves.

        >>> import randomization as rz
        >>> d = rz.rerandomized(rz.complete(["portal", "advice"]), ["age", "sex", "income"], p_accept=0.1)
        >>> round(d.variance_reduction(), 4), round(d.variance_reduction(0.5), 4)
        (0.8871, 0.4435)
        """
        if not 0 <= r2 <= 1:
            raise DesignError(f"R2 is {r2}", path=("r2",), remedy="give a share from 0 to 1")
        return (1 - self.v_a) * r2

    # ---- distance ----------------------------------------------------------------------------------------------

    def distances(self, layout: Layout, codes: np.ndarray) -> np.ndarray:
        """Mahalanobis distance of the arms' covariate means, one a draw (inf where an arm is empty).

        M = n1 n0 / n (mean1 - mean0)' S^-1 (mean1 - mean0), with S the sample covariance of all units.
        """
        import numpy as np

        white = self._whitened(layout)
        second = (codes == 1).astype(np.float64)
        n1 = second.sum(axis=1)
        n0 = layout.n - n1
        with np.errstate(divide="ignore", invalid="ignore"):
            # White covariates sum to zero, so the mean of one arm gives that of the other.
            gap = (second @ white) * (1 / n1 + 1 / n0)[:, None]
            return np.where((n1 > 0) & (n0 > 0), n1 * n0 / layout.n * (gap**2).sum(axis=1), np.inf)

    def _whitened(self, layout: Layout) -> np.ndarray:
        """Covariates centred and turned so that their sample covariance is the identity."""
        import numpy as np
        from pandas.api.types import is_bool_dtype, is_numeric_dtype

        if "white" not in layout.notes:
            columns = []
            for name in self.covariates:
                if not (is_numeric_dtype(layout.columns[name]) or is_bool_dtype(layout.columns[name])):
                    raise UnitsError(
                        f"covariate {name!r} holds {layout.columns[name].iloc[0]!r}, which is not a number",
                        path=(name,),
                        remedy="code it as numbers, or use it as a stratum",
                    )
                columns.append(layout.columns[name].to_numpy(dtype=np.float64))
            x = np.column_stack(columns)
            if not np.isfinite(x).all():
                row, place = (int(value) for value in np.argwhere(~np.isfinite(x))[0])
                unit = row if layout.index is None else layout.index[row]
                raise UnitsError(
                    f"covariate {self.covariates[place]!r} is not finite for unit {unit!r}",
                    path=(self.covariates[place],),
                    remedy="correct the value",
                )
            x = x - x.mean(axis=0)
            scale = np.sqrt((x**2).sum(axis=0))
            for name, size in zip(self.covariates, scale, strict=True):
                if size == 0:
                    raise UnitsError(
                        f"covariate {name!r} is the same for every unit", path=(name,), remedy="leave it out"
                    )
            u, s, _ = np.linalg.svd(x / scale, full_matrices=False)
            if s.min() < 1e-10 * s.max():
                raise UnitsError(
                    f"covariates {', '.join(self.covariates)} depend on one another exactly",
                    path=("covariates",),
                    remedy="leave one of them out",
                )
            layout.notes["white"] = u * np.sqrt(layout.n - 1)
        return layout.notes["white"]

    def _accepted(self, layout: Layout, codes: np.ndarray) -> np.ndarray:
        """Whether each draw is kept; distances equal to the threshold up to rounding count as equal."""
        return self.distances(layout, codes) <= self.threshold * (1 + 1e-12)

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        import numpy as np
        from scipy.special import chdtr

        seeds = iter(SeededStream(seed))
        share = float(chdtr(len(self.covariates), self.threshold)) if self.threshold < np.inf else 1.0
        patience = PATIENCE * (1 + 1 / share)
        kept = np.empty((n, layout.n), dtype=np.uint8)
        found = tried = 0
        while found < n:
            batch = self.base.codes(layout, BATCH, next(seeds))
            fit = batch[self._accepted(layout, batch)][: n - found]
            kept[found : found + len(fit)] = fit
            found, tried = found + len(fit), tried + BATCH
            if not found and tried > patience:
                raise DesignError(
                    f"none of {tried} draws was accepted", path=("p_accept",), remedy="choose a larger p_accept"
                )
        return kept

    # ---- what is known exactly ---------------------------------------------------------------------------------

    def outcomes(self, layout: Layout, limit: int) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        import numpy as np

        pairs = list(self.base.outcomes(layout, limit))
        codes = np.array([codes for codes, _ in pairs], dtype=np.uint8)
        fit = self._accepted(layout, codes) & (codes != LEFT_OUT).all(axis=1)
        total = sum((chance for (_, chance), kept in zip(pairs, fit, strict=True) if kept), Fraction(0))
        if not total:
            raise DesignError("no allocation is accepted", path=("p_accept",), remedy="choose a larger p_accept")
        for (allocation, chance), kept in zip(pairs, fit, strict=True):
            if kept:
                yield allocation, chance / total

    def exact_probabilities(self, layout: Layout) -> np.ndarray | None:
        """By listing every allocation when the base has few; otherwise None, and the chances are simulated."""
        import numpy as np

        try:
            pairs = list(self.outcomes(layout, EXACT_LIMIT))
        except TooManyAllocations:
            return None
        second = [Fraction(0)] * layout.n
        for codes, chance in pairs:
            for place, code in enumerate(codes):
                second[place] += code * chance
        share = np.array([float(value) for value in second])
        return np.column_stack([1 - share, share])


def rerandomized(
    base: Design, covariates: Sequence[str], p_accept: Number | None = None, *, threshold: Number | None = None
) -> Rerandomized:
    """Draws of `base` repeated until the Mahalanobis distance of the covariate means is small enough.

    The distance may not exceed the chi-square quantile of `p_accept` (default 0.1), or `threshold` when given. Chances
    are listed exactly for small cases, simulated with their error otherwise, never claimed: with unequal arms or
    outlying covariates they differ from the base design's, and may be zero (`diagnostics.never_treatable`). Two arms;
    more raise `DesignNotDefined`, whose generalisation is Branson, Dasgupta and Rubin, Ann Appl Stat 2016,
    10:1958-1976. Source: Morgan and Rubin, Ann Stat 2012, 40:1263-1282.

    >>> import pandas as pd, randomization as rz
    >>> units = pd.DataFrame({"x": [0, 0, 0, 0, 10]})
    >>> d = rz.rerandomized(rz.complete({"control": 3, "advice": 2}), ["x"], threshold=0.7)
    >>> d.n_allocations(units), d.probabilities(units)["advice"].tolist()
    (6, [0.5, 0.5, 0.5, 0.5, 0.0])
    """
    if p_accept is not None and threshold is not None:
        raise DesignError(
            "the rule is given twice", path=("threshold",), remedy="give `p_accept` or `threshold`, not both"
        )
    if not isinstance(base, Design):
        raise DesignError(f"the base is {base!r}", path=("base",), remedy="give a design, such as complete(...)")
    accept = None if threshold is not None else exact(Fraction(1, 10) if p_accept is None else p_accept, path=())
    return Rerandomized(
        arms=base.arms,
        strata=base.strata,
        base=base,
        covariates=read_columns(covariates, key="covariates"),
        p_accept=accept,
        limit=None if threshold is None else exact(threshold, path=("threshold",)),
    )
