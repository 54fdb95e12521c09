"""What people type is cleaned once, and the same way everywhere."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot.web import forms


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=200))
def test_a_cleaned_text_stays_as_it_is_when_it_is_cleaned_again(typed: str):
    once = forms.text({"name": typed}, "name", longest=1_000)
    assert forms.text({"name": once}, "name", longest=1_000) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not [sign for sign in once if unicodedata.category(sign) == "Cc"]


def test_an_emoji_and_a_foreign_name_are_kept():
    assert forms.text({"name": " Zoë 👩🏽‍🔧 Yılmaz "}, "name") == "Zoë 👩🏽‍🔧 Yılmaz"


def test_lines_are_kept_only_where_they_are_asked_for():
    typed = {"notes": "een\r\ntwee  \r drie"}
    assert forms.text(typed, "notes") == "een twee drie"
    assert forms.text(typed, "notes", lines=True) == "een\ntwee\ndrie"


def test_a_name_of_ten_thousand_letters_is_refused_and_not_cut():
    with pytest.raises(forms.TooLong) as refused:
        forms.text({"name": "x" * 10_000}, "name", longest=200)
    assert refused.value.longest == 200


def test_a_form_without_a_good_mark_gets_a_new_one():
    good = forms.new_nonce()
    assert forms.nonce({"nonce": good}) == good
    for bad in ({}, {"nonce": ""}, {"nonce": "kort"}, {"nonce": "<script>aaaaaaaaaaaaaaaa"}):
        assert forms.NONCE.fullmatch(forms.nonce(bad))
    assert forms.new_nonce() != forms.new_nonce()


@pytest.mark.parametrize(
    ("typed", "date"),
    [
        (("27", "3", "1985"), "1985-03-27"),
        (("", "", ""), ""),
        (("31", "2", ""), "0000-02-31"),
        (("x", "y", "z"), "000z-0y-0x"),
    ],
)
def test_three_fields_become_one_date_and_what_is_no_date_stays_none(typed, date):
    form = dict(zip(("born-day", "born-month", "born-year"), typed, strict=True))
    assert forms.date_text(form, "born") == date
    assert forms.date_parts(form, "born") == typed
