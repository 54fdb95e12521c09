"""The exceptions of the package, drawn in one place.

SurveyError (ValueError)
├── InstrumentError        an instrument cannot be read; carries every finding, with sheet, row and column
├── ExpressionError        an expression cannot be parsed or evaluated; carries its text and the offset
├── ScoringError           answers cannot be scored
│   └── ScoringUnknown     no published scoring rule is known, so none is invented
├── EditError              a change of an instrument that cannot be; carries a code and the field that it is about
├── WaveError              the follow-up section of a protocol is wrong; carries the path of keys
└── InputError             what a person typed cannot be understood; carries a code of the message catalogue
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "EditError",
    "ExpressionError",
    "Finding",
    "InputError",
    "InstrumentError",
    "ScoringError",
    "ScoringUnknown",
    "SurveyError",
    "WaveError",
]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in a workbook or data dictionary, with the place and the remedy.

    >>> str(Finding("survey", 4, "relevant", "the question 'agee' does not exist", "write ${age}"))
    "survey, row 4, column relevant: the question 'agee' does not exist (write ${age})"
    """

    sheet: str
    row: int | None
    column: str | None
    message: str
    remedy: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = self.sheet
        if self.row is not None:
            place += f", row {self.row}"
        if self.column:
            place += f", column {self.column}"
        return f"{place}: {self.message}" + (f" ({self.remedy})" if self.remedy else "")


class SurveyError(ValueError):
    """Something about a questionnaire is wrong; every other exception of the package derives from this one."""


class InstrumentError(SurveyError):
    """An instrument cannot be read; ``findings`` names every place that must be mended."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class ExpressionError(SurveyError):
    """An expression cannot be parsed or evaluated; ``offset`` counts characters from 0 within ``source``."""

    def __init__(self, message: str, source: str = "", offset: int = 0, remedy: str = "") -> None:
        self.message, self.source, self.offset, self.remedy = message, source, offset, remedy
        super().__init__(f"{message} (at character {offset + 1} of: {source})" if source else message)


class ScoringError(SurveyError):
    """Answers cannot be scored, for instance because an answer lies outside the response scale."""


class ScoringUnknown(ScoringError):
    """No published rule is known for this scale, item set or amount of missing answers; nothing is invented."""


class EditError(SurveyError):
    """A change of an instrument that cannot be; ``code`` says what, ``field`` where, ``values`` with which words."""

    def __init__(self, code: str, field: str = "", **values: Any) -> None:
        self.code, self.field = code, field
        self.values: Mapping[str, Any] = values
        super().__init__(f"{code} ({', '.join(f'{key}: {value}' for key, value in values.items())})")


class WaveError(SurveyError):
    """A wave in the protocol is wrong; ``path`` is the tuple of keys that leads to it."""

    def __init__(self, message: str, path: tuple[str | int, ...] = (), remedy: str = "") -> None:
        self.message, self.path, self.remedy = message, path, remedy
        super().__init__(message + (f" ({remedy})" if remedy else ""))


class InputError(SurveyError):
    """What a person typed cannot be understood; ``code`` is a key of the message catalogue."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values: Mapping[str, Any] = values
        super().__init__(code)
