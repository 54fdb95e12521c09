"""Before a look that the protocol permits, nobody sees outcomes by arm: a figure is handed the look and obeys it.

The look is a value, not a switch somewhere: a figure that could show outcomes by arm has no default for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dashboards.errors import FigureError
from dashboards.format import Formatter
from dashboards.texts import Language, text


@dataclass(frozen=True, slots=True)
class Look:
    """Whether outcomes by arm may be seen, and why.

    Attributes:
        is_open: True from the moment a statistician opened a look that the protocol permits.
        name: how the protocol calls the look that is open ("final"), empty when masked.
        opened_on: the day it was opened; None when masked.
        next_on: the day of the next permitted look, if it is known.

    >>> Look.masked(next_on=date(2027, 3, 1)).notice("nl")[:81]
    'Resultaten per groep blijven verborgen tot de volgende toegestane meting, op 1 ma'
    """

    is_open: bool
    name: str = ""
    opened_on: date | None = None
    next_on: date | None = None

    def __post_init__(self) -> None:
        if self.is_open and not (self.name and self.opened_on):
            raise FigureError("an open look has a name and a day", remedy="Use Look.opened(name, on).")
        if not self.is_open and (self.name or self.opened_on):
            raise FigureError("a masked look has not been opened", remedy="Use Look.masked().")

    @classmethod
    def masked(cls, next_on: date | None = None) -> Look:
        """No outcomes by arm."""
        return cls(is_open=False, next_on=next_on)

    @classmethod
    def opened(cls, name: str, on: date) -> Look:
        """Outcomes by arm, because the look called `name` was opened on that day."""
        return cls(is_open=True, name=name, opened_on=on)

    def notice(self, language: Language) -> str:
        """One sentence for the page on what may be seen."""
        form = Formatter(language)
        if self.is_open and self.opened_on is not None:
            return text("look.open", language, name=self.name, day=form.date(self.opened_on))
        if self.next_on is not None:
            return text("look.masked_until", language, day=form.date(self.next_on))
        return text("look.masked", language)
