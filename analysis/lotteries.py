"""A lottery of places with a waiting list, analysed by every offer that was made, refills included.

Offers go down the drawn order until the places are taken, so whoever gets the last one takes it: people who were ever
offered a place hold one taker too many, and a plain comparison of them with the others is biased. Weighing down the
takers mends that exactly. The analysis by the first offers alone needs no such weights, has more people without an
effect in its control group, and stays the default of a plan (`difference_in_means` on the first offer).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.errors import DataError, DesignNotEstimable, MissingValues
from analysis.estimate import Array, Estimate
from analysis.frame import as_frame, codes, column, complete, numbers, varied

SOURCE = "de Chaisemartin and Behaghel (2020)"


@dataclass(frozen=True, slots=True)
class EverOffer:
    """The effect of being offered a place on all applicants, and of taking one on those who would take it.

    `first_stage` is the share of takers among applicants with a known outcome, as the order of offers tells it.
    """

    offer: Estimate
    takers: Estimate
    first_stage: float


@dataclass(frozen=True, slots=True)
class _List:
    """One drawn order: known outcomes, whether their people were ever offered and took, and the weights of the offered.

    `places` counts everybody who took a place, whether or not the outcome is known: the record of the lottery has all.
    """

    label: Any
    y: Array
    offered: Array
    took: Array
    places: int

    @property
    def weights(self) -> Array:
        """Of those offered, summing to one: the mean without the last taker, averaged over who of the S that was.

        With all outcomes known a taker then counts (S - 1)/S of anybody else, so that S - 1 of L - 1 are takers.
        """
        took, n = self.took[self.offered], int(self.offered.sum())
        known = int(took.sum())
        without = np.where(took, known - 1, known) / (n - 1)
        return ((self.places - known) / n + without) / self.places

    @property
    def first_stage(self) -> float:
        return float(self.weights @ self.took[self.offered])

    def difference(self, values: Array) -> float:
        return float(self.weights @ values[self.offered] - values[~self.offered].mean())

    def variance(self, values: Array) -> float:
        """Of `difference`: squared weights times squared residuals, each side with its own small-sample factor."""
        inside, outside, w = values[self.offered], values[~self.offered], self.weights
        left = float(w**2 @ (inside - w @ inside) ** 2) * inside.size / (inside.size - 1)
        return left + float(outside.var(ddof=1)) / outside.size


def ever_offer(
    data: Any,
    outcome: str,
    *,
    rank: str,
    offered: str,
    took: str,
    strata: str | None = None,
    started: str | None = None,
) -> EverOffer:
    """The doubly reweighted comparison of everybody who was ever offered a place with everybody who never was.

    Columns: `rank` the drawn order (1, 2, … within each of `strata`), `offered` and `took` true or false (or 1 and 0),
    `started` whether the person began all the same before the outcome was measured. Within a list of N applicants with
    L offers and S places taken, takers weigh (S - 1)/S; the difference estimates the average effect of an offer
    without bias, since (S - 1)/(L - 1) and the share of takers among the others both estimate the share of takers.
    Where outcomes are missing, S still counts everybody who took a place: offers stopped at the last taker and not at
    the last who answered. The mean of the known outcomes without that taker is averaged over the S who may have been
    last, which leaves the difference unbiased for the people who answer, wherever they stand in the order.
    Lists are weighed by their applicants with an outcome. Standard errors: weighted, by side and list; normal
    reference. The effect on takers is the ratio to the first stage, with the error of the residual y - effect x took.

    Raises DesignNotEstimable when a list has fewer than two takers or fewer than two people without an offer, and when
    somebody without an offer started before the measurement: later starts end the comparison. Raises DataError when
    offers do not follow the order, when the last one was declined, and when somebody took a place without an offer.

    de Chaisemartin and Behaghel (2020, Econometrica 88(4), 1453-1477).

    >>> import pandas as pd
    >>> people = pd.DataFrame({"rank": range(1, 9), "offered": [1] * 5 + [0] * 3, "took": [1, 0, 1, 1, 1, 0, 0, 0],
    ...                        "trained": [1, 0, 1, 0, 1, 1, 0, 0]})
    >>> effect = ever_offer(people, "trained", rank="rank", offered="offered", took="took")
    >>> round(effect.offer.value, 4), effect.first_stage
    (0.2292, 0.75)
    """
    lists, dropped = _read(data, outcome, rank, offered, took, strata, started)
    n = sum(each.y.size for each in lists)
    shares = np.array([each.y.size / n for each in lists])
    first_stage = float(shares @ [each.first_stage for each in lists])
    value = float(shares @ [each.difference(each.y) for each in lists])
    effect = value / first_stage

    def se(values: list[Array]) -> float:
        return math.sqrt(float(shares**2 @ [each.variance(v) for each, v in zip(lists, values, strict=True)]))

    extras = {"lists": len(lists), "offers": int(sum(each.offered.sum() for each in lists))}
    common = {"df": math.inf, "n": n, "dropped": dropped, "source": SOURCE, "extras": extras}
    by_offer = Estimate.of(
        "offer", value, se([each.y for each in lists]), estimand="average effect of an offer on applicants",
        convention="HC2, doubly reweighted", **common,
    )  # fmt: skip
    residuals = [each.y - effect * each.took for each in lists]
    by_taking = Estimate.of(
        "taking a place", effect, se(residuals) / first_stage, estimand="average effect on those who take an offer",
        convention="HC2, doubly reweighted, delta method", **common,
    )  # fmt: skip
    return EverOffer(by_offer, by_taking, first_stage)


def _read(
    data: Any, outcome: str, rank: str, offered: str, took: str, strata: str | None, started: str | None
) -> tuple[list[_List], int]:
    frame = as_frame(data)
    order = column(frame, rank, "rank")
    told = {name: column(frame, name, role) for name, role in ((offered, "offered"), (took, "took"))}
    if any(series.isna().any() for series in (order, *told.values())):
        raise MissingValues("rank, offer or taking is missing for somebody", remedy="the record of the lottery has all")
    result = column(frame, outcome, "outcome")
    begun = column(frame, started, "started") if started is not None else None
    label, names = codes(column(frame, strata, "strata")) if strata is not None else (np.zeros(len(frame), int), [""])
    facts = {name: _truth(series, name) for name, series in told.items()}
    for place, name in enumerate(names):
        _check(order.to_numpy()[label == place], facts[offered][label == place], facts[took][label == place], name)
    if begun is not None and (late := int((_truth(begun.fillna(0), started) & ~facts[offered]).sum())):
        raise DesignNotEstimable(
            f"{late} people without an offer started before the outcome was measured",
            remedy="use an outcome measured before the first of them started: later starts end the comparison",
        )
    keep = complete(frame, [result])
    y = varied(numbers(result[keep], "outcome"), outcome)
    rows = np.flatnonzero(keep)
    lists = []
    for place, name in enumerate(names):
        mine = label[rows] == place
        places = int(facts[took][label == place].sum())
        lists.append(_estimable(_List(name, y[mine], facts[offered][rows][mine], facts[took][rows][mine], places)))
    return lists, int((~keep).sum())


def _truth(series: Any, name: Any) -> Array:
    wrong = DataError(f"'{name}' holds something else than true and false", remedy="code it as 1 and 0")
    try:
        values = numbers(series.astype(float), str(name))
    except (TypeError, ValueError) as error:
        raise wrong from error
    if not np.isin(values, (0.0, 1.0)).all():
        raise wrong
    return values == 1.0


def _check(order: Array, offered: Array, took: Array, name: Any) -> None:
    """Offers follow the order, and stop with somebody who takes the last place."""
    where = f" of '{name}'" if name != "" else ""
    if len(set(order.tolist())) != order.size:
        raise DataError(
            f"two people{where} have the same rank", remedy="name the strata that have an order of their own"
        )
    along = np.argsort(order)
    made = offered[along]
    if (took & ~offered).any():
        raise DataError(f"somebody{where} took a place without an offer", remedy="look up the record of offers")
    if not (made[:-1] >= made[1:]).all():
        raise DataError(f"offers{where} do not follow the drawn order", remedy="look up rank and offers")
    if made.any() and not made.all() and not took[along][made.sum() - 1]:
        raise DataError(
            f"the last offer{where} was declined, so offers did not stop because the places were taken",
            remedy="analyse by the first offer with difference_in_means",
        )


def _estimable(each: _List) -> _List:
    where = f" of '{each.label}'" if each.label != "" else ""
    if each.places < 2:
        raise DesignNotEstimable(
            f"fewer than two people{where} took a place", remedy="join small lists before the draw"
        )
    if each.offered.sum() < 2:
        raise DesignNotEstimable(
            f"fewer than two people{where} with an offer have a known outcome",
            remedy="join small lists before the draw",
        )
    if (~each.offered).sum() < 2:
        raise DesignNotEstimable(
            f"fewer than two people{where} with a known outcome were never offered a place: there is nobody to compare "
            "with",
            remedy="analyse by the first offer with difference_in_means",
        )
    return each
