"""The words of figures, pages and reports live in one catalogue per language, so that no module writes prose itself.

A catalogue is `texts.<language>.json` with `design.<language>.json`, the words of design documents: flat mappings from
a key ("forest.title") to a sentence with named places ("{count} people"). Numbers enter a sentence only after
`dashboards.format` wrote them in that language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal, get_args

from dashboards.errors import TextError

Language = Literal["nl", "en"]
PARTS = ("texts", "design")
ENDINGS = (", with covariates", ", on pseudo-values of the restricted mean time")
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


def in_language(words: str | Mapping[str, str], language: Language) -> str:
    """Words that a plan gives once, or once a language; another language rather than none.

    >>> in_language("came once", "nl"), in_language({"nl": "kwam een keer", "en": "came once"}, "nl")
    ('came once', 'kwam een keer')
    """
    return words if isinstance(words, str) else words.get(language) or next(iter(words.values()), "")


def of_the_library(phrase: str, language: Language) -> str:
    """A phrase of `analysis` (an estimator, what an analysis may be called) in the reader's language; what stands
    behind its first colon is the plan's own and stays as it is.

    >>> of_the_library("difference in means", "nl")
    'verschil in gemiddelden'
    """
    known = _library(language)
    if phrase in known:
        return known[phrase]
    for ending in ENDINGS:
        if phrase.endswith(ending) and ending in known:
            return of_the_library(phrase.removesuffix(ending), language) + known[ending]
    head, colon, rest = phrase.partition(": ")
    return f"{known[head]}: {rest}" if colon and head in known else phrase


@cache
def _library(language: Language) -> dict[str, str]:
    if language == "en":
        return {}
    return json.loads(resources.files("dashboards").joinpath(f"library.{language}.json").read_text(encoding="utf-8"))


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
