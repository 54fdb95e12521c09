"""Messages for participants by code and language: the only texts for people in the package.

``nl.json`` and ``en.json`` hold the same codes; ``{name}`` is filled in. Another language is another file.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["LANGUAGES", "codes", "message"]

LANGUAGES = ("nl", "en")


@cache
def _texts(language: str) -> dict[str, str]:
    return json.loads(files("surveys.catalogue").joinpath(f"{language}.json").read_text(encoding="utf-8"))


def codes() -> tuple[str, ...]:
    """Every code, in order."""
    return tuple(sorted(_texts("en")))


def message(code: str, language: str = "nl", /, **values: Any) -> str:
    """The message in a language; in English when the language has no catalogue. Raises KeyError for an unknown code.

    >>> message("required", "nl")
    'Geef een antwoord op deze vraag.'
    """
    return _texts(language if language in LANGUAGES else "en")[code].format(**values)
