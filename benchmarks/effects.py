"""How fast effects are estimated against the fastest peer installed, on the same data, one thread, CPU time, one run.

Coefficients and standard errors agree between the peers before anything is timed. A peer that draws at random is timed
at fewer draws where it is slow, and its time is scaled up to the same number, which favours the peer.

    python benchmarks/effects.py [--json]
"""

from __future__ import annotations

import os
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from _timing import Figure, interleaved_cpu, r_median, ratio_of, report  # isort: skip - before numpy is loaded

import numpy as np
import pandas as pd

os.environ["TQDM_DISABLE"] = "1"
warnings.simplefilter("ignore")

COVARIATES = [f"x{i}" for i in range(10)]
FORMULA = "y ~ treat + " + " + ".join(COVARIATES)
FRAME_R = (
    "n <- {n}; set.seed(1); d <- as.data.frame(matrix(rnorm(n * 10), n)); names(d) <- paste0('x', 0:9);"
    "d$treat <- rbinom(n, 1, .5); d$y <- rnorm(n); d$g <- rep(seq_len(max(1, n / 100)), length.out = n)"
)


def frame(n: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {"y": rng.normal(size=n), "treat": rng.integers(0, 2, n).astype(float)}
    return pd.DataFrame(columns | {name: rng.normal(size=n) for name in COVARIATES})


def hc2(n: int, target: float, rounds: int) -> list[Figure]:
    """Arrays against arrays, and a formula on a data frame against the same."""
    import pyfixest as pf
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    from analysis import lm_robust
    from analysis.kernels.linear import least_squares
    from analysis.kernels.sandwich import robust

    data = frame(n)
    X = np.column_stack([np.ones(n), data[["treat", *COVARIATES]].to_numpy()])
    y = data["y"].to_numpy()

    def kernel() -> np.ndarray:
        fit = least_squares(X, y)
        return np.sqrt(np.diag(robust(X, fit, 1)))

    def arrays() -> np.ndarray:
        return sm.OLS(y, X).fit(cov_type="HC2").bse

    def fixest() -> Any:
        return pf.feols(FORMULA, data, vcov="HC2", copy_data=False, store_data=False)

    def front() -> float:
        return lm_robust(FORMULA, data)["treat"].se

    np.testing.assert_allclose(kernel(), arrays(), rtol=1e-8)
    np.testing.assert_allclose(front(), kernel()[1], rtol=1e-10)
    jobs: list[Callable[[], Any]] = [kernel, front, arrays, fixest]
    if n <= 50_000:
        jobs.append(lambda: smf.ols(FORMULA, data).fit(cov_type="HC2").bse)
    ours, door, statsmodels_arrays, *formulas = interleaved_cpu(jobs, rounds)
    r = r_median(FRAME_R.format(n=n), f"for (i in 1:5) lm_robust({FORMULA}, d, se_type = 'HC2')", package="estimatr")
    figures = [
        Figure(
            f"HC2, n = {n:,}, arrays",
            min(statsmodels_arrays, *formulas) / ours,
            target,
            "the fastest of statsmodels, pyfixest",
        ),
        Figure(
            f"HC2, n = {n:,}, formula", min(formulas) / door, target, "the fastest formula of statsmodels, pyfixest"
        ),
        Figure(f"HC2, n = {n:,}, formula, R", ratio_of(None if r is None else r / 5, door), target, "estimatr"),
    ]
    if n >= 1_000_000:
        (passes,) = interleaved_cpu([lambda: (X.sum(), X.sum())], rounds)
        figures.append(Figure("HC2, share of the limit", passes / ours, None, "two passes over X"))
        figures.append(memory(data))
    return figures


def memory(data: pd.DataFrame) -> Figure:
    """Peak memory of one regression, the data included, over the size of the data."""
    from analysis import lm_robust

    size = float(data.memory_usage(index=False).sum())
    tracemalloc.start()
    lm_robust(FORMULA, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Figure("memory, n = 1,000,000", (size + peak) / size, 3.0, "the size of the data", at_most=True)


def cr2() -> list[Figure]:
    """CR2 with Satterthwaite df, 500 clusters of 100; peers without k x k algebra, and CR3 of pyfixest (no df)."""
    import pyfixest as pf

    from analysis import lm_robust

    data = frame(50_000).assign(g=np.repeat(np.arange(500), 100))
    X = np.column_stack([np.ones(len(data)), data[["treat", *COVARIATES]].to_numpy()])

    def textbook() -> np.ndarray:
        return cr2_by_clusters(X, data["y"].to_numpy(), 500)

    def ours() -> Any:
        return lm_robust(FORMULA, data, clusters="g")

    np.testing.assert_allclose(ours().standard_errors, textbook(), rtol=1e-8)
    mine, plain, jackknife = interleaved_cpu(
        [ours, textbook, lambda: pf.feols(FORMULA, data, vcov={"CRV3": "g"}, copy_data=False, store_data=False)], 3
    )
    r = r_median(FRAME_R.format(n=50_000), f"lm_robust({FORMULA}, d, clusters = g)", package="estimatr")
    return [
        Figure(
            "CR2 with df, 500 x 100",
            min(plain, jackknife) / mine,
            4,
            "the faster of numpy with n_g x n_g, pyfixest CRV3",
        ),
        Figure("CR2 with df, 500 x 100, R", ratio_of(r, mine), 4, "estimatr"),
    ]


def cr2_by_clusters(X: np.ndarray, y: np.ndarray, G: int) -> np.ndarray:
    """The definition with a matrix of the size of each cluster, standard errors only."""
    bread = np.linalg.inv(X.T @ X)
    e = y - X @ (bread @ (X.T @ y))
    meat = np.zeros_like(bread)
    for rows in np.split(np.arange(y.size), G):
        H = X[rows] @ bread @ X[rows].T
        values, vectors = np.linalg.eigh(np.eye(rows.size) - H)
        score = X[rows].T @ ((vectors * values**-0.5) @ (vectors.T @ e[rows]))
        meat += np.outer(score, score)
    return np.sqrt(np.diag(bread @ meat @ bread))


def wild() -> list[Figure]:
    """9,999 Rademacher draws, null imposed, 50 clusters of 100."""
    import statsmodels.api as sm
    from wildboottest.wildboottest import wildboottest

    from analysis import wild_cluster_bootstrap

    data = frame(5_000)[["y", "treat", "x0", "x1"]].assign(g=np.repeat(np.arange(50), 100))
    model = sm.OLS(data["y"], sm.add_constant(data[["treat", "x0", "x1"]]))
    mine, theirs = interleaved_cpu(
        [
            lambda: wild_cluster_bootstrap("y ~ treat + x0 + x1", data, "treat", clusters="g", draws=9_999),
            lambda: wildboottest(model, param="treat", cluster=data["g"], B=9_999, show=False),
        ],
        3,
    )
    return [Figure("wild cluster bootstrap, 9,999 draws", theirs / mine, 50, "wildboottest")]


def permutation() -> list[Figure]:
    """A studentized test of 5,000 people with 10,000 draws."""
    import pyfixest as pf
    import scipy.stats

    import randomization as rz
    from analysis import randomization_inference

    design, rng = rz.complete(["a", "b"]), np.random.default_rng(1)
    data = pd.DataFrame({"arm": np.asarray(design.draw(5_000, 3)), "y": rng.normal(size=5_000)})
    data["treat"] = (data["arm"] == "b").astype(float)
    one, zero = data["y"][data["arm"] == "b"].to_numpy(), data["y"][data["arm"] == "a"].to_numpy()

    def welch(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        spread = x.var(axis=axis, ddof=1) / x.shape[axis] + y.var(axis=axis, ddof=1) / y.shape[axis]
        return (x.mean(axis=axis) - y.mean(axis=axis)) / np.sqrt(spread)

    fit = pf.feols("y ~ treat", data, vcov="HC1")
    few = 20
    mine, theirs, fixest = interleaved_cpu(
        [
            lambda: randomization_inference(data, "y", design, draws=10_000),
            lambda: scipy.stats.permutation_test((one, zero), welch, n_resamples=10_000, vectorized=True, batch=500),
            lambda: fit.ritest("treat", reps=few, type="randomization-t", rng=np.random.default_rng(1)),
        ],
        3,
    )
    (bits,) = interleaved_cpu([lambda: np.random.PCG64(1).random_raw(5_000 * 10_000 // 64)], 3)
    return [
        Figure("permutation, 5,000 people, 10,000 draws", theirs / mine, 10, "scipy.stats.permutation_test"),
        Figure("permutation, 5,000 people, 10,000 draws", fixest * 10_000 / few / mine, 50, "pyfixest ritest"),
        Figure("permutation, share of the limit", bits / mine, None, "the random bits alone"),
    ]


def step_down() -> list[Figure]:
    """Romano-Wolf over ten outcomes of 1,000 people, 9,999 draws; pyfixest's permutation timed at 19 and scaled."""
    import pyfixest as pf

    import randomization as rz
    from analysis import permutation_family

    design, rng = rz.complete(["a", "b"]), np.random.default_rng(1)
    outcomes = [f"y{i}" for i in range(10)]
    data = pd.DataFrame(rng.normal(size=(1_000, 10)), columns=outcomes)
    data["arm"] = np.asarray(design.draw(1_000, 3))
    data["treat"] = (data["arm"] == "b").astype(float)
    models = [pf.feols(f"{name} ~ treat", data, vcov="HC1") for name in outcomes]
    few = 19
    pf.rwolf(models, "treat", reps=2, seed=1, sampling_method="ri")
    start = time.process_time()
    pf.rwolf(models, "treat", reps=few, seed=1, sampling_method="ri")
    slow = (time.process_time() - start) * 9_999 / few
    (mine,) = interleaved_cpu([lambda: permutation_family(data, outcomes, design, draws=9_999)], 3)
    return [Figure("Romano-Wolf, 10 outcomes, 9,999 draws", slow / mine, 1_000, "pyfixest rwolf, sampling_method='ri'")]


def main(argv: list[str]) -> int:
    figures = [*hc2(1_000, 2, 7), *hc2(50_000, 5, 5), *hc2(1_000_000, 8, 3)]
    figures += [*cr2(), *wild(), *permutation(), *step_down()]
    return report(figures, argv)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
