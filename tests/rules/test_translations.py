"""Everything people read exists in every language, with the same blanks to fill in."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from pilot.translations import gather
from pilot.web.auth import of_the_library
from pilot.web.language import LANGUAGES, of_the_pages

CATALOGUES = sorted({*gather.FOLDER.glob("*/LC_MESSAGES/*.po"), *gather.FOLDER.glob("*/library.po")})
BLANK = re.compile(r"%\((\w+)\)[sd]")


def messages(path):
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


def forms(text: object) -> list[str]:
    return [str(one) for one in text] if isinstance(text, list | tuple) else [str(text)]


def test_every_text_of_the_pages_is_translated():
    assert gather.missing() == [], "run `python -m pilot.translations <persona>` and fill in what is empty"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_translation_fills_in_the_same_blanks_and_keeps_its_spaces(path):
    wrong = [
        message.id
        for message in messages(path)
        for said in forms(message.string)
        if set(BLANK.findall(said)) - set(BLANK.findall(" ".join(forms(message.id)))) or said != said.strip()
    ]
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_no_blank_is_lost(path):
    lost = [m.id for m in messages(path) if not isinstance(m.id, tuple) and m.string
            and set(BLANK.findall(str(m.id))) != set(BLANK.findall(str(m.string)))]  # fmt: skip
    assert [text for text in lost if text not in MAY_SAY_LESS] == []


# Sign-in says the same about a wrong address and a wrong password, so one blank stays empty on purpose.
MAY_SAY_LESS = {"Identity %(id)s not registered"}


def test_nothing_is_translated_in_two_catalogues_in_different_words():
    said: dict[object, set[object]] = {}
    for path in of_the_pages(gather.LANGUAGE):
        for message in messages(path):
            said.setdefault(message.id, set()).add(message.string)
    assert {text for text, strings in said.items() if len(strings) > 1} == set()


def test_the_languages_of_the_pages_are_those_with_catalogues():
    assert set(LANGUAGES) == {gather.LANGUAGE, "en"}
    assert len(of_the_library(gather.LANGUAGE)) == 2
    assert of_the_pages("en") == []
