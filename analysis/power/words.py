"""The names that books and other software give to the quantities of a power question.

`SYNONYMS` holds for every function, `IN_FUNCTION` for one alone (the same letter means one thing in Cohen and
another in Hayes and Moulton), `TOGETHER` says several words as one, `VALUES` are other names of a test or method, and
`REMEDIES` what to do about a word that no argument here can take.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

__all__ = ["ELSEWHERE", "IN_FUNCTION", "METHODS", "NEEDED", "NEEDS", "REMEDIES", "SYNONYMS", "TOGETHER", "VALUES"]

# another name: the names it may stand for; the first that the function has is meant.
SYNONYMS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("d", "cohens_d", "cohen_d", "smd", "mdes"), ("delta",)),
    **dict.fromkeys(("mean_difference", "mean_diff", "diff", "difference", "effect", "delta_mean"), ("delta",)),
    "effect_size": ("delta", "h", "f2", "f", "w", "q", "r"),
    "es": ("delta", "h", "f2", "f", "w", "q", "r"),
    **dict.fromkeys(("sd1", "sigma", "stdev", "std", "std_dev", "s"), ("sd",)),
    **dict.fromkeys(("n1", "n_per_arm", "n_per_group", "nobs1", "nobs", "n_control"), ("n",)),
    **dict.fromkeys(("n_pairs", "pairs", "npairs"), ("n",)),
    **dict.fromkeys(("n_treated", "n_treatment"), ("n2",)),
    "rho": ("icc", "correlation", "r"),
    "corr": ("correlation", "r"),
    **dict.fromkeys(("m", "caseload", "n_per_cluster", "cluster_period_size", "nsubjects"), ("cluster_size",)),
    "cv_size": ("cv",),
    "cac": ("cluster_autocorrelation",),
    "iac": ("person_autocorrelation",),
    **dict.fromkeys(("clusters_per_arm", "k_per_arm", "nclusters"), ("clusters",)),
    **dict.fromkeys(("sequences", "n_steps"), ("steps",)),
    **dict.fromkeys(("clusters_per_sequence", "clusters_per_wave"), ("clusters_per_step",)),
    "hr": ("hazard_ratio",),
    **dict.fromkeys(("rr", "risk_ratio", "relative_risk"), ("ratio_of_risks",)),
    **dict.fromkeys(("odds_ratio", "odds", "or_"), ("odds_ratio", "ratio_of_odds")),
    **dict.fromkeys(("sig_level", "significance", "significance_level", "type1"), ("alpha",)),
    **dict.fromkeys(("sided", "tails", "side"), ("sides",)),
    "k": ("groups", "looks"),
    **dict.fromkeys(("k_groups", "n_groups", "ngroups"), ("groups",)),
    **dict.fromkeys(("kmax", "n_looks", "timing", "information_rates", "analyses"), ("looks",)),
    **dict.fromkeys(("boundary", "bounds", "type_of_design"), ("spending",)),
    **dict.fromkeys(("treatments", "n_treatments", "treated_arms"), ("comparisons",)),
    "prop1": ("p1",),
    "prop2": ("p2",),
    "p_control": ("p1",),
    **dict.fromkeys(("p_treated", "p_treatment"), ("p2", "p_treated")),
    "p1": ("p_control",),
    "p2": ("p_treated",),
    **dict.fromkeys(("p_null", "p_h0"), ("p0",)),
    "r_squared": ("r2",),
    **dict.fromkeys(("rho0", "r_null"), ("r0",)),
    **dict.fromkeys(("df_num", "numerator_df", "df1"), ("df",)),
    "hazard_control": ("hazard",),
    "lambda_control": ("hazard",),
    **dict.fromkeys(("rate_control", "lambda1", "mu1"), ("rate1",)),
    **dict.fromkeys(("rate_treated", "lambda2", "mu2"), ("rate2",)),
    "lambda0": ("rate0",),
    **dict.fromkeys(("follow_up", "follow_up_time", "followup_time", "minfup"), ("followup", "exposure")),
    **dict.fromkeys(("duration", "time_at_risk", "person_years"), ("exposure",)),
    **dict.fromkeys(("accrual_time", "accrual_period", "recruitment"), ("accrual",)),
    **dict.fromkeys(("overdispersion", "shape_k"), ("dispersion",)),
    "u": ("predictors",),
    **dict.fromkeys(("allocation_ratio", "allocation"), ("ratio",)),
    "dropout_rate": ("dropout",),
    **dict.fromkeys(("dropout", "drop_out", "loss", "lost"), ("attrition",)),
    **dict.fromkeys(("probs", "proportions"), ("probabilities",)),
    "theta0": ("theta",),
    **dict.fromkeys(("lower", "theta1", "lower_limit"), ("low",)),
    **dict.fromkeys(("upper", "theta2", "upper_limit"), ("high",)),
    "cost_subject": ("cost_person",),
    "cost_treatment": ("cost_treated",),
    **dict.fromkeys(("compliance", "takeup", "adherence"), ("take_up",)),
    **dict.fromkeys(("crossover", "contamination"), ("take_up_control",)),
    **dict.fromkeys(("cace", "tot"), ("late",)),
    **dict.fromkeys(("margin_of_error", "moe", "precision"), ("half_width",)),
    **dict.fromkeys(("conf_level", "confidence_level", "conf"), ("confidence",)),
    **dict.fromkeys(("tolerance_probability", "probwidth", "prob_width", "assurance"), ("probability",)),
    "deff": ("design_effect",),
    **dict.fromkeys(("population_size", "pop_size"), ("population",)),
    **dict.fromkeys(("contrast", "coefficients"), ("weights",)),
    **dict.fromkeys(("auc", "prob_superiority"), ("superiority",)),
    **dict.fromkeys(("information_fraction", "t"), ("information", "exposure")),
    "non_inferiority_margin": ("margin",),
    "ni_margin": ("margin",),
}

# Words that mean this in one function only.
IN_FUNCTION: dict[str, dict[str, str]] = {
    "paired_means": {"dz": "delta", "sd_diff": "sd", "sd_differences": "sd", "r": "correlation"},
    "one_proportion": {"p": "p1", "null": "p0", "pi0": "p0", "pi1": "p1"},
    "paired_proportions": {
        **{"p12": "p10", "p21": "p01", "pi10": "p10", "pi01": "p01", "p_discordant": "discordant"},
        **{"discordance": "discordant", "psi": "odds_ratio", "pdisc": "discordant"},
    },
    "risk_ratio": {"p0": "p1"},
    "odds_ratio": {"p0": "p1"},
    "logistic": {"p0": "p1"},
    "correlation": {"null": "r0"},
    "r_squared_change": {"u": "tested"},
    "anova_repeated": {"m": "measurements", "repetitions": "measurements", "k": "groups"},
    "rank_sum": {"p": "superiority", "prob": "superiority"},
    "signed_rank": {"p": "superiority", "prob": "superiority", "ps": "superiority"},
    "ordinal": {"p": "probabilities"},
    "two_rates": {"k": "dispersion"},
    "poisson_regression": {"base_rate": "rate", "rate0": "rate", "exp_b0": "rate", "p": "share", "mu": "mean_x",
                           "sigma": "sd_x", "sd": "sd_x", "rr": "rate_ratio", "irr": "rate_ratio"},
    "cox_regression": {"sd": "sd_x", "sigma": "sd_x", "event_rate": "event_share", "p": "event_share",
                       "event_probability": "event_share"},
    "logrank_events": {"d": "events", "n_events": "events"},
    "cluster_rates": {"k": "variation", "y": "exposure"},
    "cluster_variation": {"k": "variation", "m": "size", "cluster_size": "size"},
    "two_levels": {
        **{"n": "cluster_size", "J": "clusters_total", "P": "share", "p": "share", "g2": "covariates", "rho2": "icc"},
        **{"r21": "r2_individual", "r22": "r2_cluster", "es": "delta"},
    },
    "three_levels": {
        **{"n": "unit_size", "J": "units", "K": "clusters_total", "P": "share", "p": "share", "g3": "covariates"},
        **{"rho2": "icc2", "rho3": "icc3"},
    },
    "blocked_individuals": {"n": "block_size", "J": "blocks", "P": "share", "p": "share", "rho2": "icc"},
    "ancova": {"P": "share", "p": "share", "g": "covariates"},
    "partially_nested": {"n1": "n", "n_control": "n2"},
    "several_means": {"method": "correction"},
    "mams": {"K": "arms", "J": "stages", "p": "superiority", "p0": "uninteresting_superiority", "delta": "effect",
             "delta0": "uninteresting", "k": "arms", "looks": "stages", "comparisons": "arms"},
    "group_sequential": {"stages": "looks", "gamma": "parameter", "delta_wt": "parameter", "rho": "parameter",
                         "sfupar": "parameter", "shape": "parameter"},
    "boundaries": {"stages": "looks", "gamma": "parameter", "delta_wt": "parameter", "rho": "parameter",
                   "delta": "parameter", "shape": "parameter"},
    "precision_mean": {"d": "half_width", "e": "half_width", "E": "half_width", "margin": "half_width"},
    "precision_proportion": {"d": "half_width", "e": "half_width", "E": "half_width", "margin": "half_width"},
    "precision_difference": {"e": "half_width", "E": "half_width", "margin": "half_width"},
    "precision_correlation": {"margin": "half_width", "rho": "r"},
    "dunnett_critical": {"k": "comparisons", "nu": "df"},
    "variance_factors": {"rho": "correlation", "r": "correlation"},
    "finite_population": {"N": "population", "n0": "n"},
    "repeated_measures": {"method": "estimator"},
    "difference_in_differences": {"method": "estimator"},
}  # fmt: skip


def _means(low: float, high: float) -> dict[str, float]:
    return {"delta": high - low}


def _odds(p: float) -> float:
    return p / (1 - p)


def _discordant(p1: float, p2: float, correlation: float) -> dict[str, float]:
    both = p1 * p2 + correlation * math.sqrt(p1 * (1 - p1) * p2 * (1 - p2))
    return {"p10": p1 - both, "p01": p2 - both}


def _paired_spread(sd1: float, sd2: float, correlation: float) -> dict[str, float | None]:
    return {"sd": math.sqrt(sd1**2 + sd2**2 - 2 * correlation * sd1 * sd2)}


def _survival(s1: float, s2: float, time: float) -> dict[str, float]:
    return {"hazard": -math.log(s1) / time, "hazard_ratio": math.log(s2) / math.log(s1)}


def _at_the_end(s1: float, s2: float) -> dict[str, float]:
    """Shares that survive to the end of one follow-up, which everybody has whole."""
    return {**_survival(s1, s2, 1.0), "accrual": 0.0, "followup": 1.0}


_SURVIVAL = (("survival1", "survival2"), ("surv1", "surv2"), ("s1", "s2"), ("survival_control", "survival_treated"))
Meaning = Callable[..., dict[str, Any]]

# Several words that together say our quantities; the first line that yields arguments of the function is meant.
TOGETHER: list[tuple[tuple[str, ...], Meaning]] = [
    *(
        (words, _means)
        for words in (
            *(("mean1", "mean2"), ("mu1", "mu2"), ("m1", "m2"), ("mean_control", "mean_treated")),
            *(("mean_control", "mean_treatment"), ("mean0", "mean1"), ("mu0", "mu1"), ("m0", "m1")),
            *(("mean0", "mean"), ("mu0", "mu"), ("null_mean", "mean")),
        )
    ),
    *(
        (words, lambda a, b: {"hazard": math.log(2) / a, "hazard_ratio": a / b})
        for words in (("median1", "median2"), ("median_control", "median_treated"), ("median0", "median1"))
    ),
    *(
        (words, lambda a, b: {"hazard": a, "hazard_ratio": b / a})
        for words in (("hazard1", "hazard2"), ("lambda1", "lambda2"), ("hazard_control", "hazard_treated"),
                      ("hazard0", "hazard1"), ("lambda0", "lambda1"))
    ),
    *(
        (words, lambda a, b: {"hazard_ratio": b / a})
        for words in (("hazard1", "hazard2"), ("lambda1", "lambda2"), ("hazard_control", "hazard_treated"))
    ),
    *((words, lambda a, b: {"hazard_ratio": a / b}) for words in (("median1", "median2"), ("median0", "median1"))),
    *(((*words, "time"), _survival) for words in _SURVIVAL),
    *((words, _at_the_end) for words in _SURVIVAL),
    *(
        (words, lambda a, b: {"hazard_ratio": math.log(b) / math.log(a)})
        for words in _SURVIVAL
    ),
    (("rate0", "rate1"), lambda a, b: {"rate1": a, "rate2": b}),
    (("sd1", "sd2", "correlation"), _paired_spread),
    (("sd1", "sd2", "rho"), _paired_spread),
    (("sd1", "sd2", "r"), _paired_spread),
    (("p1", "p2", "correlation"), _discordant),
    (("p1", "p2", "rho"), _discordant),
    *(
        (words, meaning)
        for meaning in (
            lambda a, b: {"p1": a, "p2": b},
            lambda a, b: {"p1": a, "ratio_of_risks": b / a},
            lambda a, b: {"p1": a, "ratio_of_odds": _odds(b) / _odds(a)},
            lambda a, b: {"p1": a, "odds_ratio": _odds(b) / _odds(a)},
            lambda a, b: {"h": 2 * (math.asin(math.sqrt(b)) - math.asin(math.sqrt(a)))},
        )
        for words in (("p0", "p1"), ("p1", "p2"), ("p_control", "p_treated"), ("p_control", "p_treatment"))
    ),
    (("p0", "p1"), lambda a, b: {"h": 2 * (math.asin(math.sqrt(b)) - math.asin(math.sqrt(a)))}),
    *(
        (("p1", word), lambda p, change: {"p1": p, "p2": p + change})
        for word in ("diff", "difference", "delta", "effect", "risk_difference", "rd", "effect_difference")
    ),
    *(
        (("p0", word), lambda p, change: {"p0": p, "p1": p + change})
        for word in ("diff", "difference", "delta", "effect", "risk_difference")
    ),
    *(
        (("rate1", word), lambda rate, change: {"rate1": rate, "rate2": rate + change})
        for word in ("diff", "difference", "delta", "rate_difference")
    ),
    (("rows", "columns"), lambda rows, columns: {"df": (rows - 1) * (columns - 1)}),
    (("r2_full", "r2_reduced"), lambda full, reduced: {"r2_full": full, "r2_change": full - reduced}),
    *(
        (("accrual", word), lambda accrual, whole: {"accrual": accrual, "followup": whole - accrual})
        for word in ("total_time", "study_duration", "study_time", "duration")
    ),
    (("predictors", "v"), lambda count, v: {"predictors": count, "n": v + count + 1}),
    (("u", "v"), lambda count, v: {"predictors": count, "n": v + count + 1}),
]  # fmt: skip

# Names of a test or method, in small letters without separators; the first that the function knows is meant.
VALUES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("chi2", "chisq", "chisquare", "chisquared", "pearson", "zpooled", "normal"), ("pooled", "z")),
    **dict.fromkeys(("zunpooled", "separate"), ("unpooled",)),
    "wald": ("wald", "unpooled"),
    "unpooled": ("unpooled", "wald"),
    **dict.fromkeys(("arcsin", "arcsine", "h", "cohen"), ("arcsine",)),
    **dict.fromkeys(("exact", "fisher", "fisherexact", "fishersexact"), ("fisher", "exact")),
    **dict.fromkeys(("binomial", "binom"), ("exact",)),
    **dict.fromkeys(("cc", "corrected", "continuitycorrection", "continuitycorrected"), ("continuity",)),
    **dict.fromkeys(("fleiss", "yates"), ("continuity",)),
    **dict.fromkeys(("fm", "farringtonmanning", "score", "miettinennurminen"), ("farrington_manning",)),
    **dict.fromkeys(("satterthwaite", "welchs", "unequal"), ("welch",)),
    **dict.fromkeys(("student", "students", "pooledt", "ttest"), ("t",)),
    **dict.fromkeys(("ztest", "gaussian"), ("z",)),
    **dict.fromkeys(("lachin", "lachinfoulkes"), ("lachin_foulkes",)),
    **dict.fromkeys(("bonf",), ("bonferroni",)),
    "normaldistribution": ("normal",),
}  # fmt: skip

# The arguments that name a convention; where a function has one of them, another of them means that one.
METHODS = ("method", "test", "variance")

_RECRUIT = "size the people analysed, then recruited(n=..., attrition=...) gives those to recruit"
_BY_ARM = "n counts the people of the first arm, n_total all of them"
_CLUSTERS = "clusters counts those of the first arm, clusters_total all of them; cluster_size the people in one"
# What is often asked for under a name that no argument here has, and what to do.
REMEDIES = {
    **dict.fromkeys(("attrition", "loss", "dropout", "withdrawal", "lost", "drop_out", "dropout_rate"), _RECRUIT),
    "arms": "comparisons counts the treated arms, the control arm not among them",
    **dict.fromkeys(("p1", "p2"), "shares of pairs need their correlation too, or the discordant shares p10 and p01"),
    "delta": "late is the effect on those who take part; for the effect of being offered, two_means(delta=...)",
    "p": "p1 and p2 are the shares of the arms",
    "alpha": "critical=1.96 is that of a two-sided alpha of 0.05",
    **dict.fromkeys(("clusters_total", "n_clusters", "J", "k", "n"), _CLUSTERS),
    **dict.fromkeys(("sample_size", "size"), _BY_ARM),
    "h": "two_proportions_arcsine(h=...) and one_proportion_arcsine(h=...) take Cohen's h",
    **dict.fromkeys(("population", "N", "fpc"), "finite_population(n=..., population=...) corrects a survey's size"),
    **dict.fromkeys(
        ("survival1", "survival2", "surv1", "surv2", "s1", "s2", "survival_control", "survival_treated"),
        "give time as well, at which these shares survive, or hazard with hazard_ratio",
    ),
}

# Quantities that another question asks for, and which.
ELSEWHERE = {
    **dict.fromkeys(("margin", "ni_margin"), "noninferiority_means, _proportions and _ratio, and equivalence_means"),
    **dict.fromkeys(
        ("icc", "rho", "cluster_size", "clusters", "design_effect"), "cluster_means and cluster_proportions"
    ),
    **dict.fromkeys(("comparisons", "correction", "control_ratio"), "several_means and several_proportions"),
    **dict.fromkeys(("looks", "spending", "futility"), "group_sequential"),
    **dict.fromkeys(("take_up", "take_up_control", "compliance"), "late_means and late_proportions"),
    **dict.fromkeys(("hazard_ratio", "hr", "events"), "logrank and logrank_events"),
    **dict.fromkeys(("r2", "covariates"), "ancova"),
    **dict.fromkeys(("pre", "post"), "repeated_measures"),
    **dict.fromkeys(("rate1", "rate2", "dispersion"), "two_rates"),
    **dict.fromkeys(("p1", "p2"), "two_proportions"),
    **dict.fromkeys(("places", "applicants"), "lottery_means and lottery_proportions"),
    **dict.fromkeys(("half_width", "confidence"), "precision_mean and precision_proportion"),
    "steps": "stepped_wedge",
    "prior_sd": "assurance_means",
    "f": "anova",
    "w": "chi_square",
}

# How else to say an argument that a question needs and was not given.
NEEDED = {
    "hazard": "or give median_control with median_treated, or survival1 and survival2 with the time at which they hold",
    "accrual": "accrual=0 lets everybody enter at once",
    "variation": "it is the coefficient of variation of the true values between clusters, k in Hayes & Moulton",
    "icc": "the correlation of two people of one cluster, for example 0.02",
}

# Remedies that belong to functions with a certain argument.
NEEDS = {
    **dict.fromkeys(("n", "k", "J", "n_clusters", "clusters_total"), "cluster_size"),
    **dict.fromkeys(("p1", "p2"), "p10"),
    **{"arms": "comparisons", "delta": "late", "p": "p2", "alpha": "critical"},
}
