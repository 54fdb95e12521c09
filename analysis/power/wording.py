"""The same question in other words: names that books and other software give to an argument.

Each quantity has one name here; a caller who knows it by another is understood where no doubt is possible, and is
otherwise told the nearest name. The names themselves lie in `words.py`.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from difflib import get_close_matches
from numbers import Real
from typing import Any, ParamSpec, TypeVar, get_args, get_type_hints

from analysis.power.errors import ImpossibleRequest
from analysis.power.words import ELSEWHERE, IN_FUNCTION, METHODS, NEEDED, NEEDS, REMEDIES, SYNONYMS, TOGETHER, VALUES

__all__ = ["SYNONYMS", "asked"]

P = ParamSpec("P")
R = TypeVar("R")
Known = tuple[str, ...]
Meaning = tuple[str, Any] | None


def asked(question: Callable[P, R]) -> Callable[P, R]:
    """Let a power question be asked in other words: synonyms, totals, `beta`, `alternative`, two means.

    Raises ImpossibleRequest for a name that means nothing here, naming the nearest that does, and for values without
    a name where the question takes none.

    >>> from analysis.power import two_means
    >>> two_means(d=0.2, beta=0.2).rounded, two_means(delta=0.4, n_total=200).n
    (394, 100.0)
    """
    parameters = inspect.signature(question).parameters
    known = tuple(parameters)
    needed = [name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty]
    named_only = all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters.values())

    @functools.wraps(question)
    def understood(*args: P.args, **kwargs: P.kwargs) -> R:
        if args and named_only:
            raise ImpossibleRequest(
                known[0], f"{question.__name__} takes its values by name", remedy=f"for example {known[0]}={args[0]!r}"
            )
        if not kwargs.keys() <= set(known):
            kwargs = _reworded(question.__name__, known, dict(kwargs))  # type: ignore[assignment]
        for name, value in kwargs.items():
            if isinstance(value, str):
                kwargs[name] = _spelled(question, name, value)  # type: ignore[index]
        if missing := [name for name in needed[len(args) :] if name not in kwargs]:
            raise ImpossibleRequest(
                missing[0], f"is needed by {question.__name__} and was not given", remedy=NEEDED.get(missing[0], "")
            )
        return question(*args, **kwargs)

    return understood


def _reworded(name: str, known: Known, said: dict[str, Any]) -> dict[str, Any]:
    given = {_in_small_letters(word, known, said): value for word, value in said.items()}
    given = _together(known, given)
    for word in [word for word in given if word not in known]:
        value = given.pop(word)
        meant, translated = _meaning(name, word, value, known, given)
        if meant in given:
            raise ImpossibleRequest(word, f"is another name of '{meant}', which was given too")
        given[meant] = translated
    return given


def _in_small_letters(word: str, known: Known, said: dict[str, Any]) -> str:
    """ICC, CV or OR in capitals; single letters keep their case, since K and k are not the same."""
    small = {"or": "or_"}.get(word.lower(), word.lower())
    if word in known or len(word) == 1 or small in said:
        return word
    return small if small in known or small in SYNONYMS else word


def _together(known: Known, given: dict[str, Any]) -> dict[str, Any]:
    """Replace words that only together say a quantity of this function."""
    failed = None
    for words, meaning in TOGETHER:
        if set(words) <= set(given) and not set(words) <= set(known):
            values = [given[word] for word in words]
            if not all(isinstance(value, Real) for value in values):
                continue
            try:
                found = meaning(*values)
            except (ValueError, ZeroDivisionError):
                failed = ImpossibleRequest(words[0], f"and {words[1]} cannot be {values[0]:g} and {values[1]:g}")
                continue
            if not set(found) <= set(known):
                continue
            rest = {word: value for word, value in given.items() if word not in words}
            if set(found) & set(rest):
                failed = failed or ImpossibleRequest(
                    words[0],
                    f"and {' and '.join(words[1:])} say {' and '.join(found)}, which cannot be given here too",
                )
                continue
            return _together(known, rest | found)
    if failed is not None:
        raise failed
    return given


def _meaning(name: str, word: str, value: Any, known: Known, given: dict[str, Any]) -> tuple[str, Any]:
    """The argument that a word stands for, and the value in its terms."""
    if word in (here := IN_FUNCTION.get(name, {})) and here[word] in known:
        return here[word], value
    # What is given already decides what an ambiguous word means: beta is the slope where the power is known.
    if word in ("beta", "beta1", "b1") and (word != "beta" or "power" in given or "n" in given):
        for meant in ("slope", "odds_ratio"):
            if meant in known and meant not in given:
                return meant, math.exp(value) if meant == "odds_ratio" else value
    for convert in (_size, _tail):
        found = None if value is None else convert(word, value, known, given)
        if found is not None:
            return found
    for meant in SYNONYMS.get(word, ()):
        if meant in known:
            return meant, value
    for convert in (_ratio, _spread, _convention):
        found = None if value is None else convert(word, value, known, given)
        if found is not None:
            return found
    raise ImpossibleRequest(word, f"{name} has no such argument", remedy=_remedy(word, known))


def _remedy(word: str, known: Known) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    hint = f"did you mean '{close[0]}'? " if close else ""
    about = REMEDIES.get(word, "")
    if about and _applies(word, known):
        hint = f"{about}; "
    elif word in ELSEWHERE:
        hint = f"see {ELSEWHERE[word]}; "
    return f"{hint}its arguments are {', '.join(known)}"


def _applies(word: str, known: Known) -> bool:
    """Some remedies belong to the functions that have a certain argument."""
    return NEEDS.get(word, known[0]) in known


def _size(word: str, value: Any, known: Known, given: dict[str, Any]) -> Meaning:
    """Totals for sizes by arm, and the other way round."""
    ratio = given.get("ratio", 1.0)
    if word == "N" and "half_width" in known:
        return None
    if word in ("n_total", "total_n", "N", "total_sample_size") or (word == "nobs" and "groups" in known):
        return ("n_total", value) if "n_total" in known else _by_arm(value, known, given)
    if word in ("n", "n_per_arm", "n_per_group", "n1") and "n_total" in known:
        return _in_all(value, known, given)
    if word == "clusters_total" and {"clusters", "ratio"} <= set(known):
        return "clusters", value / (1 + ratio)
    if word in ("clusters", "clusters_total", "n_clusters") and "clusters_per_step" in known and given.get("steps"):
        return "clusters_per_step", value / given["steps"]
    if word == "periods" and "steps" in known:
        return "steps", value - given.get("baseline", 1) - given.get("after", 1) + 1
    return None


def _in_all(value: Any, known: Known, given: dict[str, Any]) -> Meaning:
    if "ratio" in known:
        return "n_total", value * (1 + given.get("ratio", 1.0))
    if "share" in known:
        return "n_total", value / (1 - given.get("share", 0.5))
    return None if "groups" in known else ("n_total", value)


def _by_arm(value: Any, known: Known, given: dict[str, Any]) -> Meaning:
    if "n" not in known:
        return None
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


def _tail(word: str, value: Any, known: Known, given: dict[str, Any]) -> Meaning:
    """The type II error, and one side or two in words."""
    del given
    if word in ("beta", "type2", "type_ii", "type2_error") and "power" in known:
        return "power", 1 - value
    if word == "alpha" and "confidence" in known:
        return "confidence", 1 - value
    if "sides" not in known:
        return None
    if word == "alternative" and isinstance(value, str):
        return "sides", 2 if value.replace(".", "-").replace("_", "-") in ("two-sided", "two") else 1
    if word in ("one_sided", "two_sided", "onesided", "twosided") and isinstance(value, bool):
        return "sides", 1 if word.startswith("one") == value else 2
    return None


def _ratio(word: str, value: Any, known: Known, given: dict[str, Any]) -> Meaning:
    """Effects as a ratio to the first arm, medians of survival, and explained variance."""
    if word in ("rate_ratio", "irr", "rr", "relative_risk") and "rate2" in known and given.get("rate1"):
        return "rate2", given["rate1"] * value
    if word in ("rr", "risk_ratio", "relative_risk") and "p2" in known and given.get("p1"):
        return "p2", given["p1"] * value
    if word in ("odds_ratio", "odds", "or_") and "p2" in known and 0 < (given.get("p1") or 0) < 1:
        odds = value * given["p1"] / (1 - given["p1"])
        return "p2", odds / (1 + odds)
    if word in ("median", "median_control") and "hazard" in known and value > 0:
        return "hazard", math.log(2) / value
    if word in ("eta2", "eta_squared", "partial_eta2", "etasq") and "f" in known and 0 < value < 1:
        return "f", math.sqrt(value / (1 - value))
    if word in ("n_bins", "categories", "cells") and "df" in known:
        return "df", value - 1
    return None


def _spread(word: str, value: Any, known: Known, given: dict[str, Any]) -> Meaning:
    """Variances for standard deviations, whole widths for halves, a correlation with the baseline for its square."""
    if (
        word in ("variance", "var", "sigma2", "sd_squared")
        and "sd" in known
        and isinstance(value, (int, float))
        and value > 0
    ):
        return "sd", math.sqrt(value)
    if word in ("width", "ci_width", "conf_width") and "half_width" in known:
        return "half_width", value / 2
    if word in ("correlation", "rho", "r", "corr") and "r2" in known and "r2" not in given:
        return "r2", value**2
    return None


def _convention(word: str, value: Any, known: Known, given: dict[str, Any]) -> Meaning:
    """A convention under the name that another function gives to that argument, or as a yes or no."""
    if word in ("continuity", "correction", "continuity_correction", "correct") and isinstance(value, bool):
        return ("method", "continuity" if value else "pooled") if {"method", "p2"} <= set(known) else None
    if word in ("equal_variances", "equal_var", "var_equal", "pooled") and isinstance(value, bool) and "sd2" in known:
        return "test", "t" if value else "welch"
    if word in METHODS and isinstance(value, str):
        here = [name for name in METHODS if name in known and name not in given]
        return (here[0], value) if len(here) == 1 else None
    return None


def _spelled(question: Callable[..., Any], name: str, value: str) -> Any:
    """Values in words: one or two sides, a ratio of equal arms, a method under another name."""
    plain = "".join(letter for letter in value.lower() if letter.isalnum())
    if name == "sides":
        return {"one": 1, "onesided": 1, "1": 1, "two": 2, "twosided": 2, "2": 2}.get(plain, value)
    if name in ("ratio", "control_ratio"):
        if plain == "11":
            return 1.0
        raise ImpossibleRequest(
            name, f"must be a number, not '{value}'", remedy="ratio=2 puts twice as many people in the second arm"
        )
    if name in METHODS and (allowed := _choices(question, name)) and value not in allowed:
        return next((word for word in VALUES.get(plain, (plain,)) if word in allowed), value)
    return value


@functools.cache
def _choices(question: Callable[..., Any], name: str) -> Known:
    """The words that an argument may take, from its annotation."""

    def words(annotation: Any) -> Known:
        return tuple(
            word for part in get_args(annotation) for word in ((part,) if isinstance(part, str) else words(part))
        )

    return words(get_type_hints(question)[name])
