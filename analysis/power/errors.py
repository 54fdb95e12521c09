"""Why a power question has no answer.

AnalysisError
└── PowerError
    ├── ImpossibleRequest   an input outside its domain; `parameter` names the one that binds
    ├── SectionError        a `sample_size` section that cannot be read; `path` names the place
    ├── NoSolution          the search ended without a number that survives substitution
    └── PostHocRefused      power from an observed effect
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from analysis.errors import AnalysisError

__all__ = ["ImpossibleRequest", "NoSolution", "PostHocRefused", "PowerError", "SectionError", "in_words_of"]


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


@contextmanager
def in_words_of(names: Mapping[str, str]) -> Iterator[None]:
    """Name the binding parameter as the caller of a question knows it, whose arithmetic another question does."""
    try:
        yield
    except (ImpossibleRequest, NoSolution) as error:
        if error.parameter not in names:
            raise
        sentence = str(error).removeprefix(f"{error.parameter}: ").removesuffix(f"; {error.remedy}")
        raise type(error)(names[error.parameter], sentence, remedy=error.remedy) from None


class PostHocRefused(PowerError):
    """Power computed from the effect that a study observed says nothing that its p-value did not."""


class SectionError(PowerError):
    """A `sample_size` section that cannot be read; `path` names the place in it."""
