"""Adaptive allocation: more people to the arms that seem to work, by Thompson or exploration sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import lgamma
from typing import Any, ClassVar, Literal

from randomization.design import Design, Number, Ratio, exact, read_arms
from randomization.errors import DesignError, DesignNotDefined
from randomization.sequential import Move, Sequential

Evidence = tuple[tuple[int, int], ...]
GRID = 1_000_000
PANELS, NODES = 512, 16
RULES = ("thompson", "exploration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive(Sequential):
    """See `adaptive`. The state is the evidence: successes and failures of each arm."""

    method: ClassVar[str] = "adaptive"
    learns: ClassVar[bool] = True
    logs_basis: ClassVar[bool] = True
    rule: str = "thompson"
    prior: tuple[Fraction, Fraction] = (Fraction(1), Fraction(1))
    floor: Fraction = Fraction(0)
    evidence: Evidence = ()

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if not self.equal:
            raise DesignNotDefined(
                "adaptive rules choose the ratio themselves", path=("ratio",), remedy="name the arms without a ratio"
            )
        if self.rule not in RULES:
            raise DesignError(
                f"rule {self.rule!r} is not known", path=("rule",), remedy=f"choose from {', '.join(RULES)}"
            )
        if min(self.prior) < Fraction(1, 2):
            raise DesignError(
                f"the prior is Beta({self.prior[0]}, {self.prior[1]})",
                path=("prior",),
                remedy="choose both at 1/2 or more",
            )
        if not 0 <= self.floor <= Fraction(1, len(self.arms)):
            raise DesignError(
                f"the floor is {self.floor}", path=("floor",), remedy=f"choose it from 0 to 1/{len(self.arms)}"
            )
        for name, pair in zip(self.names, self.evidence, strict=True):
            if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in pair) or len(pair) != 2:
                raise DesignError(
                    f"the evidence on arm {name!r} is {pair!r}",
                    path=("evidence", name),
                    remedy="give successes and failures, whole numbers of at least 0",
                )

    @property
    def scope(self) -> Literal["stratum", "pilot"]:
        return "pilot"

    @property
    def keeps_ratio(self) -> bool:
        return False

    def to_dict(self) -> dict[str, Any]:
        form: dict[str, Any] = {
            "method": self.method,
            "ratio": dict(zip(self.names, self.weights, strict=True)),
            "rule": self.rule,
            "prior": [str(value) for value in self.prior],
            "floor": str(self.floor),
        }
        if any(map(any, self.evidence)):
            form["evidence"] = self._written(self.evidence)
        return form

    def given(self, evidence: Mapping[str, Sequence[int]]) -> Adaptive:
        """The same design after outcomes were seen: arm -> (successes, failures) in all."""
        return replace(self, evidence=self._read(evidence))

    def _written(self, evidence: Evidence) -> dict[str, list[int]]:
        return {name: list(pair) for name, pair in zip(self.names, evidence, strict=True)}

    def _read(self, evidence: Mapping[str, Sequence[int]]) -> Evidence:
        for name in evidence:
            if name not in self.names:
                raise DesignError(
                    f"the evidence names {name!r}, which is no arm",
                    path=("evidence", name),
                    remedy=f"choose from {', '.join(self.names)}",
                )
        pairs = [tuple(evidence.get(name, (0, 0))) for name in self.names]
        return tuple((pair[0], pair[1]) for pair in pairs)

    def start(self) -> Evidence:
        return self.evidence

    def moves(self, state: Any) -> tuple[Move, ...]:
        return tuple(Move(arm, chance, state) for arm, chance in enumerate(self.chances_given(state)))

    def chances_given(self, evidence: Evidence) -> tuple[Fraction, ...]:
        """Chance of each arm given the evidence, on a grid of a millionth."""
        best = list(
            chances_best(tuple((float(self.prior[0] + won), float(self.prior[1] + lost)) for won, lost in evidence))
        )
        if self.rule == "exploration":
            weight = [chance * (1 - chance) for chance in best]
            # All evidence on one arm leaves nothing to explore; sharing evenly is the rule's limit.
            best = [value / sum(weight) for value in weight] if sum(weight) > 0 else [1 / len(weight)] * len(weight)
        rest = 1 - self.floor * len(best)
        return tuple(self.floor + rest * share for share in on_grid(best))

    def write_state(self, state: Any) -> dict[str, Any]:
        return {"evidence": self._written(state)}

    def read_state(self, form: Mapping[str, Any]) -> Evidence:
        return self._read(form["evidence"])

    def with_evidence(self, form: dict[str, Any] | None, evidence: Any) -> dict[str, Any] | None:
        if evidence is None:
            return form
        return {**(form or {"position": 0}), "evidence": self._written(self._read(evidence))}


@lru_cache(maxsize=1024)
def chances_best(posteriors: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
    """Chance that each of independent Beta(a, b) variables is the greatest; they sum to one.

    The integral of density times the others' distribution functions, by Gauss-Legendre panels in arcsin(sqrt(x)),
    where Beta densities of a, b >= 1/2 are bounded.

    >>> [round(chance, 6) for chance in chances_best(((2, 1), (1, 1)))]
    [0.666667, 0.333333]
    """
    import numpy as np
    from scipy.special import betainc

    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    width = np.pi / 2 / PANELS
    angle = (np.arange(PANELS)[:, None] * width + (nodes + 1) * width / 2).reshape(-1)
    x, weight = np.sin(angle) ** 2, np.tile(weights * width / 2, PANELS)
    log_sin, log_cos = np.log(np.sin(angle)), np.log(np.cos(angle))
    below = [betainc(a, b, x) for a, b in posteriors]
    found = []
    for place, (a, b) in enumerate(posteriors):
        constant = lgamma(a + b) - lgamma(a) - lgamma(b) + np.log(2)
        density = np.exp(constant + (2 * a - 1) * log_sin + (2 * b - 1) * log_cos)
        others = np.prod([line for other, line in enumerate(below) if other != place], axis=0)
        found.append(float((density * others * weight).sum()))
    total = sum(found)
    return tuple(chance / total for chance in found)


def on_grid(chances: Sequence[float]) -> list[Fraction]:
    """Chances as whole millionths that sum to one, the largest remainders rounded up.

    >>> on_grid([1 / 3, 1 / 3, 1 / 3])[0]
    Fraction(166667, 500000)
    """
    scaled = [round(chance * GRID, 3) for chance in chances]
    whole = [int(value) for value in scaled]
    order = sorted(range(len(whole)), key=lambda place: (whole[place] - scaled[place], place))
    for place in order[: GRID - sum(whole)]:
        whole[place] += 1
    return [Fraction(value, GRID) for value in whole]


def adaptive(
    ratio: Ratio,
    *,
    rule: str = "thompson",
    prior: Sequence[Number] = (1, 1),
    floor: Number = 0,
    evidence: Mapping[str, Sequence[int]] | None = None,
) -> Adaptive:
    """Chances that follow the outcomes so far (success or failure), any number of equal arms.

    "thompson": the posterior chance that an arm is best, under Beta `prior`s; "exploration": p(1 - p) of that,
    normalised, which learns faster which arm is best. `floor` keeps a least chance for every arm. `evidence` maps arm
    to (successes, failures); `.given` makes the design of the next wave, and a live draw reads it from its state.
    Chances are rounded to millionths and stored with each draw, since they hang on the outcomes. Sources: Thompson,
    Biometrika 1933, 25:285-294; Kasy and Sautmann, Econometrica 2021, 89:113-132.

    >>> d = adaptive(["portal", "advice"], evidence={"portal": (0, 0), "advice": (1, 0)})
    >>> d.probabilities(1).round(6).to_dict("records")
    [{'portal': 0.333333, 'advice': 0.666667}]
    """
    arms = read_arms(ratio)
    if len(tuple(prior)) != 2:
        raise DesignError(f"the prior is {prior!r}", path=("prior",), remedy="give the two numbers of a Beta prior")
    values = tuple(exact(value, path=("prior", place)) for place, value in enumerate(prior))
    design = Adaptive(
        arms=arms,
        rule=rule,
        prior=(values[0], values[1]),
        floor=exact(floor, path=("floor",)),
        evidence=((0, 0),) * len(arms),
    )
    return design if evidence is None else design.given(evidence)
