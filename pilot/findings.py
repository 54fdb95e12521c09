"""What the checks of questionnaires find, in the reader's language.

The library speaks English and knows no catalogue. Here stands each of its sentences once more, with names for what is
filled in: a sentence that fits one of them is said anew in the language of the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from babel.messages.pofile import read_po

from pilot.translations import FOLDER
from surveys.errors import Finding
from surveys.readability import Problem

PLACE = re.compile(r"(?P<said>.*?), at character (?P<number>\d+) of: (?P<source>.*)", re.DOTALL)
GAP = re.compile(r"%\((\w+)\)s")


def said(text: str, language: str) -> str | None:
    """A message or remedy in a language; as it is in English, and None when nobody has said it in that language.

    >>> said("did you mean 'age'?", "nl"), said("did you mean 'age'?", "en"), said("nobody knows this", "nl")
    ("bedoelt u 'age'?", "did you mean 'age'?", None)
    """
    if not text or language == "en":
        return text
    if place := PLACE.fullmatch(text):
        inner = said(place["said"], language)
        return None if inner is None else filled(AT, language, {**place.groupdict(), "said": inner})
    for sentence, pattern in _patterns():
        if match := pattern.fullmatch(text):
            return filled(sentence, language, match.groupdict())
    return None


def line(found: Finding | Problem, language: str) -> str:
    """One finding in one line: the place, what is wrong, and what to do about it.

    >>> line(Finding("survey", 4, "relevant", "there is no question 'agee'", "did you mean 'age'?"), "nl")
    "blad survey, rij 4, kolom relevant: er is geen vraag 'agee' (bedoelt u 'age'?)"
    """
    if language == "en":
        return str(found)
    if isinstance(found, Problem):
        place = found.question or filled(WHOLE, language, {})
        gaps = {"found": f"{found.found:g}", "limit": f"{found.limit:g}"}
        words = filled(MENDED[found.code], language, gaps)
        return f"{place} ({found.language}): {words}" + (f": '{found.sentence}'" if found.sentence else "")
    told = [said(words, language) or words for words in (found.message, found.remedy) if words]
    return f"{_place(found, language)}: {told[0]}" + (f" ({told[1]})" if len(told) > 1 else "")


def _place(found: Finding, language: str) -> str:
    parts = [filled(SHEET, language, {"sheet": found.sheet})]
    if found.row is not None:
        parts.append(filled(ROW, language, {"row": str(found.row)}))
    if found.column:
        parts.append(filled(COLUMN, language, {"column": found.column}))
    return ", ".join(parts)


@cache
def _translated(language: str) -> Mapping[str, str]:
    path = FOLDER / language / "LC_MESSAGES" / "instruments.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id and message.string}


def filled(sentence: str, language: str, gaps: Mapping[str, str]) -> str:
    """A sentence of this module in a language, its gaps filled: a cause is a sentence too, anything else is kept."""
    told = {gap: (said(words, language) or words) if gap == "why" else words for gap, words in gaps.items()}
    # Not by the operator %: a percent sign of the form itself would be taken for a gap.
    return GAP.sub(lambda match: told.get(match[1], match[0]), _translated(language).get(sentence, sentence))


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


AT = _("%(said)s, at character %(number)s of: %(source)s")
SHEET, ROW, COLUMN = _("sheet %(sheet)s"), _("row %(row)s"), _("column %(column)s")
USABLE = _("%(name)s: %(count)s questions in %(languages)s, fingerprint %(mark)s…")
UNREADABLE = _("the workbook cannot be read")
WHOLE = _("the whole form")
MENDED = {
    "sentence_too_long": _("a sentence of %(found)s words, and at most %(limit)s read well"),
    "page_too_long": _("a page of %(found)s words, and at most %(limit)s fit; its longest sentence is"),
    "hard_to_read": _("a reading ease of %(found)s for all texts, and at least %(limit)s is B1; the hardest page has"),
    "form_too_long": _("%(found)s minutes for who gets every question, and at most %(limit)s are kept up"),
}
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
    _("weighted-checklist() takes a weight for each value"),
    _("add the last weight"),
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
    _("shorten it"),
    _("check the choices sheet"),
    _("choose one of %(names)s"),
    _("'%(name)s' has no list of choices"),
    _("write '%(kind)s list_name'"),
    _("the name '%(name)s' is used twice"),
    _("the list '%(list)s' of '%(name)s' does not exist"),
    _("the instrument has no language"),
    _("add it to the choices sheet"),
    _("date-diff() knows days, months and years, not '%(unit)s'"),
    _("digest() does not know the algorithm '%(name)s'"),
    _("digest() writes base64 or hex, not '%(name)s'"),
    _("leave it out for base64"),
    _("see the list of functions"),
    _("%(name)s() takes at least %(least)s arguments, not %(count)s"),
    _("%(name)s() takes at least %(least)s argument, not %(count)s"),
    _("%(name)s() takes %(least)s to %(most)s arguments, not %(count)s"),
    _("'.' has no meaning here: there is no current question"),
    _("'|' joins questions, not computed values"),
    _("position() takes '..', the repeat around the question"),
    _("write position(..)"),
    _("indexed-repeat() takes a question, then a repeat and a number for each level"),
    _("write indexed-repeat(${age}, ${person}, 2)"),
    _("'..' can only be used in position(..)"),
    _("randomize() takes a question or repeat, not a computed value"),
    _("jr:choice-name() takes a value and a question"),
    _("write '${question}'"),
    _("%(name)s() takes a question or repeat, not a computed value"),
    _("the pattern %(pattern)s of regex() cannot be used: %(why)s"),
    _("${last-saved#…} is not supported"),
    _("the seed of randomize() must be a whole number"),
    _("write a number such as 42"),
    _("uuid() gives 1 to %(most)s characters"),
    _("leave the number out for a UUID"),
    _("'%(kind)s' is left out: no data on devices are gathered"),
    _("remove the row"),
    _("REDCap cannot say '%(text)s'"),
    _("mean() is carried over for fields only, not for calculated values"),
    _("datediff() is carried over in the units d, M and y"),
    _("fields of other events are not supported"),
    _("a checkbox can only be compared with 0 or 1"),
    _("the function %(name)s() of REDCap is not carried over"),
    _("the file is not CSV: %(why)s"),
    _("export it from REDCap again"),
    _("export it from REDCap"),
    _("the file is too large"),
    _("at most 5 MB is read"),
    _("the file holds no fields"),
    _("'%(name)s' identifies people"),
    _("keep identities apart from research data"),
    _("rewrite the logic"),
    _("fields of the type '%(kind)s' cannot be asked here"),
    _("remove the field"),
    _("the choice '%(text)s' is not 'code, label'"),
    _("write for instance 1, Yes"),
    _("'%(name)s' has no choices"),
    _("write for instance 1, Yes | 0, No"),
    _("the validation '%(name)s' is not carried over"),
    _("add a constraint"),
    _("the limit %(value)s is not carried over"),
    _("the repeat '%(name)s' is left out"),
    _("use a repeating instrument"),
    _("'%(name)s' is a ranking; REDCap has none"),
    _("the choice filter of '%(name)s' is left out"),
    _("%(column)s of '%(name)s' is left out: %(why)s"),
    _("the constraint of '%(name)s' is left out"),
    _("the pictures and sounds of '%(name)s' are left out"),
    _("'%(name)s' is required only sometimes; REDCap cannot say so"),
    _("the calculated default of '%(name)s' is left out"),
    _("enter it in REDCap"),
    _("the file '%(name)s' cannot be read"),
    _("check the name of the file"),
    _("the program that reads XLSForm (pyxform) says: “%(text)s”"),
    _("mend what it names, and try again; xlsform.org tells what may stand where"),
    _("the sheet '%(sheet)s' is hidden"),
    _("the file is larger than %(most)s MB"),
    _("format-date() does not know %(sign)s"),
    _("the formula in this cell gives %(text)s"),
    _("mend the formula, or type the text itself"),
    _("the name '%(name)s' comes by itself with or_other, and is also used in row %(row)s"),
    _("rename that question"),
    _("the list '%(name)s' has a choice 'other' already"),
    _("leave out or_other, or that choice"),
    _("or_other and a choice filter do not go together"),
    _("put the choice 'other' in the list, and ask for the text in a question of its own"),
    _("the column '%(name)s' has no language, and '%(other)s' has"),
    _("write for instance label::Nederlands (nl)"),
    _("'%(kind)s' does not say which list"),
    _("write %(kind)s and the name of the list"),
    _("%(text)s has a comma"),
    _("write %(name)s=%(whole)s.%(part)s"),
    _("'%(text)s' is no whole number"),
    _("write for instance 5"),
    _("'%(text)s' is no number"),
    _("write for instance 2.5"),
    _("'%(text)s' is no date"),
    _("write a date as 2026-11-22, or today()"),
    _("write the name of a choice"),
    _("'%(value)s' is no choice of '%(question)s'"),
    _("%(count)s times is too often; at most %(most)s are asked"),
    _("ask for fewer"),
    _("'%(text)s' is no number of times"),
    _("write 1 or more"),
    _("the formula %(text)s has no result yet"),
    _("open the file in Excel and save it, or type the text itself"),
    _("the name '%(name)s' is kept for the form itself"),
    _("choose another name"),
    _("'%(tag)s' is not carried over"),
    _("look at what it did, and say it otherwise"),
    _("that every answer of the matrix '%(name)s' differs is not carried over"),
    _("add a constraint, or use a question of the type rank"),
    _("the words at the slider '%(name)s' are not carried over"),
    _("put them in the question"),
    _("the limit '%(value)s' is not understood"),
    _("write a number, or a date as 2026-11-22"),
    _("the pattern of regex() is not written out"),
    _("write it in quotes, for instance regex(., '^[0-9]{4}$')"),
    _("the last part of %(name)s() is not written out"),
    _("write it in quotes"),
    _("position(..) has no meaning outside a repeat"),
    _("indexed-repeat() needs a number for the repeat %(name)s"),
    _("the seed %(text)s is no number and no question"),
    _("write for instance seed=42"),
    _("'%(text)s' is no time"),
    _("write a time as 08:30"),
    _("'%(name)s' is filled in by the device and is left out"),
    _("questions with choices from a file need a .csv"),
    _("save the list as CSV UTF-8"),
)
"""Adding a sentence of the checks is adding a line."""
