"""Texts: every page needs words, in every language of the form."""

from __future__ import annotations

from collections.abc import Iterator

from surveys.checks.places import Cell, Place
from surveys.definition import Question
from surveys.errors import Finding

__all__ = ["check"]

COLUMNS = (
    ("label", "label"), ("hint", "hint"), ("guidance", "guidance_hint"), ("required_message", "required_message"),
    ("constraint_message", "constraint_message"),
)  # fmt: skip


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:  # noqa: ARG001 - one signature for all checks
    languages = place.instrument.languages
    for found in place.instrument.places.values():
        item = found.item
        if isinstance(item, Question) and not item.silent and not item.label and not item.media:
            yield place.finding(item, "label", f"'{item.name}' has no text", "fill in the label")
        for attribute, column in COLUMNS:
            texts = getattr(item, attribute, {})
            for language in languages if texts else ():
                if not texts.get(language):
                    message = f"'{item.name}' has no {column} in '{language}'"
                    yield place.finding(item, column, message, "add the translation", "warning", language)
    yield from _choices(place)


def _choices(place: Place) -> Iterator[Finding]:
    for list_, choices in place.instrument.lists.items():
        # "Other" comes by itself; what stands before it is looked at in the list of its own.
        for choice in choices[-1:] if list_.endswith(" or_other") else choices:
            for language in place.instrument.languages:
                if not choice.label.get(language) and not choice.media:
                    message = f"the choice '{choice.name}' of '{list_}' has no label in '{language}'"
                    yield place.choice_finding(list_, choice.name, language, message, "add the translation")
