"""A plan against draws and searches that know nothing of its formulas."""

import copy
import math

import numpy as np
import pytest
from scipy import stats

from analysis.planning import EXAMPLE, Plan, skewness
from analysis.planning.money import cost_of
from analysis.planning.trials import simulated
from analysis.power.errors import ImpossibleRequest, PostHocRefused, PowerError, SectionError

ERRORS = 3.5  # Monte Carlo errors that a fixed seed may lie off; chosen before the seeds were


def assume(value, low, high):
    return {"value": value, "range": [low, high], "source": "illustration"}


ADVISORS = {"icc": assume(0.02, 0.01, 0.05), "size": assume(40, 25, 60)}


def changed(**keys):
    section = copy.deepcopy(EXAMPLE)
    section.update(keys)
    return section


def costed(**keys):
    arms = [
        {"name": "portal"},
        {"name": "advice", "cost": {"assigned": 50, "taken_up": 700}},
        {"name": "voucher", "cost": {"assigned": 10, "taken_up": 1000}},
    ]
    return Plan.from_dict(changed(cost_per_person=20, arms=arms, **keys))


def close(found, expected):
    assert abs(found.value - expected) < ERRORS * found.error, (found, expected)


@pytest.mark.parametrize("keys", [
    {"correction": "dunnett", "variance": "unpooled"},
    {"correction": "holm", "variance": "unpooled"},
    {"correction": "bonferroni", "variance": "unpooled", "sides": 1},
    {"variance": "unpooled", "arms": [{"name": "portal", "ratio": 2}, {"name": "advice"}, {"name": "voucher"}]},
])  # fmt: skip
def test_simulated_pilots_have_the_power_that_the_plan_promises(keys):
    found = simulated(Plan.from_dict(changed(**keys)), seed=11, trials=1200)
    for row in found.comparisons:
        close(row.power, row.promised)
        close(row.bias, 0.0)
        close(row.coverage, 0.95)
    assert found.false_alarm.value < 0.05 + ERRORS * found.false_alarm.error


def test_the_chances_to_find_any_and_all_differences_are_those_of_simulated_pilots():
    plan = Plan.from_dict(changed(variance="unpooled"))
    found = simulated(plan, seed=12, trials=1200)
    for power_of, seen in (("any", found.any_found), ("all", found.all_found)):
        close(seen, Plan.from_dict(changed(variance="unpooled", power_of=power_of)).power(plan.n().analysed))


def test_simulated_clusters_have_the_power_that_the_plan_promises():
    outcome = {"name": "score", "kind": "continuous", "sd": assume(1, 0.9, 1.1), "effect": assume(0.25, 0.2, 0.3),
               "effect_on": "assigned"}  # fmt: skip
    plan = Plan.from_dict({"arms": [{"name": "a"}, {"name": "b"}], "control": "a", "outcomes": [outcome],
                           "clusters": {"icc": assume(0.05, 0.02, 0.1), "size": assume(20, 15, 25)}})  # fmt: skip
    (row,) = simulated(plan, seed=13, trials=2000).comparisons
    assert row.promised is not None
    # Groups fill whole clusters, so there may be a few more people than were promised.
    assert row.promised - ERRORS * row.power.error < row.power.value < row.promised + 0.02 + ERRORS * row.power.error


def test_the_same_seed_gives_the_same_trials_again():
    plan = Plan.from_dict(changed())
    one, two, other = (simulated(plan, seed=seed, trials=50) for seed in (5, 5, 6))
    assert one == two != other


def test_advisors_in_the_advised_arms_only_need_what_drawn_advisors_and_clients_need():
    arms = [{"name": "portal"}, {"name": "advice", "nested": ADVISORS}]
    plan = Plan.from_dict(changed(arms=arms, variance="unpooled"))
    size = plan.n()
    advisors = round(size.n / 40)
    rng, trials = np.random.default_rng(20), 3000
    p_control, p_advice, icc = 0.15, 0.183, 0.02
    # Clients of one advisor share a beta-distributed chance: mean p, correlation icc between two of them.
    chance = rng.beta(p_advice * (1 - icc) / icc, (1 - p_advice) * (1 - icc) / icc, size=(trials, advisors))
    shares = rng.binomial(40, chance) / 40
    control = rng.binomial(advisors * 40, p_control, size=trials) / (advisors * 40)
    se = np.sqrt(shares.var(axis=1, ddof=1) / advisors + control * (1 - control) / (advisors * 40))
    power = float(np.mean((shares.mean(axis=1) - control) / se > 1.959964))
    promised = plan.power(advisors * 40)
    assert abs(power - promised) < ERRORS * math.sqrt(0.16 / trials)


