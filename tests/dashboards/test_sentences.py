"""What a policymaker reads is true, whole and never says more than the numbers."""

from __future__ import annotations

import re

import dashboard_samples as samples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.disclosure import Rules
from dashboards.effects import Effect
from dashboards.errors import FigureError
from dashboards.sentence import ArmOutcome, OutcomeWords, sentence, sentences

DUTCH = OutcomeWords("Begon een opleiding", "begonnen er {count} aan een opleiding")


def said(value, low, high, *, language="en", share=0.27, other=0.19, **options) -> str:
    effect = Effect("x", value, low, high, n=800, **options)
    words, phrases = (samples.WORDS, ("with advice", "without advice"))
    if language == "nl":
        words, phrases = DUTCH, ("met advies", "zonder advies")
    arm = ArmOutcome("Advice", phrases[0], share, 400, effect)
    return sentence(arm, ArmOutcome("Portal", phrases[1], other, 400), words, language)


def test_a_clear_effect_is_told_in_people_out_of_a_hundred():
    assert said(0.08, 0.04, 0.12) == (
        "Of 100 people with advice, 27 started training; without advice 19. "
        "That is 8 more per 100 (between 4 and 12 more)."
    )
    assert said(0.08, 0.04, 0.12, language="nl") == (
        "Van de 100 mensen met advies begonnen er 27 aan een opleiding; zonder advies 19. "
        "Dat zijn er 8 meer per 100 (tussen 4 en 12 meer)."
    )


def test_a_harmful_effect_counts_from_near_to_far():
    assert said(-0.08, -0.12, -0.04).endswith("That is 8 fewer per 100 (between 4 and 12 fewer).")


def test_an_effect_of_less_than_one_in_a_hundred_keeps_a_decimal():
    assert said(0.008, 0.002, 0.014).endswith("That is 0.8 more per 100 (between 0.2 and 1.4 more).")


def test_an_effect_made_unclear_by_a_correction_is_not_told_as_clear():
    told = said(0.08, 0.004, 0.12, judged_clear=False)
    assert "unclear" in told
    assert "That is" not in told


@given(st.floats(-0.5, 0.5), st.floats(0, 0.3), st.floats(0, 0.3), st.sampled_from(["nl", "en"]))
@settings(derandomize=True, deadline=None)
def test_the_direction_is_told_exactly_when_the_interval_excludes_nothing(value, below, above, language):
    low, high = value - below, value + above
    told = said(value, low, high, language=language)
    unclear = "onduidelijk" if language == "nl" else "unclear"
    assert (unclear in told) == (low <= 0 <= high)
    assert not re.search(r"no (effect|difference)|geen (effect|verschil)", told)
    if not low <= 0 <= high:
        words = {"nl": ("meer", "minder"), "en": ("more", "fewer")}[language]
        right, wrong = words if value > 0 else words[::-1]
        assert right in told
        assert wrong not in told


def test_money_and_ratios_have_their_own_words():
    words = OutcomeWords("Earnings")
    effect = Effect("x", 100, 20, 180, n=800, unit="money")
    arm, other = ArmOutcome("A", "with advice", 1200, 400, effect), ArmOutcome("P", "without advice", 1100, 400)
    assert sentence(arm, other, words, "en") == (
        "Earnings: €1,200 on average for people with advice; without advice €1,100. "
        "That is €100 more (between €20 and €180 more)."
    )
    told = said(1.42, 1.1, 1.8, unit="ratio", null=1.0)
    assert told.startswith("Of 100 people with advice, 27 started training; without advice 19.")
    assert told.endswith("That is 1.42 times as many (between 1.10 and 1.80 times).")
    assert "unclear" in said(1.42, 0.9, 1.8, unit="ratio", null=1.0)


def test_too_few_people_are_told_without_numbers():
    few = ArmOutcome("Advice", "with advice", 0.01, 400, samples.EFFECTS[0])
    figure = sentences([few], samples.PORTAL, samples.WORDS, look=samples.OPEN, language="en", rules=Rules())
    assert not re.search(r"\d", figure.sentence.replace("10 people", ""))
    assert [cell.text for cell in figure.table.rows[1][1:]] == ["withheld"] * 3


def test_public_numbers_of_people_are_rounded():
    arm = ArmOutcome("Advice", "with advice", 0.27, 403, samples.EFFECTS[0])
    figure = sentences([arm], samples.PORTAL, samples.WORDS, look=samples.OPEN, language="en", rules=Rules())
    assert figure.table.rows[1][1].text == "405"
    assert "rounded to 5" in figure.note


def test_the_comparison_arm_has_no_sentence_of_its_own():
    with pytest.raises(FigureError, match="has no effect to tell"):
        sentence(samples.PORTAL, samples.PORTAL, samples.WORDS, "en")


@pytest.mark.parametrize(
    ("numbers", "complaint"),
    [((0.1, 0.2, 0.3), "lies outside its interval"), ((float("nan"), 0, 1), "has no value")],
)
def test_an_effect_that_cannot_be_is_refused(numbers, complaint):
    with pytest.raises(FigureError, match=complaint):
        Effect("x", *numbers, n=10)
