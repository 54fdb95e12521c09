"""Power and sample size in closed form: one function a test, with exactly one quantity left out and solved for.

Every answer is a frozen `Result` with the unrounded and the rounded number, the convention, formula and source, the
warnings, and what rival conventions would have said.

>>> from analysis import power
>>> power.two_proportions(p1=0.4, p2=0.45, power=0.8).rounded
1534
"""

from analysis.power.ancova import ancova, blocked_individuals
from analysis.power.anova import anova, anova_factorial, anova_repeated, contrast
from analysis.power.assurance import assurance_means, assurance_of, observed_power
from analysis.power.budget import finite_population, optimal_cluster_size, optimal_share
from analysis.power.chisquare import chi_square, effect_w
from analysis.power.cluster import cluster_means, cluster_proportions, design_effect
from analysis.power.cluster_variation import cluster_rates, cluster_variation
from analysis.power.equivalence import (
    equivalence_means,
    equivalence_proportions,
    equivalence_rates,
    equivalence_ratio,
    noninferiority_log_ratio,
    tost_power,
    tost_power_z,
)
from analysis.power.errors import ImpossibleRequest, NoSolution, PostHocRefused, PowerError, SectionError
from analysis.power.factorial import factorial_means
from analysis.power.levels import several_levels
from analysis.power.logistic import logistic
from analysis.power.lottery import lottery_means, lottery_proportions
from analysis.power.mams import mams
from analysis.power.margins import (
    noninferiority_means,
    noninferiority_proportions,
    noninferiority_ratio,
    restricted_proportions,
    restricted_proportions_ratio,
)
from analysis.power.means import one_mean, paired_means, two_means
from analysis.power.multiarm import dunnett_critical, several_means, several_proportions
from analysis.power.multilevel import blocked_clusters, three_levels, two_levels
from analysis.power.nested import partially_nested, partially_nested_proportions
from analysis.power.noncompliance import diluted, late_means, late_proportions, recruited
from analysis.power.ordinal import ordinal
from analysis.power.paired_proportions import paired_proportions
from analysis.power.poisson import poisson_regression
from analysis.power.precision import precision_correlation, precision_difference, precision_mean, precision_proportion
from analysis.power.proportions import one_proportion, one_proportion_arcsine, two_proportions, two_proportions_arcsine
from analysis.power.ranks import rank_sum, rank_sum_ordinal, rank_test, signed_rank
from analysis.power.rates import one_rate, two_rates
from analysis.power.ratios import odds_ratio, risk_ratio
from analysis.power.regression import (
    correlation,
    point_biserial,
    r_squared,
    r_squared_change,
    regression_coefficient,
    two_correlations,
)
from analysis.power.repeated import difference_in_differences, repeated_measures, slopes, variance_factors
from analysis.power.result import Result, Rival
from analysis.power.sequential import (
    SHAPES,
    SPENDING,
    Boundaries,
    Crossing,
    boundaries,
    conditional_power,
    crossing,
    group_sequential,
    predictive_power,
    spent,
)
from analysis.power.stepped_wedge import (
    stepped_wedge,
    stepped_wedge_design,
    stepped_wedge_proportions,
    stepped_wedge_variance,
)
from analysis.power.surface import power_surface
from analysis.power.survival import cox_regression, event_probability, logrank, logrank_events

__all__ = [
    "SHAPES",
    "SPENDING",
    "Boundaries",
    "Crossing",
    "ImpossibleRequest",
    "NoSolution",
    "PostHocRefused",
    "PowerError",
    "Result",
    "Rival",
    "SectionError",
    "ancova",
    "anova",
    "anova_factorial",
    "anova_repeated",
    "assurance_means",
    "assurance_of",
    "blocked_clusters",
    "blocked_individuals",
    "boundaries",
    "chi_square",
    "cluster_means",
    "cluster_proportions",
    "cluster_rates",
    "cluster_variation",
    "conditional_power",
    "contrast",
    "correlation",
    "cox_regression",
    "crossing",
    "design_effect",
    "difference_in_differences",
    "diluted",
    "dunnett_critical",
    "effect_w",
    "equivalence_means",
    "equivalence_proportions",
    "equivalence_rates",
    "equivalence_ratio",
    "event_probability",
    "factorial_means",
    "finite_population",
    "group_sequential",
    "late_means",
    "late_proportions",
    "logistic",
    "logrank",
    "logrank_events",
    "lottery_means",
    "lottery_proportions",
    "mams",
    "noninferiority_log_ratio",
    "noninferiority_means",
    "noninferiority_proportions",
    "noninferiority_ratio",
    "observed_power",
    "odds_ratio",
    "one_mean",
    "one_proportion",
    "one_proportion_arcsine",
    "one_rate",
    "optimal_cluster_size",
    "optimal_share",
    "ordinal",
    "paired_means",
    "paired_proportions",
    "partially_nested",
    "partially_nested_proportions",
    "point_biserial",
    "poisson_regression",
    "power_surface",
    "precision_correlation",
    "precision_difference",
    "precision_mean",
    "precision_proportion",
    "predictive_power",
    "r_squared",
    "r_squared_change",
    "rank_sum",
    "rank_sum_ordinal",
    "rank_test",
    "recruited",
    "regression_coefficient",
    "repeated_measures",
    "restricted_proportions",
    "restricted_proportions_ratio",
    "risk_ratio",
    "several_levels",
    "several_means",
    "several_proportions",
    "signed_rank",
    "slopes",
    "spent",
    "stepped_wedge",
    "stepped_wedge_design",
    "stepped_wedge_proportions",
    "stepped_wedge_variance",
    "three_levels",
    "tost_power",
    "tost_power_z",
    "two_correlations",
    "two_levels",
    "two_means",
    "two_proportions",
    "two_proportions_arcsine",
    "two_rates",
    "variance_factors",
]