def test_the_worked_example_with_advisors_asks_for_about_3400_in_an_advised_arm():
    arms = [{"name": "portal"}, {"name": "advice", "nested": ADVISORS}, {"name": "voucher", "nested": ADVISORS}]
    assert Plan.from_dict(changed(arms=arms)).n().n == pytest.approx(3400, rel=0.02)


@pytest.mark.heavy
def test_simulated_advisors_have_the_power_that_the_plan_promises():
    arms = [{"name": "portal"}, {"name": "advice", "nested": ADVISORS}, {"name": "voucher", "nested": ADVISORS}]
    found = simulated(Plan.from_dict(changed(arms=arms)), seed=14, trials=800)
    assert (found.estimator, found.simplified) == ("partially_nested", ())
    for row in found.comparisons:
        close(row.power, row.promised or 0)


def advised(both, icc=0.02, **keys):
    """A plan with 40 clients an advisor in one arm or both, and the effect on everyone assigned that has 80% power."""

    def plan(effect, count=1):
        advisors = {**ADVISORS, "icc": assume(icc, 0.01, 0.1)}
        arms = [{"name": "portal", "nested": advisors} if both else {"name": "portal"},
                {"name": "advice", "nested": advisors}]  # fmt: skip
        outcome = {**EXAMPLE["outcomes"][0], "effect": assume(effect, effect / 2, 2 * effect), "effect_on": "assigned"}
        return Plan.from_dict(changed(arms=arms, outcomes=[outcome], attrition={}, **keys))

    return plan


@pytest.mark.parametrize(("advisors", "both", "icc"), [(4, True, 0.02), (4, False, 0.02), (6, True, 0.05)])
def test_four_advisors_have_the_power_that_the_plan_promises(advisors, both, icc):
    people, plan = advisors * 40, advised(both, icc)
    found = plan(plan(0.2).mde(people).effect)
    rng, trials = np.random.default_rng(24), 6000
    treated, control = 0.15 + found.primary.effect.value, 0.15
    means, squares, freedom = zip(*(
        groups_of(rng, trials, advisors, 40, p, icc) if shared else groups_of(rng, trials, people, 1, p, 0.0)
        for p, shared in ((treated, True), (control, both))
    ), strict=True)  # fmt: skip
    df = sum(squares) ** 2 / sum(v**2 / f for v, f in zip(squares, freedom, strict=True))
    significant = stats.t.sf((means[0] - means[1]) / np.sqrt(sum(squares)), df) < 0.025
    assert found.power(people) == pytest.approx(0.8, abs=1e-6)
    assert abs(significant.mean() - 0.8) < ERRORS * math.sqrt(0.16 / trials)


@pytest.mark.parametrize(("advisors", "both", "icc"), [(8, False, 0.05), (4, True, 0.1), (8, False, 0.1)])
def test_a_plan_tells_what_the_skewness_of_few_shares_does_to_its_power(advisors, both, icc):
    people, plan = advisors * 40, advised(both, icc)
    found = plan(plan(0.2).mde(people).effect)
    rng, trials = np.random.default_rng(25), 20_000
    treated, control = 0.15 + found.primary.effect.value, 0.15
    means, squares, freedom = zip(*(
        groups_of(rng, trials, advisors, 40, p, icc) if shared else groups_of(rng, trials, people, 1, p, 0.0)
        for p, shared in ((treated, True), (control, both))
    ), strict=True)  # fmt: skip
    df = sum(squares) ** 2 / sum(v**2 / f for v, f in zip(squares, freedom, strict=True))
    seen = float(np.mean(stats.t.sf((means[0] - means[1]) / np.sqrt(sum(squares)), df) < 0.025))
    (shift,) = skewness.shifts(found.model(), {"portal": people, "advice": people}).values()
    # The promise itself is off by more than a point and a half; with the shift it is within half a point of the draws.
    assert abs(seen - 0.8) > 0.015
    assert abs(0.8 + shift - seen) < 0.005 + ERRORS * math.sqrt(0.16 / trials)
    assert found.n().warnings[0].startswith("the shares of few groups are skewed")


