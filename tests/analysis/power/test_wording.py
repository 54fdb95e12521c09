"""The call that a reader of a textbook would write first is understood, or told the right word."""

import math

import pytest

from analysis import power
from analysis.power import ImpossibleRequest

# function, as books and other software say it, as we say it
SAME = [
    ("two_means", {"effect_size": 0.5, "n": 30, "alternative": "larger"}, {"delta": 0.5, "n": 30, "sides": 1}),
    ("two_means", {"d": 0.5, "power": 0.8, "sides": "two-sided"}, {"delta": 0.5, "power": 0.8}),
    ("two_means", {"mu0": 5, "mu1": 7, "variance": 9, "power": 0.9}, {"delta": 2, "sd": 3, "power": 0.9}),
    ("two_means", {"mean1": 5, "mean2": 7, "sd1": 3, "sd2": 4, "n": 50}, {"delta": 2, "sd": 3, "sd2": 4, "n": 50}),
    ("two_means", {"d": 0.5, "N": 128}, {"delta": 0.5, "n": 64}),
    ("two_means", {"d": 0.5, "power": 0.8, "equal_variances": False}, {"delta": 0.5, "power": 0.8, "test": "welch"}),
    ("two_means", {"d": 0.5, "power": 0.8, "method": "normal"}, {"delta": 0.5, "power": 0.8, "test": "z"}),
    ("two_means", {"d": 0.5, "n": 40, "ratio": "1:1"}, {"delta": 0.5, "n": 40}),
    ("one_mean", {"mean0": 0, "mean1": 2, "sd": 4, "power": 0.8}, {"delta": 2, "sd": 4, "power": 0.8}),
    ("paired_means", {"dz": 0.5, "power": 0.8}, {"delta": 0.5, "power": 0.8}),
    ("paired_means", {"delta": 5, "sd_diff": 10, "power": 0.8}, {"delta": 5, "sd": 10, "power": 0.8}),
    ("paired_means", {"delta": 5, "sd1": 6, "sd2": 8, "r": 0, "power": 0.8}, {"delta": 5, "sd": 10, "power": 0.8}),
    ("two_proportions", {"p0": 0.4, "p1": 0.5, "power": 0.8}, {"p1": 0.4, "p2": 0.5, "power": 0.8}),
    ("two_proportions", {"p_control": 0.4, "p_treatment": 0.5, "n": 90}, {"p1": 0.4, "p2": 0.5, "n": 90}),
    ("two_proportions", {"p1": 0.25, "diff": 0.25, "n": 90}, {"p1": 0.25, "p2": 0.5, "n": 90}),
    ("two_proportions", {"p1": 0.4, "p2": 0.5, "n": 90, "continuity": True},
     {"p1": 0.4, "p2": 0.5, "n": 90, "method": "continuity"}),
    ("two_proportions", {"p1": 0.4, "p2": 0.7, "n": 30, "test": "exact"},
     {"p1": 0.4, "p2": 0.7, "n": 30, "method": "fisher"}),
    ("two_proportions", {"p1": 0.4, "p2": 0.5, "n": 90, "method": "chi2"}, {"p1": 0.4, "p2": 0.5, "n": 90}),
    ("two_proportions_arcsine", {"p1": 0.0, "p2": 0.25, "n": 50}, {"h": math.pi / 3, "n": 50}),
    ("paired_proportions", {"p12": 0.2, "p21": 0.1, "power": 0.8}, {"p10": 0.2, "p01": 0.1, "power": 0.8}),
    ("paired_proportions", {"p1": 0.5, "p2": 0.4, "correlation": 0, "n": 90}, {"p10": 0.3, "p01": 0.2, "n": 90}),
    ("risk_ratio", {"p0": 0.2, "RR": 1.5, "power": 0.8}, {"p1": 0.2, "ratio_of_risks": 1.5, "power": 0.8}),
    ("risk_ratio", {"p1": 0.2, "p2": 0.3, "power": 0.8}, {"p1": 0.2, "ratio_of_risks": 1.5, "power": 0.8}),
    ("odds_ratio", {"p1": 0.5, "p2": 0.75, "power": 0.8}, {"p1": 0.5, "ratio_of_odds": 3, "power": 0.8}),
    ("anova", {"groups": 4, "f": 0.25, "nobs": 180}, {"groups": 4, "f": 0.25, "n": 45}),
    ("contrast", {"means": [1, 2, 3], "contrast": [-1, 0, 1], "variance": 9, "n": 30},
     {"means": [1, 2, 3], "weights": [-1, 0, 1], "sd": 3, "n": 30}),
    ("anova_repeated", {"effect": "within", "groups": 2, "m": 3, "rho": 0.5, "f": 0.25, "power": 0.8},
     {"effect": "within", "groups": 2, "measurements": 3, "correlation": 0.5, "f": 0.25, "power": 0.8}),
    ("r_squared", {"u": 3, "v": 96, "f2": 0.1}, {"predictors": 3, "n": 100, "f2": 0.1}),
    ("r_squared_change", {"u": 2, "predictors": 5, "r2_full": 0.3, "r2_reduced": 0.2, "n": 90},
     {"tested": 2, "predictors": 5, "r2_full": 0.3, "r2_change": 0.1, "n": 90}),
    ("regression_coefficient", {"beta": 0.5, "sd_x": 1, "sd_residual": 2, "power": 0.8},
     {"slope": 0.5, "sd_x": 1, "sd_residual": 2, "power": 0.8}),
    ("correlation", {"effect_size": 0.3, "null": 0.1, "power": 0.8}, {"r": 0.3, "r0": 0.1, "power": 0.8}),
    ("chi_square", {"w": 0.3, "rows": 3, "columns": 4, "n": 90}, {"w": 0.3, "df": 6, "n": 90}),
    ("logistic", {"p0": 0.3, "OR": 1.5, "power": 0.8}, {"p1": 0.3, "odds_ratio": 1.5, "power": 0.8}),
    ("ancova", {"d": 0.5, "rho": 0.5, "n": 40}, {"delta": 0.5, "r2": 0.25, "n_total": 80}),
    ("rank_sum", {"p": 0.6, "power": 0.8}, {"superiority": 0.6, "power": 0.8}),
    ("two_rates", {"lambda1": 1, "rr": 1.2, "k": 0.5, "duration": 2, "n": 300},
     {"rate1": 1, "rate2": 1.2, "dispersion": 0.5, "exposure": 2, "n": 300}),
    ("logrank_events", {"survival1": 0.5, "survival2": 0.25, "power": 0.8}, {"hazard_ratio": 2, "power": 0.8}),
    ("logrank", {"survival1": 0.5, "survival2": 0.25, "time": 2, "accrual": 1, "total_time": 3, "power": 0.8},
     {"hazard": math.log(2) / 2, "hazard_ratio": 2, "accrual": 1, "followup": 2, "power": 0.8}),
    ("logrank", {"survival1": 0.25, "survival2": 0.5, "power": 0.9, "sides": 1, "method": "freedman"},
     {"hazard": math.log(4), "hazard_ratio": 0.5, "accrual": 0, "followup": 1, "power": 0.9, "sides": 1,
      "method": "freedman"}),
    ("cluster_rates", {"rate1": 0.01, "rate2": 0.005, "y": 500, "k": 0.25, "power": 0.8},
     {"rate1": 0.01, "rate2": 0.005, "exposure": 500, "variation": 0.25, "power": 0.8}),
    ("two_levels", {"rho2": 0.1, "n": 20, "J": 40, "P": 0.5, "g2": 1, "power": 0.8},
     {"icc": 0.1, "cluster_size": 20, "clusters_total": 40, "share": 0.5, "covariates": 1, "power": 0.8}),
    ("stepped_wedge", {"icc": 0.05, "m": 20, "sequences": 4, "clusters_per_sequence": 3, "d": 0.3},
     {"icc": 0.05, "cluster_size": 20, "steps": 4, "clusters_per_step": 3, "delta": 0.3}),
    ("group_sequential", {"stages": 3, "power": 0.8, "boundary": "Wang-Tsiatis", "delta_wt": 0.2},
     {"looks": 3, "power": 0.8, "spending": "wang_tsiatis", "parameter": 0.2}),
    ("late_means", {"cace": 0.5, "compliance": 0.6, "n": 90}, {"late": 0.5, "take_up": 0.6, "n": 90}),
    ("precision_mean", {"sigma": 10, "width": 4}, {"sd": 10, "half_width": 2}),
    ("precision_proportion", {"p": 0.5, "e": 0.05, "alpha": 0.1}, {"p": 0.5, "half_width": 0.05, "confidence": 0.9}),
    ("finite_population", {"n0": 384, "N": 1000}, {"n": 384, "population": 1000}),
    ("equivalence_ratio", {"CV": 0.3, "theta0": 0.95, "theta1": 0.8, "theta2": 1.25, "n": 40},
     {"cv": 0.3, "theta": 0.95, "low": 0.8, "high": 1.25, "n_total": 40}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "said", "ours"), SAME, ids=[f"{case[0]}-{i}" for i, case in enumerate(SAME)])
