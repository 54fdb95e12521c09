"""Why a power question has no answer.

AnalysisError
└── PowerError
    ├── ImpossibleRequest   an input outside its domain; `parameter` names the one that binds
    ├── SectionError        a `sample_size` section that cannot be read; `path` names the place
    ├── NoSolution          the search ended without a number that survives substitution
    └── PostHocRefused      power from an observed effect
"""

from __future__ import annotations

from analysis.errors import AnalysisError

__all__ = ["ImpossibleRequest", "NoSolution", "PostHocRefused", "PowerError", "SectionError"]


class PowerError(AnalysisError):
    """A power or planning question that cannot be answered as asked."""


class ImpossibleRequest(PowerError):
    """An input outside its domain. `parameter` names the binding one, as the caller spelled it."""

    def __init__(self, parameter: str, sentence: str, *, remedy: str = ""):
        super().__init__(f"{parameter}: {sentence}", path=(parameter,), remedy=remedy)
        self.parameter = parameter


class NoSolution(PowerError):
    """No number within the search gives the requested power. `parameter` names what was searched for."""

    def __init__(self, parameter: str, sentence: str, *, remedy: str = ""):
        super().__init__(f"{parameter}: {sentence}", path=(parameter,), remedy=remedy)
        self.parameter = parameter


class PostHocRefused(PowerError):
    """Power computed from the effect that a study observed says nothing that its p-value did not."""


class SectionError(PowerError):
    """A `sample_size` section that cannot be read; `path` names the place in it."""
