"""The path is a pure function of instrument, answers and clock."""

from datetime import UTC, date, datetime

import pytest

from surveys import Choice, Context, Instrument, Question, Section, walk
from surveys.errors import ExpressionError

NOW = Context(date(2026, 11, 22), datetime(2026, 11, 22, 10, tzinfo=UTC), "nl", "participant 7")


def form(*children: Question | Section, **lists: tuple[Choice, ...]) -> Instrument:
    return Instrument("f", children, lists=lists)


def keys(instrument: Instrument, answers: dict[str, object]) -> list[str]:
    return [step.key for step in walk(instrument, answers, context=NOW).steps]


def test_a_question_that_does_not_apply_is_not_on_the_path():
    f = form(Question("work", "text"), Question("hours", "integer", relevant="${work} = 'yes'"))
    assert keys(f, {}) == ["work"]
    assert keys(f, {"work": "yes"}) == ["work", "hours"]


def test_the_next_step_is_the_first_without_an_answer():
    f = form(Question("a", "text"), Question("b", "text"), Question("c", "text"))
    path = walk(f, {"a": "x", "c": "z"}, context=NOW)
    assert path.next is not None
    assert (path.next.key, path.position, path.total, path.complete) == ("b", 2, 3, False)


def test_a_form_of_which_everything_is_answered_is_complete():
    path = walk(form(Question("a", "text")), {"a": None}, context=NOW)
    assert path.complete
    assert path.position == path.total == 1


def test_a_required_question_that_was_left_blank_stays_open():
    f = form(Question("a", "text", required="true()"))
    assert not walk(f, {"a": None}, context=NOW).complete


def test_answers_that_left_the_path_are_empty_to_other_expressions():
    f = form(
        Question("work", "text"),
        Question("hours", "integer", relevant="${work} = 'yes'"),
        Question("tired", "text", relevant="${hours} > 40"),
    )
    assert keys(f, {"work": "no", "hours": 60}) == ["work"]
    assert keys(f, {"work": "yes", "hours": 60}) == ["work", "hours", "tired"]


def test_an_expression_may_look_ahead_to_a_question_that_does_not_apply():
    f = form(
        Question("early", "text", relevant="${late} = 'x'"),
        Question("late", "text", relevant="1 = 2"),
    )
    assert keys(f, {"late": "x"}) == []


def test_a_group_that_does_not_apply_takes_its_questions_along():
    inner = Section("inner", (Question("b", "text"),))
    f = form(Question("a", "text"), Section("outer", (inner, Question("c", "text")), relevant="${a} = 'go'"))
    assert keys(f, {}) == ["a"]
    assert keys(f, {"a": "go"}) == ["a", "b", "c"]


def test_a_counted_repeat_has_as_many_instances_as_its_count():
    person = Section("person", (Question("age", "integer"),), repeats=True, repeat_count="${people}")
    f = form(Question("people", "integer"), person)
    assert keys(f, {"people": 2}) == ["people", "person.1.age", "person.2.age"]
    assert keys(f, {}) == ["people"]


def test_an_open_repeat_asks_each_time_for_another():
    f = form(Section("person", (Question("age", "integer"),), repeats=True))
    assert keys(f, {}) == ["person.1"]
    assert keys(f, {"person.1": "yes"}) == ["person.1", "person.1.age", "person.2"]
    path = walk(f, {"person.1": "yes", "person.1.age": 3, "person.2": "no"}, context=NOW)
    assert path.complete


def test_within_a_repeat_a_reference_means_the_same_instance_and_outside_it_all_of_them():
    person = Section(
        "person",
        (Question("age", "integer"), Question("school", "text", relevant="${age} < 18")),
        repeats=True,
        repeat_count="2",
    )
    f = form(person, Question("minors", "text", relevant="sum(${age}) > 50 and count(${person}) = 2"))
    answers = {"person.1.age": 40, "person.2.age": 12}
    assert keys(f, answers) == ["person.1.age", "person.2.age", "person.2.school", "minors"]


def test_repeats_within_repeats_have_keys_that_name_every_instance():
    job = Section("job", (Question("hours", "integer"),), repeats=True, repeat_count="${jobs}")
    person = Section("person", (Question("jobs", "integer"), job), repeats=True, repeat_count="2")
    f = form(person, Question("much", "text", relevant="sum(${hours}) > 60"))
    answers = {"person.1.jobs": 2, "person.2.jobs": 1, "person.1.job.1.hours": 20}
    answers |= {"person.1.job.2.hours": 30, "person.2.job.1.hours": 20}
    first = ["person.1.jobs", "person.1.job.1.hours", "person.1.job.2.hours"]
    assert keys(f, answers) == [*first, "person.2.jobs", "person.2.job.1.hours", "much"]


