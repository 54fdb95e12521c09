"""What can go wrong in an analysis, drawn as one small tree.

    AnalysisError                 everything this package raises on purpose; a ValueError
    ├── DataError                 the table that was handed in: columns, values, types
    │   ├── UnknownColumn         a name that the table does not have
    │   └── MissingValues         values that are absent or infinite where none may be
    ├── DesignNotEstimable        the design leaves no estimate or no standard error
    │   ├── RankDeficient         columns that are combinations of one another, by name
    │   ├── TooFewClusters        fewer clusters than the standard error needs
    │   ├── PerfectFit            an outcome that the other columns determine wholly
    │   └── ConstantOutcome       an outcome without any variation
    ├── NotConverged              an iterative fit that did not arrive
    ├── FormulaError              a formula that cannot be read
    ├── UnknownCoefficient        a coefficient that the regression does not have
    ├── OptionError               an option that does not exist or does not fit the others
    ├── PlanError                 a pre-analysis plan that cannot be read or obeyed
    └── NotInstalled              an optional library that the method needs

A statistic that cannot be computed raises one of these. Nothing in this package returns NaN or an invented zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class AnalysisError(ValueError):
    """A sentence in the researcher's words, the remedy, and where in a plan or table it happened.

    >>> error = AnalysisError("there is no arm 'advise'", remedy="write 'advice'", path=("contrasts", 0))
    >>> str(error)
    "there is no arm 'advise'; write 'advice'"
    >>> error.path
    ('contrasts', 0)
    """

    def __init__(self, message: str, *, remedy: str = "", path: Iterable[str | int] = ()) -> None:
        super().__init__(f"{message}; {remedy}" if remedy else message)
        self.message = message
        self.remedy = remedy
        self.path: tuple[str | int, ...] = tuple(path)


class DataError(AnalysisError):
    """The table that was handed in cannot be used as it is."""


class UnknownColumn(DataError):
    """The table has no column of this name."""

    def __init__(self, name: object, known: Iterable[object], *, path: Iterable[str | int] = ()) -> None:
        super().__init__(f"the data have no column '{name}'", remedy=nearest(name, known, "column"), path=path)


class MissingValues(DataError):
    """Values are absent or infinite where the method cannot do without them."""


class DesignNotEstimable(AnalysisError):
    """The design and the data together leave no estimate, or no standard error for it."""


class RankDeficient(DesignNotEstimable):
    """Some columns are combinations of the others; `columns` names them."""

    def __init__(self, columns: Iterable[str], *, because: str = "") -> None:
        self.columns = tuple(columns)
        named = ", ".join(f"'{column}'" for column in self.columns)
        verb = "is a combination" if len(self.columns) == 1 else "are combinations"
        super().__init__(
            f"{named} {verb} of the other columns{because}",
            remedy="leave out the columns that repeat what the others say",
        )


class TooFewClusters(DesignNotEstimable):
    """There are fewer clusters than the standard error needs."""


class ConstantOutcome(DesignNotEstimable):
    """The outcome takes one value only, so it carries no information on any effect."""


class PerfectFit(DesignNotEstimable):
    """The other columns determine the outcome wholly: nothing is left from which a standard error could follow."""


class NotConverged(AnalysisError):
    """An iterative fit did not arrive at a solution."""


class FormulaError(AnalysisError):
    """A formula cannot be read."""


class UnknownCoefficient(AnalysisError, KeyError):
    """The regression has no coefficient of this name."""

    def __str__(self) -> str:
        return str(self.args[0])


class OptionError(AnalysisError):
    """An option does not exist, or does not fit the others."""


class PlanError(AnalysisError):
    """A pre-analysis plan cannot be read or obeyed; `path` leads to the place in it."""


class NotInstalled(AnalysisError):
    """The method needs an optional library that is absent."""


def nearest(name: object, known: Iterable[object], kind: str) -> str:
    """A remedy that names the nearest known name, or else all of them when they are few.

    >>> nearest("scor", ["score", "arm"], "column")
    "did you mean 'score'?"
    >>> nearest("zzz", ["score", "arm"], "column")
    "use a column that exists: 'score', 'arm'"
    """
    names = [str(item) for item in known]
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    shown = ", ".join(f"'{item}'" for item in names[:12])
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"use a {kind} that exists: {shown}{more}" if names else f"there is no {kind} at all"