def test_many_groups_and_continuous_outcomes_have_no_skewness_to_tell():
    many = Plan.from_dict(changed(arms=[{"name": "portal"}, {"name": "advice", "nested": ADVISORS}]))
    assert many.n().warnings == ()
    (shift,) = skewness.shifts(many.model(), many.n().analysed_by_arm).values()
    assert abs(shift) < 0.01


def groups_of(rng, trials, count, size, p, icc):
    """Means of drawn groups that are alike by icc, their squared standard errors and degrees of freedom."""
    shape = (trials, count)
    chance = rng.beta(p * (1 - icc) / icc, (1 - p) * (1 - icc) / icc, size=shape) if icc else np.full(shape, p)
    shares = rng.binomial(size, chance) / size
    return shares.mean(axis=1), shares.var(axis=1, ddof=1) / count, count - 1


def test_the_registered_analysis_of_five_advisors_has_the_power_that_the_plan_promises():
    plan = advised(both=False)
    found = plan(plan(0.2).mde(200).effect)
    (row,) = simulated(found, seed=15, trials=400).comparisons
    assert found.n().recruited == 200
    close(row.power, 0.8)


@pytest.mark.parametrize("clusters", [3, 5])
def test_few_whole_clusters_have_the_power_that_the_plan_promises(clusters):
    def plan(effect):
        outcome = {"name": "score", "kind": "continuous", "sd": assume(1, 0.9, 1.1), "effect_on": "assigned",
                   "effect": assume(effect, effect / 2, 2 * effect)}  # fmt: skip
        return Plan.from_dict({"arms": [{"name": "a"}, {"name": "b"}], "control": "a", "outcomes": [outcome],
                               "clusters": {"icc": assume(0.05, 0.02, 0.1), "size": assume(20, 15, 25)}})  # fmt: skip

    found = plan(plan(0.5).mde(clusters * 20).effect)
    (row,) = simulated(found, seed=16, trials=3000).comparisons
    close(row.power, 0.8)


def test_looks_of_few_advisors_have_the_power_that_the_plan_promises():
    plan = advised(True, looks={"at": [0.5, 1.0], "spending": "lan_demets_pocock"})
    found = plan(plan(0.2).mde(12 * 40).effect)
    rng, trials = np.random.default_rng(25), 6000
    levels = stats.norm.sf(found.interim([0.5, 1.0], "lan_demets_pocock").upper)
    shares = {}
    for name, p in (("advice", 0.15 + found.primary.effect.value), ("portal", 0.15)):
        shares[name] = rng.binomial(40, rng.beta(p * 49, (1 - p) * 49, size=(trials, 12))) / 40
    stopped = np.zeros(trials, bool)
    for count, level in ((6, levels[0]), (12, levels[1])):
        first, second = (shares[name][:, :count] for name in ("advice", "portal"))
        stopped |= stats.ttest_ind(first, second, axis=1, equal_var=False, alternative="greater").pvalue < level
    assert abs(stopped.mean() - 0.8) < ERRORS * math.sqrt(0.16 / trials)


def test_fewer_than_two_advisors_find_nothing_and_money_for_fewer_is_refused():
    plan = advised(both=False)(0.2)
    assert plan.power(79) == 0.0 < plan.power(80)
    priced = Plan.from_dict({**plan.to_dict(), "cost_per_person": 20})
    with pytest.raises(ImpossibleRequest, match="fewer than two clusters or advisors") as caught:
        priced.allocate(1200)
    assert caught.value.parameter == "budget"


