"""What cannot be estimated is refused in words that say where and what to do; no NaN, no invented zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import analysis
import randomization as rz
from analysis import errors


@pytest.fixture
def data() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "y": rng.normal(size=40), "z": [0, 1] * 20, "x": rng.normal(size=40), "block": np.repeat(list("abcd"), 10),
            "g": np.repeat(np.arange(8), 5), "arm": ["portal", "advice"] * 20,
        }
    )  # fmt: skip


def test_collinear_columns_are_named(data: pd.DataFrame) -> None:
    data["twice"] = 2 * data["x"] + 3
    with pytest.raises(errors.RankDeficient, match="'twice' is a combination") as caught:
        analysis.lm_robust("y ~ z + x + twice", data)
    assert caught.value.columns == ("twice",)


def test_dummies_of_every_level_are_named(data: pd.DataFrame) -> None:
    data = data.join(pd.get_dummies(data["block"], dtype=int))
    with pytest.raises(errors.RankDeficient, match="'d'"):
        analysis.lm_robust("y ~ a + b + c + d", data)


def test_a_regressor_swallowed_by_the_absorbed_effects_is_named(data: pd.DataFrame) -> None:
    with pytest.raises(errors.RankDeficient, match="'late'"):
        analysis.lm_robust("y ~ z + late", data.assign(late=(data["block"] > "b") * 1.0), fixed_effects="block")


def test_an_empty_arm_in_a_block_names_the_block(data: pd.DataFrame) -> None:
    data.loc[data["block"] == "c", "z"] = 1
    with pytest.raises(errors.DesignNotEstimable, match=r"block 'c' has nobody .* in arm '0'"):
        analysis.difference_in_means(data, "y", "z", blocks="block")


def test_one_participant_in_an_arm_of_a_block_names_both(data: pd.DataFrame) -> None:
    data.loc[data["block"] == "b", "z"] = [1] + [0] * 9
    with pytest.raises(errors.DesignNotEstimable, match=r"block 'b' has one participant in '1'; at least two"):
        analysis.difference_in_means(data, "y", "z", blocks="block")


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_a_constant_outcome_is_refused(data: pd.DataFrame, value: float) -> None:
    for call in (
        lambda d: analysis.difference_in_means(d, "y", "z"),
        lambda d: analysis.lm_robust("y ~ z", d),
        lambda d: analysis.randomization_inference(d, "y", rz.complete(["portal", "advice"])),
    ):
        with pytest.raises(errors.ConstantOutcome, match="one value only"):
            call(data.assign(y=value))


def test_an_outcome_constant_within_the_arms_has_no_standard_error(data: pd.DataFrame) -> None:
    with pytest.raises(errors.DesignNotEstimable, match="determined wholly"):
        analysis.difference_in_means(data.assign(y=data["z"] * 1.0), "y", "z")


@pytest.mark.parametrize("formula", ["y ~ z + x", "y ~ z + C(block) + x"])
def test_infinite_values_name_their_column(data: pd.DataFrame, formula: str) -> None:
    data.loc[3, "x"] = np.inf
    with pytest.raises(errors.MissingValues, match="'x'"):
        analysis.lm_robust(formula, data)


def test_a_logarithm_of_zero_names_the_term(data: pd.DataFrame) -> None:
    with pytest.raises(errors.MissingValues, match=r"log\(z\)"):
        analysis.lm_robust("y ~ log(z)", data)


def test_rows_with_missing_values_are_left_out_and_counted(data: pd.DataFrame) -> None:
    data.loc[[1, 5], "x"] = np.nan
    data.loc[7, "y"] = np.nan
    fit = analysis.lm_robust("y ~ z + x", data)["z"]
    assert (fit.n, fit.dropped) == (37, 3)
    assert analysis.difference_in_means(data, "y", "z").dropped == 1


def test_a_column_without_any_value_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(errors.MissingValues, match="no row has a value"):
        analysis.lm_robust("y ~ z + x", data.assign(x=np.nan))


def test_fewer_clusters_than_coefficients_are_refused(data: pd.DataFrame) -> None:
    data["few"] = np.repeat([0, 1, 2], [10, 10, 20])
    with pytest.raises(errors.TooFewClusters, match="3 clusters cannot support 4 coefficients"):
        analysis.lm_robust("y ~ z + x + g", data, clusters="few")


def test_an_unknown_column_names_the_nearest(data: pd.DataFrame) -> None:
    for call in (
        lambda: analysis.lm_robust("y ~ z + blocc", data),
        lambda: analysis.lm_robust("y ~ z + C(blocc)", data),
        lambda: analysis.difference_in_means(data, "y", "z", blocks="blocc"),
    ):
        with pytest.raises(errors.UnknownColumn, match="did you mean 'block'"):
            call()


def test_an_unknown_coefficient_names_the_nearest(data: pd.DataFrame) -> None:
    with pytest.raises(errors.UnknownCoefficient, match="did you mean"):
        _ = analysis.lm_robust("y ~ z + C(block)", data)["C(block)[T.x]"]


def test_an_arm_that_the_design_does_not_know_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(errors.DataError, match="arm 'advice' is not an arm of the design; did you mean 'advise'"):
        analysis.randomization_inference(data, "y", rz.complete(["portal", "advise"]))


def test_more_than_two_arms_must_be_named(data: pd.DataFrame) -> None:
    data["arm"] = (["portal", "advice", "voucher", "portal"] * 10)[:40]
    with pytest.raises(errors.OptionError, match="3 arms"):
        analysis.difference_in_means(data, "y", "arm")
    effect = analysis.difference_in_means(data, "y", "arm", treated="voucher", control="portal")
    assert effect.name == "voucher - portal"


def test_text_is_no_outcome(data: pd.DataFrame) -> None:
    with pytest.raises(errors.DataError, match="holds text"):
        analysis.lm_robust("block ~ z", data)


def test_an_error_type_that_ignores_the_clusters_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(errors.OptionError, match="ignores the clusters"):
        analysis.lm_robust("y ~ z", data, clusters="g", se_type="HC2")
    with pytest.raises(errors.OptionError, match="needs clusters"):
        analysis.lm_robust("y ~ z", data, se_type="CR2")


def test_a_cluster_in_two_arms_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(errors.DataError, match="more than one arm"):
        analysis.difference_in_means(data, "y", "z", clusters="g")


def test_negative_weights_are_refused_and_zero_weights_left_out(data: pd.DataFrame) -> None:
    with pytest.raises(errors.DataError, match="negative"):
        analysis.lm_robust("y ~ z", data.assign(w=-1.0), weights="w")
    weights = np.ones(40)
    weights[:4] = 0
    fit = analysis.lm_robust("y ~ z", data.assign(w=weights), weights="w")["z"]
    assert (fit.n, fit.dropped, fit.df) == (36, 4, 34)
    assert fit.value == pytest.approx(analysis.lm_robust("y ~ z", data[4:])["z"].value)


def test_separation_in_a_logit_is_said_and_not_fitted(data: pd.DataFrame) -> None:
    with pytest.raises(errors.NotConverged, match="no finite solution"):
        analysis.logit_margin("hit ~ z", data.assign(hit=data["z"]), "z")


def test_an_instrument_that_moves_nothing_is_refused(data: pd.DataFrame) -> None:
    data = data.assign(d=np.tile([0, 0, 1, 1], 10))
    with pytest.raises(errors.DesignNotEstimable, match="do not move"):
        analysis.iv_robust("y ~ d | z", data)


def test_a_formula_without_instruments_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(errors.FormulaError, match="instruments"):
        analysis.iv_robust("y ~ x", data)


def test_three_pilots_are_shown_side_by_side_instead_of_pooled() -> None:
    with pytest.raises(errors.DesignNotEstimable, match="side by side"):
        analysis.pool([1.0, 2.0, 3.0], [1.0, 1.0, 1.0])


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_confidence_level_lies_between_zero_and_one(data: pd.DataFrame, level: float) -> None:
    with pytest.raises(errors.OptionError, match="confidence level"):
        analysis.difference_in_means(data, "y", "z").interval(level)


EXACT = {
    "regression": lambda d: analysis.lm_robust("wage ~ z + x", d),
    "clusters": lambda d: analysis.lm_robust("wage ~ z + x", d, clusters="g"),
    "absorbed": lambda d: analysis.lm_robust("wage ~ z + x", d, fixed_effects="block"),
    "weights": lambda d: analysis.lm_robust("wage ~ z + x", d, weights="w"),
    "lin": lambda d: analysis.lm_lin("wage ~ arm", "~ x", d),
    "two stages": lambda d: analysis.iv_robust("wage ~ x | z", d),
    "anderson-rubin": lambda d: analysis.anderson_rubin_ci("wage ~ take_up | z + x", d),
    "cuped": lambda d: analysis.cuped(d, "wage", "x", "arm"),
    "subgroups": lambda d: analysis.subgroup_effects(d, "wage", "block", "arm", covariates="~ x"),
    "quantile": lambda d: analysis.quantile_effect("wage ~ x", d),
    "bootstrap": lambda d: analysis.wild_cluster_bootstrap("wage ~ z + x", d, "z", clusters="g", draws=99),
    "means": lambda d: analysis.difference_in_means(d, "by_arm", "arm"),
    "blocks": lambda d: analysis.difference_in_means(d, "by_arm", "arm", blocks="block"),
    "pairs": lambda d: analysis.difference_in_means(d.assign(duo=np.arange(40) // 2), "by_arm", "arm", pairs="duo"),
    "means of clusters": lambda d: analysis.difference_in_means(
        d.assign(by_arm=0.1 + 0.2 * (d["g"] < 4)), "by_arm", "half", clusters="g"
    ),
    "balance": lambda d: analysis.joint_f(d[["x"]].assign(z=d["z"]).to_numpy(), ["x", "z"], d["z"].to_numpy() == 1),
    "effect size": lambda d: analysis.hedges_g(d, "by_arm", "arm"),
    "counts": lambda d: analysis.glm_robust("ten ~ z", d),
}


@pytest.mark.parametrize("name", EXACT)
def test_an_outcome_that_the_columns_determine_wholly_is_refused_and_not_estimated_from_rounding(
    data: pd.DataFrame, name: str
) -> None:
    data = data.assign(
        wage=0.1 + 0.3 * data["x"], by_arm=np.where(data["z"] == 1, 0.3, 0.1), half=(data["g"] < 4).astype(int), w=1.5,
        take_up=np.random.default_rng(4).integers(0, 2, 40), ten=np.where(data["z"] == 1, 7, 3),
    )  # fmt: skip
    with pytest.raises(errors.DesignNotEstimable, match=r"wholly|same amount|does not vary"):
        EXACT[name](data)


def test_small_noise_on_a_large_outcome_is_not_a_perfect_fit(data: pd.DataFrame) -> None:
    found = analysis.lm_robust("pay ~ z + x", data.assign(pay=1e6 + data["x"] + 1e-4 * data["y"]))["z"]
    expected = analysis.lm_robust("y ~ z + x", data)["z"]
    assert found.value == pytest.approx(1e-4 * expected.value, rel=1e-4)
    assert found.se == pytest.approx(1e-4 * expected.se, rel=1e-4)


def test_a_coefficient_that_one_person_alone_determines_has_no_robust_error(data: pd.DataFrame) -> None:
    data["alone"] = (np.arange(40) == 3).astype(int)
    fit = analysis.lm_robust("y ~ z + alone", data)
    assert fit["z"].se > 0
    with pytest.raises(errors.DesignNotEstimable, match="one person alone determines 'alone'"):
        fit["alone"]
    with pytest.raises(errors.DesignNotEstimable, match="one person alone"):
        analysis.joint_test(fit, ["z", "alone"])
    assert analysis.lm_robust("y ~ z + alone", data, se_type="classical")["alone"].se > 0


@pytest.mark.parametrize("se_type", ["CR0", "stata", "CR2", "CR3"])
def test_one_treated_cluster_leaves_no_standard_error(data: pd.DataFrame, se_type: str) -> None:
    data["desk"] = (data["g"] == 2).astype(int)
    with pytest.raises(errors.DesignNotEstimable, match="one cluster alone determines 'desk'"):
        analysis.lm_robust("y ~ desk", data, clusters="g", se_type=se_type)["desk"]
    with pytest.raises(errors.DesignNotEstimable, match="one cluster in '1'"):
        analysis.difference_in_means(data, "y", "desk", clusters="g")


def test_absorbed_effects_of_the_clusters_themselves_are_no_obstacle(data: pd.DataFrame) -> None:
    absorbed = analysis.lm_robust("y ~ z", data, fixed_effects="g", clusters="g")["z"]
    written = analysis.lm_robust("y ~ z + C(block)", data, clusters="g")["z"]
    assert absorbed.se > 0
    assert written.se > 0


@pytest.mark.parametrize("dtype", ["str", "string", "string[pyarrow]", "category", object])
def test_arms_may_be_text_of_any_kind(data: pd.DataFrame, dtype: object) -> None:
    expected = analysis.difference_in_means(data, "y", "arm", control="portal")
    data = data.assign(arm=data["arm"].astype(dtype))  # pyright: ignore[reportArgumentType]
    assert analysis.difference_in_means(data, "y", "arm", control="portal") == expected
    assert -analysis.lm_robust("y ~ arm", data)["arm"].value == pytest.approx(expected.value)
    assert analysis.lm_lin("y ~ arm", "~ x", data, control="portal").names[1] == "arm[T.advice]"


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "float32", "uint8", bool, object])
def test_outcomes_and_arms_may_be_numbers_of_any_kind(data: pd.DataFrame, dtype: object) -> None:
    data["job"] = (data["y"] > 0).astype(int)
    expected = analysis.difference_in_means(data, "job", "z")
    data = data.assign(job=data["job"].astype(dtype), z=data["z"].astype(dtype))  # pyright: ignore[reportArgumentType]
    found = analysis.difference_in_means(data, "job", "z")
    assert (found.value, found.se, found.df) == (expected.value, expected.se, expected.df)
    assert analysis.lm_robust("job ~ z", data)["z"].value == pytest.approx(expected.value)


def test_the_index_of_the_table_does_not_count(data: pd.DataFrame) -> None:
    shuffled = data.set_index(pd.Index([0] * 40))
    for call in (
        lambda d: analysis.difference_in_means(d, "y", "arm", blocks="block"),
        lambda d: analysis.lm_lin("y ~ arm", "~ x", d)["arm"],
        lambda d: analysis.subgroup_effects(d, "y", "block", "arm", covariates="~ x")["block"].interaction,
        lambda d: analysis.cuped(d, "y", "x", "arm"),
    ):
        assert call(shuffled) == call(data)


def test_dates_and_instruments_in_the_wrong_place_are_named(data: pd.DataFrame) -> None:
    data["day"] = pd.to_datetime(data["g"], unit="D")
    with pytest.raises(errors.DataError, match="'day' holds dates"):
        analysis.lm_robust("y ~ z + day", data)
    with pytest.raises(errors.FormulaError, match="iv_robust"):
        analysis.lm_robust("y ~ x | z", data)
    with pytest.raises(errors.DataError, match="'w' is zero for every row"):
        analysis.lm_robust("y ~ z", data.assign(w=0.0), weights="w")


RUN_AWAY = {
    "an arm without events": lambda d: analysis.cox("z", d.assign(t=d["x"] ** 2 + 0.1, e=d["z"]), time="t", event="e"),
    "categories that the arms do not share": lambda d: analysis.ordinal_logit(
        "o ~ z", d.assign(o=np.where(d["z"] == 1, 3, 1 + np.arange(40) % 4 // 2))
    ),
    "a count that is zero in an arm": lambda d: analysis.rate_ratio("c ~ z", d.assign(c=d["z"] * d["g"]), "z"),
}


@pytest.mark.parametrize("name", RUN_AWAY)
def test_a_likelihood_without_a_maximum_is_refused(data: pd.DataFrame, name: str) -> None:
    with pytest.raises(errors.NotConverged, match="no finite"):
        RUN_AWAY[name](data)


def test_numbers_that_are_no_numbers_are_refused_and_not_passed_on() -> None:
    with pytest.raises(errors.DataError, match="finite statistics"):
        analysis.dunnett([float("nan")], [5, 5], 8)
    with pytest.raises(errors.DataError, match="above zero"):
        analysis.dunnett([1.0], [5, 5], 0)
    with pytest.raises(errors.DataError, match="finite numbers"):
        analysis.fieller(float("nan"), 1.0, se_numerator=1.0, se_denominator=0.1)
    with pytest.raises(errors.DesignNotEstimable, match="the very same effect"):
        analysis.pool([1.0] * 5, [1.0] * 5)
