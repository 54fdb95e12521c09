"""What the editor of questionnaires says: kinds of questions, what a change cannot be, what was done in a version."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError
from flask_babel import get_locale, gettext, ngettext
from flask_babel import lazy_gettext as _
from markupsafe import Markup

from pilot import findings
from pilot.web.language import said_in
from surveys.errors import EditError

KINDS: dict[str, object] = {
    "select_one": _("one answer from a list"),
    "select_multiple": _("several answers from a list"),
    "rank": _("put a list in order"),
    "text": _("text"),
    "integer": _("whole number"),
    "decimal": _("number with decimals"),
    "range": _("mark on a scale"),
    "date": _("date"),
    "time": _("time"),
    "datetime": _("date and time"),
    "note": _("text to read, no question"),
    "acknowledge": _("tick that it was read"),
    "calculate": _("calculation, not shown"),
    "hidden": _("hidden value, not shown"),
    "group": _("group of questions"),
    "repeat": _("group that is repeated"),
}

REFUSED: dict[str, object] = {
    "name_impossible": _(
        "The name '%(name)s' is not possible. Use letters, figures, _ and -, and start with a letter."
    ),
    "name_taken": _("The name '%(name)s' is used already. Choose another name."),
    "too_many": _("A form has at most %(most)s questions. Divide it into several forms."),
    "too_deep": _("At most %(most)s groups can stand inside each other. Choose another place."),
    "section_not_empty": _("There are still questions in the group '%(name)s'. Move or remove them first."),
    "place_unknown": _("That place is not there any more. Choose another place."),
    "item_unknown": _("There is no question '%(name)s' in this draft any more."),
    "list_unknown": _("There is no list '%(name)s' in this draft any more."),
    "choice_impossible": _("The name of a choice cannot be '%(name)s'. Use letters and figures, without spaces."),
    "choice_twice": _("The choice '%(name)s' is in the list twice. Give each choice its own name."),
    "kind_unknown": _("Choose what kind of question it is."),
    "place_number": _("The place of a choice is a whole number: 1 is the first."),
    "too_long": _("A text here has at most %(most)s characters."),
    "rename_unread": _(
        "'%(name)s' refers to it in the column %(column)s in a way that cannot be read. Mend that first. "
        "Nothing was changed."
    ),
    "language_impossible": _("Choose a language from the list."),
    "language_there": _("The form has this language already."),
    "too_many_languages": _("A form has at most %(most)s languages."),
    "follows": _('This question comes by itself with "other, namely". Change the question before it.'),
}

SPOKEN = ("nl", "en", "ar", "bg", "de", "es", "fa", "fr", "hu", "it", "ku", "pap", "pl", "ps", "pt", "ro", "ru", "so",
          "ti", "tr", "uk", "zh")  # fmt: skip
"""The languages that are offered for a form; a workbook may hold any other."""

DEEDS: dict[str, object] = {
    "copied": _("copied from %(subject)s"),
    "changed": _("changed: %(subject)s"),
    "added": _("added: %(subject)s"),
    "renamed": _("renamed: %(subject)s"),
    "doubled": _("a copy made: %(subject)s"),
    "language": _("language added: %(subject)s"),
    "removed": _("removed: %(subject)s"),
    "moved": _("moved: %(subject)s"),
    "restored": _("version %(subject)s again"),
}

PROBLEMS: dict[str, object] = {
    "sentence_too_long": _("sentence too long (words)"),
    "page_too_long": _("page too long (words)"),
    "hard_to_read": _("hard to read (reading ease)"),
    "form_too_long": _("form too long (minutes)"),
}


def language(code: str) -> str:
    """What the reader calls a language; its code when nobody has a name for it."""
    try:
        return Locale.parse(code, sep="-").get_display_name(get_locale()) or code
    except (UnknownLocaleError, ValueError):
        return code


def offered(known: tuple[str, ...]) -> list[tuple[str, str]]:
    """The languages that a form can still be given, by what the reader calls them."""
    return sorted(((code, language(code)) for code in SPOKEN if code not in known), key=lambda one: one[1].lower())


def said(text: str) -> str | Markup:
    """A message or remedy of a finding in the language of the page; marked as English when it has no words there."""
    told = findings.said(text, str(get_locale()))
    return said_in("en", text) if told is None else told


def refused(error: EditError) -> str:
    """What cannot be, in the reader's words."""
    return str(REFUSED[error.code]) % dict(error.values)


def done(deed: str, subject: str) -> str:
    return str(DEEDS[deed]) % {"subject": subject}


def found(errors: int, warnings: int, sentences: int) -> str:
    """The state of a draft in one sentence."""
    if not errors and not warnings and not sentences:
        return gettext("Nothing to mend.")
    parts = [
        ngettext("%(num)s mistake", "%(num)s mistakes", errors) if errors else "",
        ngettext("%(num)s thing to look at", "%(num)s things to look at", warnings) if warnings else "",
        ngettext("%(num)s text to make easier", "%(num)s texts to make easier", sentences) if sentences else "",
    ]
    return ", ".join(part for part in parts if part) + "."