def test_several_comparisons_with_few_advisors_are_found_together_as_often_as_promised():
    advisors = {"icc": assume(0.05, 0.01, 0.1), "size": assume(40, 30, 50)}
    arms = [{"name": "portal"}, {"name": "advice", "nested": advisors}, {"name": "voucher", "nested": advisors}]
    outcome = {"name": "score", "kind": "continuous", "sd": assume(1, 0.9, 1.1), "effect_on": "assigned",
               "effect": assume(0.4, 0.3, 0.5)}  # fmt: skip
    section = changed(arms=arms, outcomes=[outcome], correction="holm", attrition={})
    rng, trials = np.random.default_rng(26), 8000
    control, squares = rng.normal(0, math.sqrt(1 / 280), trials), rng.chisquare(279, trials) / 279 / 280
    p = []
    for _ in range(2):
        groups = rng.normal(0.4, math.sqrt(0.05 + 0.95 / 40), (trials, 7))
        v = groups.var(axis=1, ddof=1) / 7
        df = (v + squares) ** 2 / (v**2 / 6 + squares**2 / 279)
        p.append(2 * stats.t.sf((groups.mean(axis=1) - control) / np.sqrt(v + squares), df))
    low, high = np.sort(p, axis=0)
    for power_of, seen in (("any", low < 0.025), ("all", (low < 0.025) & (high < 0.05))):
        promised = Plan.from_dict({**section, "power_of": power_of}).power(280)
        # The comparisons are joined as if they shared what they know of their variances: a point off at seven advisors.
        assert seen.mean() == pytest.approx(promised, abs=0.02)


def test_a_look_half_way_has_the_power_of_drawn_paths():
    plan = Plan.from_dict(changed(arms=[{"name": "portal"}, {"name": "advice"}], variance="unpooled",
                                  looks={"at": [0.5, 1.0], "spending": "lan_demets_pocock"}))  # fmt: skip
    design, size = plan.interim([0.5, 1.0], "lan_demets_pocock"), plan.n()
    p1, p0 = 0.183, 0.15
    drift = (p1 - p0) / math.sqrt((p1 * (1 - p1) + p0 * (1 - p0)) / size.n)
    steps = np.random.default_rng(21).normal(drift * 0.5, math.sqrt(0.5), size=(400_000, 2)).cumsum(axis=1)
    z = steps / np.sqrt([0.5, 1.0])
    crossed = float(np.mean((z > np.asarray(design.upper)).any(axis=1)))
    assert crossed == pytest.approx(0.8, abs=ERRORS * 0.0007)


@pytest.mark.parametrize("keys", [{"correction": "bonferroni"}, {"correction": "bonferroni", "power_of": "all"}])
def test_no_division_of_the_budget_on_a_grid_beats_the_one_that_was_found(keys):
    plan, budget = costed(**keys), 2_000_000
    model, best = plan.model(), 0.0
    prices = {arm.name: cost_of(model, arm.name) for arm in plan.section.arms}
    for control in np.arange(0.02, 0.6, 0.02):
        for advice in np.arange(0.1, 0.98 - control, 0.02):
            shares = {"portal": control, "advice": advice, "voucher": 1 - control - advice}
            sizes = {name: share * budget / prices[name] * 0.98 for name, share in shares.items()}
            best = max(best, model.power(sizes))
    found = plan.allocate(budget)
    assert found.power > best - 0.001  # whole people cost a little
    assert found.cost <= budget


def test_the_least_money_for_a_power_is_the_budget_that_gives_that_power():
    found = costed().allocate(power=0.9)
    assert found.power >= 0.9
    assert costed().allocate(found.cost).power == pytest.approx(0.9, abs=0.001)
    assert costed().cost(found.recruited).total == pytest.approx(found.cost)


def test_places_bind_the_division_as_planned_too():
    section = changed(cost_per_person=20)
    section["arms"] = [{"name": name, "capacity": 100} for name in ("portal", "advice", "voucher")]
    found = Plan.from_dict(section).allocate(1_000_000)
    assert set(found.recruited.values()) == {100}
    assert found.equal_power == pytest.approx(found.power)


def test_assurance_is_the_average_power_over_draws_from_the_prior():
    plan = Plan.from_dict(changed())
    found = plan.assurance((0.06, 0.02))
    draws = np.random.default_rng(22).normal(0.06, 0.02, 1500)
    model, sizes = plan.model(), plan.model().sizes(plan.n().n)
    powers = [model.power(sizes, scale=d / 0.06) if d > 0 else 0.0 for d in draws]
    assert found.assurance == pytest.approx(np.mean(powers), abs=ERRORS * np.std(powers) / math.sqrt(len(powers)))


