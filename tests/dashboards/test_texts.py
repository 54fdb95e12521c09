"""Both catalogues say the same things, every text is used, and every text that is asked for exists."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import dashboards
from dashboards.errors import TextError
from dashboards.texts import LANGUAGES, catalogue, text

SOURCES = "\n".join(
    path.read_text() for path in Path(dashboards.__file__).parent.rglob("*") if path.suffix in {".py", ".html"}
)


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_every_text_exists_in_every_language_with_the_same_places():
    first, *others = (catalogue(language) for language in LANGUAGES)
    for other in others:
        assert first.keys() == other.keys()
        assert {key: places(first[key]) for key in first} == {key: places(other[key]) for key in other}


def test_every_text_that_the_code_names_exists():
    named = set(re.findall(r"""text\(\s*["']([a-z_]+(?:\.[a-z_0-9]+)+)["']""", SOURCES))
    assert len(named) > 60
    assert named - catalogue("en").keys() == set()


def test_no_text_is_left_over():
    built = {  # families whose last part is put in by the code
        "reach", "flow", "srm", "result", "report", "consort", "page", "sentence", "reading", "effect", "power",
        "recruitment", "forest", "subgroups", "rehearsal", "design",
    }  # fmt: skip
    left = {key for key in catalogue("en") if key not in SOURCES and key.split(".")[0] not in built}
    assert left == set()


def test_no_text_promises_that_there_is_no_effect():
    for language, claim in (("en", r"\bno (effect|difference)\b"), ("nl", r"\bgeen (effect|verschil)\b")):
        excused = {"forest.alt", "forest.note", "sentence.note", "result.no_complier"}  # these deny or explain it
        assert [k for k, v in catalogue(language).items() if re.search(claim, v) and k not in excused] == []


@pytest.mark.parametrize("language", ["fr", "", "NL"])
def test_an_unknown_language_is_refused_with_those_that_exist(language):
    with pytest.raises(TextError, match="Choose one of nl, en"):
        text("common.n", language)


def test_a_text_asked_for_without_its_value_is_refused():
    with pytest.raises(TextError, match="needs a value for 'count'"):
        text("common.people", "en")
