"""A plan answers the funder's questions from assumptions, and refuses the impossible by name."""

import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.planning import EXAMPLE, Plan
from analysis.power import several_proportions, two_means
from analysis.power.errors import ImpossibleRequest, PowerError, SectionError


def assume(value, low, high):
    return {"value": value, "range": [low, high], "source": "illustration"}


def changed(**keys):
    section = copy.deepcopy(EXAMPLE)
    section.update(keys)
    return section


@pytest.fixture
def plan():
    return Plan.from_dict(EXAMPLE)


def test_the_worked_example_gives_2376_analysed_and_2425_recruited_an_arm(plan):
    size = plan.n()
    assert (size.analysed, size.recruited) == (2376, 2425)
    assert size.total == 3 * 2425


@pytest.mark.parametrize(("correction", "expected"), [("none", 1999.3), ("bonferroni", 2421.3)])
def test_the_worked_example_under_other_corrections(correction, expected):
    assert Plan.from_dict(changed(correction=correction)).n().n == pytest.approx(expected, abs=0.05)


def test_forty_percent_survey_loss_asks_for_3960_recruits(plan):
    assert plan.replace("attrition.register", 0.4).n().recruited == 3960


def test_the_chain_of_factors_multiplies_from_the_textbook_to_the_recruits(plan):
    size = plan.n()
    product = size.chain[0].n
    for step in size.chain[1:]:
        product *= step.factor
        assert product == pytest.approx(step.n)
    assert [step.name for step in size.chain] == [
        "textbook", "take_up", "r2", "clusters", "arms", "looks", "rounding", "attrition",
    ]  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.floats(0.55, 0.95))
def test_power_at_the_size_for_a_power_is_that_power(power):
    plan = Plan.from_dict(EXAMPLE)
    assert plan.power(plan.n(power).n) == pytest.approx(power, abs=1e-6)


def test_the_smallest_detectable_effect_at_the_planned_size_is_the_planned_effect(plan):
    found = plan.mde(plan.n().n)
    assert found.effect == pytest.approx(0.06, abs=1e-6)
    assert found.itt[("advice", "portal")] == pytest.approx(0.033, abs=1e-6)


def test_a_plan_agrees_with_the_closed_form_for_several_proportions(plan):
    closed = several_proportions(p_control=0.15, p_treated=0.183, comparisons=2, n=2000)
    assert plan.power(2000) == pytest.approx(closed.power, abs=1e-9)


def test_a_continuous_two_arm_plan_agrees_with_the_closed_form():
    outcome = {
        "name": "score", "kind": "continuous", "sd": assume(2, 1.8, 2.2), "effect": assume(0.4, 0.3, 0.5),
        "effect_on": "assigned",
    }  # fmt: skip
    plan = Plan.from_dict({"arms": [{"name": "a"}, {"name": "b"}], "control": "a", "outcomes": [outcome]})
    assert plan.n().n == pytest.approx(two_means(delta=0.4, sd=2, power=0.8, test="z").n, abs=0.01)


def test_covariates_shrink_the_sample_by_the_variance_they_explain():
    section = changed(correction="none", variance="unpooled")
    without = Plan.from_dict(section).n().n
    section["outcomes"] = [{**section["outcomes"][0], "r2": assume(0.3, 0.2, 0.4)}]
    assert Plan.from_dict(section).n().n == pytest.approx(0.7 * without)


def test_advisors_in_one_arm_inflate_less_than_clusters_everywhere():
    people = {"icc": assume(0.02, 0.01, 0.05), "size": assume(40, 30, 50)}
    nested = changed()
    nested["arms"] = [{"name": "portal"}, {"name": "advice", "nested": people}, {"name": "voucher"}]
    everywhere = changed(clusters=people)
    plain, some, all_of_them = (Plan.from_dict(s).n().n for s in (EXAMPLE, nested, everywhere))
    assert plain < some < all_of_them


def test_looks_cost_what_the_sequential_design_says(plan):
    looked = Plan.from_dict(changed(correction="none", looks={"at": 3, "spending": "obf"}))
    fixed = Plan.from_dict(changed(correction="none", variance="unpooled"))
    unpooled = Plan.from_dict(changed(correction="none", variance="unpooled", looks={"at": 3, "spending": "obf"}))
    assert unpooled.n().n / fixed.n().n == pytest.approx(1.01740622, abs=1e-5)
    assert looked.n().n > Plan.from_dict(changed(correction="none")).n().n


def test_the_interim_design_reports_inflation_and_expected_size(plan):
    alone = Plan.from_dict(changed(correction="none")).interim(3, "obf")
    assert alone.inflation == pytest.approx(1.0174, abs=1e-4)
    design = plan.interim(3, "obf")
    looked = Plan.from_dict(changed(variance="unpooled", looks={"at": 3, "spending": "obf"})).n()
    assert design.inflation == pytest.approx(next(s.factor for s in looked.chain if s.name == "looks"), abs=1e-6)
    assert design.n_expected < design.n_max


def costed(**keys):
    section = changed(cost_per_person=20, **keys)
    section["arms"] = [
        {"name": "portal"},
        {"name": "advice", "cost": {"assigned": 50, "taken_up": 700}},
        {"name": "voucher", "cost": {"assigned": 10, "taken_up": 1000}},
    ]
    return section


def test_the_cheapest_allocation_beats_equal_arms_for_the_same_money():
    found = Plan.from_dict(costed()).allocate(2_000_000)
    assert found.cost <= 2_000_000
    assert found.power > found.equal_power
    assert found.recruited["portal"] > found.recruited["advice"] == found.recruited["voucher"]


