"""Stepped wedge: every cluster crosses over to the new offer; what is drawn is when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.design import read_arms, read_columns
from randomization.designs.clustered import Clustered
from randomization.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedWedge(Clustered):
    """See `stepped_wedge`. The arms are the steps, 'step 1' first."""

    method: ClassVar[str] = "stepped_wedge"

    def to_dict(self) -> dict[str, Any]:
        form: dict[str, Any] = {"method": self.method, "clusters": self.clusters, "steps": len(self.arms)}
        if self.strata:
            form["strata"] = list(self.strata)
        return form | {"misfits": self.misfits}

    def schedule(self, drawn: pd.Series) -> pd.DataFrame:
        """Whether each unit has crossed over: 0/1, one column a period, period 0 before the first step.

        >>> import pandas as pd
        >>> d = stepped_wedge("desk", steps=2)
        >>> d.schedule(pd.Series(["step 2", "step 1"])).to_numpy().tolist()
        [[0, 0, 1], [0, 1, 1]]
        """
        import pandas as pd

        step = drawn.map({name: place for place, name in enumerate(self.names, start=1)}).astype(int)
        return pd.DataFrame({f"period {t}": (step <= t).astype(int) for t in range(len(self.arms) + 1)})


def stepped_wedge(clusters: str, *, steps: int, strata: Sequence[str] = (), misfits: str = "balanced") -> SteppedWedge:
    """Each cluster is drawn to one of `steps` moments to cross over, equally many clusters a step.

    `draw` gives each unit's step, `schedule` the table of periods. Clusters that do not divide by the steps are
    misfits, handled as in `blocked`. Source: Hussey and Hughes, Contemporary Clinical Trials 2007, 28:182-191.

    >>> stepped_wedge("desk", steps=3).names
    ('step 1', 'step 2', 'step 3')
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 2:
        raise DesignError(f"{steps!r} steps", path=("steps",), remedy="give a whole number of at least 2")
    names = [f"step {number}" for number in range(1, steps + 1)]
    return SteppedWedge(arms=read_arms(names), clusters=clusters, strata=read_columns(strata), misfits=misfits)