def test_position_and_indexed_repeat_tell_instances_apart():
    person = Section(
        "person",
        (Question("name", "text"), Question("first", "note", relevant="position(..) = 1")),
        repeats=True,
        repeat_count="2",
    )
    f = form(person, Question("second", "calculate", calculation="indexed-repeat(${name}, ${person}, 2)"))
    path = walk(f, {"person.1.name": "An", "person.2.name": "Bo"}, context=NOW)
    assert [s.key for s in path.steps] == ["person.1.name", "person.1.first", "person.2.name"]
    assert path.state.text(path.state.place("second"), ()) == "Bo"


def test_a_choice_filter_offers_only_what_fits_and_reopens_an_answer_that_no_longer_does():
    towns = (Choice("ams", columns={"region": "west"}), Choice("gro", columns={"region": "noord"}))
    f = form(
        Question("region", "text"),
        Question("town", "select_one", choices="towns", choice_filter="region = ${region}"),
        towns=towns,
    )
    path = walk(f, {"region": "noord", "town": "ams"}, context=NOW)
    assert [c.name for c in path.steps[1].choices] == ["gro"]
    assert path.next is not None
    assert path.next.key == "town"


def test_a_changed_answer_reopens_a_later_one_whose_constraint_it_breaks():
    f = form(Question("start", "date"), Question("end", "date", constraint=". >= ${start}"))
    assert walk(f, {"start": "2026-01-01", "end": "2026-02-01"}, context=NOW).complete
    assert not walk(f, {"start": "2026-03-01", "end": "2026-02-01"}, context=NOW).complete


def test_random_order_is_the_same_at_every_request_and_differs_between_people():
    letters = tuple(Choice(letter) for letter in "abcdefgh")
    f = form(Question("q", "select_one", choices="letters", parameters={"randomize": "true"}), letters=letters)

    def order(seed: str) -> list[str]:
        context = Context(NOW.today, NOW.now, "nl", seed)
        return [choice.name for choice in walk(f, {}, context=context).steps[0].choices]

    assert order("a") == order("a")
    assert sorted(order("a")) == list("abcdefgh")
    assert len({tuple(order(str(i))) for i in range(20)}) > 15


def test_a_seed_in_the_parameters_gives_everybody_the_same_order():
    letters = tuple(Choice(letter) for letter in "abcdefgh")
    parameters = {"randomize": "true", "seed": "42"}
    f = form(Question("q", "select_one", choices="letters", parameters=parameters), letters=letters)
    orders = {
        tuple(c.name for c in walk(f, {}, context=Context(NOW.today, NOW.now, "nl", s)).steps[0].choices) for s in "ab"
    }
    assert len(orders) == 1


def test_labels_repeat_earlier_answers_in_the_language_asked_for():
    f = form(
        Question("name", "text"), Question("age", "integer", {"nl": "Hoe oud is ${name}?", "en": "Age of ${name}?"})
    )
    step = walk(f, {"name": "Bo"}, context=NOW).steps[1]
    assert (step.label("nl"), step.label("en"), step.label("tr")) == ("Hoe oud is Bo?", "Age of Bo?", "Hoe oud is Bo?")


def test_a_default_may_be_calculated_and_prefills_the_page():
    f = form(Question("day", "date", default="today()"), Question("n", "integer", default="3"))
    steps = walk(f, {}, context=NOW).steps
    assert [step.value for step in steps] == ["2026-11-22", "3"]


def test_a_cycle_is_named_instead_of_exhausting_the_stack():
    f = form(Question("a", "calculate", calculation="${b} + 1"), Question("b", "calculate", calculation="${a} + 1"))
    path = walk(f, {}, context=NOW)
    with pytest.raises(ExpressionError, match="depends on itself"):
        path.state.text(path.state.place("a"), ())


def test_the_step_before_serves_the_back_link():
    path = walk(form(Question("a", "text"), Question("b", "text")), {}, context=NOW)
    before = path.before("b")
    assert before is not None
    assert before.key == "a"
    assert path.before("a") is None
