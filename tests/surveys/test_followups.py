"""Waves: the calendar of the follow-up, equal for all arms."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import WaveError
from surveys.followups import Offset, Wave, due, read_waves, schedule

SECTION = [
    {"name": "followup_6m", "offset": "6 months", "window": "8 weeks"},
    {
        "name": "followup_3m",
        "offset": "3 months",
        "window": {"opens": "-1 week", "closes": "6 weeks"},
        "reminders": ["1 week", {"after": "3 weeks", "channel": "letter"}],
        "modes": ["self", "phone"],
    },
]
days = st.dates(date(2020, 1, 1), date(2040, 1, 1))


def test_waves_come_in_the_order_of_their_offset():
    assert [wave.name for wave in read_waves(SECTION)] == ["followup_3m", "followup_6m"]


def test_a_wave_has_its_dates_from_the_day_of_allocation():
    third, _ = schedule(read_waves(SECTION), date(2026, 11, 30))
    assert (third.due_on, third.opens_on, third.closes_on) == (date(2027, 2, 28), date(2027, 2, 21), date(2027, 4, 11))
    assert third.reminders_on == ((date(2027, 2, 28), None), (date(2027, 3, 14), "letter"))


def test_a_wave_is_due_while_its_window_is_open():
    waves, allocated = read_waves(SECTION), date(2026, 1, 1)
    due_on = {day: [d.wave.name for d in due(waves, allocated, day)] for day in (
        date(2026, 3, 24), date(2026, 3, 25), date(2026, 5, 13), date(2026, 5, 14), date(2026, 7, 1))}  # fmt: skip
    assert list(due_on.values()) == [[], ["followup_3m"], ["followup_3m"], [], ["followup_6m"]]


def test_reminders_are_counted_up_to_today():
    third = schedule(read_waves(SECTION), date(2026, 11, 30))[0]
    assert [third.reminders_until(date(2027, 2, 27) + timedelta(days=d)) for d in (0, 1, 14, 15)] == [0, 1, 1, 2]


def test_a_wave_survives_its_dict_form():
    for wave in read_waves(SECTION):
        assert Wave.from_dict(wave.to_dict()) == wave


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"offset": "3 moons"}, (0, "offset"), "'3 moons' is not a period"),
        ({"offset": None}, (0, "offset"), "a wave needs 'offset'"),
        ({"offset": "-3 months"}, (0, "offset"), "lies before allocation"),
        ({"ofset": "3 months"}, (0, "ofset"), "did you mean 'offset'?"),
        ({"window": {"close": "2 weeks"}}, (0, "window", "close"), "did you mean 'closes'?"),
        ({"window": {"closes": "-2 weeks"}}, (0, "window"), "closes before it opens"),
        ({"window": {"closes": 14}}, (0, "window", "closes"), "not a period"),
        ({"reminders": ["20 weeks"]}, (0, "reminders", 0), "outside its window"),
        ({"reminders": [{"after": "1 week", "channel": "fax"}]}, (0, "reminders", 0, "channel"), "no channel 'fax'"),
        ({"reminders": [{"after": "soon"}]}, (0, "reminders", 0, "after"), "not a period"),
        ({"modes": ["selves"]}, (0, "modes", 0), "no mode 'selves'"),
    ],
)
def test_a_mistake_in_a_wave_is_named_by_its_keys(change: dict[str, object], path: tuple[object, ...], message: str):
    with pytest.raises(WaveError) as caught:
        read_waves([{"name": "w", "offset": "3 months"} | change])
    assert caught.value.path == path
    assert message in str(caught.value)


def test_two_waves_may_not_share_a_name():
    with pytest.raises(WaveError, match="twice") as caught:
        read_waves([SECTION[0], SECTION[0]])
    assert caught.value.path == (1, "name")


@settings(derandomize=True, deadline=None)
@given(days, st.integers(0, 60))
def test_months_keep_the_day_or_take_the_last_of_the_month(day: date, months: int):
    later = Offset(months=months).after(day)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


@settings(derandomize=True, deadline=None)
@given(days, days)
def test_a_later_allocation_is_never_due_earlier(a: date, b: date):
    first, second = sorted((a, b))
    for one, other in zip(schedule(read_waves(SECTION), first), schedule(read_waves(SECTION), second), strict=True):
        assert one.due_on <= other.due_on
        assert one.opens_on <= one.due_on <= one.closes_on