def test_the_forecast_is_that_of_drawn_rates_and_counts():
    section = changed(recruitment={"per_week": assume(140, 100, 190), "weeks": 40})
    found = Plan.from_dict(section).forecast(target=5500)
    rng, sd = np.random.default_rng(23), 90 / (2 * 1.959964)
    rates = rng.gamma((140 / sd) ** 2, sd**2 / 140, 200_000)
    counts = rng.poisson(rates * 40)
    assert found.chance == pytest.approx(np.mean(counts >= 5500), abs=0.004)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(counts, (0.05, 0.95))), rel=0.005)


def test_a_lottery_has_the_power_of_its_two_arms():
    plan = Plan.from_dict(changed(arms=[{"name": "portal"}, {"name": "advice"}], variance="unpooled"))
    found = plan.lottery(3000, 12000)
    a, b = 3000 * 0.98, 9000 * 0.98
    drift = 0.033 / math.sqrt(0.183 * 0.817 / a + 0.15 * 0.85 / b)
    assert found.power == pytest.approx(stats.norm.cdf(drift - 1.959964), abs=1e-6)


def test_each_comparison_states_what_it_needs_by_itself():
    arms = [{"name": "portal"}, {"name": "advice"}, {"name": "voucher", "effect_multiple": 1.5}]
    rows = {row["treated"]: row for row in Plan.from_dict(changed(arms=arms)).table()}
    plan = Plan.from_dict(changed(arms=arms))
    assert rows["advice"]["analysed"] == plan.n().analysed > rows["voucher"]["analysed"]
    assert rows["advice"]["power"] == pytest.approx(0.8, abs=0.001)
    assert rows["voucher"]["power"] > 0.98
    assert rows["voucher"]["mde_itt"] < rows["voucher"]["effect_itt"]


def test_the_rival_conventions_hold_the_numbers_of_the_worked_example():
    found = {(c.key, c.value): c.n for c in Plan.from_dict(changed()).conventions()}
    assert found["planned", "dunnett"] == pytest.approx(2375.5, abs=0.05)
    assert found["correction", "none"] == pytest.approx(1999.3, abs=0.05)
    assert found["correction", "bonferroni"] == pytest.approx(2421.3, abs=0.05)
    assert found["power_of", "any"] < found["planned", "dunnett"] < found["power_of", "all"]


@pytest.mark.parametrize(
    ("ask", "parameter"),
    [
        (lambda p: p.n(0.05), "power"),
        (lambda p: p.n(1.0), "power"),
        (lambda p: p.n(float("nan")), "power"),
        (lambda p: p.mde(1000, 0.03), "power"),
        (lambda p: p.allocate(power=0.01), "power"),
        (lambda p: p.allocate(float("nan")), "budget"),
        (lambda p: p.allocate(119), "budget"),
        (lambda p: p.allocate(1e5, power=0.8), "budget"),
        (lambda p: p.interim(1000), "looks"),
        (lambda p: p.interim([0.5, 1.2]), "looks"),
        (lambda p: p.sensitivity(["nobody"]), "over"),
        (lambda p: p.forecast(), "recruitment"),
    ],
)
def test_an_impossible_request_names_what_binds(ask, parameter):
    with pytest.raises(ImpossibleRequest) as caught:
        ask(Plan.from_dict(changed(cost_per_person=20)))
    assert caught.value.parameter == parameter


