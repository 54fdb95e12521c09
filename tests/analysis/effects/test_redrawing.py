"""Permutation inference, step-down corrections and the wild bootstrap against their definitions by brute force."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import analysis
import randomization as rz
from analysis.kernels.permute import Slots, sums_over_members
from analysis.kernels.wild import every_sign, rademacher, webb


def small(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"arm": ["a", "b"] * 5, "y": rng.normal(size=10).round(2), "x": rng.normal(size=10)})
    return data.assign(y=data["y"] + (data["arm"] == "b"))


def welch(y: np.ndarray, z: np.ndarray) -> float:
    one, zero = y[z == 1], y[z == 0]
    return (one.mean() - zero.mean()) / np.sqrt(one.var(ddof=1) / one.size + zero.var(ddof=1) / zero.size)


def everyone(n: int, m: int) -> list[np.ndarray]:
    return [np.isin(np.arange(n), chosen).astype(int) for chosen in combinations(range(n), m)]


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_the_exact_studentized_test_equals_enumeration(alternative: str) -> None:
    data = small()
    test = analysis.randomization_inference(data, "y", rz.complete(["a", "b"]), alternative=alternative)
    y, z = data["y"].to_numpy(), (data["arm"] == "b").to_numpy().astype(int)
    null = np.array([welch(y, other) for other in everyone(10, 5)])
    seen = welch(y, z)
    beyond = {"two-sided": abs(null) >= abs(seen) - 1e-9, "greater": null >= seen - 1e-9, "less": null <= seen + 1e-9}
    assert test.exact
    assert test.statistic == pytest.approx(seen)
    assert test.p == pytest.approx(beyond[alternative].mean())


def test_the_interval_is_the_set_of_effects_that_enumeration_does_not_reject() -> None:
    data = small()
    test = analysis.randomization_inference(data, "y", rz.complete(["a", "b"]))
    y, z = data["y"].to_numpy(), (data["arm"] == "b").to_numpy().astype(int)

    def p(tau: float) -> float:
        shifted = y - tau * z
        null = np.array([welch(shifted, other) for other in everyone(10, 5)])
        return float((abs(null) >= abs(welch(shifted, z)) - 1e-9).mean())

    low, high = test.interval(0.9)
    assert p(low + 1e-3) > 0.1 >= p(low - 1e-3)
    assert p(high - 1e-3) > 0.1 >= p(high + 1e-3)
    assert test.p_at(0.7) == pytest.approx(p(0.7))


def test_ranks_give_the_exact_rank_sum_test() -> None:
    data = small()
    test = analysis.randomization_inference(data, "y", rz.complete(["a", "b"]), statistic="ranks")
    one, zero = data["y"][data["arm"] == "b"], data["y"][data["arm"] == "a"]
    assert test.p == pytest.approx(scipy.stats.mannwhitneyu(one, zero, method="exact").pvalue)


def test_many_draws_agree_with_scipy() -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"arm": np.asarray(rz.complete(["a", "b"]).draw(200, 3)), "y": rng.normal(size=200)})
    data["y"] += 0.25 * (data["arm"] == "b")
    test = analysis.randomization_inference(
        data, "y", rz.complete(["a", "b"]), statistic="difference", draws=20_000, alternative="greater"
    )
    theirs = scipy.stats.permutation_test(
        (data["y"][data["arm"] == "b"], data["y"][data["arm"] == "a"]),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis), n_resamples=20_000, vectorized=True,
        alternative="greater",
        rng=np.random.default_rng(1),
    )  # fmt: skip
    assert not test.exact
    assert test.p == pytest.approx(theirs.pvalue, abs=0.012)


def test_the_same_seed_gives_the_same_answer_and_another_seed_another() -> None:
    data = pd.DataFrame({"arm": ["a", "b"] * 40, "y": np.random.default_rng(2).normal(size=80)})
    first, again, other = (
        analysis.randomization_inference(data, "y", rz.complete(["a", "b"]), draws=500, seed=seed) for seed in (1, 1, 2)
    )
    assert first.p == again.p
    np.testing.assert_array_equal(first.null, again.null)
    assert not np.array_equal(first.null, other.null)


def test_blocks_are_redrawn_within_and_studentized_by_block() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"site": ["n"] * 4 + ["s"] * 6, "arm": ["a", "b"] * 5, "y": rng.normal(size=10)})
    test = analysis.randomization_inference(data, "y", rz.blocked(["a", "b"], strata=["site"]))
    y, z = data["y"].to_numpy(), (data["arm"] == "b").to_numpy().astype(int)

    def blocked(other: np.ndarray) -> float:
        table = data.assign(z=other, y=y)
        return analysis.difference_in_means(table, "y", "z", blocks="site").statistic

    null = [blocked(np.concatenate(parts)) for parts in product(everyone(4, 2), everyone(6, 3))]
    assert test.draws == len(null) == 120
    assert test.statistic == pytest.approx(blocked(z))
    assert test.p == pytest.approx((np.abs(null) >= abs(blocked(z)) - 1e-9).mean())


def test_clusters_are_redrawn_whole() -> None:
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"village": np.repeat(np.arange(8), [2, 3, 4, 2, 5, 3, 2, 4])})
    design = rz.clustered(["a", "b"], clusters="village")
    data["arm"] = np.where(data["village"] % 2 == 1, "b", "a")
    data["y"] = rng.normal(size=len(data)) + rng.normal(size=8)[data["village"]]
    test = analysis.randomization_inference(data, "y", design, statistic="difference")
    village, y = data["village"].to_numpy(), data["y"].to_numpy()
    null = [y[z[village] == 1].mean() - y[z[village] == 0].mean() for z in everyone(8, 4)]
    assert test.draws == 70
    assert test.p == pytest.approx((np.abs(null) >= abs(test.value) - 1e-9).mean())


def test_rows_without_an_outcome_stay_in_the_draws_and_out_of_the_sums() -> None:
    data = small()
    data.loc[3, "y"] = np.nan
    test = analysis.randomization_inference(data, "y", rz.complete(["a", "b"]), statistic="difference")
    y, known = data["y"].to_numpy(), data["y"].notna().to_numpy()
    null = [y[known & (z == 1)].mean() - y[known & (z == 0)].mean() for z in everyone(10, 5)]
    assert (test.n, test.dropped) == (9, 1)
    assert test.p == pytest.approx((np.abs(null) >= abs(test.value) - 1e-9).mean())


def test_outcomes_arms_and_subgroups_share_one_draw_matrix() -> None:
    rng = np.random.default_rng(8)
    design = rz.complete(["none", "talk", "voucher"])
    data = pd.DataFrame({"arm": np.asarray(design.draw(90, 1)), "y": rng.normal(size=90), "x": rng.normal(size=90)})
    data["young"] = rng.random(90) < 0.5
    draws = analysis.redraw(data, design, draws=400)
    family = [
        analysis.Hypothesis("y", "talk", "none"), analysis.Hypothesis("y", "voucher", "none"),
        analysis.Hypothesis("x", "talk", "none"), analysis.Hypothesis("y", "talk", "none", within="young"),
    ]  # fmt: skip
    results = analysis.permutation_family(data, family, draws)
    for one, hypothesis in zip(results, family, strict=True):
        alone = analysis.randomization_inference(
            data, hypothesis.outcome, draws, treated=hypothesis.treated, control="none", within=hypothesis.within
        )
        assert one.p == alone.p
        assert one.romano_wolf >= one.p - 1e-12
        assert one.westfall_young >= one.p - 1e-12


def test_an_assignment_that_the_design_cannot_make_is_refused() -> None:
    data = pd.DataFrame({"arm": ["a"] * 7 + ["b"] * 3, "y": np.arange(10.0)})
    with pytest.raises(analysis.AnalysisError, match="could not have come from this design"):
        analysis.randomization_inference(data, "y", rz.complete(["a", "b"]))


def test_romano_wolf_equals_its_definition() -> None:
    rng = np.random.default_rng(0)
    seen, null = np.array([2.5, -1.0, 1.9]), rng.normal(size=(3, 500))
    found = analysis.romano_wolf(seen, null)
    order = [0, 2, 1]
    expected, running = {}, 0.0
    for place, h in enumerate(order):
        rest = order[place:]
        running = max(running, (1 + (np.abs(null[rest]).max(axis=0) >= abs(seen[h])).sum()) / 501)
        expected[h] = running
    np.testing.assert_allclose(found, [expected[h] for h in range(3)])


def test_westfall_young_equals_romano_wolf_when_all_statistics_share_one_distribution() -> None:
    null = np.tile(np.random.default_rng(1).permutation(np.arange(1.0, 400.0)), (2, 1))
    seen = np.array([395.5, 300.5])
    np.testing.assert_allclose(analysis.westfall_young(seen, null), analysis.romano_wolf(seen, null), atol=0.006)


def test_sums_over_packed_members_equal_plain_sums_by_block() -> None:
    rng = np.random.default_rng(3)
    codes, blocks = rng.integers(0, 3, (50, 37)).astype(np.uint8), rng.integers(0, 4, 37)
    blocks[:4] = range(4)
    values = rng.normal(size=(37, 2))
    slots = Slots.of(blocks)
    sums = sums_over_members(slots.pack(codes, 2), slots.tables(values), slots.block)
    for b in range(4):
        np.testing.assert_allclose(sums[b], ((codes == 2) & (blocks == b)) @ values, atol=1e-12)


def clustered(G: int = 8, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(G), rng.integers(4, 9, G))
    z = (g % 3 == 0).astype(float)
    x = rng.normal(size=g.size)
    return pd.DataFrame({"g": g, "z": z, "x": x, "y": 0.5 * z + x + rng.normal(size=G)[g] + rng.normal(size=g.size)})


@pytest.mark.parametrize("impose", [True, False])
def test_the_wild_bootstrap_equals_refitting_every_sign_pattern(impose: bool) -> None:
    data = clustered()
    test = analysis.wild_cluster_bootstrap("y ~ z + x", data, "z", clusters="g", impose_null=impose)
    fit = analysis.lm_robust("y ~ z + x", data, clusters="g", se_type="stata")["z"]
    X = np.column_stack([np.ones(len(data)), data["z"], data["x"]])
    kept = X[:, [0, 2]] if impose else X
    fitted = kept @ np.linalg.lstsq(kept, data["y"], rcond=None)[0]
    residuals = data["y"] - fitted
    centre = 0.0 if impose else fit.value
    null = []
    for signs in every_sign(8).T:
        boot = data.assign(y=fitted + residuals * signs[data["g"]])
        again = analysis.lm_robust("y ~ z + x", boot, clusters="g", se_type="stata")["z"]
        null.append((again.value - centre) / again.se)
    assert test.enumerated
    assert test.draws == 256
    assert test.statistic == pytest.approx(fit.statistic)
    assert test.p == pytest.approx((np.abs(null) >= abs(fit.statistic) - 1e-9).mean())


def test_the_wild_interval_ends_where_the_test_starts_to_reject() -> None:
    test = analysis.wild_cluster_bootstrap("y ~ z + x", clustered(14), "z", clusters="g", weights="webb", draws=999)
    low, high = test.interval(0.9)
    assert low < test.value < high
    for end, step in ((low, -0.02), (high, 0.02)):
        assert test.p_at(end + step) <= 0.1 < test.p_at(end - step)


def test_bootstrap_weights_have_mean_zero_and_variance_one() -> None:
    for weights in (rademacher(10, 20_000, 1), webb(10, 20_000, 1)):
        assert abs(weights.mean()) < 0.01
        assert abs(weights.var() - 1) < 0.01
