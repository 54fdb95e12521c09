"""Messages for participants by code and language: the only texts for people in the package.

``nl.json`` and ``en.json`` hold the same codes; ``{name}`` is filled in. Another language is another file. A translator
has not yet looked at Arabic, Turkish, Polish and Ukrainian.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["LANGUAGES", "codes", "message", "text"]

LANGUAGES = ("nl", "en", "ar", "tr", "pl", "uk")


@cache
def _texts(language: str) -> dict[str, str]:
    return json.loads(files("surveys.catalogue").joinpath(f"{language}.json").read_text(encoding="utf-8"))


def codes() -> tuple[str, ...]:
    """Every code, in order."""
    return tuple(sorted(_texts("en")))


def text(code: str, language: str) -> str:
    """The message as it stands in the catalogue of a language, with its gaps. Raises KeyError for an unknown code.

    >>> text("number_out_of_range", "en")
    'Enter a number from {low} to {high}.'
    """
    return _texts(language if language in LANGUAGES else "en")[code]


def message(code: str, language: str = "nl", /, **values: Any) -> str:
    """The message in a language; in English when the language has no catalogue. Raises KeyError for an unknown code.

    >>> message("required", "nl")
    'Geef een antwoord op deze vraag.'
    """
    return text(code, language).format(**values)
