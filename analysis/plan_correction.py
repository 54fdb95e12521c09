"""Paying for many comparisons: first the contrasts within an outcome, then the outcomes within a family.

The two steps together keep the familywise error of the whole family. Within an outcome the contrasts are corrected
by a single-step maximum-t test (Dunnett) or by Holm. Over the family all hypotheses are then stepped through from the
smallest of those p-values; each is multiplied by the number of outcomes that still have a hypothesis to reject. At
the first false rejection every outcome with a true hypothesis is still counted, so Bonferroni's bound over outcomes
holds: this is Holm's argument with outcomes instead of hypotheses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

import numpy as np
from scipy import special, stats

from analysis.errors import OptionError
from analysis.multiplicity import adjust

Key = tuple[str, tuple[str, str]]
Contrast = tuple[str, str]

SMOOTH = 0.35
"""From this share of the shared arm's spread on, one polynomial follows an arm's edge to about 1e-8."""
OUTSIDE_BY = "holm"
"""How contrasts outside the confirmatory family pay for one another within an outcome."""


def within_outcome(
    p: Sequence[float],
    method: str,
    *,
    statistics: Sequence[float] = (),
    contrasts: Sequence[Contrast] = (),
    arm_variances: Mapping[str, float] | None = None,
    df: float = np.inf,
) -> np.ndarray:
    """p-values of one outcome corrected for its contrasts by "dunnett", "holm" or "none".

    "dunnett" needs the t `statistics`, the `contrasts` as pairs of arms and the sampling variance of each arm's mean,
    from which the correlation of the contrasts follows; `df` are the degrees of freedom, infinite for the normal.

    >>> within_outcome([0.01, 0.04], "holm").tolist()
    [0.02, 0.04]
    """
    raw = np.asarray(p, float)
    if method == "none" or len(raw) < 2:
        return raw.copy()
    if method == "holm":
        return adjust(raw, "holm")
    if method != "dunnett":
        raise OptionError(f"contrasts are corrected by dunnett, holm or none, not by '{method}'")
    corrected = maximum_t(np.asarray(statistics, float), contrasts, dict(arm_variances or {}), df)
    return np.clip(corrected, raw, np.minimum(1.0, len(raw) * raw))


def over_family(p: Mapping[Key, float], method: str) -> dict[Key, float]:
    """p-values of a family, keyed (outcome, contrast) and already corrected within outcomes, corrected over outcomes.

    `method`: "holm" or "bonferroni" count outcomes, see the module; "bh" and "by" control the false discovery rate
    over all hypotheses of the family; "none" leaves them.

    >>> keys = [("trained", ("a", "c")), ("worked", ("a", "c"))]
    >>> over_family(dict(zip(keys, [0.01, 0.03])), "holm")[keys[0]]
    0.02
    """
    keys = list(p)
    raw = np.array([p[key] for key in keys])
    outcomes = [key[0] for key in keys]
    if method == "none" or not keys:
        return dict(p)
    if method == "bonferroni":
        corrected = np.minimum(1.0, raw * len(set(outcomes)))
    elif method == "holm":
        corrected = _holm_by_outcome(raw, outcomes)
    elif method in ("bh", "by"):
        corrected = adjust(raw, method)
    else:
        raise OptionError(f"outcomes are corrected by holm, bonferroni, bh, by or none, not by '{method}'")
    return {key: float(value) for key, value in zip(keys, corrected, strict=True)}


def maximum_t(
    statistics: np.ndarray, contrasts: Sequence[Contrast], arm_variances: Mapping[str, float], df: float
) -> np.ndarray:
    """Single-step p-values P(max |T| >= |t|) when all differences are zero; Dunnett's (1955) when an arm is shared.

    With one arm in all contrasts the probability is a double integral, done by Gauss quadrature to about 1e-8.
    Contrasts between the other arms as well are integrated by a fixed Sobol sequence, to about 1e-3.

    >>> two = [("a", "control"), ("b", "control")]
    >>> maximum_t(np.array([2.2121, 0.0]), two, {"a": 1, "b": 1, "control": 1}, np.inf).round(4).tolist()
    [0.05, 1.0]
    """
    arms = sorted({arm for contrast in contrasts for arm in contrast})
    sd = np.array([np.sqrt(arm_variances[a] + arm_variances[b]) for a, b in contrasts])
    shared = set.intersection(*(set(contrast) for contrast in contrasts))
    if len(shared) == 1:
        return _shared_arm(np.abs(statistics), contrasts, arm_variances, shared.pop(), sd, df)
    sobol = stats.qmc.Sobol(len(arms) + 1, scramble=True, rng=np.random.default_rng(20261122)).random_base2(15)
    sobol = np.clip(sobol, 1e-12, 1 - 1e-12)
    z = stats.norm.ppf(sobol[:, :-1]) * np.sqrt([arm_variances[arm] for arm in arms])
    scale = _scale(sobol[:, -1], df)
    largest = np.zeros(len(z))
    for (a, b), spread in zip(contrasts, sd, strict=True):
        np.maximum(largest, np.abs(z[:, arms.index(a)] - z[:, arms.index(b)]) / (spread * scale), out=largest)
    return np.array([(largest >= abs(t)).mean() for t in statistics])


def _shared_arm(
    sizes: np.ndarray,
    contrasts: Sequence[Contrast],
    variances: Mapping[str, float],
    shared: str,
    sd: np.ndarray,
    df: float,
) -> np.ndarray:
    own = np.sqrt([variances[a if b == shared else b] for a, b in contrasts])
    spread = np.sqrt(variances[shared])
    scales, scale_weights = _scales(df)
    result = np.empty(len(sizes))
    for place, size in enumerate(sizes):
        reach = size * scales[:, None] * sd
        control, weights = _control(spread, own, reach)
        x, far = control[..., None], reach[:, None, :]
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = special.ndtr((x + far) / own) - special.ndtr((x - far) / own)
        result[place] = 1.0 - float(scale_weights @ (np.nan_to_num(inside).prod(axis=2) * weights).sum(axis=1))
    return result


def _control(spread: float, own: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of the shared arm's mean and their weights, both (scales, nodes).

    An arm that hardly spreads (none at all where everybody has the same outcome) stays within its `reach` or not almost
    for certain, and one polynomial does not follow that edge. Pieces then end around and at each edge.
    """
    if spread == 0 or own.min() >= SMOOTH * spread:
        nodes, weights = _hermite()
        return nodes[None, :] * spread, weights[None, :] / weights.sum()
    around = np.concatenate([reach - 8 * own, reach, reach + 8 * own], axis=1)
    ends = np.sort(np.clip(np.pad(around, ((0, 0), (1, 1)), constant_values=(0, np.inf)), 0, 9 * spread), axis=1)
    points, weights = _legendre()
    half = np.diff(ends)[..., None] / 2
    nodes = (ends[:, :-1, None] + half * (points + 1)).reshape(len(reach), -1)
    density = np.exp(-((nodes / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
    return nodes, 2 * density * (half * weights).reshape(len(reach), -1)


_hermite = cache(lambda: np.polynomial.hermite_e.hermegauss(96))
_legendre = cache(lambda: np.polynomial.legendre.leggauss(48))
_shares = cache(lambda: np.polynomial.legendre.leggauss(96))


@lru_cache(maxsize=4096)
def _scales(df: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of the estimated over the true standard deviation, and their weights."""
    if np.isinf(df):
        return np.ones(1), np.ones(1)
    points, weights = _shares()
    return _scale((points + 1) / 2, df), weights / 2


def _scale(shares: np.ndarray, df: float) -> np.ndarray:
    """Quantiles of the estimated over the true standard deviation."""
    return np.ones(len(shares)) if np.isinf(df) else np.sqrt(special.chdtri(df, 1 - shares) / df)


def _holm_by_outcome(raw: np.ndarray, outcomes: Sequence[str]) -> np.ndarray:
    corrected = np.empty(len(raw))
    left: Counter[str] = Counter(outcomes)
    highest = 0.0
    for place in np.argsort(raw, kind="stable"):
        highest = max(highest, min(1.0, raw[place] * len(left)))
        corrected[place] = highest
        left[outcomes[int(place)]] -= 1
        left += Counter()  # drops the outcomes that have no hypothesis left
    return corrected