def test_the_words_of_a_book_ask_the_same_question(name, said, ours):
    ask = getattr(power, name)
    assert ask(**said).value == pytest.approx(ask(**ours).value, rel=1e-9)


def test_a_margin_above_the_expected_difference_is_a_rise_still_accepted():
    accepted = power.noninferiority_means(margin=10, sd=40, power=0.9)
    assert accepted.n == pytest.approx(power.noninferiority_means(margin=-10, sd=40, power=0.9).n, rel=1e-9)


def test_numbers_that_are_no_question_are_asked_in_the_words_of_a_book_too():
    assert power.design_effect(rho=0.05, m=20) == power.design_effect(icc=0.05, cluster_size=20)
    assert power.recruited(n=80, dropout=0.2) == 100
    assert (
        power.boundaries(k=3, boundary="O'Brien-Fleming").constant == power.boundaries(looks=3, spending="obf").constant
    )
    assert power.dunnett_critical(k=2, alpha=0.05, nu=20) == power.dunnett_critical(2, 0.05, df=20)
    at_half = power.conditional_power(z=1.5, information=0.5)
    assert power.conditional_power(z=1.5, information_fraction=0.5) == at_half


@pytest.mark.parametrize(
    ("ask", "word", "remedy"),
    [
        (lambda: power.two_means(d=0.5, power=0.8, ratio="2:1"), "ratio", "twice as many"),
        (lambda: power.two_proportions(h=0.3, power=0.8), "h", "two_proportions_arcsine"),
        (lambda: power.cluster_means(d=0.3, icc=0.05, m=20, k=20), "k", "clusters_total all of them"),
        (lambda: power.cluster_rates(rate1=0.01, rate2=0.005, y=500, cv=0.25, power=0.8), "variation", "Hayes"),
        (lambda: power.late_means(delta=0.3, take_up=0.6, power=0.8), "delta", "those who take part"),
        (lambda: power.logrank(accrual=1, followup=1, hr=0.5, power=0.8), "hazard", "median_control"),
        (lambda: power.logrank(s1=0.5, s2=0.6, accrual=1, followup=1, power=0.8), "hazard", "time at which"),
        (lambda: power.paired_proportions(p1=0.4, p2=0.5, power=0.8), "p1", "correlation"),
        (lambda: power.precision_proportion(p=0.5, e=0.05, N=1000), "N", "finite_population"),
        (lambda: power.two_means(delta=0, margin=-0.3, power=0.8), "margin", "noninferiority_means"),
        (lambda: power.two_proportions(p1=0.1, p2=0.2, icc=0.02, power=0.8), "icc", "cluster_proportions"),
        (lambda: power.two_means(d=0.3, take_up=0.6, power=0.8), "take_up", "late_means"),
        (lambda: power.two_means(mean1=5, mean2=7, delta=2, sd=3, power=0.8), "mean1", ""),
        (lambda: power.odds_ratio(p1=0.2, p2=1, power=0.8), "p1", ""),
    ],
)
def test_what_no_argument_can_take_is_answered_with_the_right_word(ask, word, remedy):
    with pytest.raises(ImpossibleRequest) as caught:
        ask()
    assert caught.value.parameter == word
    assert remedy in caught.value.remedy