def test_too_little_money_for_any_effect_gives_the_little_power_it_buys():
    found = Plan.from_dict(changed(cost_per_person=20)).allocate(121)
    assert found.multiple is None
    assert 0 < found.power < 0.05


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"looks": {"at": 1000}}, "1000 looks; plan between 1 and 30"),
        ({"looks": {"at": [0.5, 1.2]}}, "more looks than information"),
        ({"looks": {"at": [0.5, 0.5, 1.0]}}, "more looks than information"),
        ({"comparisons": []}, "name at least one pair"),
        ({"comparisons": [["advice", "advice"]]}, "compared with itself"),
        ({"comparisons": [["advice", "portal"], ["portal", "advice"]]}, "compared twice"),
        ({"outcomes": EXAMPLE["outcomes"] * 2}, "two outcomes bear the same name"),
        ({"clusters": {"icc": assume(0.1, 0, 0.2), "size": assume(0.5, 0.4, 2)}}, "one person or more"),
        ({"take_up": 0.6}, "holds keys with values"),
        ({"outcomes": []}, "at least 1"),
    ],
)
def test_a_section_that_cannot_be_is_refused_when_it_is_read(keys, words):
    with pytest.raises(SectionError, match=words):
        Plan.from_dict(changed(**keys))


@pytest.mark.parametrize(
    ("ask", "parameter", "remedy"),
    [
        (lambda: Plan.from_dict(changed(power=0.04)), "power", "above alpha"),
        (lambda: Plan.from_dict(changed(power=80)), "power", "write 0.8 for 80%"),
        (lambda: Plan.from_dict(changed()).n(0.03), "power", "above alpha"),
        (lambda: Plan.from_dict(changed(outcomes=[{**EXAMPLE["outcomes"][0], "effect": assume(0, 0, 0.1)}])),
         "effect", "worth finding"),
        (lambda: Plan.from_dict(changed(clusters={"icc": assume(1.0, 0.1, 1.0), "size": assume(9, 5, 20)})),
         "icc", "0.01 to 0.1"),
        (lambda: Plan.from_dict(changed(looks={"at": [0.5, 1.5]})), "at", "fewer looks"),
        (lambda: costed().allocate(100), "budget", "raise the budget"),
        (lambda: Plan.from_dict(changed(arms=[{"name": "portal"}, {"name": "advice", "effect_multiple": 0}])).n(),
         "effect_multiple", "other than zero"),
        (lambda: Plan.from_dict(changed(comparisons="all_pairs", correction="holm")).n(), "comparisons", "leave this"),
        (lambda: Plan.from_dict(changed(take_up=assume(0.05, 0, 0.1))).n(), "take_up", "take_up_control"),
        (lambda: advised(both=False)(0.2).mde(60), "n", "smaller groups"),
        (lambda: Plan.from_dict(changed()).power("100"), "n", ""),
        (lambda: Plan.from_dict(changed(cost_per_person=20, arms=[
            {"name": "portal"}, {"name": "advice", "capacity": 30}])).allocate(power=0.8), "capacity", "more places"),
    ],
)  # fmt: skip
def test_a_refusal_of_a_plan_names_what_binds_and_what_to_do(ask, parameter, remedy):
    with pytest.raises(PowerError) as caught:
        ask()
    assert caught.value.path[-1] == parameter
    assert remedy in caught.value.remedy


def test_power_from_an_observed_effect_is_refused_with_the_reason():
    with pytest.raises(PostHocRefused, match="restates its p-value"):
        Plan.from_dict(changed()).observed_power(effect=0.02, n=900)


def test_a_range_through_zero_has_no_answer_at_its_far_end():
    outcome = {**EXAMPLE["outcomes"][0], "effect": assume(0.06, -0.02, 0.08)}
    plan = Plan.from_dict(changed(outcomes=[outcome]))
    bar = plan.tornado()[0]
    assert (bar.name, bar.recruited_low) == ("outcomes.training.effect", None)
    assert bar.recruited_high < plan.n().recruited
    with pytest.raises(ImpossibleRequest, match="over"):
        plan.sensitivity({"nobody": [1.0]})


def test_a_plan_with_advisors_in_every_comparison_has_no_pooled_variance_to_choose():
    plan = advised(both=False)(0.2)
    assert (plan.model().variance, plan.section.variance) == ("unpooled", "pooled")
    assert "variance" not in {c.key for c in plan.conventions()}
    assert Plan.from_dict(changed()).model().variance == "pooled"


def test_a_convention_that_cannot_be_computed_is_left_out_and_not_called_hopeless():
    plan = Plan.from_dict(changed(looks={"at": 2}))
    found = plan.conventions()
    assert {c.key for c in found} == {"planned", "correction", "variance", "sides"}
    assert all(c.recruited is not None for c in found)
