"""What the checks of questionnaires find, in the reader's language.

The library speaks English and knows no catalogue. Here stands each of its sentences once more, with names for what is
filled in: a sentence that fits one of them is said anew in the language of the page.
"""

from __future__ import annotations

import re
from functools import cache

from flask_babel import get_locale, gettext
from markupsafe import Markup

from pilot.web.language import said_in

PLACE = re.compile(r"(?P<said>.*?), at character (?P<number>\d+) of: (?P<source>.*)", re.DOTALL)
GAP = re.compile(r"%\((\w+)\)s")


def said(text: str) -> str | Markup:
    """A message or remedy of a finding in the language of the page; as it is, and marked as English, when unknown."""
    if not text or str(get_locale()) == "en":
        return text
    if place := PLACE.fullmatch(text):
        inner = said(place["said"])
        if isinstance(inner, Markup):
            return said_in("en", text)
        return gettext(
            "%(said)s, at character %(number)s of: %(source)s",
            said=inner, number=place["number"], source=place["source"],
        )  # fmt: skip
    for sentence, pattern in _patterns():
        if match := pattern.fullmatch(text):
            return gettext(sentence, **{gap: _filled(gap, words) for gap, words in match.groupdict().items()})
    return said_in("en", text)


def _filled(gap: str, words: str) -> str:
    """What stands in a gap: a cause is a sentence of its own, anything else is kept."""
    inner = said(words) if gap == "why" else words
    return words if isinstance(inner, Markup) else inner


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each sentence with the pattern that finds it again; the one with the longest fixed text first."""
    written = sorted(SENTENCES, key=lambda sentence: -len(GAP.sub("", sentence)))
    return tuple((sentence, _pattern(sentence)) for sentence in written)


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = GAP.split(sentence)
    fixed = [re.escape(part) if at % 2 == 0 else f"(?P<{part}>.*?)" for at, part in enumerate(parts)]
    return re.compile("".join(fixed), re.DOTALL)


def _(sentence: str) -> str:
    """Marks a sentence for the catalogue; it is looked up when it is said."""
    return sentence


SENTENCES: tuple[str, ...] = (
    _("a workbook with macros is not accepted"),
    _("save it as .xlsx"),
    _("save it as .xlsx without macros"),
    _("the old format .xls is not accepted"),
    _("the file is %(size)s MB; at most %(most)s MB is read"),
    _("remove pictures"),
    _("the file is not a workbook, or it is damaged"),
    _("open it in Excel and save it again"),
    _("the file is not an .xlsx workbook"),
    _("save the form in Excel as .xlsx"),
    _("the workbook is far larger inside than outside"),
    _("copy the sheets into a new workbook"),
    _("the workbook is protected by a password"),
    _("save it without a password"),
    _("the workbook is damaged"),
    _("the workbook holds a document type definition"),
    _("more than %(most)s rows"),
    _("remove empty rows"),
    _("more than %(most)s columns"),
    _("remove columns"),
    _("more than %(most)s files"),
    _("leave out what the form does not use"),
    _("the files hold more than %(most)s MB together"),
    _("this file is there twice, with another content"),
    _("keep one of them"),
    _("this is no zip file, or it is damaged"),
    _("pack the files again"),
    _("the zip holds more than %(most)s files"),
    _("the zip is far larger inside than is read"),
    _("shorten the lists"),
    _("shorten the list"),
    _("shorten them"),
    _("the zip is protected by a password"),
    _("pack it without a password"),
    _("'%(file)s' is a zip within a zip"),
    _("put the files in one zip"),
    _("'%(file)s' is damaged"),
    _("'%(file)s' is larger than the zip says"),
    _("the file '%(file)s' is not there"),
    _("put it beside the workbook"),
    _("hand it in beside the workbook; with a protocol it stands in the folder 'media'"),
    _("the file '%(file)s' is larger than %(most)s MB"),
    _("the file '%(file)s' has no rows"),
    _("give it a header and at least one row"),
    _("the file is not UTF-8 text"),
    _("save it as CSV UTF-8"),
    _("the file is not a table: %(why)s"),
    _("the row has %(cells)s cells and the header %(width)s"),
    _("put a text with a comma between quotes"),
    _("there is no column '%(name)s'"),
    _("add it"),
    _("the choice '%(name)s' is also in row %(row)s"),
    _("there is no sheet 'survey'"),
    _("rename the sheet '%(name)s'"),
    _("name the sheet with the questions 'survey'"),
    _("the sheet has no questions"),
    _("see xlsform.org"),
    _("the form has %(rows)s rows; at most %(most)s are read"),
    _("divide it into several forms"),
    _("the column '%(name)s' is there twice"),
    _("the column '%(name)s' has nothing on one side of '::'"),
    _("write for instance label::English (en)"),
    _("the column '%(name)s' is not known and would be ignored"),
    _("remove it, or let its name start with _"),
    _("the cell is empty"),
    _("fill it in"),
    _("the choice '%(name)s' holds a space"),
    _("write an underscore"),
    _("the choice '%(name)s' is in the list twice"),
    _("remove one"),
    _("the type is missing"),
    _("fill in the type of the question"),
    _("more than %(most)s groups inside each other"),
    _("put the groups one after the other"),
    _("this %(kind)s is never closed"),
    _("add a row 'end %(kind)s'"),
    _("no %(kind)s is open here"),
    _("add 'begin %(kind)s' before it"),
    _("there is no list '%(name)s'"),
    _("add it to the sheet 'choices'"),
    _("there is no question type '%(name)s'"),
    _("known are %(names)s"),
    _("the name is missing"),
    _("give the question a name"),
    _("the name '%(name)s' is not possible"),
    _("use letters, figures, _ and -; start with a letter"),
    _("the name has %(count)s characters; at most %(most)s are possible"),
    _("choose a shorter name"),
    _("the name '%(name)s' is also used in row %(row)s"),
    _("give each question its own name"),
    _("there is no question '%(name)s'"),
    _("check the name"),
    _("choose from %(names)s"),
    _("did you mean %(name)s()?"),
    _("did you mean '%(name)s'?"),
    _("the form cannot be converted: %(why)s"),
    _("questions of the type '%(name)s' cannot be asked here"),
    _("remove it"),
    _("'%(name)s' has no choices yet"),
    _("add at least one choice"),
    _("'%(name)s' has no text"),
    _("fill in the label"),
    _("'%(name)s' has no %(column)s in '%(language)s'"),
    _("add the translation"),
    _("the choice '%(name)s' of '%(list)s' has no label in '%(language)s'"),
    _("'%(name)s' holds no questions"),
    _("'%(name)s' calculates nothing"),
    _("fill in the calculation"),
    _("the list '%(name)s' is empty"),
    _("add choices"),
    _("%(name)s=%(text)s is not a number"),
    _("write for instance end=10"),
    _("the range is empty"),
    _("let start be below end, and step above 0"),
    _("the range has more than %(most)s marks"),
    _("make the step larger, or ask for a number"),
    _("nobody ever gets this question: the condition is never true"),
    _("nobody ever gets this questions: the condition is never true"),
    _("mend the condition"),
    _("'.' is the answer itself and has no meaning here"),
    _("name a question: ${name}"),
    _("'%(name)s' is asked only later"),
    _("move one of the two questions"),
    _("move the constraint to that question"),
    _("'%(name)s' stands without ${}"),
    _("write ${%(name)s} for a question, '%(text)s' for a text"),
    _("there is no file '%(file)s'"),
    _("put it in the folder of the workbook"),
    _("there is no question '%(name)s' with choices"),
    _("there is no question '%(name)s' to show in the text"),
    _("'%(name)s' is in the repeat '%(repeat)s': every instance has its own answer"),
    _("use sum(), max(), join() or indexed-repeat()"),
    _("the list '%(list)s' has no column '%(name)s'"),
    _("these depend on each other: %(names)s"),
    _("'%(name)s' depends on itself"),
    _("take one of them out of the expression"),
    _("'%(value)s' is no choice of %(question)s"),
    _("a date is compared with a number"),
    _("use date-diff(), or date('2026-11-22')"),
    _("a date is compared with the text '%(text)s'"),
    _("write a date as '2026-11-22'"),
    _("a number is compared with the text '%(text)s'"),
    _("compare it with a number"),
    _("a question with several answers is compared with one of them"),
    _("write selected(%(question)s, '%(value)s')"),
    _("texts have no order"),
    _("compare numbers or dates"),
    _("the choices of %(question)s are not numbers"),
    _("use if() to give each choice a number"),
    _("the text '%(text)s' is used as a number"),
    _("the text %(question)s is used as a number"),
    _("make it a question of type integer"),
    _("use concat() to join texts"),
    _("true or false is compared with the text '%(text)s'"),
    _("leave the comparison out"),
    _("%(question)s holds the text 'true' or 'false', and both count as true"),
    _("write %(question)s = 'true'"),
    _("the pattern '%(pattern)s' cannot be used: %(why)s"),
    _("a bracket ( is not closed"),
    _("add the bracket )"),
    _("a bracket [ is not closed"),
    _("add the bracket ]"),
    _("there is a bracket ) too many"),
    _("remove it, or write \\)"),
    _("a range in [ ] runs backwards"),
    _("write the first sign before the last: a-z"),
    _("what stands in [ ] is not understood"),
    _("there is nothing to repeat before * + ? or {"),
    _("two signs of repetition stand behind each other"),
    _("take one of them away"),
    _("a part is repeated too many times"),
    _("repeat it 1000 times at most"),
    _("it ends with a \\"),
    _("write \\\\ for the sign itself"),
    _("a sign behind \\ is not understood, or refers back to an earlier part"),
    _("write what is meant in full"),
    _("it looks ahead or behind, or uses another extension"),
    _("put rules that look ahead first, directly behind ^, or write several regex() joined by 'and'"),
    _("it is too large"),
    _("make it shorter, or repeat its parts fewer times"),
    _("it holds a sign that cannot be written"),
    _("a repetition lacks the number before its comma"),
    _("write {0,5} for at most five"),
    _("test the pattern first"),
    _("an expression of %(count)s characters is too long; at most %(most)s are read"),
    _("more than %(most)s brackets or signs inside each other"),
    _("write mod for what is left after dividing"),
    _("write pow(x, y) for a power"),
    _("write div to divide"),
    _("write not(…)"),
    _("write * to multiply"),
    _("use a plain hyphen for minus"),
    _("write and in small letters"),
    _("write or in small letters"),
    _("use a choice filter or pulldata()"),
    _("write != for unequal"),
    _("write one = for equal"),
    _("use calculate questions"),
    _("'%(token)s' is not understood here"),
    _("the character %(sign)s is not understood here"),
    _("an operator or a value is missing"),
    _("close the bracket or add a value"),
    _("close the quotation mark, and use straight quotation marks"),
    _("write a question as ${name}"),
    _("see the list of operators and functions"),
    _("the expression is empty"),
    _("the expression is nested too deeply"),
    _("the expression stops too early"),
    _("check the brackets and the commas"),
    _("there is no function %(name)s()"),
    _("%(name)s() takes %(due)s arguments, not %(count)s"),
    _("%(name)s() takes %(due)s argument, not %(count)s"),
)
"""Adding a sentence of the checks is adding a line."""
