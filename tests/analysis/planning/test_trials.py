"""Simulated pilots carry the registered analysis out, or say what stands in for it."""

import copy

import pytest

from analysis.plan import PreAnalysisPlan
from analysis.planning import EXAMPLE, Plan
from analysis.planning.made_up import setting
from analysis.planning.trials import simulated

ERRORS = 3.5  # Monte Carlo errors that a fixed seed may lie off; chosen before the seeds were
ARMS = {"portal": 1, "advice": 1, "voucher": 1}
BLOCKS = {"method": "permuted_blocks", "ratio": ARMS, "strata": ["region"], "multiples": [1, 2]}


def assume(value, low, high):
    return {"value": value, "range": [low, high], "source": "illustration"}


def section(r2=0.0, effect=0.4, **keys):
    outcome = {"name": "score", "kind": "continuous", "sd": assume(1, 0.9, 1.1),
               "effect": assume(effect, effect / 2, 2 * effect), "effect_on": "assigned",
               **({"r2": assume(r2, 0, 0.6)} if r2 else {})}  # fmt: skip
    return Plan.from_dict({"arms": [{"name": arm} for arm in ARMS], "control": "portal", "outcomes": [outcome], **keys})


def registered(allocation=BLOCKS, outcomes=("score",), kind="continuous", **keys):
    made = [{"name": name, "kind": kind, "source": {"column": name}} for name in outcomes]
    return PreAnalysisPlan.from_dict({
        "allocation": allocation, "outcomes": made, "analysis_plan": {"control": "portal", "draws": 100, **keys},
    })  # fmt: skip


ADVISORS = {"icc": assume(0.02, 0.01, 0.05), "size": assume(20, 15, 30)}


def close(found, expected):
    assert abs(found.value - expected) < ERRORS * found.error, (found, expected)


@pytest.mark.parametrize(("correction", "planned"), [("holm", "holm"), ("dunnett", "dunnett")])
def test_the_registered_analysis_has_the_power_that_the_plan_promises(correction, planned):
    plan = section(r2=0.4, correction=planned, attrition={"survey": assume(0.2, 0.1, 0.3)})
    analysis = registered(covariates=["age", "work"], correction={"contrasts": correction})
    found = simulated(plan, seed=21, trials=700 if correction == "holm" else 250, analysis=analysis)
    assert (found.analysis, found.estimator, found.convention) == ("registered", "lin", "HC2")
    assert (found.covariates, found.r2, found.strata) == (("age", "work"), 0.4, {"region": 4})
    assert found.simplified == ()
    for row in found.comparisons:
        # Strata and covariates cost a few degrees of freedom that the formula does not count.
        assert (
            row.promised - 0.02 - ERRORS * row.power.error < row.power.value < row.promised + ERRORS * row.power.error
        )
        close(row.bias, 0.0)
        close(row.coverage, 0.95)
    close(found.false_alarm, 0.05)


def test_a_registered_analysis_without_the_covariates_that_were_planned_on_lacks_their_power():
    plan = section(r2=0.4)
    with_, without = (
        simulated(plan, seed=22, trials=300, analysis=registered(covariates=covariates)) for covariates in (["age"], [])
    )
    assert without.simplified == ("r2",)
    assert without.comparisons[0].power.value < with_.comparisons[0].power.value - 0.1


@pytest.mark.parametrize(("spending", "first", "last"), [
    ("lan_demets_obf", (0, 0.01), (0.04, 0.05)), ("lan_demets_pocock", (0.02, 0.04), (0.02, 0.04)),
])  # fmt: skip
def test_looks_are_taken_at_the_registered_analysis_and_keep_its_error(spending, first, last):
    plan = section(looks={"at": [0.5, 1.0], "spending": spending}, correction="holm")
    found = simulated(plan, seed=23, trials=500, analysis=registered(covariates=["age"]))
    assert [look.share for look in found.looks] == [0.5, 1.0]
    assert found.simplified == ()
    assert found.false_alarm.value < 0.05 + ERRORS * found.false_alarm.error
    for row in found.comparisons:
        assert row.power.value > row.promised - 0.03 - ERRORS * row.power.error
    for look, (low, high) in zip(found.looks, (first, last), strict=True):
        assert low < look.level < high


