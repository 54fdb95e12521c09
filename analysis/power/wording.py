"""The same question in other words: names that books and other software give to an argument.

Each quantity has one name here; a caller who knows it by another is understood where no doubt is possible, and is
otherwise told the nearest name.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, ParamSpec, TypeVar

from analysis.power.errors import ImpossibleRequest

__all__ = ["SYNONYMS", "asked"]

P = ParamSpec("P")
R = TypeVar("R")

# another name: the names it may stand for; the first that the function has is meant.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "d": ("delta",),
    "cohens_d": ("delta",),
    "cohen_d": ("delta",),
    "smd": ("delta",),
    "mean_difference": ("delta",),
    "effect_size": ("delta", "h", "f2", "f", "w"),
    "diff": ("delta",),
    "difference": ("delta",),
    "effect": ("delta",),
    "mdes": ("delta",),
    "es": ("delta", "f2", "f", "w"),
    "sd1": ("sd",),
    "sigma": ("sd",),
    "stdev": ("sd",),
    "n1": ("n",),
    "n_per_arm": ("n",),
    "n_per_group": ("n",),
    "nobs1": ("n",),
    "nobs": ("n",),
    "n_pairs": ("n",),
    "pairs": ("n",),
    "rho": ("icc", "correlation", "r"),
    "m": ("cluster_size",),
    "caseload": ("cluster_size",),
    "cv_size": ("cv",),
    "cac": ("cluster_autocorrelation",),
    "iac": ("person_autocorrelation",),
    "n_per_cluster": ("cluster_size",),
    "clusters_per_arm": ("clusters",),
    "k_per_arm": ("clusters",),
    "hr": ("hazard_ratio",),
    "rr": ("ratio_of_risks",),
    "risk_ratio": ("ratio_of_risks",),
    "odds_ratio": ("ratio_of_odds",),
    "odds": ("odds_ratio", "ratio_of_odds"),
    "sig_level": ("alpha",),
    "significance": ("alpha",),
    "sided": ("sides",),
    "tails": ("sides",),
    "k": ("groups", "looks"),
    "k_groups": ("groups",),
    "kmax": ("looks",),
    "n_looks": ("looks",),
    "timing": ("looks",),
    "information_rates": ("looks",),
    "prop1": ("p1",),
    "prop2": ("p2",),
    "p_control": ("p1",),
    "p_treated": ("p2",),
    "p1": ("p_control",),
    "p2": ("p_treated",),
    "r_squared": ("r2",),
    "hazard_control": ("hazard",),
    "lambda_control": ("hazard",),
    "overdispersion": ("dispersion",),
    "u": ("predictors",),
    "allocation_ratio": ("ratio",),
    "dropout_rate": ("dropout",),
    "probs": ("probabilities",),
    "theta0": ("theta",),
    "cost_subject": ("cost_person",),
    "cost_treatment": ("cost_treated",),
}


# Two words that together say two (or one) of our quantities.
PAIRS: dict[tuple[str, str], Callable[[float, float], dict[str, float]]] = {
    **dict.fromkeys(
        [("mean1", "mean2"), ("mu1", "mu2"), ("mean_control", "mean_treated")], lambda a, b: {"delta": b - a}
    ),
    **dict.fromkeys(
        [("median1", "median2"), ("median_control", "median_treated")],
        lambda a, b: {"hazard": math.log(2) / a, "hazard_ratio": a / b},
    ),
    **dict.fromkeys(
        [("hazard1", "hazard2"), ("lambda1", "lambda2"), ("hazard_control", "hazard_treated")],
        lambda a, b: {"hazard": a, "hazard_ratio": b / a},
    ),
}

_RECRUIT = "size the people analysed, then recruited(n=..., attrition=...) gives those to recruit"
# What is often asked for under a name that no argument here has, and what to do.
REMEDIES = {
    **dict.fromkeys(("attrition", "loss", "dropout", "withdrawal", "lost"), _RECRUIT),
    "arms": "comparisons counts the treated arms, the control arm not among them",
    "clusters_total": "clusters counts those of the first arm",
    "n_clusters": "clusters counts those of the first arm, clusters_total all of them",
}


def asked(question: Callable[P, R]) -> Callable[P, R]:
    """Let a power question be asked in other words: the synonyms above, totals, `beta`, `alternative`, two means.

    Raises ImpossibleRequest for a name that means nothing here, naming the nearest that does, and for values without
    a name.

    >>> from analysis.power import two_means
    >>> two_means(d=0.2, beta=0.2).rounded, two_means(delta=0.4, n_total=200).n
    (394, 100.0)
    """
    known = tuple(inspect.signature(question).parameters)

    @functools.wraps(question)
    def understood(*args: P.args, **kwargs: P.kwargs) -> R:
        if args:
            raise ImpossibleRequest(
                known[0], f"{question.__name__} takes its values by name", remedy=f"for example {known[0]}={args[0]!r}"
            )
        unknown = [name for name in kwargs if name not in known]
        if unknown:
            kwargs = _reworded(question.__name__, known, dict(kwargs), unknown)  # type: ignore[assignment]
        return question(*args, **kwargs)

    return understood


def _reworded(name: str, known: tuple[str, ...], given: dict[str, Any], unknown: list[str]) -> dict[str, Any]:
    for (first, second), meaning in PAIRS.items():
        if {first, second} <= set(unknown):
            found = meaning(given.pop(first), given.pop(second))
            if set(found) & set(given) or not set(found) <= set(known):
                raise ImpossibleRequest(
                    first, f"and {second} say {' and '.join(found)}, which cannot be given here too"
                )
            given |= found
            unknown = [word for word in unknown if word not in (first, second)]
    for word in unknown:
        value = given.pop(word)
        meant, translated = _meaning(name, word, value, known, given)
        if meant in given:
            raise ImpossibleRequest(word, f"is another name of '{meant}', which was given too")
        given[meant] = translated
    return given


def _meaning(name: str, word: str, value: Any, known: tuple[str, ...], given: dict[str, Any]) -> tuple[str, Any]:
    """The argument that a word stands for, and the value in its terms."""
    for meant in SYNONYMS.get(word, ()):
        if meant in known:
            return meant, value
    for convert in (_size, _tail, _ratio):
        found = None if value is None else convert(word, value, known, given)
        if found is not None:
            return found
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    remedy = f"did you mean '{close[0]}'? " if close else ""
    remedy = f"{REMEDIES[word]}; " if word in REMEDIES else remedy
    raise ImpossibleRequest(
        word, f"{name} has no such argument", remedy=f"{remedy}its arguments are {', '.join(known)}"
    )


Meaning = tuple[str, Any] | None


def _size(word: str, value: Any, known: tuple[str, ...], given: dict[str, Any]) -> Meaning:
    """Totals for sizes by arm, and the other way round."""
    ratio = given.get("ratio", 1.0)
    if word == "n_total" and "n" in known:
        return _by_arm(value, known, given)
    if word in ("n", "n_per_arm") and {"n_total", "ratio"} <= set(known):
        return "n_total", value * (1 + ratio)
    if word == "clusters_total" and {"clusters", "ratio"} <= set(known):
        return "clusters", value / (1 + ratio)
    if word in ("clusters", "clusters_total", "n_clusters") and "clusters_per_step" in known and given.get("steps"):
        return "clusters_per_step", value / given["steps"]
    if word == "periods" and "steps" in known:
        return "steps", value - given.get("baseline", 1) - given.get("after", 1) + 1
    return None


def _by_arm(value: Any, known: tuple[str, ...], given: dict[str, Any]) -> Meaning:
    if "ratio" in known:
        return ("n", value / (1 + given.get("ratio", 1.0))) if given.get("n2") is None else None
    if "control_ratio" in known:
        listed = given.get("deltas") or given.get("p_treated")
        count = len(listed) if isinstance(listed, (list, tuple)) else given.get("comparisons")
        return None if count is None else ("n", value / (count + given.get("control_ratio", 1.0)))
    for name in ("groups", "weights"):
        if name in known:
            each = given.get(name) or given.get("means")
            count = len(each) if isinstance(each, (list, tuple)) else each
            return None if count is None else ("n", value / count)
    return None if "factors" in known else ("n", value)


def _tail(word: str, value: Any, known: tuple[str, ...], given: dict[str, Any]) -> Meaning:
    """The type II error, and one side or two in words."""
    del given
    if word == "beta" and "power" in known:
        return "power", 1 - value
    if "sides" not in known:
        return None
    if word == "alternative" and isinstance(value, str):
        return "sides", 2 if value.replace(".", "-").replace("_", "-") == "two-sided" else 1
    if word in ("one_sided", "two_sided") and isinstance(value, bool):
        return "sides", 1 if (word == "one_sided") == value else 2
    return None


def _ratio(word: str, value: Any, known: tuple[str, ...], given: dict[str, Any]) -> Meaning:
    """Effects as a ratio to the first arm, medians of survival, and explained variance."""
    if word in ("rate_ratio", "irr") and "rate2" in known and given.get("rate1"):
        return "rate2", given["rate1"] * value
    if word in ("rr", "risk_ratio", "relative_risk") and "p2" in known and given.get("p1"):
        return "p2", given["p1"] * value
    if word in ("odds_ratio", "odds") and "p2" in known and 0 < (given.get("p1") or 0) < 1:
        odds = value * given["p1"] / (1 - given["p1"])
        return "p2", odds / (1 + odds)
    if word in ("median", "median_control") and "hazard" in known and value > 0:
        return "hazard", math.log(2) / value
    if word in ("eta2", "eta_squared", "partial_eta2") and "f" in known and 0 < value < 1:
        return "f", math.sqrt(value / (1 - value))
    return None