def test_the_cheapest_allocation_for_a_power_has_that_power_and_no_cheaper_budget_does():
    plan = Plan.from_dict(costed())
    found = plan.allocate(power=0.8)
    assert found.power >= 0.8
    assert plan.allocate(found.cost * 0.99).power < 0.8


def test_places_of_an_arm_are_never_exceeded():
    section = costed()
    section["arms"][1]["capacity"] = 500
    found = Plan.from_dict(section).allocate(2_000_000)
    assert found.recruited["advice"] == 500
    assert found.at_capacity == ("advice",)


def test_more_money_never_buys_less_power():
    powers = [found.power for found in Plan.from_dict(costed()).frontier([5e5, 1e6, 2e6, 4e6])]
    assert powers == sorted(powers)


def test_a_budget_below_two_people_an_arm_is_refused_by_name():
    with pytest.raises(ImpossibleRequest) as caught:
        Plan.from_dict(costed()).allocate(100)
    assert caught.value.parameter == "budget"


def test_a_lottery_takes_its_arms_from_the_places():
    section = changed(arms=[{"name": "portal"}, {"name": "advice"}])
    found = Plan.from_dict(section).lottery(3000, 12000)
    assert (found.treated, found.control) == (3000, 9000)
    assert 0.5 < found.power < 1
    with pytest.raises(ImpossibleRequest, match="capacity"):
        Plan.from_dict(section).lottery(12000, 12000)


def test_the_register_lists_every_assumption_with_range_and_source(plan):
    names = [item.name for item in plan.assumptions()]
    assert names == [
        "outcomes.training.control", "outcomes.training.effect", "take_up", "take_up_control", "attrition.register",
    ]  # fmt: skip
    assert all(item.low <= item.value <= item.high and item.source for item in plan.assumptions())


def test_the_tornado_puts_the_widest_bar_first(plan):
    bars = plan.tornado()
    assert [bar.swing for bar in bars] == sorted((bar.swing for bar in bars), reverse=True)
    assert bars[0].name == "take_up"


def test_sensitivity_at_the_assumed_values_repeats_the_answer(plan):
    grid = plan.sensitivity({"take_up": [0.6], "outcomes.training.effect": [0.06, 0.05]})
    assert grid.recruited[0][0] == 2425
    assert grid.recruited[0][1] > 2425


def test_assurance_is_below_power_when_the_power_is_high(plan):
    found = plan.assurance()
    assert found.assurance < found.power


def test_assurance_with_a_tight_prior_is_power(plan):
    assert plan.assurance((0.06, 1e-5)).assurance == pytest.approx(0.8, abs=1e-3)


def test_a_forecast_gives_even_odds_when_the_target_is_the_expected_number():
    section = changed(recruitment={"per_week": assume(140, 120, 160), "weeks": 52, "enrolment": assume(0.2, 0.1, 0.4)})
    plan = Plan.from_dict(section)
    found = plan.forecast(target=140 * 52)
    assert found.chance == pytest.approx(0.5, abs=0.03)
    assert found.low < found.expected < found.high
    assert plan.n().invited == pytest.approx(plan.n().total / 0.2, abs=1)


@pytest.mark.parametrize(
    ("keys", "path", "words"),
    [
        ({"take_upp": 1}, ("sample_size", "take_upp"), "did you mean 'take_up'"),
        ({"control": "nobody"}, ("sample_size", "control"), "no arm 'nobody'"),
        ({"take_up": assume(2, 0, 3)}, ("sample_size", "take_up"), "share between 0 and 1"),
        ({"take_up": {"value": 0.9, "range": [0.2, 0.4], "source": "x"}}, ("sample_size", "take_up"), "range"),
        ({"take_up": {"value": 0.3, "range": [0.2, 0.4]}}, ("sample_size", "take_up", "source"), "missing"),
        ({"power": 0.04}, ("sample_size", "power"), "alpha"),
        ({"outcomes": [{"name": "y", "effect": assume(0, -1, 1)}]}, ("sample_size", "outcomes", 0, "effect"), "zero"),
        ({"clusters": {"icc": assume(1, 0, 1), "size": assume(4, 2, 8)}}, ("sample_size", "clusters", "icc"), "0, 1"),
    ],
)
def test_a_faulty_section_is_refused_with_its_path(keys, path, words):
    with pytest.raises(SectionError, match=words.replace("(", r"\(")) as caught:
        Plan.from_dict(changed(**keys))
    assert caught.value.path == path


def test_dunnett_is_refused_for_comparisons_with_several_controls():
    plan = Plan.from_dict(changed(comparisons="all_pairs", arms=[
        {"name": "portal"}, {"name": "advice"}, {"name": "voucher", "effect_multiple": 2.0},
    ]))  # fmt: skip
    with pytest.raises(PowerError, match="correction"):
        plan.n()


def test_an_effect_beyond_certainty_is_refused():
    section = changed()
    section["outcomes"][0]["effect"] = assume(2, 1, 3)
    with pytest.raises(ImpossibleRequest, match="not a probability"):
        Plan.from_dict(section).n()


def test_the_section_in_the_documentation_is_one_that_works():
    text = (Path(__file__).parents[3] / "docs/methods/power.md").read_text()
    section = yaml.safe_load(text.split("```yaml")[1].split("```")[0])["sample_size"]
    plan = Plan.from_dict(section)
    size = plan.n()
    assert size.analysed > 1000
    assert {row["comparison"] for row in plan.table()} == {"portal"}
    assert plan.allocate().cost <= section["budget"]
    assert 0 <= plan.forecast().chance <= 1