def test_looks_of_a_standard_analysis_have_the_power_that_the_plan_promises():
    plan = section(looks={"at": 3})
    found = simulated(plan, seed=24, trials=1200)
    assert found.analysis == "standard"
    for row in found.comparisons:
        close(row.power, row.promised)
    assert found.false_alarm.value < 0.05 + ERRORS * found.false_alarm.error


@pytest.mark.parametrize(("keys", "analysis", "estimator", "left_out"), [
    ({}, {}, "blocked_means", ()),
    ({}, {"allocation": {"method": "complete", "ratio": ARMS}}, "difference_in_means", ()),
    ({}, {"covariates": ["age"], "estimator": "ancova"}, "ancova", ()),
    ({"r2": 0.3}, {}, "blocked_means", ("r2",)),
    ({}, {"outcomes": ("score", "work")}, "blocked_means", ("outcomes",)),
    ({"arms": [{"name": "portal"}, *({"name": arm, "nested": ADVISORS} for arm in ("advice", "voucher"))]}, {},
     "blocked_means", ("unclustered",)),
    ({}, {"columns": {"probability": "chance"}}, "difference_in_means", ("analysis",)),
    ({}, {"outcomes": ("work",)}, "difference_in_means", ("analysis",)),
    ({}, {"allocation": {"method": "clustered", "ratio": ARMS, "clusters": "site"}}, "difference_in_means",
     ("analysis", "design")),
])  # fmt: skip
def test_what_stands_in_for_the_registered_analysis_is_named(keys, analysis, estimator, left_out):
    plan = section(**keys)
    made = setting(plan, plan.model(), plan.n().recruited_by_arm, analysis=registered(**analysis))
    assert (made.estimator, made.left_out) == (estimator, left_out)


def test_whole_clusters_are_analysed_as_registered():
    clusters = {"icc": assume(0.05, 0.02, 0.1), "size": assume(10, 8, 12)}
    allocation = {"method": "clustered", "ratio": ARMS, "clusters": "site", "strata": ["region"]}
    plan = section(clusters=clusters, effect=0.9)
    found = simulated(plan, seed=25, trials=8, analysis=registered(allocation, clusters_planned=60))
    assert (found.analysis, found.design, found.convention, found.batched) == ("registered", "clustered", "CR2", False)


def test_rerandomisation_balances_the_numbers_that_are_adjusted_for():
    two = {"portal": 1, "advice": 1}
    allocation = {"method": "rerandomized", "base": {"method": "complete", "ratio": two}, "covariates": ["age"],
                  "threshold": 2.0}  # fmt: skip
    plan = section(arms=[{"name": arm} for arm in two])
    found = simulated(plan, seed=26, trials=10, analysis=registered(allocation))
    assert (found.design, found.covariates, found.simplified) == ("rerandomized", ("age",), ())


def test_the_number_of_trials_fits_what_a_trial_costs():
    plan, counts = section(effect=0.1), []
    for analysis in ({"covariates": ["age"]}, {"covariates": ["age"], "estimator": "ancova"}):
        made = setting(plan, plan.model(), plan.n().recruited_by_arm, analysis=registered(**analysis))
        counts.append((made.affordable(1), made.affordable(3)))
        assert made.within(2, 1) < made.affordable(1)
    assert counts[0] == (1000, 1000)
    assert 100 <= counts[1][1] < counts[1][0] < 1000


def test_the_bar_runs_once_over_all_looks_and_both_worlds():
    seen = []
    simulated(section(looks={"at": 2}), seed=1, trials=10, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (40, 40)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_section_alone_keeps_the_standard_analysis():
    found = simulated(Plan.from_dict(copy.deepcopy(EXAMPLE)), seed=1, trials=20)
    assert (found.analysis, found.estimator, found.covariates) == ("standard", "difference_in_means", ())
