"""Readability and burden: how hard each page is to read, how long the form takes, and the sentence to mend.

Participants read at B1 or lower: sentences of at most 15 words, one idea each. The reading ease is Flesch-Douma for
Dutch (Douma, 1960: 206.84 - 0.77 syllables per 100 words - 0.93 words a sentence) and Flesch (1948) for English.
What is a word, and that a figure or an abbreviation counts as one syllable, is as Flesch (1979) has it. Other languages
get lengths only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from surveys import syllables
from surveys.definition import Instrument, Question, Section, say

__all__ = ["Limits", "Measure", "Problem", "Reading", "judge", "measure", "reading_ease", "sentences", "words"]

_END = re.compile(r"(?P<mark>[.!?…؟]+)(?P<closing>[\"'”’»)\]]*)(?=\s)|\n+")
_OPENING = re.compile(r"\s*[\"'“‘«(\[¿]*\s*")
_CLITIC = re.compile(r"\s*['’‘][snt]\s+\w")
# Stops that end no sentence when something follows them, in Dutch and English.
_SHORT = (
    " dr drs ir ing mr mrs ms mw mevr dhr prof st sint nr no tel blz pag art ca bijv bv vb evt incl excl max min resp "
    "t.a.v t.o.v i.v.m m.b.t d.w.z o.a m.n i.p.v n.a.v z.g.n e.g i.e vs approx "
)
_MONTHS = " jan feb mrt mar apr jun jul aug sep sept okt oct nov dec "
_WORD = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?://|www\.)\S*[\w/]|[\w-]+(?:\.[\w-]+)*\.(?:nl|com|org|eu|net)\b"
    r"|[^\W\d_](?:\.[^\W\d_])+\b|\d+(?:[.,:/\-]\d+)*[^\W_]*(?:-[^\W_]+)*|[^\W_]+(?:['’\-][^\W_]+)*"
)
_OUTPUT = re.compile(r"\$\{[^}]*\}")

# Assumptions, to be replaced by the times that the first hundred participants needed: slow readers at 130 words a
# minute (readers without difficulty read about 240: Brysbaert, 2019), and the seconds that an answer itself takes.
WORDS_A_MINUTE = 130
SECONDS = {
    "text": 20.0, "integer": 8.0, "decimal": 9.0, "range": 6.0, "select_one": 4.0, "select_multiple": 8.0, "rank": 20.0,
    "date": 12.0, "time": 8.0, "datetime": 18.0, "note": 1.0, "acknowledge": 2.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What the gate of a protocol allows."""

    words_a_sentence: int = 15
    words_a_page: int = 90
    reading_ease: float = 60.0
    minutes: float = 15.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One page in one language: its words, its longest sentence, its reading ease (None where it cannot be known)."""

    question: str
    language: str
    words: int
    longest: str
    words_a_sentence: int
    ease: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Measure:
    """A form in one language: every page, the reading ease of all texts together, and the expected minutes.

    The minutes are those of somebody who gets every question: the longest that the form can take without repeats.
    """

    language: str
    pages: tuple[Reading, ...]
    ease: float | None
    minutes: float


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to mend: a question (empty for the whole form), what was found against the limit, and the sentence."""

    question: str
    language: str
    code: str
    found: float
    limit: float
    sentence: str

    def __str__(self) -> str:
        """In plain words for who wrote the form.

        >>> str(Problem("q", "nl", "sentence_too_long", 19, 15, "Wilt u ons vertellen …?"))
        "q (nl): a sentence of 19 words, and at most 15 read well: 'Wilt u ons vertellen …?'"
        """
        what = _MENDED[self.code].format(found=f"{self.found:g}", limit=f"{self.limit:g}")
        place = f"{self.question} ({self.language})" if self.question else f"the whole form ({self.language})"
        return f"{place}: {what}" + (f": '{self.sentence}'" if self.sentence else "")


_MENDED = {
    "sentence_too_long": "a sentence of {found} words, and at most {limit} read well",
    "page_too_long": "a page of {found} words, and at most {limit} fit; its longest sentence is",
    "hard_to_read": "a reading ease of {found} for all texts, and at least {limit} is B1; the hardest page has",
    "form_too_long": "{found} minutes for who gets every question, and at most {limit} are kept up",
}


def sentences(text: str) -> list[str]:
    """The sentences of a text.

    >>> sentences("U mag stoppen. Dat kan altijd! Bijvoorbeeld 27-3-1985")
    ['U mag stoppen.', 'Dat kan altijd!', 'Bijvoorbeeld 27-3-1985']
    >>> sentences("Dr. Jansen vroeg: Wilt u dat? Dat kost bijv. EUR 1.000 per jaar, d.w.z. veel.")
    ['Dr. Jansen vroeg: Wilt u dat?', 'Dat kost bijv. EUR 1.000 per jaar, d.w.z. veel.']
    """
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if end["mark"] is None or _ends(text[start : end.start()].strip(), end, text[end.end() :]):
            found.append(text[start : end.end()].strip())
            start = end.end()
    return [sentence for sentence in [*found, text[start:].strip()] if sentence]


