"""While answers come in a researcher sees what deserves a look, and never which arm a number belongs to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from small_pilot import START, person, shipped
from sqlalchemy import select, update

from pilot import quality
from pilot.events import record
from pilot.journey import answering, withdrawal
from pilot.locking import in_force
from pilot.models import Allocation, Identity, Message, Participant, Submission
from pilot.people import by_email
from pilot.quality.interviewers import Held, effects
from pilot.worker import round_once
from surveys import Instrument
from surveys.definition import Choice, Question

OPEN = START + timedelta(days=95)
SCALE = tuple(Choice(str(n), {"nl": str(n)}) for n in range(1, 6))
ROW = tuple(Question(f"s{n}", "select_one", {"nl": f"Stelling {n}"}, choices="agree") for n in range(1, 5))
FORM = Instrument("row", (*ROW, Question("hours", "integer", {"nl": "Uren"})), lists={"agree": SCALE})
LIMITED = replace(FORM, children=(*ROW, Question("hours", "integer", {"nl": "Uren"}, constraint=". >= 0 and . <= 80")))


def lists(*said, mode="self", minutes=5.0):
    return [
        quality.Finished(
            number, f"P{number}", "w", mode, minutes if isinstance(minutes, float) else minutes[number], one
        )
        for number, one in enumerate(said)
    ]


def whom(found: quality.Found) -> list[tuple[str, str]]:
    return [(flag.study_id, flag.what) for flag in found.flags]


def why(found: quality.Found) -> list[str]:
    return [one.why for one in found.undone]


def test_only_who_took_less_than_half_the_median_time_is_very_fast():
    usual = lists(*({} for _ in range(20)), minutes=[10.0] * 18 + [4.9, 5.0])
    assert whom(quality.speeders("w", usual)) == [("P18", "4.9")]
    few = quality.speeders("w", usual[1:])
    assert (whom(few), why(few)) == ([], ["few_own"])
    called = quality.speeders("w", lists(*({} for _ in range(20)), mode="phone", minutes=[1.0] * 20))
    assert (whom(called), why(called)) == ([], ["few_own"])


def test_one_answer_to_a_whole_row_is_flat_and_a_row_with_a_gap_is_not():
    same, other = dict.fromkeys(("s1", "s2", "s3", "s4"), "2"), {"s1": "2", "s2": "2", "s3": "2", "s4": "3"}
    found = quality.straight(FORM, "w", lists(same, other, {**same, "s4": None}))
    assert (whom(found), why(found)) == ([("P0", "s1 … s4: 2")], [])
    short = Instrument("short", ROW[:3], lists={"agree": SCALE})
    assert why(quality.straight(short, "w", lists(same))) == ["no_row"]
    yes_no = Instrument("yes or no", ROW, lists={"agree": SCALE[:2]})
    assert whom(quality.straight(yes_no, "w", lists(same))) == [], "four times yes is an answer"


def test_a_number_is_far_when_it_lies_three_quartile_distances_out():
    found = quality.far_out(FORM, "w", lists(*({"hours": n % 10 + 30} for n in range(30)), {"hours": 400}))
    assert whom(found) == [("P30", "hours: 400")]
    assert whom(quality.far_out(FORM, "w", lists(*({"hours": n % 10 + 30} for n in range(30)), {"hours": 45}))) == []
    alike = quality.far_out(FORM, "w", lists(*({"hours": 36} for _ in range(30)), {"hours": 37}))
    assert (whom(alike), why(alike)) == ([], ["one_number"])
    assert why(quality.far_out(FORM, "w", lists({"hours": 36}))) == ["few_numbers"]


def test_an_answer_that_the_form_would_refuse_is_shown_however_it_came_in():
    some = lists({"hours": 36, "s1": "2"}, {"hours": 90, "s1": "7"}, {"hours": "veel"}, {"hours": None, "s1": None})
    found = quality.not_allowed(LIMITED, "w", some)
    assert whom(found) == [("P1", "s1: 7"), ("P1", "hours: 90"), ("P2", "hours: veel")]
    assert whom(quality.not_allowed(LIMITED, "w", some[:1])) == []


def test_what_was_left_open_counts_only_for_those_who_came_to_the_question():
    some = lists(*({"hours": None} for _ in range(3)), *({"hours": 4} for _ in range(9)), {"s1": "1"})
    assert [(skip.question, skip.share) for skip in quality.left_open(FORM, "w", some)] == [("hours", 0.25)]
    assert quality.left_open(FORM, "w", some[:9]) == []
    assert quality.left_open(FORM, "w", lists(*({"hours": 4} for _ in range(12)))) == []


def test_an_interviewer_who_hears_other_answers_is_found_and_chance_is_not():
    rng = np.random.default_rng(1)
    usual = [(who, float(rng.random() < 0.4)) for who in range(1, 6) for _ in range(30)]
    planted = [(who, 1.0 if who == 3 else value) for who, value in usual]
    calm, loud = quality.effect("training", usual), quality.effect("training", planted)
    assert calm.p > 0.05 > 0.001 > loud.p
    assert (loud.share > 0.1, loud.interviewers, loud.interviews) == (True, 5, 150)


def test_the_share_of_interviewers_says_why_there_is_none():
    few = quality.effect("training", [(1, 0.0)] * 30 + [(2, 1.0)] * 9)
    assert (few.share, few.p, few.why) == (None, None, "one_interviewer")
    assert quality.effect("training", [(1, 1.0)] * 10 + [(2, 1.0)] * 10).why == "one_value"
    assert quality.effect("training", [(1, 1.0)] * 10 + [(2, 0.0)] * 10).share == 1.0


def test_unequal_effort_between_arms_is_found_and_equal_effort_is_not():
    rng = np.random.default_rng(2)
    usual = [(arm, stratum, float(rng.poisson(2))) for arm in "abc" for stratum in "xy" for _ in range(60)]
    planted = [(arm, stratum, calls + (arm == "b")) for arm, stratum, calls in usual]
    assert not quality.same("attempts", list("abc"), usual).differs
    found = quality.same("attempts", list("abc"), planted)
    assert (found.differs, found.df) == (True, 2)


def test_the_test_of_effort_says_why_there_is_none():
    assert quality.same("attempts", ["a", "b"], [("a", "x", 1.0)] * 30).why == "few_lists"
    assert quality.same("attempts", ["a", "b"], [("a", "x", 1.0), ("b", "x", 1.0)] * 30).why == "same_for_all"


@pytest.fixture
def answered(office):
    """Three months after the draw: the invitations have gone out, and two people have answered."""
    office.now = OPEN
    round_once(office.database, office.settings, clock=lambda: OPEN)
    with office.database.writing() as session:
        _version, protocol = in_force(session, office.site.pilot(session).id)
        for number, someone in enumerate(session.scalars(select(Participant).order_by(Participant.id).limit(2))):
            office.site.fill(session, protocol, someone, "followup_3m", person(number + 1), OPEN)
            answering.submit(session, protocol, someone, "followup_3m", now=OPEN + timedelta(minutes=6))
    return office


def checks(office) -> quality.Checks:
    with office.database.reading() as session:
        pilot = office.site.pilot(session)
        _version, protocol = in_force(session, pilot.id)
        return quality.check(session, pilot, protocol, blind=lambda arm: arm[::-1], today=office.now.date())


def test_the_page_names_no_arm_shows_no_small_group_and_is_for_researchers(answered):
    with answered.database.reading() as session:
        _version, protocol = in_force(session, answered.site.pilot(session).id)
    shown = answered.get("researcher", "checks")
    assert "14 finished lists were checked." in shown
    labels = [label for arm in protocol.arms for label in (arm.name, *arm.label.values())]
    table = answered.html("researcher", "checks").split("<table>")[1].split("</table>")[0]
    assert [label for label in labels if label.casefold() in table.casefold()] == []
    assert table.count("–") == len(protocol.arms) * 5
    for who in ("advisor", "interviewer", "administrator"):
        answered.get(who, "checks", status=404)


def test_effort_and_response_are_counted_by_group_once_ten_lists_stand_behind_them(answered):
    with answered.database.writing() as session:
        session.execute(update(Allocation).values(arm="advice"))
    (group,) = [group for group in checks(answered).groups if group.answered["followup_3m"] is not None]
    assert group.answered["followup_3m"] == pytest.approx(2 / 12)
    assert (group.messages, group.attempts) == (1.0, 0.0)
    with answered.database.writing() as session:
        session.execute(update(Message).where(Message.wave == "followup_3m").values(status="cancelled"))
    assert next(g.messages for g in checks(answered).groups if g.letter == group.letter) == 0.0


def test_people_who_share_a_number_or_a_name_are_shown_and_stay_apart(answered):
    with answered.database.writing() as session:
        first, second, third = session.scalars(select(Identity).order_by(Identity.participant_id).limit(3))
        second.phone_hash = first.phone_hash
        third.name, third.birth_date = "FÁTIMA  proef 1", first.birth_date
        names = {one.participant_id: one.participant.study_id for one in (first, second, third)}
    a, b, c = names.values()
    found = {each.by: each.study_ids for each in checks(answered).alike}
    assert found == {"phone": (a, b), "name": (a, c)}


def test_who_asked_that_answers_are_not_used_is_in_no_check(answered):
    before = checks(answered).lists
    with answered.database.writing() as session:
        someone = session.scalars(select(Participant).order_by(Participant.id)).first()
        withdrawal.withdraw(session, someone, "no_data", actor_id=None, now=OPEN)
    assert checks(answered).lists == before - 2


def test_numbers_of_an_interviewer_appear_after_ten_interviews(answered):
    with answered.database.writing() as session:
        session.execute(update(Submission).values(mode="phone"))
        people = session.scalars(select(Participant).join(Submission).where(Submission.wave == "baseline")).all()
        caller = by_email(session, "interviewer@proef.nl").id
        for who in people[:9]:
            record(session, "contact_attempt", who, now=OPEN, actor_id=caller, wave="baseline", outcome="completed")
    (few,) = checks(answered).interviewers
    assert (few.interviews, few.minutes, few.open_share) == (9, None, None)
    with answered.database.writing() as session:
        tenth = session.get_one(Participant, people[9].id)
        record(session, "contact_attempt", tenth, now=OPEN, actor_id=caller, wave="baseline", outcome="completed")
    (ten,) = checks(answered).interviewers
    assert (ten.interviews, ten.minutes) == (10, 0.0)
    assert ten.open_share is not None


def test_the_share_of_interviewers_is_worked_out_for_the_outcomes_of_the_plan():
    protocol, wave, rng = shipped(), "followup_12m", np.random.default_rng(3)
    forms = {one.name: protocol.instrument_of(one.name) for one in protocol.waves}
    some = []
    for number in range(60):
        said = {
            "work": str(rng.choice(["employed", "looking"])),
            "training_last_4_weeks": "yes" if number % 3 else "no",
        }
        some.append(quality.Finished(number, f"P{number}", wave, "desk", 10.0 + number % 3, said))
    interviews = [Held(one.person % 3 + 1, one) for one in some]
    found = {each.what: each for each in effects(protocol, forms, some, interviews)}
    assert set(found) == {"minutes", "open", *(one.name for one in protocol.plan.outcomes)}
    assert found["training_last_4_weeks"].p < 1e-6
    assert found["in_work_12m"].p > 0.01
    assert found["minutes"].share == 1.0, "each interviewer always takes as long"
    assert found["training_started_12m"].why == "one_interviewer", "nobody said whether a training was begun"


def test_the_page_says_what_was_not_tested_and_why(answered):
    shown = answered.get("researcher", "checks")
    assert "Is it the same in every arm?" in shown
    assert shown.count("not tested: fewer than ten people in an arm") == 5
    assert "Not checked yet in 3 months: fewer than twenty people answered by themselves." in shown
    with answered.database.writing() as session:
        pilot = answered.site.pilot(session)
        session.execute(update(Message).values(status="cancelled"))
        _version, protocol = in_force(session, pilot.id)
        found = quality.check(session, pilot, protocol, blind=lambda name: name, today=OPEN.date())
    assert {one.what for one in found.same} == {"messages", "attempts", *(wave.name for wave in protocol.waves[1:])}
