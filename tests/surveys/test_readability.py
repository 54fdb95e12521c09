"""Readability: what a participant has to read is measured, and the sentence to mend is named."""

from pathlib import Path

import pytest

from surveys import Choice, Instrument, Question, read_xlsform
from surveys.readability import Limits, judge, measure, reading_ease, sentences, words

FORMS = Path(__file__).parents[2] / "protocols" / "ontwikkeladvies" / "instruments"
PLAIN = "Bent u begonnen met een cursus?"
HARD = (
    "Heeft u gedurende de afgelopen periode deelgenomen aan enigerlei arbeidsmarktgerelateerde scholingsactiviteit "
    "waarvoor u een financiële tegemoetkoming ontving van overheidswege of van uw werkgever?"
)


def form(*questions: Question, **lists: tuple[Choice, ...]) -> Instrument:
    return Instrument("f", questions, languages=("nl",), lists=lists)


@pytest.mark.parametrize("path", sorted(FORMS.glob("*.xlsx")), ids=lambda path: path.stem)
def test_the_shipped_questionnaires_pass_the_gate(path: Path):
    assert judge(read_xlsform(path)) == ()


@pytest.mark.parametrize("path", sorted(FORMS.glob("*.xlsx")), ids=lambda path: path.stem)
def test_no_questionnaire_for_participants_takes_longer_than_ten_minutes(path: Path):
    instrument = read_xlsform(path)
    for language in instrument.languages:
        assert measure(instrument, language).minutes < 10


def test_sentences_end_at_marks_and_line_ends_and_not_in_numbers_or_dates():
    assert sentences("Een. Twee! Drie?\nVier") == ["Een.", "Twee!", "Drie?", "Vier"]
    assert sentences("Vul 1.250 in, of 27-3-1985.") == ["Vul 1.250 in, of 27-3-1985."]
    assert sentences("") == []


def test_words_with_hyphens_and_apostrophes_are_one_word():
    assert words("zzp'er Noord-Brabant 12") == ["zzp'er", "Noord-Brabant", "12"]


def test_flesch_douma_by_hand():
    # 5 words, 1 sentence, 6 syllables (stel-len counts two): 206.84 - 77 * 6 / 5 - 0.93 * 5
    assert reading_ease("Wij stellen u een vraag.", "nl") == pytest.approx(206.84 - 77 * 6 / 5 - 0.93 * 5)
    # 4 words, 1 sentence, 4 syllables: 206.835 - 84.6 - 1.015 * 4
    assert reading_ease("You can stop now.", "en") == pytest.approx(206.835 - 84.6 - 1.015 * 4)


def test_hard_words_and_long_sentences_lower_the_ease():
    easy, hard = reading_ease(PLAIN, "nl"), reading_ease(HARD, "nl")
    assert easy is not None
    assert hard is not None
    assert hard < 30 < easy


def test_a_long_sentence_is_named_with_its_question():
    (first, *rest) = judge(form(Question("a", "text", {"nl": PLAIN}), Question("b", "text", {"nl": HARD})))
    assert (first.code, first.question, first.sentence, first.limit) == ("sentence_too_long", "b", HARD, 15)
    assert first.found == len(words(HARD))
    assert [problem.code for problem in rest] == ["hard_to_read"]


def test_a_page_with_too_much_to_read_is_named():
    choices = tuple(Choice(str(i), {"nl": "Een antwoord van vijf woorden"}) for i in range(20))
    (problem,) = judge(form(Question("q", "select_one", {"nl": PLAIN}, choices="many"), many=choices))
    assert (problem.code, problem.question, problem.found) == ("page_too_long", "q", 106)


def test_a_form_that_takes_too_long_is_named():
    questions = tuple(Question(f"q{i}", "text", {"nl": PLAIN}) for i in range(60))
    (problem,) = judge(form(*questions), Limits(minutes=15))
    assert (problem.code, problem.question) == ("form_too_long", "")
    assert problem.found == pytest.approx(measure(form(*questions), "nl").minutes, abs=0.1)


def test_a_limit_can_be_set():
    assert judge(form(Question("a", "text", {"nl": PLAIN})), Limits(words_a_sentence=5))[0].limit == 5


def test_calculations_and_inserted_answers_are_not_read():
    quiet = form(Question("a", "calculate", calculation="1"), Question("b", "text", {"nl": "Werkt ${a} nog?"}))
    assert [page.question for page in measure(quiet, "nl").pages] == ["b"]
    assert measure(quiet, "nl").pages[0].words == 3


def test_a_language_that_the_form_does_not_speak_is_an_error():
    with pytest.raises(KeyError, match="not in 'tr'"):
        measure(form(Question("a", "text", {"nl": PLAIN})), "tr")


def test_other_languages_get_lengths_only():
    turkish = Instrument("f", (Question("a", "text", {"tr": "Merhaba dünya."}),), languages=("tr",))
    assert measure(turkish, "tr").ease is None
    assert measure(turkish, "tr").pages[0].words == 2
