"""Changing an instrument one question at a time: every change gives a new instrument, and the old one stays as it was.

A draft may be wrong for a while (a condition that names a question which is still to come): what is wrong is told by
``look``, as the workbook that would be written from it is judged on reading, and what cannot be at all is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from surveys.catalogue import LANGUAGES, message
from surveys.definition import CHOOSING, Choice, Instrument, Question, Section
from surveys.errors import EditError, Finding
from surveys.layout import LONGEST_NAME, MOST_DEPTH, MOST_QUESTIONS, NAME
from surveys.xlsform import check_xlsform
from surveys.xlsform_export import OTHER, rows_of, write_xlsform

__all__ = [
    "INSIDE", "add", "add_language", "before", "behind", "change", "follows_from_other", "look", "next_version",
    "parts", "put", "remove", "set_choices", "shared_by",
]  # fmt: skip

Item = Question | Section
INSIDE = "in:"
"""Before the name of a group: the place at its beginning, and not behind it."""
CHOICE_NAME = re.compile(r"[^\s,;]{1,64}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
MOST_LANGUAGES = 12


def change(instrument: Instrument, item: Item) -> Instrument:
    """The instrument with this question or section in the place of the one of the same name.

    Raises EditError when there is none.

    >>> form = Instrument("f", (Question("age", "integer"), Question("job", "text")))
    >>> change(form, Question("job", "text", {"nl": "Uw werk?"})).question("job").label["nl"]
    'Uw werk?'
    """
    _item(instrument, item.name)
    return _with(instrument, _mapped(instrument.children, lambda found: (item if found.name == item.name else found,)))


def add(instrument: Instrument, item: Item, *, after: str = "") -> Instrument:
    """The instrument with one more question or section: behind ``after``, at the beginning of a group (``in:group``),
    or first of all (empty). Raises EditError for a name that is taken or impossible, or a place that is not there.

    >>> form = Instrument("f", (Question("age", "integer"),))
    >>> [q.name for q in add(form, Question("job", "text"), after="age").questions]
    ['age', 'job']
    """
    if not NAME.fullmatch(item.name) or len(item.name) > LONGEST_NAME:
        raise EditError("name_impossible", "name", name=item.name)
    if item.name in instrument.places:
        raise EditError("name_taken", "name", name=item.name)
    if len(instrument.places) >= MOST_QUESTIONS:
        raise EditError("too_many", "name", most=MOST_QUESTIONS)
    lists = dict(instrument.lists)
    if isinstance(item, Question) and item.kind in CHOOSING:
        lists.setdefault(item.choices, ())
    return _bounded(replace(instrument, children=_placed(instrument, instrument.children, item, after), lists=lists))


def remove(instrument: Instrument, name: str) -> Instrument:
    """The instrument without this question, and without its list when nobody else uses it; a section must be empty.

    >>> form = Instrument("f", (Question("age", "integer"), Question("job", "text")))
    >>> [q.name for q in remove(form, "age").questions]
    ['job']
    """
    item = _item(instrument, name)
    if isinstance(item, Section) and item.children:
        raise EditError("section_not_empty", "name", name=name)
    lists = dict(instrument.lists)
    if isinstance(item, Question) and item.choices and not shared_by(instrument, item):
        lists.pop(item.choices, None)
    children = _mapped(instrument.children, lambda found: () if found.name == name else (found,))
    return replace(instrument, children=children, lists=lists)


def put(instrument: Instrument, name: str, after: str) -> Instrument:
    """The instrument with this question or section moved, the places being those of ``add``. A section takes what
    it holds along; it cannot move into itself.

    >>> form = Instrument("f", (Question("age", "integer"), Question("job", "text")))
    >>> [q.name for q in put(form, "job", "").questions]
    ['job', 'age']
    """
    item = _item(instrument, name)
    target = after.removeprefix(INSIDE)
    around = instrument.places[target].parents if target in instrument.places else ()
    if target == name or item in around:
        raise EditError("place_unknown", "after", name=target)
    without = _mapped(instrument.children, lambda found: () if found.name == name else (found,))
    return _bounded(_with(instrument, _placed(instrument, without, item, after)))


def set_choices(instrument: Instrument, list_: str, choices: Sequence[Choice]) -> Instrument:
    """The instrument with these choices in a list. Raises EditError for a name that is empty, impossible or there
    twice.

    >>> form = Instrument("f", (Question("q", "select_one", choices="yn"),), lists={"yn": (Choice("yes"),)})
    >>> [c.name for c in set_choices(form, "yn", [Choice("no"), Choice("yes")]).lists["yn"]]
    ['no', 'yes']
    """
    list_ = list_.removesuffix(OTHER)
    if list_ not in instrument.lists:
        raise EditError("list_unknown", "choices", name=list_)
    seen: set[str] = set()
    for choice in choices:
        if not CHOICE_NAME.fullmatch(choice.name):
            raise EditError("choice_impossible", "choices", name=choice.name)
        if choice.name in seen:
            raise EditError("choice_twice", "choices", name=choice.name)
        seen.add(choice.name)
    lists = {**instrument.lists, list_: tuple(choices)}
    if list_ + OTHER in lists:
        lists[list_ + OTHER] = (*choices, lists[list_ + OTHER][-1])
    return replace(instrument, lists=lists)


def add_language(instrument: Instrument, language: str) -> Instrument:
    """The instrument with one more language, in which nothing is said yet: ``look`` names every text that is missing.

    What comes by itself ("other, namely") is there at once in a language that the catalogue knows. Raises EditError
    for a code that is no language or that the form has already.

    >>> form = Instrument("f", (Question("age", "integer", {"nl": "Hoe oud?"}),))
    >>> [finding.message for _name, finding in look(add_language(form, "tr"))]
    ["'age' has no label in 'tr'"]
    """
    if not LANGUAGE.fullmatch(language):
        raise EditError("language_impossible", "language", name=language)
    if language in instrument.languages:
        raise EditError("language_there", "language", name=language)
    if len(instrument.languages) >= MOST_LANGUAGES:
        raise EditError("too_many_languages", "language", most=MOST_LANGUAGES)
    languages = (*instrument.languages, language)
    spoken = tuple(code for code in languages if code in LANGUAGES) or ("en",)

    def told(item: Item) -> tuple[Item, ...]:
        if isinstance(item, Question) and follows_from_other(instrument, item.name):
            return (replace(item, label={code: message("other_specify", code) for code in spoken}),)
        return (item,)

    other = Choice("other", {code: message("other", code) for code in spoken})
    lists = {
        name: (*choices[:-1], other) if name.endswith(OTHER) else choices for name, choices in instrument.lists.items()
    }
    children = _mapped(instrument.children, told)
    return replace(instrument, languages=languages, lists=lists, children=children)


def follows_from_other(instrument: Instrument, name: str) -> bool:
    """Whether this is the text question that comes by itself with "other, namely": a workbook does not hold it."""
    return any(q.choices.endswith(OTHER) and f"{q.name}_other" == name for q in instrument.questions)


def before(instrument: Instrument, name: str) -> str | None:
    """The place one up, as ``add`` names places; None when it stands first of all.

    >>> form = Instrument("f", (Question("age", "integer"), Section("work", (Question("job", "text"),))))
    >>> before(form, "work"), before(form, "job"), before(form, "age")
    ('', 'age', None)
    """
    siblings, section = _around(instrument, name)
    index = siblings.index(name)
    if index == 0:
        return _before_section(instrument, section) if section else None
    return siblings[index - 2] if index > 1 else INSIDE + section if section else ""


def behind(instrument: Instrument, name: str) -> str | None:
    """The place one down, as ``add`` names places; None when it stands last of all.

    >>> form = Instrument("f", (Section("work", (Question("job", "text"),)), Question("age", "integer")))
    >>> behind(form, "work"), behind(form, "job"), behind(form, "age")
    ('age', 'work', None)
    """
    siblings, section = _around(instrument, name)
    index = siblings.index(name)
    if index + 1 < len(siblings):
        return siblings[index + 1]
    return section or None


def _before_section(instrument: Instrument, section: str) -> str:
    siblings, around = _around(instrument, section)
    index = siblings.index(section)
    return siblings[index - 1] if index else INSIDE + around if around else ""


def _around(instrument: Instrument, name: str) -> tuple[list[str], str]:
    """The names of what stands beside it, itself included, and the section they stand in (empty: none)."""
    _item(instrument, name)
    parents = instrument.places[name].parents
    children = parents[-1].children if parents else instrument.children
    return [child.name for child in children], parents[-1].name if parents else ""


def shared_by(instrument: Instrument, question: Question) -> tuple[str, ...]:
    """The names of the other questions with the same list of choices."""
    others = (q for q in instrument.questions if q.choices == question.choices and q.name != question.name)
    return tuple(other.name for other in others) if question.choices else ()


def next_version(version: str) -> str:
    """The version of a copy: a number at the end goes up by one.

    >>> next_version("1"), next_version("2026-9"), next_version("pilot"), next_version("")
    ('2', '2026-10', 'pilot-2', '2')
    """
    match = re.search(r"[0-9]{1,9}$", version)
    if match is None:
        return f"{version}-2" if version else "2"
    return version[: match.start()] + str(int(match[0]) + 1)


def parts(instrument: Instrument, name: str) -> tuple[object, ...]:
    """What a change of one question can touch: the question itself (a section without what it holds) and its choices;
    for an empty name what the form as a whole is called.

    Two people who touch different parts do not stand in each other's way.
    """
    if not name:
        return instrument.title, instrument.version
    place = instrument.places.get(name)
    if place is None:
        return None, ()
    item = place.item
    if isinstance(item, Section):
        return replace(item, children=()), ()
    return item, instrument.lists.get(item.choices, ())


def look(instrument: Instrument) -> tuple[tuple[str, Finding], ...]:
    """What is wrong with a draft, each finding with the name of its question (empty for the form as a whole).

    The draft is written as a workbook and read again, so that nothing passes here that an import would refuse; rows and
    columns are those of that workbook.

    >>> form = Instrument("f", (Question("a", "text", {"nl": "A"}, relevant="${b} = 1"),))
    >>> [(name, finding.message) for name, finding in look(form)]
    [('a', "there is no question 'b'")]
    """
    written = write_xlsform(instrument)
    read, findings = check_xlsform(written.content, tables=written.tables)
    names = dict(enumerate((row["name"] for row in rows_of(instrument)), start=2))
    users = _users(instrument)
    found = [(_whose(finding, names, users), finding) for finding in findings]
    if read is not None:
        return tuple(found)
    # A list without choices has no rows to be found in: the workbook would say that it does not exist.
    empty = dict(_without_choices(instrument))
    return (*empty.items(), *(one for one in found if one[0] not in empty or one[1].column != "type"))


def _whose(finding: Finding, names: dict[int, str], users: dict[int, str]) -> str:
    if finding.row is None:
        return ""
    return (names if finding.sheet.lower() == "survey" else users).get(finding.row, "")


def _users(instrument: Instrument) -> dict[int, str]:
    """The row of every choice in the sheet of choices, with the first question that offers it."""
    first: dict[str, str] = {}
    for question in instrument.questions:
        first.setdefault(question.choices.removesuffix(OTHER), question.name)
    listed = [name for name, choices in instrument.lists.items() if name in _own(instrument) for _choice in choices]
    return {row: first.get(name, "") for row, name in enumerate(listed, start=2)}


def _own(instrument: Instrument) -> set[str]:
    """The lists that stand in the sheet of choices."""
    return {name for name in instrument.lists if not name.endswith(OTHER) and name not in instrument.tables}


def _without_choices(instrument: Instrument) -> Iterator[tuple[str, Finding]]:
    for question in instrument.questions:
        if question.choices and not instrument.lists[question.choices]:
            message = f"'{question.name}' has no choices yet"
            yield question.name, Finding("survey", None, "type", message, "add at least one choice")


def _item(instrument: Instrument, name: str) -> Item:
    if name not in instrument.places:
        raise EditError("item_unknown", "name", name=name)
    return instrument.places[name].item


def _with(instrument: Instrument, children: tuple[Item, ...]) -> Instrument:
    return replace(instrument, children=children)


def _bounded(instrument: Instrument) -> Instrument:
    deep = max((len(p.parents) + isinstance(p.item, Section) for p in instrument.places.values()), default=0)
    if deep > MOST_DEPTH:
        raise EditError("too_deep", "after", most=MOST_DEPTH)
    return instrument


def _placed(instrument: Instrument, children: tuple[Item, ...], item: Item, after: str) -> tuple[Item, ...]:
    if not after:
        return (item, *children)
    inside, name = after.startswith(INSIDE), after.removeprefix(INSIDE)
    place = instrument.places.get(name)
    if place is None or (inside and not isinstance(place.item, Section)):
        raise EditError("place_unknown", "after", name=name)

    def at(found: Item) -> tuple[Item, ...]:
        if found.name != name:
            return (found,)
        if inside and isinstance(found, Section):
            return (replace(found, children=(item, *found.children)),)
        return (found, item)

    return _mapped(children, at)


def _mapped(children: tuple[Item, ...], each: Callable[[Item], tuple[Item, ...]]) -> tuple[Item, ...]:
    """Every question and section through ``each``, from the inside out."""
    found: list[Item] = []
    for child in children:
        if isinstance(child, Section):
            child = replace(child, children=_mapped(child.children, each))
        found += each(child)
    return tuple(found)
