"""Carrying a plan out on a three-arm trial with drop-out, and rehearsing it without seeing the arms."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis import PreAnalysisPlan
from analysis.errors import DataError, UnknownColumn
from analysis.plan_correction import maximum_t
from analysis.rehearsal import visible_columns

TRAINED = "training_started_12m"


ONE = {"contrasts": [["voucher", "portal"]], "subgroups": [], "correction": {"contrasts": "none"}}


def codes(results):
    return {deviation.code for deviation in results.deviations}


def run(sections, people, **changes):
    sections = copy.deepcopy(sections)
    sections["analysis_plan"] |= changes
    return PreAnalysisPlan.from_dict(sections).run(people)


def test_every_registered_contrast_has_both_estimates_and_a_corrected_p(results):
    for outcome in results.outcomes:
        assert [(c.treated, c.comparison) for c in outcome.contrasts] == [
            ("advice", "portal"), ("voucher", "portal"), ("voucher", "advice"),
        ]  # fmt: skip
        for contrast in outcome.contrasts:
            assert contrast.headline == "adjusted"
            assert contrast.p == contrast.adjusted.p
            assert contrast.p <= contrast.p_corrected <= min(1.0, 3 * contrast.p) + 1e-12


def test_the_unadjusted_estimate_is_the_difference_within_strata(results, people):
    pair = people[people["arm"].isin(["voucher", "portal"]) & people[TRAINED].notna()]
    pair = pair.assign(s=pair["region"] + pair["schooling"])
    means = pair.groupby(["s", "arm"])[TRAINED].mean().unstack()
    sizes = pair.groupby("s").size()
    by_hand = ((means["voucher"] - means["portal"]) * sizes).sum() / sizes.sum()
    assert results.contrast(TRAINED, "voucher", "portal").unadjusted.value == pytest.approx(by_hand)


def test_the_adjusted_estimate_is_lins_with_strata(results, people):
    pair = people[people["arm"].isin(["advice", "portal"])]
    pair = pair.assign(t=(pair["arm"] == "advice").astype(float), s=pair["region"] + pair["schooling"])
    fit = analysis.lm_lin("hours ~ t", "~ age + C(s)", pair)["t"]
    found = results.contrast("hours", "advice", "portal").adjusted
    assert (found.value, found.se, found.df) == pytest.approx((fit.value, fit.se, fit.df))


def test_dunnett_pays_for_the_three_contrasts_of_an_outcome(results):
    contrasts = results.outcome(TRAINED).contrasts
    sds = {arm.arm: arm.sd**2 / arm.observed for arm in results.outcome(TRAINED).arms}
    expected = maximum_t(
        np.array([c.adjusted.statistic for c in contrasts]), [(c.treated, c.comparison) for c in contrasts], sds,
        min(c.adjusted.df for c in contrasts),
    )  # fmt: skip
    assert [c.p_corrected for c in contrasts] == pytest.approx(
        np.clip(expected, [c.p for c in contrasts], [3 * c.p for c in contrasts])
    )


def test_arms_response_and_take_up_are_counted(results, people):
    for arm in results.arms:
        assert arm.n == (people["arm"] == arm.arm).sum()
        assert arm.expected == pytest.approx(1 / 3)
    response = results.outcome(TRAINED).response
    assert sum(arm.observed for arm in response.arms) == people[TRAINED].notna().sum()
    assert {row.arm: row.taken for row in results.take_up}["portal"] == 0


def test_a_complier_effect_is_refused_where_arms_differ_in_more_than_one_thing(results):
    contrasts = results.outcome("hours").contrasts
    assert contrasts[0].complier.effect is not None
    assert contrasts[0].complier.effect.value == pytest.approx(
        contrasts[0].adjusted.value / contrasts[0].complier.take_up_treated, rel=0.05
    )
    assert contrasts[1].complier.effect is None
    assert "more than one thing: advice, voucher" in contrasts[1].complier.refused
    assert "do not differ in 'advice'" in contrasts[2].complier.refused


def test_lee_bounds_stand_beside_complete_cases(results):
    contrast = results.contrast(TRAINED, "voucher", "portal")
    assert contrast.bounds.method == "lee"
    assert contrast.bounds.low <= contrast.bounds.high
    assert contrast.bounds.interval[0] < contrast.bounds.low
    assert contrast.bounds.tightened_by == ("region", "schooling")
    assert results.contrast("hours", "voucher", "portal").bounds is None


def test_differential_attrition_is_found(results):
    assert "differential_attrition" in codes(results)
    assert "intention to treat, complete cases, if: as good as random" in results.outcome(TRAINED).analysis_label


def test_complete_cases_are_not_intention_to_treat_without_assumption_and_bounds(sections, people):
    for missing in ({}, {"assumption": "random"}, {"bounds": "lee"}):
        sections["outcomes"][0]["missing"] = missing
        results = run(sections, people, **ONE)
        label = results.outcome(TRAINED).analysis_label
        assert "not intention to treat" in label
        assert results.contrast(TRAINED, "voucher", "portal").adjusted.estimand == label
        assert "not_intention_to_treat" in codes(results)


def test_worst_case_and_zero_keep_everybody(sections, people):
    for handling, n in (("worst_case", len(people)), ("zero", len(people))):
        sections["outcomes"][0]["missing"] = {"handling": handling}
        found = run(sections, people, **ONE).contrast(TRAINED, "voucher", "portal")
        assert found.unadjusted.n == (people["arm"] != "advice").sum() <= n
        assert "everybody as allocated" in found.unadjusted.estimand
    complete = people.assign(**{TRAINED: people[TRAINED].fillna(0.0)})
    zero = run(sections, complete, **ONE).contrast(TRAINED, "voucher", "portal")
    assert zero.unadjusted.value == pytest.approx(found.unadjusted.value)


def test_the_worst_case_lies_at_or_below_every_other_handling(sections, people):
    values = {}
    for handling in ("worst_case", "complete_cases", "inverse_probability", "zero"):
        sections["outcomes"][0]["missing"] = {"handling": handling}
        values[handling] = run(sections, people, **ONE).contrast(TRAINED, "voucher", "portal").unadjusted.value
    assert values["worst_case"] < min(values["complete_cases"], values["inverse_probability"], values["zero"])
    assert values["inverse_probability"] == pytest.approx(values["complete_cases"], abs=0.03)


def test_subgroup_effects_come_with_the_test_that_they_are_equal(results):
    subgroup = results.outcome(TRAINED).subgroups[0]
    assert [level.level for level in subgroup.levels] == ["mbo1", "mbo2", "vmbo"]
    assert subgroup.df == 2
    assert subgroup.p <= subgroup.p_corrected <= 1
    assert results.outcome("hours").subgroups == ()


def test_corrections_over_shared_redraws_cover_the_whole_family(sections, people):
    found = run(sections, people, draws=1_000, correction={"outcomes": "westfall_young"}).outcome(TRAINED).contrasts
    assert found[1].p_corrected < 0.01
    assert found[0].p_corrected >= found[1].p_corrected
    assert "westfall_young" in found[0].correction


def test_inference_by_redrawing_replaces_p_and_interval_when_locked(sections, people):
    results = run(sections, people, inference="permutation", draws=1_000, **ONE)
    t = run(sections, people, **ONE)
    for one, other in zip(results.outcome(TRAINED).contrasts, t.outcome(TRAINED).contrasts, strict=True):
        assert one.p == one.p_permutation == pytest.approx(other.p, abs=0.05)
        assert one.permutation_interval == pytest.approx((other.unadjusted.low, other.unadjusted.high), abs=0.04)


def test_advisors_declared_random_widen_the_errors_of_advised_arms(sections, people):
    rng = np.random.default_rng(1)
    advised = people["arm"] != "portal"
    advisor = np.where(advised, rng.integers(0, 12, len(people)).astype(str), None)
    shift = np.array([0 if a is None else 2.0 * int(a) for a in advisor])
    data = people.assign(advisor=advisor, hours=people["hours"] + shift.astype(int))
    errors = {}
    for kind in ("fixed", "random"):
        advisors = {"column": "advisor", "arms": ["advice", "voucher"], "treat_as": kind}
        effect = run(sections, data, advisors=advisors, covariates=[]).contrast("hours", "advice", "portal").unadjusted
        errors[kind] = effect.se
    assert errors["random"] > 2 * errors["fixed"]


def test_a_dry_run_does_not_depend_on_anything_about_the_arms(sections, people):
    sections["analysis_plan"] |= {"subgroups": []}
    plan = PreAnalysisPlan.from_dict(sections)
    poisoned = people.assign(arm="poison", advice_taken="x", voucher_euros=np.inf, sessions=None)
    without = people.drop(columns=["arm", "advice_taken", "voucher_euros", "sessions"])
    expected = plan.dry_run(people, seed=4)
    assert expected.mode == "dry_run"
    assert plan.dry_run(poisoned, seed=4) == expected
    assert plan.dry_run(without, seed=4) == expected
    assert plan.dry_run(people, seed=5) != expected


def test_a_dry_run_sees_no_column_that_the_plan_does_not_need(sections):
    seen = visible_columns(PreAnalysisPlan.from_dict(sections))
    assert set(seen) == {"region", "schooling", "age", TRAINED, "hours"}


def test_the_effect_disappears_from_dry_runs(sections, people):
    sections["analysis_plan"] |= ONE
    plan = PreAnalysisPlan.from_dict(sections)
    values = [
        plan.dry_run(people, seed=seed).contrast(TRAINED, "voucher", "portal").unadjusted.value for seed in range(3)
    ]
    assert abs(np.mean(values)) < 0.1
    assert plan.run(people).contrast(TRAINED, "voucher", "portal").unadjusted.value > 0.15


@pytest.mark.parametrize(
    ("damage", "error", "words"),
    [
        (lambda d: d.drop(columns="age"), UnknownColumn, "no column 'age'"),
        (lambda d: d.drop(columns=TRAINED), DataError, "worked out before the analysis"),
        (lambda d: d.assign(arm=d["arm"].replace("advice", "advies")), DataError, "not an arm of the design"),
        (lambda d: d.assign(region=d["region"].where(d.index != 7)), DataError, "column 'region' is empty on 1"),
        (lambda d: d.assign(hours=d["hours"] - 1), DataError, "whole number of zero or more"),
        (lambda d: d.assign(hours="many"), DataError, "'many' in column 'hours' is not a number"),
        (lambda d: d.assign(**{TRAINED: 2}), DataError, "is not 0 or 1"),
        (lambda d: d.assign(advice_taken=3), DataError, "take-up column 'advice_taken' is not 0 or 1"),
        (lambda d: d.iloc[:0], DataError, "no participants"),
    ],
)
def test_data_that_do_not_fit_the_plan_are_refused_in_the_researchers_words(sections, people, damage, error, words):
    with pytest.raises(error, match=words):
        PreAnalysisPlan.from_dict(sections).run(damage(people))


def test_a_contrast_that_cannot_be_estimated_says_so_and_reads_unclear(sections, people):
    lost = people.assign(hours=people["hours"].where(people["arm"] != "advice").astype(float))
    contrasts = PreAnalysisPlan.from_dict(sections).run(lost).outcome("hours").contrasts
    assert "arm 'advice' has 0 people" in contrasts[0].refused
    assert contrasts[0].reading == "unclear"
    assert contrasts[0].p_corrected is None
    assert contrasts[1].p_corrected is not None


def test_rows_that_no_sequence_of_blocks_can_give_are_reported(sections, people):
    moved = people.copy()
    here = (moved["region"] == "noord") & (moved["schooling"] == "vmbo") & (moved["arm"] == "portal")
    moved.loc[here, "arm"] = "advice"
    moved["advice_taken"] = (moved["arm"] != "portal").astype(int)
    found = PreAnalysisPlan.from_dict(sections).run(moved)
    assert {"impossible_imbalance"} <= codes(found)


def test_take_up_in_an_arm_without_the_offer_is_contamination(sections, people):
    found = run(sections, people.assign(advice_taken=1))
    assert "contamination" in codes(found)
    assert "take-up is the same in both arms" in found.outcome("hours").contrasts[0].complier.refused


def test_strata_that_are_too_thin_are_pooled_by_the_locked_rule(sections, people):
    thin = people.copy()
    thin.loc[thin.index[:3], "region"] = ["west", "west", "west"]
    assert "sparse_strata_pooled" in codes(PreAnalysisPlan.from_dict(sections).run(thin))


def test_a_constant_covariate_and_a_missing_one_cost_nobody(sections, people):
    data = people.assign(flat=1, age=people["age"].where(people.index > 20))
    found = run(sections, data, covariates=["age", "flat"])
    assert {"constant_covariate", "covariate_missing"} <= codes(found)
    assert found.contrast("hours", "advice", "portal").adjusted.n == (people["arm"] != "voucher").sum()


def test_collinear_covariates_are_named_and_the_unadjusted_result_stays(sections, people):
    found = run(sections, people.assign(months=people["age"] * 12), covariates=["age", "months"])
    contrast = found.contrast("hours", "advice", "portal")
    assert "months repeats what the other covariates say" in contrast.refused
    assert contrast.main is None
    assert contrast.unadjusted is not None


def test_provenance_names_plan_data_and_versions(results, sections, people):
    plan = PreAnalysisPlan.from_dict(sections)
    assert results.provenance.plan_sha256 == plan.lock().sha256
    assert results.provenance.data_rows == len(people)
    assert {"python", "numpy", "scipy"} <= set(results.provenance.versions)
    shuffled = plan.run(people.sample(frac=1, random_state=1))
    assert shuffled.provenance.data_sha256 != results.provenance.data_sha256
    one, other = (r.contrast("hours", "advice", "portal").adjusted.value for r in (results, shuffled))
    assert one == pytest.approx(other)


def test_arms_written_as_numbers_are_the_arms_of_the_design():
    data = pd.DataFrame({"arm": [0, 1] * 10, "y": np.arange(20.0)})
    sections = {
        "allocation": {"method": "complete", "ratio": {"0": 1, "1": 1}},
        "outcomes": [{"name": "y", "kind": "continuous", "source": {"column": "y"}}],
        "analysis_plan": {"control": "0"},
    }
    assert PreAnalysisPlan.from_dict(sections).run(data).contrast("y", "1", "0").main.value == pytest.approx(1.0)
