"""The exceptions of `dashboards`, drawn as one small tree so that a caller can catch what it can mend.

DashboardError(ValueError)
├── FigureError        a figure was asked of values that cannot be drawn honestly
├── TextError          a text, language or number cannot be put into words
├── DisclosureError    a publication would show, or let somebody derive, what the rules protect
└── ReportError        results are incomplete, or a report cannot be written
"""


class DashboardError(ValueError):
    """Something cannot be shown. `path` is where the fault lies (keys of the input), `remedy` what to do about it.

    >>> str(DashboardError("no arms were given", remedy="Give at least two arms."))
    'no arms were given. Give at least two arms.'
    """

    def __init__(self, message: str, *, path: tuple[str | int, ...] = (), remedy: str = "") -> None:
        self.message = message
        self.path = path
        self.remedy = remedy
        place = ".".join(str(key) for key in path)
        head = f"{place}: {message}" if place else message
        super().__init__(f"{head.rstrip('.')}. {remedy}" if remedy else head)


class FigureError(DashboardError):
    """A figure was asked of values that cannot be drawn honestly."""


class TextError(DashboardError):
    """A text, language or number cannot be put into words."""


class DisclosureError(DashboardError):
    """A publication would show, or let somebody derive, what the rules protect."""


class ReportError(DashboardError):
    """Results are incomplete, or a report cannot be written."""
