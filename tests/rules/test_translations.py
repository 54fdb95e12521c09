"""Everything people read exists in every language, with the same blanks to fill in."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from pilot.translations import gather, unreviewed
from pilot.web.auth import of_the_library
from pilot.web.language import INTERFACE, LANGUAGES, of_the_pages
from surveys import catalogue

CATALOGUES = sorted({*gather.FOLDER.glob("*/LC_MESSAGES/*.po"), *gather.FOLDER.glob("*/library.po")})
BLANK = re.compile(r"%\((\w+)\)[sd]")


def messages(path):
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


def forms(text: object) -> list[str]:
    return [str(one) for one in text] if isinstance(text, list | tuple) else [str(text)]


def test_every_text_of_the_pages_is_translated():
    assert gather.missing() == [], "run `python -m pilot.translations <persona>` and fill in what is empty"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_translation_fills_in_the_same_blanks_and_keeps_its_spaces(path):
    wrong = [
        message.id
        for message in messages(path)
        for said in forms(message.string)
        if set(BLANK.findall(said)) - set(BLANK.findall(" ".join(forms(message.id)))) or said != said.strip()
    ]
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
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
    assert (
        set(INTERFACE)
        == set(gather.INTERFACE)
        == {path.name for path in gather.FOLDER.iterdir() if len(path.name) == 2} - {gather.LANGUAGE}
    )
    assert len(of_the_library(gather.LANGUAGE)) == 2
    assert of_the_pages("en") == []


@pytest.mark.parametrize("language", gather.INTERFACE)
def test_a_language_of_the_interface_has_every_form_of_a_number(language: str):
    counts = {len(m.string) for path in of_the_pages(language) for m in messages(path) if isinstance(m.id, tuple)}
    assert counts == {int(gather.PLURALS[language][len("nplurals=")])}


@pytest.mark.parametrize("language", gather.INTERFACE)
def test_a_language_that_no_translator_saw_says_so_in_its_catalogue_and_in_a_check(language: str):
    assert unreviewed(language)
    assert not unreviewed(gather.LANGUAGE)


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_what_a_refused_answer_is_told_exists_in_every_language_with_the_same_gaps(language: str):
    gaps = {code: set(re.findall(r"\{(\w+)\}", catalogue.text(code, language))) for code in catalogue.codes()}
    assert gaps == {code: set(re.findall(r"\{(\w+)\}", catalogue.text(code, "en"))) for code in catalogue.codes()}
