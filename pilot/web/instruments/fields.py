"""The fields with which one question is edited: which there are, what was typed, and the question that follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import lazy_gettext as _

from pilot.web import forms
from surveys.definition import CHOOSING, Choice, Instrument, Question, Section, Text
from surveys.errors import EditError
from surveys.workbook import cell_text

LONGEST = 2_000
MOST_SHOWN = 60
"""A longer list is edited in a workbook: on a page nobody finds the way in it."""
NEW_CHOICES = 2
TEXTS: dict[str, tuple[object, object]] = {
    "label": (_("The question"), ""),
    "hint": (_("Hint below it"), ""),
    "guidance": (_("More explanation, folded in"), ""),
    "required_message": (_("What is said when it is left open"), ""),
    "constraint_message": (_("What is said when the answer cannot be"), ""),
}
LOGIC: dict[str, tuple[object, object]] = {
    "required": (_("Must be answered"), _("yes, or a condition such as ${work} = 'yes'. Empty: may be left open.")),
    "relevant": (_("Asked only when"), _("For example ${age} >= 18. Empty: everybody gets it.")),
    "constraint": (_("The answer must be"), _("A dot is the answer: . > 0 and . <= 80")),
    "calculation": (_("Calculation"), _("For example ${hours} * 4")),
    "choice_filter": (_("Choices shown only when"), _("For example region = ${region}")),
    "default": (_("Answer that stands there already"), ""),
    "readonly": (_("Cannot be changed when"), ""),
    "repeat_count": (_("How many times"), _("A number or a calculation. Empty: the person adds one more.")),
    "appearance": (_("Appearance"), _("For example multiline or phone.")),
    "parameters": (_("Parameters"), _("For example start=0 end=10 step=1, or randomize=true.")),
}
ASKED = ("required", "relevant", "constraint", "default", "readonly", "appearance")
BY_KIND: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "group": (("label",), ("relevant", "appearance")),
    "repeat": (("label",), ("relevant", "repeat_count", "appearance")),
    "note": (("label", "hint", "guidance"), ("relevant", "appearance")),
    "calculate": ((), ("calculation", "relevant")),
    "hidden": ((), ("default", "calculation", "relevant")),
    "range": (tuple(TEXTS), (*ASKED, "parameters")),
    **{kind: (tuple(TEXTS), (*ASKED, "choice_filter", "parameters")) for kind in CHOOSING},
}
"""The texts and the conditions that a kind of question has; other kinds have all texts, and what is usual."""


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """One line of the list of choices as typed: a new one has no known name."""

    known: str
    name: str
    place: str
    labels: Mapping[str, str]
    gone: bool = False

    @property
    def blank(self) -> bool:
        return not self.known and not self.name and not any(self.labels.values())


def of_kind(item: Question | Section) -> tuple[tuple[str, ...], tuple[str, ...]]:
    kind = item.kind if isinstance(item, Question) else "repeat" if item.repeats else "group"
    return BY_KIND.get(kind, (tuple(TEXTS), (*ASKED, "calculation")))


def values(item: Question | Section, languages: tuple[str, ...]) -> dict[str, str]:
    """What stands in the fields when the page opens, by the name of the field."""
    texts, logic = of_kind(item)
    found = {f"{text}-{code}": getattr(item, text).get(code, "") for text in texts for code in languages}
    return found | {name: _shown(getattr(item, name)) for name in logic}


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={one}" for key, one in value.items())
    return "yes" if value == "true()" else str(value)


def read(item: Question | Section, typed: Mapping[str, str], languages: tuple[str, ...]) -> Question | Section:
    """The question with what was typed. Fields that the page did not hold stay as they are. Raises EditError."""
    texts, logic = of_kind(item)
    changed: dict[str, Any] = {}
    for text in texts:
        changed[text] = _texts(getattr(item, text), text, typed, languages)
    for name in logic:
        if name in typed:
            changed[name] = _parameters(typed) if name == "parameters" else _condition(name, _line(typed, name))
    return replace(item, **changed)


def _texts(old: Text, name: str, typed: Mapping[str, str], languages: tuple[str, ...]) -> dict[str, str]:
    words = dict(old)
    for code in languages:
        if f"{name}-{code}" in typed:
            words[code] = _line(typed, f"{name}-{code}", lines=True)
    return {code: words[code] for code in dict.fromkeys([*languages, *words]) if words.get(code)}


def _line(typed: Mapping[str, str], name: str, *, lines: bool = False) -> str:
    try:
        return forms.text(typed, name, longest=LONGEST, lines=lines)
    except forms.TooLong as error:
        raise EditError("too_long", name, most=error.longest) from None


def _condition(name: str, text: str) -> str:
    """People write yes and no, in either language; the definition holds an expression."""
    if name not in ("required", "readonly"):
        return text
    said = {"yes": "true()", "ja": "true()", "true": "true()", "no": "", "nee": "", "false": "", "false()": ""}
    return said.get(text.lower(), text)


def _parameters(typed: Mapping[str, str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in _line(typed, "parameters").split())
    return {key: cell_text(value) for key, _sign, value in pairs if key and value}


def choice_rows(choices: tuple[Choice, ...], languages: tuple[str, ...]) -> list[ChoiceRow]:
    """The list of choices as the page shows it, with empty lines for new ones."""
    kept = [
        ChoiceRow(choice.name, choice.name, str(place), {code: choice.label.get(code, "") for code in languages})
        for place, choice in enumerate(choices, start=1)
    ]
    return kept + [ChoiceRow("", "", "", dict.fromkeys(languages, "")) for _ in range(NEW_CHOICES)]


def typed_rows(typed: Mapping[str, str], languages: tuple[str, ...]) -> list[ChoiceRow]:
    """The list of choices as it was typed. Raises EditError for a text that is too long."""
    count = typed.get("choices", "0")
    many = min(int(count), MOST_SHOWN + NEW_CHOICES) if count.isdecimal() and len(count) < 4 else 0
    return [
        ChoiceRow(
            typed.get(f"choice-{row}-known", ""),
            _line(typed, f"choice-{row}-name") or typed.get(f"choice-{row}-known", ""),
            _line(typed, f"choice-{row}-place"),
            {code: _line(typed, f"choice-{row}-label-{code}") for code in languages},
            f"choice-{row}-gone" in typed,
        )
        for row in range(1, many + 1)
    ]


def read_choices(old: tuple[Choice, ...], rows: list[ChoiceRow], languages: tuple[str, ...]) -> tuple[Choice, ...]:
    """The choices in the order of their places; what the page does not show of a choice stays. Raises EditError.

    A choice that somebody else added in the meantime is not on the page: it stays, at the end.
    """
    known = {choice.name: choice for choice in old}
    placed = list(_placed(rows, known, languages))
    shown = {row.known for row in rows if row.known}
    later = [choice for choice in old if choice.name not in shown] if rows else list(old)
    return (*(choice for _place, choice in sorted(placed, key=lambda pair: pair[0])), *later)


def _placed(
    rows: list[ChoiceRow], known: Mapping[str, Choice], languages: tuple[str, ...]
) -> Iterator[tuple[float, Choice]]:
    for number, row in enumerate(rows, start=1):
        if row.blank or row.gone:
            continue
        if row.place and (not row.place.isdecimal() or len(row.place) > 4):
            raise EditError("place_number", f"choice-{number}-place")
        if not row.name:
            raise EditError("choice_impossible", f"choice-{number}-name", name="")
        choice = known.get(row.known, Choice(row.name))
        labels = {code: row.labels[code] for code in languages if row.labels.get(code)}
        more = {code: words for code, words in choice.label.items() if code not in languages}
        # Two lines with the same place keep their order.
        yield float(row.place or len(rows) + number), replace(choice, label=labels | more)


def shared_list(form: Instrument, item: Question | Section) -> tuple[Choice, ...]:
    """The choices of a question that can be edited on its page; none of a list that is too long."""
    if not isinstance(item, Question) or not item.choices:
        return ()
    choices = form.lists.get(item.choices.removesuffix(" or_other"), ())
    return choices if len(choices) <= MOST_SHOWN else ()
