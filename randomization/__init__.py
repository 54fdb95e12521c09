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
    from randomization.designs.big_stick import big_stick
    from randomization.designs.blocked import blocked
    from randomization.designs.complete import complete
    from randomization.designs.permuted_blocks import permuted_blocks
    from randomization.designs.simple import simple
    from randomization.errors import (
        AllocationError,
        DesignError,
        DesignNotDefined,
        RandomizationError,
        TooManyAllocations,
        UnitsError,
    )
    from randomization.mapping import from_dict

_HOMES = {
    "design": ("Arm", "Design"),
    "designs.big_stick": ("big_stick",),
    "designs.blocked": ("blocked",),
    "designs.complete": ("complete",),
    "designs.permuted_blocks": ("permuted_blocks",),
    "designs.simple": ("simple",),
    "errors": (
        "AllocationError",
        "DesignError",
        "DesignNotDefined",
        "RandomizationError",
        "TooManyAllocations",
        "UnitsError",
    ),
    "mapping": ("from_dict",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AllocationError",
    "Arm",
    "Design",
    "DesignError",
    "DesignNotDefined",
    "RandomizationError",
    "TooManyAllocations",
    "UnitsError",
    "big_stick",
    "blocked",
    "complete",
    "from_dict",
    "permuted_blocks",
    "simple",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'randomization' has no attribute {name!r}")
    value = getattr(import_module(f"randomization.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
