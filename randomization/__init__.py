"""Randomization: every allocation design of the field as a frozen value, drawn from, checked and replayed.

    import randomization as rz
    d = rz.blocked({"control": 1, "advice": 2}, strata=["region", "education"])
    arms = d.draw(units, seed=7)

Names are loaded when first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from randomization.design import Arm, Design
    from randomization.designs.adaptive import adaptive
    from randomization.designs.biased_coin import biased_coin
    from randomization.designs.big_stick import big_stick
    from randomization.designs.block_urn import block_urn
    from randomization.designs.blocked import blocked
    from randomization.designs.clustered import clustered
    from randomization.designs.complete import complete
    from randomization.designs.factorial import factorial
    from randomization.designs.lottery import lottery
    from randomization.designs.matched_pairs import matched_pairs
    from randomization.designs.maximal_procedure import maximal_procedure
    from randomization.designs.minimization import minimization
    from randomization.designs.permuted_blocks import permuted_blocks
    from randomization.designs.rerandomized import rerandomized
    from randomization.designs.simple import simple
    from randomization.designs.stepped_wedge import stepped_wedge
    from randomization.designs.two_stage import two_stage
    from randomization.designs.urn import urn
    from randomization.diagnostics import (
        assignment_table,
        balance_table,
        never_treatable,
        omnibus_test,
        sample_ratio_test,
    )
    from randomization.errors import (
        AllocationError,
        DesignError,
        DesignNotDefined,
        RandomizationError,
        TooManyAllocations,
        UnitsError,
    )
    from randomization.mapping import from_dict
    from randomization.predictability import Predictability, expected_max_imbalance
    from randomization.support import Support

_HOMES = {
    "design": ("Arm", "Design"),
    "designs.adaptive": ("adaptive",),
    "designs.biased_coin": ("biased_coin",),
    "designs.big_stick": ("big_stick",),
    "designs.block_urn": ("block_urn",),
    "designs.blocked": ("blocked",),
    "designs.clustered": ("clustered",),
    "designs.complete": ("complete",),
    "designs.factorial": ("factorial",),
    "designs.lottery": ("lottery",),
    "designs.matched_pairs": ("matched_pairs",),
    "designs.maximal_procedure": ("maximal_procedure",),
    "designs.minimization": ("minimization",),
    "designs.permuted_blocks": ("permuted_blocks",),
    "designs.rerandomized": ("rerandomized",),
    "designs.simple": ("simple",),
    "designs.stepped_wedge": ("stepped_wedge",),
    "designs.two_stage": ("two_stage",),
    "designs.urn": ("urn",),
    "diagnostics": ("assignment_table", "balance_table", "never_treatable", "omnibus_test", "sample_ratio_test"),
    "errors": (
        "AllocationError",
        "DesignError",
        "DesignNotDefined",
        "RandomizationError",
        "TooManyAllocations",
        "UnitsError",
    ),
    "mapping": ("from_dict",),
    "predictability": ("Predictability", "expected_max_imbalance"),
    "support": ("Support",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AllocationError",
    "Arm",
    "Design",
    "DesignError",
    "DesignNotDefined",
    "Predictability",
    "RandomizationError",
    "Support",
    "TooManyAllocations",
    "UnitsError",
    "adaptive",
    "assignment_table",
    "balance_table",
    "biased_coin",
    "big_stick",
    "block_urn",
    "blocked",
    "clustered",
    "complete",
    "expected_max_imbalance",
    "factorial",
    "from_dict",
    "lottery",
    "matched_pairs",
    "maximal_procedure",
    "minimization",
    "never_treatable",
    "omnibus_test",
    "permuted_blocks",
    "rerandomized",
    "sample_ratio_test",
    "simple",
    "stepped_wedge",
    "two_stage",
    "urn",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'randomization' has no attribute {name!r}")
    value = getattr(import_module(f"randomization.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
