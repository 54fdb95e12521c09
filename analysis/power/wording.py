"""The same question in other words: names that books and other software give to an argument.

Each quantity has one name here; a caller who knows it by another is understood where no doubt is possible, and is
otherwise told the nearest name.
"""

from __future__ import annotations

import functools
import inspect
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
    "n_pairs": ("n",),
    "pairs": ("n",),
    "rho": ("icc", "correlation"),
    "m": ("cluster_size",),
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
    "k": ("groups",),
    "u": ("predictors",),
    "allocation_ratio": ("ratio",),
    "dropout_rate": ("dropout",),
    "probs": ("probabilities",),
    "theta0": ("theta",),
    "cost_subject": ("cost_person",),
    "cost_treatment": ("cost_treated",),
}


def asked(question: Callable[P, R]) -> Callable[P, R]:
    """Let a power question be asked with the synonyms above, `n_total` or `n` for each other, `beta`, `alternative`.

    Raises ImpossibleRequest for a name that means nothing here, naming the nearest that does.

    >>> from analysis.power import two_means
    >>> two_means(d=0.2, beta=0.2).rounded, two_means(delta=0.4, n_total=200).n
    (394, 100.0)
    """
    known = tuple(inspect.signature(question).parameters)

    @functools.wraps(question)
    def understood(*args: P.args, **kwargs: P.kwargs) -> R:
        unknown = [name for name in kwargs if name not in known]
        if unknown:
            kwargs = _reworded(question.__name__, known, dict(kwargs), unknown)  # type: ignore[assignment]
        return question(*args, **kwargs)

    return understood


def _reworded(name: str, known: tuple[str, ...], given: dict[str, Any], unknown: list[str]) -> dict[str, Any]:
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
    ratio = given.get("ratio", 1.0)
    if word == "n_total" and {"n", "ratio"} <= set(known) and given.get("n2") is None:
        return "n", None if value is None else value / (1 + ratio)
    if word in ("n", "n_per_arm") and {"n_total", "ratio"} <= set(known):
        return "n_total", None if value is None else value * (1 + ratio)
    if word == "beta" and "power" in known:
        return "power", None if value is None else 1 - value
    if word == "alternative" and "sides" in known and isinstance(value, str):
        return "sides", 2 if value.replace(".", "-").replace("_", "-") == "two-sided" else 1
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    remedy = f"did you mean '{close[0]}'? " if close else ""
    raise ImpossibleRequest(
        word, f"{name} has no such argument", remedy=f"{remedy}its arguments are {', '.join(known)}"
    )
