"""What can go wrong when a design is written, drawn from or replayed; one tree, drawn here in full.

RandomizationError (ValueError)
├── DesignError          the design as written cannot be: a ratio of zero, an unknown key
├── DesignNotDefined     the method has no such combination, or no such question
├── UnitsError           the units handed in do not fit the design: column, unit and remedy are named
├── TooManyAllocations   an exact enumeration was asked for that would not end
└── AllocationError      the live allocator was called out of order, or with a key that cannot be safe
"""

from __future__ import annotations


class RandomizationError(ValueError):
    """A sentence for the researcher, with the place (`path`, keys from the outside in) and the `remedy`.

    >>> error = RandomizationError("arm 'advice' has ratio 0", path=("ratio", "advice"), remedy="give it at least 1")
    >>> str(error)
    "arm 'advice' has ratio 0; give it at least 1"
    >>> error.path
    ('ratio', 'advice')
    """

    def __init__(self, message: str, *, path: tuple[str | int, ...] = (), remedy: str = "") -> None:
        super().__init__(f"{message}; {remedy}" if remedy else message)
        self.message = message
        self.path = path
        self.remedy = remedy


class DesignError(RandomizationError):
    """The design contradicts itself or holds a value outside its range."""


class DesignNotDefined(RandomizationError):
    """The method is not defined for this number of arms, this ratio or this use."""


class UnitsError(RandomizationError):
    """The units do not fit the design; the column, the unit and the remedy are named."""


class TooManyAllocations(RandomizationError):
    """The allocations are too many to list or to count one by one."""


class AllocationError(RandomizationError):
    """A live draw was asked for out of order, or with an unsafe key."""
