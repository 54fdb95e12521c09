"""Answering one page: how long a form of 200 questions takes to say which question comes next.

    python benchmarks/surveys.py [--json]

The path is worked out anew at every request, so this is paid for every page of every participant. The form has 200
questions in 20 groups, half of them with a condition over earlier answers, with choice filters and calculations; it is
measured when it is empty, half way and at its last question. The limits are in milliseconds of CPU time.

The last figure is pages a second: a question's page as the site gives it (link checked, answers read from SQLite, path
worked out, headers set) against Flask and Jinja alone with the same templates and all values ready, in one run.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from _timing import Figure, interleaved_cpu, median_cpu, report

# This script has the name of the package that it measures; the folder of a script comes first in the search path.
sys.path = [folder for folder in sys.path if Path(folder).resolve() != Path(__file__).resolve().parent]

from surveys import Choice, Context, Instrument, Question, Section, accept, walk  # noqa: E402
from surveys.runner import Accepted  # noqa: E402

QUESTIONS = 200
LIMIT_MS = 2.0
CALLS = 20
NOW = Context(date(2026, 11, 22), datetime(2026, 11, 22, 12, tzinfo=UTC), "nl", "benchmark")


def form() -> Instrument:
    """200 questions as a long questionnaire has them."""
    yes_no = (Choice("yes", {"nl": "Ja"}), Choice("no", {"nl": "Nee"}))
    towns = tuple(Choice(f"t{i}", {"nl": f"Plaats {i}"}, columns={"region": f"r{i % 4}"}) for i in range(40))
    regions = tuple(Choice(f"r{i}", {"nl": f"Regio {i}"}) for i in range(4))
    groups = tuple(group(g) for g in range(20))
    return Instrument("long", groups, lists={"yes_no": yes_no, "towns": towns, "regions": regions})


def group(g: int) -> Section:
    """Ten questions, of which five have a condition, one a choice filter, one a constraint and one is calculated."""
    name = f"g{g}"
    earlier = f"${{g{max(g - 1, 0)}_work}}"
    hours, help_ = f"${{{name}_hours}}", f"${{{name}_help}}"
    busy = f"${{{name}_work}} = 'yes' and ({earlier} = 'yes' or {hours} > 20)"
    helped = f"selected({help_}, 'r2') or count-selected({help_}) > 2"
    items: list[Question | Section] = [
        Question(f"{name}_work", "select_one", choices="yes_no", required="true()"),
        Question(f"{name}_hours", "decimal", relevant=f"${{{name}_work}} = 'yes'", constraint=". >= 0 and . <= 100"),
        Question(f"{name}_region", "select_one", choices="regions"),
        Question(f"{name}_town", "select_one", choices="towns", choice_filter=f"region = ${{{name}_region}}"),
        Question(f"{name}_more", "text", relevant=busy),
        Question(f"{name}_help", "select_multiple", choices="regions"),
        Question(f"{name}_why", "text", relevant=helped),
        Question(f"{name}_year", "calculate", calculation=f"coalesce({hours}, 0) * 52"),
        Question(f"{name}_tired", "select_one", choices="yes_no", relevant=f"${{{name}_year}} > 1500"),
        Question(f"{name}_date", "date", relevant=f"{earlier} != 'no'", constraint=". <= today()"),
    ]
    return Section(name, tuple(items))


def answered(instrument: Instrument, pages: int) -> dict[str, Any]:
    """The answers of somebody who has filled in that many pages, page by page."""
    typed = {"decimal": "36,5", "text": "Een kort antwoord", "date": "1-2-2020"}
    answers: dict[str, Any] = {}
    for _ in range(pages):
        step = walk(instrument, answers, context=NOW).next
        if step is None:
            break
        value = typed.get(step.kind) or step.choices[0].name
        result = accept(instrument, answers, step.key, {step.key: [value]}, context=NOW, language="nl")
        assert isinstance(result, Accepted)
        answers = result.answers
    return answers


def main() -> int:
    instrument = form()
    assert len(instrument.questions) == QUESTIONS
    full = answered(instrument, QUESTIONS)
    figures = []
    for name, pages in (("empty", 0), ("half way", len(full) // 2), ("at the last question", len(full) - 1)):
        answers = answered(instrument, pages)

        def again(answers: dict[str, Any] = answers) -> None:
            for _ in range(CALLS):
                assert walk(instrument, answers, context=NOW).next is not None

        again()
        milliseconds = median_cpu(again) / CALLS * 1000
        label = f"milliseconds to the next of {QUESTIONS} questions, {name}"
        figures.append(Figure(label, milliseconds, LIMIT_MS, "the limit in milliseconds", at_most=True))
    figures.append(page_figure())
    return report(figures, sys.argv)


def page_figure() -> Figure:
    """How many pages a second the site gives for one that Flask and Jinja give alone, by CPU time."""
    sys.path.append(str(Path(__file__).resolve().parent))  # last, or this script would be found as the package
    from _pages import two_pages

    with tempfile.TemporaryDirectory() as folder:
        ours, bare = two_pages(Path(folder))
        size, peer = len(ours()), len(bare())
        if abs(size - peer) > size * 0.1:
            raise SystemExit(f"the two pages differ in size: {size} and {peer} bytes")
        mine, theirs = interleaved_cpu([ours, bare], rounds=15)
    return Figure("pages a second with a question", theirs / mine, 0.5, "bare Flask and Jinja, same templates")


if __name__ == "__main__":
    sys.exit(main())
