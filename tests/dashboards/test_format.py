"""Numbers, money and dates as readers in two languages expect them."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.errors import TextError
from dashboards.format import Formatter, writer

NL, EN = Formatter("nl"), Formatter("en")


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
@settings(derandomize=True, deadline=None)
def test_a_written_number_reads_back_as_the_number(value, digits):
    for form, thousands, decimal in ((NL, ".", ","), (EN, ",", ".")):
        written = form.decimal(value, digits).replace(thousands, "").replace(decimal, ".").replace("−", "-")
        assert math.isclose(float(written), round(value, digits), abs_tol=1e-9)
        assert written.count("-") == (1 if round(value, digits) < 0 else 0)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (NL.money(1234567), "€\xa01.234.567"),
        (EN.money(-0.4), "€0"),
        (NL.percent(0.5), "50%"),
        (EN.date(date(2027, 3, 1)), "1 March 2027"),
        (NL.p_value(0.0009), "< 0,001"),
        (EN.p_value(0.001), "0.001"),
        (EN.decimal(math.inf), "∞"),
        (NL.decimal(-math.inf), "−∞"),
        (EN.between(-1, 2, EN.integer), "−1 to 2"),
        (EN.significant(0), "0"),
    ],
)
def test_values_are_written_as_the_language_writes_them(written, expected):
    assert written == expected


@pytest.mark.parametrize("write", [EN.decimal, EN.percent, EN.money, EN.significant, EN.p_value, writer("ratio", EN)])
def test_a_missing_number_is_never_printed(write):
    with pytest.raises(TextError, match="a number is missing"):
        write(math.nan)


def test_a_p_value_outside_its_range_is_refused():
    with pytest.raises(TextError, match="between 0 and 1"):
        EN.p_value(1.2)
