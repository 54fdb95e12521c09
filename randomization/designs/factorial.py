"""Factorial designs: every combination of the factors' levels is an arm of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.design import Arm, Ratio, read_arms, read_columns
from randomization.designs.blocked import Blocked
from randomization.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Factorial(Blocked):
    """See `factorial`. An arm is named by its levels, factors in alphabetical order: 'advice=yes, voucher=no'."""

    method: ClassVar[str] = "factorial"
    levels: tuple[tuple[str, tuple[Arm, ...]], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        form: dict[str, Any] = {
            "method": self.method,
            "factors": {factor: {arm.name: int(arm.weight) for arm in arms} for factor, arms in self.levels},
        }
        if self.strata:
            form["strata"] = list(self.strata)
        return form | {"misfits": self.misfits}

    def split(self, drawn: pd.Series) -> pd.DataFrame:
        """The drawn arms as one column a factor, holding its level.

        >>> d = factorial({"advice": ["no", "yes"], "voucher": ["no", "yes"]})
        >>> d.split(d.draw(4, seed=1)).sort_values(["advice", "voucher"]).to_numpy().tolist()
        [['no', 'no'], ['no', 'yes'], ['yes', 'no'], ['yes', 'yes']]
        """
        import pandas as pd

        cells = {
            arm.name: [level.name for level in cell]
            for arm, cell in zip(self.arms, product(*(arms for _, arms in self.levels)), strict=True)
        }
        rows = [cells[name] for name in drawn]
        return pd.DataFrame(rows, index=drawn.index, columns=[factor for factor, _ in self.levels])


def factorial(factors: Mapping[str, Ratio], *, strata: Sequence[str] = (), misfits: str = "balanced") -> Factorial:
    """A full factorial of any number of factors, each with levels (equal) or a mapping level -> ratio.

    A combination's share is the product of its levels' shares. Counts and misfits are those of `blocked` over the
    combinations. Source: Box, Hunter and Hunter, Statistics for Experimenters (2nd edition, 2005), chapter 5.

    >>> factorial({"voucher": ["no", "yes"], "advice": {"no": 1, "yes": 2}}).names
    ('advice=no, voucher=no', 'advice=no, voucher=yes', 'advice=yes, voucher=no', 'advice=yes, voucher=yes')
    """
    if not isinstance(factors, Mapping) or len(factors) < 2:
        raise DesignError(
            "a factorial design needs at least two factors",
            path=("factors",),
            remedy="name each factor with its levels",
        )
    levels: list[tuple[str, tuple[Arm, ...]]] = []
    for factor in sorted(factors):
        arms = read_arms(factors[factor])
        names = [arm.name for arm in arms]
        if len(names) < 2 or len(set(names)) < len(names):
            raise DesignError(
                f"factor {factor!r} has levels {names}", path=("factors", factor), remedy="give two or more, each once"
            )
        levels.append((factor, arms))
    ratio: dict[str, Any] = {}
    for cell in product(*(arms for _, arms in levels)):
        weight = 1
        for arm in cell:
            weight *= int(arm.weight)
        ratio[", ".join(f"{factor}={arm.name}" for (factor, _), arm in zip(levels, cell, strict=True))] = weight
    return Factorial(arms=read_arms(ratio), strata=read_columns(strata), misfits=misfits, levels=tuple(levels))
