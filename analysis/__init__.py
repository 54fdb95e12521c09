"""What works, estimated: effects, power and monitoring of randomised pilots.

The package stays light to import: a public name loads its module when it is first asked for. `pilot` imports this
package at start-up, and a web process has no use for the libraries that some estimators need.

To add a public name, append a line to `_HOMES`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {
    # what every estimator gives back
    "Estimate": "estimate", "Interval": "estimate", "JointTest": "estimate", "Regression": "estimate",
    "AnalysisError": "errors",
    # effects by design
    "difference_in_means": "differences", "horvitz_thompson": "horvitz", "lm_robust": "regression",
    "lm_lin": "adjusted", "joint_test": "joint", "partially_nested": "nested", "cuped": "precision",
    "fill_covariates": "precision", "subgroup_effects": "subgroups", "pool": "pooling", "shrink": "pooling",
    "effect_groups": "gates", "causal_forest": "forests", "ever_offer": "lotteries",
    # take-up
    "iv_robust": "instrumental", "anderson_rubin_ci": "anderson_rubin", "anderson_rubin_test": "anderson_rubin",
    "take_up_types": "compliers", "complier_means": "compliers", "complier_outcomes": "compliers",
    # inference by redrawing
    "randomization_inference": "permutation", "redraw": "redraws", "Redraws": "redraws",
    "permutation_family": "stepdown", "Hypothesis": "stepdown", "romano_wolf": "stepdown",
    "westfall_young": "stepdown", "wild_cluster_bootstrap": "wild_bootstrap",
    # several hypotheses
    "adjust": "multiplicity", "sharpened_q": "multiplicity", "dunnett": "multiplicity",
    # kinds of outcome
    "risk_difference": "binary", "risk_ratio": "binary", "odds_ratio": "binary", "logit_margin": "binary",
    "glm_robust": "counts", "rate_ratio": "counts", "ordinal_logit": "ordinal", "rank_sum": "ordinal",
    "trend_test": "ordinal", "kaplan_meier": "survival", "log_rank": "survival", "cox": "survival",
    "rmst": "survival", "earnings": "zero_heavy", "quantile_effect": "quantiles", "MassPointWarning": "quantiles",
    "hedges_g": "effect_sizes", "glass_delta": "effect_sizes", "klk_index": "indices", "icw_index": "indices",
    # a trial, its plan, and what carrying the plan out gives
    "at_baseline": "at_baseline",
    "Trial": "trial", "read_data": "reading", "PreAnalysisPlan": "plan", "Results": "results",
    "r_script": "rscript",
    "impute": "imputation", "imputed": "imputation",
    # balance, attrition, cost, and looks while a pilot runs
    "hansen_bowers": "balance", "joint_f": "balance", "normalised_difference": "balance",
    "differential_response": "attrition", "response_weights": "attrition", "lee_bounds": "bounds",
    "manski_bounds": "bounds", "cost_effectiveness": "cost", "fieller": "cost", "bootstrap_interval": "cost",
    "deadweight": "cost", "crowding_out": "cost", "AlphaLedger": "monitoring",
    "level_of_look": "monitoring", "confidence_sequence": "monitoring",
    "fidelity": "delivery", "by_advisor": "delivery",
    "variance_share": "fieldwork", "equal_means": "fieldwork",
}  # fmt: skip

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'analysis' has no attribute '{name}'")
    value = getattr(import_module(f"analysis.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
