"""A lottery of places: how many are treated follows from the places, how many are not from who else applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest, in_words_of
from analysis.power.means import MeansTest, two_means
from analysis.power.proportions import TwoProportionsMethod, two_proportions
from analysis.power.result import Result, Values
from analysis.power.wording import asked

__all__ = ["lottery_means", "lottery_proportions"]

_NO_CORRECTION = (
    "no finite-population correction: the lottery compares what happens with and without a place, "
    "which is not a total of the people at hand"
)


@asked
def lottery_means(
    *,
    places: float,
    applicants: float | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    sd2: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: MeansTest = "t",
) -> Result:
    """Applicants, power, smallest difference or level when `places` are drawn by lot among the applicants.

    Those who draw no place are the control arm: `applicants - places` people. `sd2` is the standard deviation with a
    place. No finite-population correction: the effect is not a total of the applicants. Source: Cohen (1988) ch. 2;
    Imbens & Rubin (2015) ch. 6 for the correction that is not taken.

    >>> answer = lottery_means(places=200, applicants=700, delta=0.25)
    >>> answer.n1, answer.n2, round(answer.power, 4)
    (500, 200, 0.8471)
    """
    _check(places, applicants)
    return _by_lot(
        places,
        applicants,
        lambda n: two_means(
            n=n, n2=places, delta=delta, sd=sd, sd2=sd2, power=power, alpha=alpha, sides=sides, test=test
        ),
    )


@asked
def lottery_proportions(
    *,
    places: float,
    applicants: float | None = None,
    p1: float,
    p2: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: TwoProportionsMethod = "pooled",
) -> Result:
    """As `lottery_means` for proportions: `p1` without a place, `p2` with one.

    >>> round(lottery_proportions(places=300, applicants=900, p1=0.3, p2=0.4).power, 4)
    0.8467
    """
    _check(places, applicants)
    return _by_lot(
        places,
        applicants,
        lambda n: two_proportions(n=n, n2=places, p1=p1, p2=p2, power=power, alpha=alpha, sides=sides, method=method),
    )


def _check(places: float, applicants: float | None) -> None:
    checks.at_least(2, places=places)
    if applicants is not None and applicants < places + 2:
        raise ImpossibleRequest(
            "applicants",
            f"{applicants:g} applicants for {places:g} places leave fewer than two people without a place",
            remedy="without more applicants than places there is nothing to draw lots for",
        )


def _by_lot(places: float, applicants: float | None, ask: Callable[[float | None], Result]) -> Result:
    with in_words_of({"n": "applicants"}):
        answer = ask(None if applicants is None else applicants - places)
    asked = {name: value for name, value in answer.inputs.items() if name not in ("n", "ratio")}
    found = answer.inputs["n"] + places
    answer = replace(
        answer,
        test=f"lottery of places, {answer.test}",
        inputs=Values({"applicants": found, "places": places, **asked}),
        warnings=(*answer.warnings, _NO_CORRECTION),
    )
    if answer.solved != "n":
        return answer
    rivals = tuple(
        r if r.value is None or r.rounded is None else replace(r, value=r.value + places, rounded=r.rounded + places)
        for r in answer.rivals
    )
    return replace(answer, solved="applicants", value=found, rounded=answer.rounded + places, rivals=rivals)
