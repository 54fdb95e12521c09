"""The words of figures, pages and reports live in one catalogue per language, so that no module writes prose itself.

A catalogue is `texts.<language>.json` with `design.<language>.json`, the words of design documents: flat mappings from
a key ("forest.title") to a sentence with named places ("{count} people"). Numbers enter a sentence only after
`dashboards.format` wrote them in that language.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Literal, get_args

from dashboards.errors import TextError

Language = Literal["nl", "en"]
PARTS = ("texts", "design")
LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def catalogue(language: Language) -> dict[str, str]:
    """All texts of one language. Raises `TextError` for a language without catalogue."""
    if language not in LANGUAGES:
        raise TextError(f"there are no texts in '{language}'", remedy=f"Choose one of {', '.join(LANGUAGES)}.")
    home = resources.files("dashboards")
    texts: dict[str, str] = {}
    for part in PARTS:
        texts |= json.loads(home.joinpath(f"{part}.{language}.json").read_text(encoding="utf-8"))
    return texts


def text(key: str, language: Language, **places: object) -> str:
    """The sentence behind `key`, its places filled. Raises `TextError` for an unknown key or a place left open.

    >>> text("common.people", "en", count="1,200")
    '1,200 people'
    >>> text("common.people", "nl", count="1.200")
    '1.200 mensen'
    """
    texts = catalogue(language)
    if key not in texts:
        raise TextError(f"the catalogue '{language}' has no text '{key}'", remedy=f"Add it to texts.{language}.json.")
    try:
        return texts[key].format(**places)
    except KeyError as missing:
        raise TextError(f"the text '{key}' needs a value for {missing}", remedy="Pass it by name.") from missing
