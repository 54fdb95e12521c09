"""Simulated trials a second against a loop of statsmodels fits, against DeclareDesign, and against the limit.

The limit is the cost of the random numbers: no simulation can be cheaper than its own draws.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _timing import Figure, interleaved_cpu, median_cpu, r_median, ratio_of, report  # isort: skip - before numpy

import numpy as np
import statsmodels.api as sm

from analysis.power import power_surface
from analysis.simulate import World, simulate, simulated_surface
from analysis.simulation.normals import normals, stream

TRIALS, LOOP, R_TRIALS = 2000, 40, 50
WORLDS = {
    "two arms of 500": (World(n=1000, effects={"treated": 0.2}), "difference_in_means"),
    "HC2, four redrawn covariates": (World(n=1000, effects={"treated": 0.2}, covariates=4, r2=0.3), "lm_robust"),
    "HC2, four fixed covariates": (
        World(n=1000, effects={"treated": 0.2}, covariates=4, r2=0.3, redrawn=False),
        "lm_robust",
    ),
    "60 clusters of 20, CR2": (World(n=1200, effects={"treated": 0.2}, cluster_size=20, icc=0.05), "cluster_cr2"),
}
DECLARED = {
    "two arms of 500": (
        "declare_model(N=1000, U=rnorm(N), potential_outcomes(Y ~ 0.2*Z + U))",
        "complete_ra(N)",
        "declare_estimator(Y ~ Z, .method=lm_robust, inquiry='ATE')",
        800,
    ),
    "HC2, four redrawn covariates": (
        "declare_model(N=1000, X1=rnorm(N), X2=rnorm(N), X3=rnorm(N), X4=rnorm(N), U=rnorm(N), "
        "potential_outcomes(Y ~ 0.2*Z + .27*(X1+X2+X3+X4) + .84*U))",
        "complete_ra(N)",
        "declare_estimator(Y ~ Z + X1 + X2 + X3 + X4, .method=lm_robust, inquiry='ATE')",
        100,
    ),
    "HC2, four fixed covariates": (
        "declare_model(data=fixed, U=rnorm(N), potential_outcomes(Y ~ 0.2*Z + .27*(X1+X2+X3+X4) + .84*U))",
        "complete_ra(N)",
        "declare_estimator(Y ~ Z + X1 + X2 + X3 + X4, .method=lm_robust, inquiry='ATE')",
        240,
    ),
    "60 clusters of 20, CR2": (
        "declare_model(G=add_level(N=60, V=rnorm(N)), I=add_level(N=20, U=rnorm(N), "
        "potential_outcomes(Y ~ 0.2*Z + .22*V + .97*U)))",
        "cluster_ra(clusters=G)",
        "declare_estimator(Y ~ Z, .method=lm_robust, clusters=G, inquiry='ATE')",
        900,
    ),
}
SIZES, EFFECTS = list(range(50, 450, 20)), np.linspace(0.05, 0.5, 20)


def ours(name: str) -> float:
    """Processor seconds a simulated trial."""
    world, estimator = WORLDS[name]
    return median_cpu(lambda: simulate(world, estimator=estimator, trials=TRIALS, seed=1, jobs=1)) / TRIALS


def statsmodels_loop() -> None:
    """The loop that a researcher would write: draw, fit, keep the HC2 test."""
    rng = np.random.default_rng(1)
    design = sm.add_constant(np.repeat([0.0, 1.0], 500))
    for _ in range(LOOP):
        fit = sm.OLS(rng.standard_normal(1000) + 0.2 * design[:, 1], design).fit(cov_type="HC2", use_t=True)
        _ = fit.params[1], fit.bse[1], fit.pvalues[1]


def declared(name: str) -> float | None:
    """User seconds a trial in DeclareDesign, or None without it."""
    model, assignment, estimator, _ = DECLARED[name]
    setup = (
        "fixed <- data.frame(X1=rnorm(1000), X2=rnorm(1000), X3=rnorm(1000), X4=rnorm(1000)); "
        f"d <- {model} + declare_inquiry(ATE=mean(Y_Z_1 - Y_Z_0)) + declare_assignment(Z={assignment}) + "
        f"declare_measurement(Y=reveal_outcomes(Y ~ Z)) + {estimator}"
    )
    found = r_median(setup, f"simulate_design(d, sims={R_TRIALS})", package="DeclareDesign")
    return None if found is None else found / R_TRIALS


def figures() -> list[Figure]:
    """All figures of the table."""
    name = "two arms of 500"
    world, estimator = WORLDS[name]
    loop, batch = interleaved_cpu(
        [statsmodels_loop, lambda: simulate(world, estimator=estimator, trials=TRIALS, seed=1, jobs=1)]
    )
    found = [Figure(name, loop / LOOP / (batch / TRIALS), 40, "statsmodels OLS-HC2 loop")]
    peers = {name: declared(name) for name in DECLARED}
    for name, peer in peers.items():
        ratio = None if peer is None else ratio_of(peer, ours(name))
        found.append(Figure(name, ratio, DECLARED[name][3], "DeclareDesign"))
    surface = median_cpu(lambda: simulated_surface(SIZES, EFFECTS, trials=TRIALS, seed=1))
    base = peers["two arms of 500"]
    one = None if base is None else base * TRIALS * len(SIZES) * len(EFFECTS) / surface
    found.append(Figure("400-cell surface, common random numbers", one, 100_000, "DeclareDesign, cell by cell"))
    cells = loop / LOOP * TRIALS * len(SIZES) * len(EFFECTS) / surface
    found.append(Figure("400-cell surface, common random numbers", cells, None, "statsmodels loop, cell by cell"))
    exact = median_cpu(lambda: power_surface(np.arange(100, 1100, 10), np.linspace(0.02, 0.5, 100)))
    found.append(Figure("exact 100x100 surface, ms", exact * 1e3, 50, "the clock (milliseconds)", at_most=True))
    return found + limits()


def limits() -> list[Figure]:
    """Share of each simulation that is the drawing of its random numbers; 1 would be the limit."""
    found = []
    for name, (world, estimator) in WORLDS.items():
        draws = world.n * (1 + (world.covariates if world.redrawn else 0)) + (60 if world.cluster_size else 0)
        # As many a call as the simulation asks for, so that both sides see the same cache.
        trials = max(1, (1 << 17) // (world.n * (1 + world.covariates)))

        def draw(count: int = draws * trials) -> None:
            normals(stream(1, 0), count)

        def run(world: World = world, estimator: str = estimator) -> None:
            simulate(world, estimator=estimator, trials=TRIALS, seed=1, jobs=1)

        numbers, whole = interleaved_cpu([draw, run], rounds=3)
        found.append(Figure(f"share of the limit: {name}", numbers / trials / (whole / TRIALS), None, "random numbers"))
    return found


if __name__ == "__main__":
    raise SystemExit(report(figures()))
