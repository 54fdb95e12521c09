"""Joint tests: are several coefficients nothing at once?

With few clusters the usual F test rejects far too often. The test of Tipton and Pustejovsky gives the Wald statistic an
approximate Hotelling T² reference with degrees of freedom estimated from the design.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.special import chdtrc, fdtrc

from analysis.errors import DesignNotEstimable, OptionError, nearest
from analysis.estimate import Array, JointTest, Regression
from analysis.formulas import INTERCEPT
from analysis.kernels import absorb
from analysis.kernels.clusters import Grouping, cluster_parts
from analysis.regression import Working

TestKind = Literal["F", "chi2", "HTZ", "AHT"]
SOURCE = "Tipton and Pustejovsky (2015), Journal of Educational and Behavioral Statistics 40, 604-634"


def joint_test(fit: Regression, names: Sequence[str] | None = None, *, test: TestKind | None = None) -> JointTest:
    """Test that the named coefficients (default: all but the intercept) are zero together.

    "F" compares Wald/q with F(q, df), where df is n - k, or G - 1 with clusters; "chi2" compares Wald with chi-square;
    "HTZ" (also called AHT, the approximate Hotelling T² of Pustejovsky and Tipton) estimates its degrees of freedom
    and is the default for CR2. Raises UnknownCoefficient, OptionError and DesignNotEstimable when the covariance of
    the named coefficients is singular.

    >>> import pandas as pd
    >>> from analysis.regression import lm_robust
    >>> data = pd.DataFrame({"y": [1.0, 3, 2, 6, 4, 5], "a": [0, 0, 0, 1, 1, 1], "b": [1, 0, 1, 0, 2, 3]})
    >>> result = joint_test(lm_robust("y ~ a + b", data, se_type="classical"), ["a", "b"])
    >>> round(result.statistic, 4), result.df1, result.df2
    (9.8514, 2, 3.0)
    """
    wanted = [name for name in fit.names if name != INTERCEPT] if names is None else list(names)
    if not wanted:
        raise OptionError("no coefficient was named for the joint test", remedy="name at least one")
    places = [fit.position(name) for name in wanted]
    fit.require(fit.names[place] for place in places)
    contrast = np.zeros((len(places), len(fit.names)))
    contrast[np.arange(len(places)), places] = 1.0
    kind = test or ("HTZ" if fit.convention.startswith("CR2") else "F")
    statistic = wald(contrast, fit.coefficients, fit.covariance)
    q = len(places)
    labels = tuple(fit.names[i] for i in places)
    if kind == "chi2":
        return JointTest(
            labels, statistic, q, np.inf, float(chdtrc(q, statistic)), f"{fit.convention}, chi-square", "Wald"
        )
    if kind == "F":
        clusters = fit.extras.get("clusters")
        df2 = float(clusters - 1) if clusters else float(fit.working.df_residual)
        return JointTest(
            labels, statistic / q, q, df2, float(fdtrc(q, df2, statistic / q)), f"{fit.convention}, F", "Wald"
        )
    if kind in ("HTZ", "AHT"):
        return _hotelling(fit, contrast, statistic, labels)
    raise OptionError(f"test '{kind}' does not exist", remedy=nearest(kind, ["F", "chi2", "HTZ", "AHT"], "test"))


def wald(contrast: Array, coefficients: Array, covariance: Array) -> float:
    """The Wald statistic (Cb)'(CVC')^-1(Cb); raises DesignNotEstimable when CVC' is singular."""
    inner = contrast @ covariance @ contrast.T
    scale = np.sqrt(np.diag(inner))
    if (scale <= 0).any() or np.linalg.cond(inner / np.outer(scale, scale)) > 1e12:
        raise DesignNotEstimable(
            f"the covariance of the {len(contrast)} coefficients is singular",
            remedy="test fewer coefficients at once, or use permutation inference",
        )
    effect = contrast @ coefficients
    return float(effect @ np.linalg.solve(inner, effect))


def _hotelling(fit: Regression, contrast: Array, statistic: float, labels: tuple[str, ...]) -> JointTest:
    q = len(labels)
    convention = fit.convention.split(",")[0]
    if convention not in ("CR2", "HC2") or "weighted" in fit.convention:
        raise OptionError(f"the HTZ test is defined here for CR2 and HC2 without weights, not for {fit.convention}",
                          remedy="use test='F'")  # fmt: skip
    eta = htz_df(fit.working, contrast)
    if eta <= q - 1:
        raise DesignNotEstimable(
            f"{eta:.2f} degrees of freedom cannot carry a joint test of {q} coefficients", remedy="test fewer at once"
        )
    df2 = eta - q + 1
    f = df2 / (eta * q) * statistic
    return JointTest(labels, f, q, df2, float(fdtrc(q, df2, f)), f"{convention}, HTZ", SOURCE)


def htz_df(work: Working, contrast: Array) -> float:
    """Degrees of freedom eta = q(q + 1) / sum of the variances of the whitened covariance, Wishart matched."""
    model = work.model
    codes = np.arange(model.n) if model.clusters is None else model.clusters
    grouping = Grouping.of(codes)
    basis = absorb.basis(model.absorbed) if model.absorbed else None
    directions = contrast @ work.fit.Q
    k = directions.shape[1]
    W, q, own = [], [], []
    for parts in cluster_parts(work.rows, work.fit, grouping, -0.5, basis):
        w = parts.B[:, :, :k] @ directions.T
        W.append(w)
        q.append(parts.S @ w)
    W, q = np.concatenate(W), np.concatenate(q)
    own = W.transpose(0, 2, 1) @ q - q.transpose(0, 2, 1) @ q
    values, vectors = np.linalg.eigh(own.sum(axis=0))
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    q, own = q @ whiten, whiten @ own @ whiten
    lengths = q.transpose(0, 2, 1) @ q
    A = np.einsum("gis,gjt->stij", q, q)
    crossed = np.einsum("stij,stji->st", A, A) - np.einsum("gst,gst->st", lengths, lengths)
    squares = np.einsum("gss->gs", lengths)
    straight = np.einsum("stij,stij->st", A, A) - squares.T @ squares
    same = np.einsum("gst,gst->st", own, own)
    diagonal = np.einsum("gss->gs", own)
    variance = same + crossed + diagonal.T @ diagonal + straight
    size = contrast.shape[0]
    return float(size * (size + 1) / variance.sum())