def _ends(before: str, end: re.Match[str], after: str) -> bool:
    """Whether a mark ends the sentence: what follows does not begin small, and what precedes is not short for more."""
    opening = _OPENING.match(after)
    following = after[opening.end() : opening.end() + 1] if opening else ""
    if not following:
        return True
    if following.islower() and not _CLITIC.match(after):
        return end["mark"][0] in "!?؟" and not end["closing"]
    if end["mark"] != ".":
        return True
    last = (before.split() or [""])[-1].strip("\"'“‘(").lower()
    if f" {last} " in _MONTHS:
        return not following.isdigit()
    alone = len(before.split()) == 1 and (last.isdigit() or re.fullmatch(r"[^\W\d_](\.[^\W\d_])*", last))
    return not (f" {last} " in _SHORT or alone)


def words(text: str) -> list[str]:
    """The words and numbers of a text.

    >>> words("Ik zoek werk als zzp'er, d.w.z. 3,5 dag. Mail naar jan@voorbeeld.nl.")
    ['Ik', 'zoek', 'werk', 'als', "zzp'er", 'd.w.z', '3,5', 'dag', 'Mail', 'naar', 'jan@voorbeeld.nl']
    """
    return _WORD.findall(text)


def reading_ease(text: str, language: str) -> float | None:
    """Flesch-Douma (nl) or Flesch (en) of a text; None without words or for another language.

    >>> round(reading_ease("Wij stellen u een vraag.", "nl"), 1), reading_ease("Merhaba", "tr")
    (109.8, None)
    """
    spoken = words(text)
    if language not in syllables.LANGUAGES or not spoken:
        return None
    a_sentence = len(spoken) / max(len(sentences(text)), 1)
    a_word = sum(syllables.count(word, language) for word in spoken) / len(spoken)
    if language == "nl":
        return 206.84 - 77.0 * a_word - 0.93 * a_sentence
    return 206.835 - 84.6 * a_word - 1.015 * a_sentence


def measure(instrument: Instrument, language: str) -> Measure:
    """How the form reads in a language. Raises KeyError when the form does not speak it."""
    if language not in instrument.languages:
        raise KeyError(f"the form is not in '{language}'; it is in {', '.join(instrument.languages)}")
    pages = tuple(_page(instrument, q, language) for q in instrument.questions if not q.silent)
    prose = "\n".join(_prose(item.item, language) for item in instrument.places.values())
    return Measure(language, pages, reading_ease(prose, language), sum(page.seconds for page in pages) / 60)


def _prose(item: Question | Section, language: str) -> str:
    texts = [say(item.label, language)] if item.label else []
    if isinstance(item, Question):
        texts += [say(item.hint, language)] if item.hint else []
    return _OUTPUT.sub("x", "\n".join(texts))


def _page(instrument: Instrument, question: Question, language: str) -> Reading:
    prose = _prose(question, language)
    labels = [say(c.label, language) for c in instrument.lists[question.choices]] if question.choices else []
    count = len(words(prose)) + sum(len(words(label)) for label in labels)
    each = [*sentences(prose), *labels]
    longest = max(each, key=lambda sentence: len(words(sentence)), default="")
    seconds = count / WORDS_A_MINUTE * 60 + SECONDS.get(question.kind, 0.0)
    ease = reading_ease(prose, language)
    return Reading(question.name, language, count, longest, len(words(longest)), ease, seconds)


def judge(instrument: Instrument, limits: Limits | None = None) -> tuple[Problem, ...]:
    """What must be mended before a form goes to participants; nothing when it may.

    >>> long = "Wilt u ons vertellen of u in de afgelopen twaalf maanden wel eens een cursus of opleiding hebt gevolgd?"
    >>> form = Instrument("f", (Question("q", "text", {"nl": long}),), languages=("nl",))
    >>> judge(form)[0].code, judge(form)[0].found, judge(form)[0].limit
    ('sentence_too_long', 19, 15)
    """
    allowed = limits or Limits()
    return tuple(problem for language in instrument.languages for problem in _judged(instrument, language, allowed))


def _judged(instrument: Instrument, language: str, limits: Limits) -> Iterator[Problem]:
    found = measure(instrument, language)
    for page in found.pages:
        if page.words_a_sentence > limits.words_a_sentence:
            yield Problem(
                page.question,
                language,
                "sentence_too_long",
                page.words_a_sentence,
                limits.words_a_sentence,
                page.longest,
            )
        if page.words > limits.words_a_page:
            yield Problem(page.question, language, "page_too_long", page.words, limits.words_a_page, page.longest)
    if found.ease is not None and found.ease < limits.reading_ease:
        hardest = min((p for p in found.pages if p.ease is not None), key=lambda p: p.ease or 0.0)
        ease = round(found.ease, 1)
        yield Problem(hardest.question, language, "hard_to_read", ease, limits.reading_ease, hardest.longest)
    if found.minutes > limits.minutes:
        yield Problem("", language, "form_too_long", round(found.minutes, 1), limits.minutes, "")
