"""Giving a question or group another name, and copying one: whatever refers to it by name follows.

A reference stands in an expression (``${age}``, ``../age``, ``/data/work/age``) or in a text (``${age}``). What cannot
be read cannot be changed with certainty: then nothing is changed, and the place is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from surveys.definition import Choice, Instrument, Question, Section, Text
from surveys.editing import add, follows_from_other
from surveys.errors import EditError, ExpressionError
from surveys.expressions import tree
from surveys.expressions.parse import parse
from surveys.layout import LONGEST_NAME, MOST_QUESTIONS, NAME
from surveys.xlsform_export import OTHER

__all__ = ["copy", "free_name", "mentions", "rename"]

Item = Question | Section
TEXTS = ("label", "hint", "guidance", "required_message", "constraint_message")
EXPRESSIONS = ("relevant", "required", "constraint", "calculation", "default", "readonly", "choice_filter",
               "repeat_count")  # fmt: skip
QUOTED = re.compile(r"(\"[^\"]*\"|'[^']*')")


def rename(instrument: Instrument, old: str, new: str) -> Instrument:
    """The instrument with this question or group under another name, everywhere.

    Raises EditError when the name is impossible or taken, or when an expression that mentions the old name cannot be
    read: its question and column are named, and nothing is changed.

    >>> form = Instrument("f", (Question("age", "integer"), Question("job", "text", relevant="${age} > 17")))
    >>> rename(form, "age", "years").question("job").relevant
    '${years} > 17'
    """
    if old not in instrument.places:
        raise EditError("item_unknown", "name", name=old)
    if follows_from_other(instrument, old):
        raise EditError("follows", "new_name")
    names = _with_follower(instrument, old, new)
    for name in names.values():
        _possible(name)
        if name in instrument.places and name not in names:
            raise EditError("name_taken", "new_name", name=name)
    return _renamed(instrument, {was: now for was, now in names.items() if was != now})


def copy(instrument: Instrument, name: str) -> tuple[Instrument, str]:
    """The instrument with a copy right behind a question or group, and the name of the copy.

    A copy of a group holds copies of all that it holds; what refers to each other inside refers to the copies. Lists
    of choices are shared. Raises EditError when the form would have too many questions.

    >>> form = Instrument("f", (Question("age", "integer"),))
    >>> [q.name for q in copy(form, "age")[0].questions]
    ['age', 'age_2']
    """
    if name not in instrument.places:
        raise EditError("item_unknown", "name", name=name)
    if follows_from_other(instrument, name):
        raise EditError("follows", "name")
    inside = [one for one, place in instrument.places.items() if one == name or name in _around(place.parents)]
    if len(instrument.places) + len(inside) > MOST_QUESTIONS:
        raise EditError("too_many", "name", most=MOST_QUESTIONS)
    names: dict[str, str] = {}
    for one in inside:
        if not follows_from_other(instrument, one):
            names[one] = free_name({*instrument.places, *names.values()}, one)
            names |= _with_follower(instrument, one, names[one])
    alone = replace(instrument, children=(instrument.places[name].item,), tables=instrument.tables)
    twin = _renamed(alone, names).children[0]
    grown = add(instrument, twin, after=name)
    follower = f"{name}_other"
    if follower in names and follower in instrument.places and follower not in inside:
        # "Other, namely" stands beside its question; the pair of copies comes behind the pair.
        second = _renamed(replace(instrument, children=(instrument.places[follower].item,)), names).children[0]
        grown = add(add(instrument, twin, after=follower), second, after=twin.name)
    return grown, twin.name


def free_name(taken: set[str], name: str) -> str:
    """A name like this one that nobody has: a number goes behind it.

    >>> free_name({"age", "age_2"}, "age"), free_name({"q_2"}, "q_2")
    ('age_3', 'q_3')
    """
    match = re.fullmatch(r"(.*?)(?:_([0-9]{1,4}))?", name)
    assert match
    number = int(match[2] or 1) + 1
    while True:
        tail = f"_{number}"
        found = match[1][: LONGEST_NAME - len("_other") - len(tail)] + tail
        if found not in taken and f"{found}_other" not in taken:
            return found
        number += 1


def mentions(instrument: Instrument, name: str) -> tuple[str, ...]:
    """The names of the questions and groups that refer to this one, in order.

    >>> form = Instrument("f", (Question("age", "integer"), Question("job", "text", relevant="${age} > 17")))
    >>> mentions(form, "age")
    ('job',)
    """
    return tuple(
        place.item.name
        for place in instrument.places.values()
        if place.item.name != name and any(_mentioned(words, name, column) for column, words in _words(place.item))
    )


def _possible(name: str) -> None:
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise EditError("name_impossible", "new_name", name=name)


def _around(parents: tuple[Section, ...]) -> tuple[str, ...]:
    return tuple(parent.name for parent in parents)


def _with_follower(instrument: Instrument, old: str, new: str) -> dict[str, str]:
    """The new name, and that of the text question that comes by itself with "other, namely"."""
    names, item = {old: new}, instrument.places[old].item
    if isinstance(item, Question) and item.choices.endswith(OTHER):
        names[f"{old}_other"] = f"{new}_other"
    return names


def _renamed(instrument: Instrument, names: Mapping[str, str]) -> Instrument:
    lists = {list_: tuple(_choice(c, names) for c in choices) for list_, choices in instrument.lists.items()}
    children = tuple(_item(child, names) for child in instrument.children)
    return replace(instrument, children=children, lists=lists)


def _item(item: Item, names: Mapping[str, str]) -> Item:
    changed: dict[str, object] = {"name": names.get(item.name, item.name)}
    for column in (*EXPRESSIONS, *TEXTS):
        value = getattr(item, column, None)
        if isinstance(value, str) and value:
            changed[column] = _expression(value, names, item.name, column)
        elif value:
            changed[column] = _texts(value, names)
    if isinstance(item, Section):
        return replace(item, **changed, children=tuple(_item(child, names) for child in item.children))  # type: ignore[arg-type]
    changed["parameters"] = _texts(item.parameters, names)
    return replace(item, **changed)  # type: ignore[arg-type]


def _choice(choice: Choice, names: Mapping[str, str]) -> Choice:
    return replace(choice, label=_texts(choice.label, names))


def _texts(texts: Text, names: Mapping[str, str]) -> dict[str, str]:
    return {key: _marks(words, names) for key, words in texts.items()}


def _marks(words: str, names: Mapping[str, str]) -> str:
    return re.sub(r"(\$\{\s*)([^}\s]+)(\s*\})", lambda m: m[1] + names.get(m[2], m[2]) + m[3], words)


def _expression(source: str, names: Mapping[str, str], item: str, column: str) -> str:
    if column == "default" and "${" not in source and not source.rstrip().endswith(")"):
        return source
    written = "".join(
        part if at % 2 else _steps(part, names) for at, part in enumerate(QUOTED.split(_marks(source, names)))
    )
    if not _surely(source, written, names, column):
        raise EditError("rename_unread", "new_name", name=item, column=column)
    return written


def _steps(part: str, names: Mapping[str, str]) -> str:
    """The steps of paths, outside quotes: ``../age`` and ``/data/work/age``."""
    return re.sub(r"(?<=/)([^\W\d][\w.\-]*)", lambda m: names.get(m[1], m[1]), part)


def _surely(source: str, written: str, names: Mapping[str, str], column: str) -> bool:
    """Whether every mention followed. In a choice filter a bare name is a column of the sheet of choices."""
    try:
        before, after = list(tree.walk(parse(source))), list(tree.walk(parse(written)))
    except ExpressionError:
        bare = re.sub(r"\$\{[^}]*\}", "", source)
        return not any(re.search(rf"(?<![\w.\-]){re.escape(name)}(?![\w\-])", bare) for name in names)
    if column != "choice_filter" and any(isinstance(node, tree.Name) and node.name in names for node in before):
        return False
    due = [names.get(node.name, node.name) for node in before if isinstance(node, tree.Reference)]
    return due == [node.name for node in after if isinstance(node, tree.Reference)]


def _mentioned(words: str, name: str, column: str) -> bool:
    path = "" if column in TEXTS else rf"|/{re.escape(name)}(?![\w.\-])"
    return re.search(rf"\$\{{\s*{re.escape(name)}\s*\}}{path}", words) is not None


def _words(item: Item) -> Iterator[tuple[str, str]]:
    """Every expression and text of a question, with its column."""
    for column in (*EXPRESSIONS, *TEXTS):
        value = getattr(item, column, None)
        yield from ((column, one) for one in ([value] if isinstance(value, str) else (value or {}).values()) if one)
