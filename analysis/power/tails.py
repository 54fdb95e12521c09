"""Power of the reference distributions, given the noncentrality: the arithmetic that every closed form shares.

All functions accept numbers or arrays and broadcast. A two-sided power counts both rejection regions unless
`both_tails` is False, in which case rejections in the wrong direction do not count, as in R's `power.prop.test`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special, stats

__all__ = ["chi2_power", "f_critical", "f_power", "t_critical", "t_power", "z_critical", "z_power"]

# Beyond this many degrees of freedom t and z agree to 1e-9, and the series for the noncentral t becomes slow.
_NORMAL_FROM = 1e9
_SERIES_UP_TO = 1e9
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def _plain(values: Any) -> Any:
    return float(values) if np.ndim(values) == 0 else values


def z_critical(alpha: Any, sides: int = 2) -> Any:
    """Upper critical value of the standard normal at level alpha / sides."""
    return _plain(-special.ndtri(np.asarray(alpha) / sides))


def t_critical(alpha: Any, df: Any, sides: int = 2) -> Any:
    """Upper critical value of Student's t at level alpha / sides."""
    return _plain(-special.stdtrit(df, np.asarray(alpha) / sides))


def z_power(shift: Any, alpha: Any, sides: int = 2, both_tails: bool = True) -> Any:
    """Power of a normal test whose statistic has mean `shift` and unit variance.

    >>> round(z_power(2.8015852, 0.05), 6)
    0.800001
    """
    critical = z_critical(alpha, sides)
    power = special.ndtr(np.abs(shift) - critical)
    if sides == 2 and both_tails:
        power = power + special.ndtr(-np.abs(shift) - critical)
    return _plain(power)


def t_power(ncp: Any, df: Any, alpha: Any, sides: int = 2, both_tails: bool = True) -> Any:
    """Power of Student's t with noncentrality `ncp`, exact by the noncentral t distribution.

    >>> round(t_power(2.0, 18, 0.05), 6)
    0.473366
    """
    df = np.minimum(df, _NORMAL_FROM)
    critical = t_critical(alpha, df, sides)
    ncp = np.abs(ncp)
    # The series loses itself where what lies below a negative value is under 1e-30, and says so by NaN.
    if np.ndim(ncp) == 0 and np.ndim(critical) == 0 and ncp > max(100.0, 2 * np.sqrt(2 * df)) and critical > 0:
        return _far_beyond(float(ncp), df, critical)
    missed = special.nctdtr(df, ncp, critical)
    power = 1 - np.where(np.isnan(missed) & (np.asarray(critical) < 0), 0.0, missed)
    if sides == 2 and both_tails:
        power = power + np.nan_to_num(special.nctdtr(df, ncp, -critical), nan=0.0)
    return _plain(power)


def _far_beyond(ncp: float, df: Any, critical: Any) -> float:
    """P(t > critical), averaged over the normal numerator, where `ncp` is so large that the series loses its digits."""
    scale = np.maximum(ncp + _NODES, 0.0) / critical
    return float(_WEIGHTS @ special.gammainc(df / 2, df / 2 * scale**2))


def f_critical(alpha: Any, df1: Any, df2: Any) -> Any:
    """Upper critical value of F, from the tail of the beta distribution: exact to 15 digits at any level.

    >>> round(f_critical(0.05, 3, 20), 4), round(f_critical(1e-16, 3, 96), 4)
    (3.0984, 39.5403)
    """
    df2 = np.minimum(df2, _NORMAL_FROM)
    below = special.betaincinv(df2 / 2, np.asarray(df1) / 2, alpha)
    above = special.betainccinv(np.asarray(df1) / 2, df2 / 2, alpha)
    odds = np.where(below < 0.5, (1 - below) / np.maximum(below, 1e-300), above / np.maximum(1 - above, 1e-300))
    return _plain(odds * df2 / df1)


def f_power(ncp: Any, df1: Any, df2: Any, alpha: Any) -> Any:
    """Power of the F test with noncentrality `ncp` (the sum of squared standardised effects)."""
    critical = f_critical(alpha, df1, df2)
    if np.ndim(ncp) == 0 and ncp > _SERIES_UP_TO:
        # The series no longer converges; a numerator with so large a noncentrality is normal.
        numerator = np.maximum(df1 + ncp + _NODES * np.sqrt(2 * (df1 + 2 * ncp)), 0.0)
        return float(_WEIGHTS @ special.gammainc(df2 / 2, df2 / 2 * numerator / (df1 * critical)))
    return _plain(stats.ncf.sf(critical, df1, df2, ncp))


def chi2_power(ncp: Any, df: Any, alpha: Any) -> Any:
    """Power of a chi-square test with noncentrality `ncp`."""
    return _plain(stats.ncx2.sf(stats.chi2.isf(alpha, df), df, ncp))
