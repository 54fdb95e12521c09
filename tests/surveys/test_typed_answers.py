"""What people type: numbers, dates, times, telephone numbers and texts, as they come."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from string import printable
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import Accepted, Choice, Context, Instrument, Question, Refused, accept
from surveys.catalogue import LANGUAGES, codes, message
from surveys.contact import find_citizen_number, is_citizen_number, read_phone
from surveys.errors import InputError
from surveys.reading import read_date, read_decimal, read_integer, read_time

NOW = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))
STEADY = settings(derandomize=True, deadline=None, max_examples=60)


def code(function: Callable[[str], object], text: str) -> str:
    with pytest.raises(InputError) as caught:
        function(text)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        (" 1.250 ", 1250),
        ("1,250", 1250),
        ("1 250", 1250),
        ("1\u00a0250", 1250),
        ("€ 12", 12),
        ("32 uur", 32),
        ("40 hours", 40),
        ("-3", -3),
        ("+3", 3),
        ("12,0", 12),
        ("12.00", 12),
        ("1.234.567", 1234567),
        ("007", 7),
        ("٣٢", 32),
    ],
)
def test_whole_numbers_as_people_write_them(text: str, value: int):
    assert read_integer(text) == value


@pytest.mark.parametrize("text", ["", "twaalf", "1.2.3", "12-13", "1,25,0", "1e9", "½", "9" * 16, "--3", "12 of 13"])
def test_what_is_no_whole_number_is_not_guessed(text: str):
    assert code(read_integer, text) == "number_not_understood"


def test_a_fraction_is_no_whole_number():
    assert code(read_integer, "12,5") == code(read_integer, "12.5") == "number_not_whole"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12,5", 12.5),
        ("12.5", 12.5),
        ("1.234,56", 1234.56),
        ("1,234.56", 1234.56),
        ("0,125", 0.125),
        (",5", 0.5),
        ("1234,567", 1234.567),
        ("1 234,5", 1234.5),
        ("€ 9,95", 9.95),
        ("-2,5", -2.5),
        ("1.234.567", 1234567.0),
        ("38", 38.0),
    ],
)
def test_decimals_with_comma_or_point(text: str, value: float):
    assert read_decimal(text) == value


def test_a_number_that_can_mean_two_things_is_asked_again():
    assert code(read_decimal, "1.500") == code(read_decimal, "1,500") == "number_ambiguous"


@pytest.mark.parametrize("text", ["", "veel", "1.2,3.4", "1,2.3,4", "12,,5", ".", ",", "1.234,56,7"])
def test_what_is_no_decimal_is_not_guessed(text: str):
    assert code(read_decimal, text) == "number_not_understood"


@STEADY
@given(st.integers(-(10**9), 10**9))
def test_a_whole_number_is_read_in_dutch_and_in_english_writing(n: int):
    english = f"{n:,}"
    assert read_integer(str(n)) == read_integer(english) == read_integer(english.replace(",", ".")) == n


@STEADY
@given(st.integers(0, 10**8), st.integers(0, 99))
def test_a_decimal_is_read_in_dutch_and_in_english_writing(whole: int, cents: int):
    english = f"{whole:,}.{cents:02d}"
    dutch = english.translate(str.maketrans(".,", ",."))
    assert read_decimal(english) == read_decimal(dutch) == float(f"{whole}.{cents:02d}")


@STEADY
@given(st.text(printable + "€é٣½", max_size=15))
def test_any_text_gives_a_number_or_a_message(text: str):
    for read in (read_integer, read_decimal, read_date, read_time, read_phone):
        assert outcome(read, text)


@pytest.mark.parametrize(
    "text",
    [
        "3-4-1985",
        "03-04-1985",
        "3/4/1985",
        "3.4.1985",
        "3 4 1985",
        "1985-04-03",
        "1985/4/3",
        "3 april 1985",
        "3 apr 1985",
        "3 April 1985",
        "April 3, 1985",
        "3e april 1985",
        "3rd April 1985",
        "03041985",
        "3-april-1985",
        " 3  april  1985 ",
    ],
)
def test_one_day_in_many_writings(text: str):
    assert read_date(text) == date(1985, 4, 3)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("31-2-1985", "date_impossible"),
        ("1-13-1985", "date_impossible"),
        ("0-1-1985", "date_impossible"),
        ("3-4-85", "date_year_digits"),
        ("3 april '85", "date_year_digits"),
        ("gisteren", "date_not_understood"),
        ("3 aprul 1985", "date_not_understood"),
        ("1985", "date_not_understood"),
        ("", "date_not_understood"),
    ],
)
def test_a_date_that_is_not_one_says_why(text: str, why: str):
    assert code(read_date, text) == why


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("14:30", time(14, 30)),
        ("14.30", time(14, 30)),
        ("14u30", time(14, 30)),
        ("9:05", time(9, 5)),
        ("14 uur", time(14)),
        ("2 pm", time(14)),
        ("12 am", time(0)),
        ("12.15 p.m.", time(12, 15)),
        ("14:30:00", time(14, 30)),
    ],
)
def test_times_as_people_write_them(text: str, value: time):
    assert read_time(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("25:00", "time_impossible"),
        ("12:75", "time_impossible"),
        ("13 pm", "time_impossible"),
        ("straks", "time_not_understood"),
        ("14", "time_not_understood"),
    ],
)
def test_a_time_that_is_not_one_says_why(text: str, why: str):
    assert code(read_time, text) == why


@pytest.mark.parametrize(
    "text",
    [
        "0612345678",
        "06-12345678",
        "06 12 34 56 78",
        "+31612345678",
        "+31 6 1234 5678",
        "0031612345678",
        "+31 (0)6 12345678",
        "+31(0)612345678",
        "06.1234.5678",
        "(06) 12345678",
        "612345678",
        "00 31 6 12345678",
    ],
)
def test_a_dutch_number_in_many_writings(text: str):
    assert read_phone(text) == "+31612345678"


def test_other_numbers():
    assert read_phone("020-624 1111") == "+31206241111"
    assert read_phone("+48 512 345 678") == "+48512345678"
    assert read_phone("0032 475 12 34 56") == "+32475123456"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("061234567", "phone_digits"),
        ("06123456789", "phone_digits"),
        ("+3161234567", "phone_digits"),
        ("12345678", "phone_not_understood"),
        ("bel mij", "phone_not_understood"),
        ("", "phone_not_understood"),
        ("+1234", "phone_not_understood"),
    ],
)
def test_a_number_that_is_no_telephone_number_says_why(text: str, why: str):
    assert code(read_phone, text) == why


def test_the_eleven_proof():
    assert [is_citizen_number(n) for n in ("111222333", "123456782", "123456789", "12345678", "10000008")] == [
        True,
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "mijn bsn is 111222333",
        "111222333",
        "nr. 111.222.333!",
        "1112 22 333",
        "111-222-333 is het",
        "kind 2 111222333",
        "BSN: 10000008",
        "رقمي ١١١٢٢٢٣٣٣",
        "1112\u00a022\u202f333",
        "111\u2013222\u2013333",
        "111\u200b222\u200b333",
    ],
)
def test_a_citizen_number_in_a_text_is_found(text: str):
    assert find_citizen_number(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "bel 0612345678",
        "+31 612345678",
        "ik ben geboren op 03041985",
        "order 123456789",
        "IBAN NL91 ABNA 0417 1643 00",
        "1112223334",
        "geen nummers",
        "06-12 34 56 78",
        "10000008 schroeven",
    ],
)
def test_other_numbers_are_not_taken_for_a_citizen_number(text: str):
    assert find_citizen_number(text) is None


@STEADY
@given(st.integers(10**7, 10**9 - 1))
def test_one_wrong_digit_breaks_the_eleven_proof(n: int):
    digits = f"{n:09d}"
    if is_citizen_number(digits):
        for i in range(9):
            for d in "0123456789":
                if d != digits[i]:
                    assert not is_citizen_number(digits[:i] + d + digits[i + 1 :])


@pytest.mark.parametrize("read", [read_integer, read_decimal, read_date, read_time, read_phone])
@pytest.mark.parametrize("text", ["1" + " " * 9_990 + "x", "1." * 5_000, "9" * 10_000, "-" * 10_000], ids=len)
def test_a_long_text_in_a_field_for_a_number_is_refused_at_once(read: Callable[[str], object], text: str):
    started = process_time()
    assert code(read, text)
    assert process_time() - started < 0.2


def test_a_long_text_of_digits_is_searched_for_a_citizen_number_in_time():
    started = process_time()
    assert find_citizen_number("1 2-3." * 1_666) is None
    assert find_citizen_number("bsn " * 2_500) is None
    assert process_time() - started < 1


def outcome(read: Callable[[str], object], text: str) -> str:
    try:
        return repr(read(text))
    except InputError as error:
        return message(error.code, "nl", **error.values)


YES_NO = (Choice("yes", {"nl": "Ja", "en": "Yes"}), Choice("no", {"nl": "Nee", "en": "No"}))


def post(question: Question, *values: str, language: str = "nl", **parts: str) -> Accepted | Refused:
    form = Instrument("f", (question,), languages=("nl", "en"), lists={"yn": YES_NO})
    raw = {question.name: list(values)} | {f"{question.name}-{part}": [v] for part, v in parts.items()}
    return accept(form, {}, question.name, raw, context=NOW, language=language)


def refusal(question: Question, *values: str, language: str = "nl", **parts: str) -> tuple[str, str]:
    result = post(question, *values, language=language, **parts)
    assert isinstance(result, Refused)
    return result.errors[0].code, result.errors[0].message


def test_ten_thousand_characters_fit_and_one_more_is_refused_with_the_count():
    assert post(Question("q", "text"), "a" * 10_000) == Accepted({"q": "a" * 10_000})
    why, words = refusal(Question("q", "text"), "a" * 10_001)
    assert why == "text_too_long"
    assert "10000" in words
    assert "10001" in words


def test_emoji_and_letters_of_all_writings_are_kept():
    text = "Ik ben 👩🏽‍🔧 en spreek العربية, Türkçe, polski, українська ❤️"
    assert post(Question("q", "text"), text) == Accepted({"q": text})


def test_control_characters_are_taken_out():
    assert post(Question("q", "text"), "a\x00b\x1b[31m\u0007") == Accepted({"q": "ab[31m"})


def test_a_citizen_number_in_free_text_is_refused_in_plain_words():
    why, words = refusal(Question("q", "text"), "mijn bsn is 111222333")
    assert why == "citizen_number"
    assert "burgerservicenummer" in words
    assert "111222333" not in words
    assert "citizen service number" in refusal(Question("q", "text"), "111222333", language="en")[1]


@pytest.mark.parametrize(
    ("question", "values", "why"),
    [
        (Question("q", "text", required="true()"), (" ",), "required"),
        (Question("q", "select_one", choices="yn", required="true()"), (), "required"),
        (Question("q", "select_one", choices="yn"), ("maybe",), "choice_unknown"),
        (Question("q", "select_one", choices="yn"), ("yes", "no"), "choice_single"),
        (Question("q", "select_multiple", choices="yn"), ("yes", "x"), "choice_unknown"),
        (Question("q", "rank", choices="yn"), ("yes",), "rank_incomplete"),
        (Question("q", "rank", choices="yn"), ("yes", "yes"), "rank_incomplete"),
        (Question("q", "integer"), ("x",), "number_not_understood"),
        (Question("q", "decimal"), ("1.500",), "number_ambiguous"),
        (Question("q", "range", parameters={"start": "0", "end": "5"}), ("6",), "number_out_of_range"),
        (Question("q", "range", parameters={"start": "0", "end": "5", "step": "2"}), ("3",), "number_step"),
        (Question("q", "date"), ("31-2-2000",), "date_impossible"),
        (Question("q", "time"), ("later",), "time_not_understood"),
        (Question("q", "datetime"), ("3-4-1985",), "time_not_understood"),
        (Question("q", "datetime"), ("1985T",), "date_not_understood"),
        (Question("q", "text", appearance="phone"), ("123",), "phone_not_understood"),
        (Question("q", "acknowledge", required="true()"), (), "required"),
        (Question("q", "integer", constraint=". > 3"), ("2",), "constraint"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_refusal_has_a_message_in_each_language(
    question: Question, values: tuple[str, ...], why: str, language: str
):
    found, words = refusal(question, *values, language=language)
    assert found == why
    assert words
    assert "{" not in words


@pytest.mark.parametrize(
    ("question", "parts", "value"),
    [
        (Question("q", "date"), {"day": "3", "month": "april", "year": "1985"}, "1985-04-03"),
        (Question("q", "datetime"), {"day": "3", "month": "4", "year": "1985", "time": "9.05"}, "1985-04-03T09:05"),
        (Question("q", "rank", choices="yn"), {"yes": "2", "no": "1"}, ["no", "yes"]),
    ],
)
def test_an_answer_may_come_in_parts(question: Question, parts: dict[str, str], value: object):
    assert post(question, **parts) == Accepted({"q": value})


@pytest.mark.parametrize(
    "kind", ["text", "integer", "decimal", "range", "select_one", "select_multiple", "rank", "date", "time", "datetime"]
)
def test_every_kind_may_be_left_blank_when_it_is_not_required(kind: str):
    choices = "yn" if kind in ("select_one", "select_multiple", "rank") else ""
    assert post(Question("q", kind, choices=choices), "") == Accepted({"q": None})  # type: ignore[arg-type]


def test_the_catalogues_hold_the_same_codes_and_the_same_gaps():
    import re

    assert codes()
    for each in codes():
        gaps = {language: set(re.findall(r"\{\w+\}", _raw(each, language))) for language in LANGUAGES}
        assert gaps["nl"] == gaps["en"], each


def _raw(code_: str, language: str) -> str:
    class Gap(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return "{" + key + "}"

    from surveys.catalogue import _texts

    assert set(_texts(language)) == set(codes())
    return _texts(language)[code_].format_map(Gap())


def test_a_language_without_a_catalogue_gets_english():
    assert message("required", "de") == message("required", "en")
    with pytest.raises(KeyError):
        message("no such code", "nl")
