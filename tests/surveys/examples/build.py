"""Writes one XLSForm workbook for each feature, and one for each mistake: ``python build.py``.

The workbooks are fixtures of the tests and examples for researchers; the same script gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import xlsxwriter

HERE = Path(__file__).parent
Row = Mapping[str, str]
SETTINGS = {"form_title": "Example", "form_id": "example", "version": "1", "default_language": "English (en)"}
YES_NO = [{"list_name": "yes_no", "name": "yes", "label": "Yes"}, {"list_name": "yes_no", "name": "no", "label": "No"}]
TOWNS = [
    {"list_name": "province", "name": "gr", "label": "Groningen"},
    {"list_name": "province", "name": "zh", "label": "Zuid-Holland"},
    {"list_name": "town", "name": "groningen", "label": "Groningen", "province": "gr"},
    {"list_name": "town", "name": "delfzijl", "label": "Delfzijl", "province": "gr"},
    {"list_name": "town", "name": "leiden", "label": "Leiden", "province": "zh"},
]


def q(type_: str, name: str = "", label: str | None = None, **cells: str) -> Row:
    """One row of the survey sheet; ``label`` defaults to the name."""
    shown = {} if type_.startswith(("calculate", "end", "hidden")) else {"label": label or name}
    return {"type": type_, "name": name} | shown | cells


def c(name: str, calculation: str) -> Row:
    """A calculation."""
    return {"type": "calculate", "name": name, "calculation": calculation}


GOOD: dict[str, Sequence[Sequence[Row]]] = {
    "text": [[q("text", "name", "What is your name?", hint="First name")]],
    "text_multiline": [[q("text", "story", appearance="multiline")]],
    "phone": [[q("text", "phone", appearance="phone")]],
    "integer": [[q("integer", "age")]],
    "decimal": [[q("decimal", "hours")]],
    "range": [[q("range", "score", parameters="start=0 end=10 step=2")]],
    "select_one": [[q("select_one yes_no", "work")], YES_NO],
    "select_multiple": [[q("select_multiple yes_no", "both")], YES_NO],
    "select_other": [[q("select_one yes_no or_other", "work")], YES_NO],
    "select_exclusive": [
        [q("select_multiple help", "help")],
        [
            {"list_name": "help", "name": "advice", "label": "Advice"},
            {"list_name": "help", "name": "money", "label": "Money"},
            {"list_name": "help", "name": "none", "label": "No help", "exclusive": "yes"},
        ],
    ],
    "select_from_file": [[q("select_one_from_file occupations.csv", "occupation")]],
    "select_multiple_from_file": [[q("select_multiple_from_file occupations.csv", "occupations")]],
    "select_multiple_other": [[q("select_multiple yes_no or_other", "both")], YES_NO],
    "pulldata": [
        [
            q("select_one_from_file occupations.csv", "occupation"),
            q("calculate", "wage", calculation="pulldata('occupations', 'wage', 'name', ${occupation})"),
        ]
    ],
    "rank": [[q("rank town", "favourite")], TOWNS],
    "date": [[q("date", "birth_date", constraint=". <= today()", constraint_message="Not in the future")]],
    "time": [[q("time", "start")]],
    "datetime": [[q("datetime", "moment")]],
    "note": [[q("note", "welcome", "Welcome"), q("text", "name")]],
    "acknowledge": [[q("acknowledge", "agreed", required="yes")]],
    "calculate": [[q("integer", "years"), q("calculate", "months", calculation="${years} * 12")]],
    "hidden": [[q("hidden", "source", default="letter"), q("text", "name")]],
    "media": [
        [q("select_one pictures", "fruit") | {"media::image": "fruit.png", "media::audio": "fruit.mp3"}],
        [
            {"list_name": "pictures", "name": "apple", "label": "Apple", "media::image": "apple.png"},
            {"list_name": "pictures", "name": "pear", "label": "Pear", "media::image": "pear.png"},
        ],
    ],
    "group": [[q("begin group", "home"), q("text", "street"), q("text", "town"), q("end group", "home")]],
    "group_relevant": [
        [
            q("select_one yes_no", "work"),
            q("begin group", "job", relevant="${work} = 'yes'"),
            q("integer", "hours"),
            q("end group"),
        ],
        YES_NO,
    ],
    "repeat": [[q("begin repeat", "child", "Do you have another child?"), q("text", "first_name"), q("end repeat")]],
    "repeat_count": [
        [
            q("integer", "children"),
            q("begin repeat", "child", repeat_count="${children}"),
            q("text", "first_name", "Name of child ${number}"),
            q("calculate", "number", calculation="position(..)"),
            q("end repeat"),
        ]
    ],
    "repeat_nested": [
        [
            q("begin repeat", "person", repeat_count="2"),
            q("integer", "jobs"),
            q("begin repeat", "job", repeat_count="${jobs}"),
            q("integer", "hours"),
            q("end repeat"),
            q("end repeat"),
            q("calculate", "total", calculation="sum(${hours})"),
            q("calculate", "second", calculation="indexed-repeat(${jobs}, ${person}, 2)"),
        ]
    ],
    "indexed_repeat": [
        [
            q("begin repeat", "person", repeat_count="2"),
            q("integer", "age"),
            q("calculate", "older", calculation="${age} - indexed-repeat(${age}, ${person}, 1)"),
            q("end repeat"),
        ]
    ],
    "position": [
        [
            q("begin repeat", "child", repeat_count="3"),
            q("text", "first_child", "Name of the first child", relevant="position(..) = 1"),
            q("text", "other_child", "Name of the next child", relevant="position(..) > 1"),
            q("end repeat"),
        ]
    ],
    "household": [
        [
            q("begin repeat", "member", "Is there another person at home?"),
            q("select_one province", "member_province", "In which province did this person grow up?"),
            q("select_one town", "member_town", "In which town?", choice_filter="province = ${member_province}"),
            q("end repeat"),
            q("calculate", "members", calculation="count(${member})"),
        ],
        TOWNS,
    ],
    "relevant": [[q("integer", "age"), q("text", "school", relevant="${age} < 18")]],
    "constraint": [[q("integer", "age", constraint=". >= 18 and . <= 67", constraint_message="From 18 to 67")]],
    "required": [[q("text", "name", required="yes", required_message="We need your name")]],
    "required_if": [
        [q("select_one yes_no", "work"), q("integer", "hours", required="${work} = 'yes'")],
        YES_NO,
    ],
    "choice_filter": [
        [q("select_one province", "province"), q("select_one town", "town", choice_filter="province = ${province}")],
        TOWNS,
    ],
    "default": [[q("date", "day", default="today()"), q("integer", "people", default="1")]],
    "readonly": [[q("integer", "age"), q("integer", "next", calculation="${age} + 1", readonly="yes")]],
    "randomize": [[q("select_one town", "town", parameters="randomize=true, seed=7")], TOWNS],
    "choice_name": [
        [
            q("select_one yes_no", "work"),
            q("note", "echo", "You said ${said}"),
            q("calculate", "said", calculation="jr:choice-name(${work}, '${work}')"),
        ],
        YES_NO,
    ],
    "range_decimal": [[q("range", "rate", parameters="start=0 end=10 step=0.5")]],
    "randomize_own": [[q("select_one town", "town", parameters="randomize=true")], TOWNS],
    "media_languages": [
        [
            {
                "type": "note", "name": "hello", "label::English (en)": "Hello", "label::Nederlands (nl)": "Dag",
                "media::audio::English (en)": "hello-en.mp3", "media::audio::Nederlands (nl)": "hello-nl.mp3",
            }
        ]
    ],
    "guidance": [[q("text", "name", guidance_hint="Ask for the name in the passport")]],
    "functions_logic": [
        [
            q("integer", "age"),
            q("text", "nickname"),
            c("group", "if(${age} >= 67 and not(false()), 'pension', 'work')"),
            c("called", "coalesce(${nickname}, 'friend')"),
            c("truth", "boolean(${age}) = true()"),
            c("written", "boolean-from-string('true')"),
        ]
    ],
    "functions_choices": [
        [
            q("select_multiple town", "towns"),
            c("many", "count-selected(${towns})"),
            c("one", "selected(${towns}, 'delfzijl')"),
            c("first", "selected-at(${towns}, 0)"),
            c("enough", "checklist(1, 2, selected(${towns}, 'delfzijl'), selected(${towns}, 'groningen'))"),
            c("weighed", "weighted-checklist(3, 5, selected(${towns}, 'delfzijl'), 2, ${one}, 1)"),
        ],
        TOWNS,
    ],
    "functions_text": [
        [
            q("text", "word", constraint="regex(., '^[a-z0-9 ]+$')", constraint_message="Small letters and figures"),
            c("greeting", "concat('Hello ', ${word})"),
            c("size", "string-length(${word})"),
            c("three", "substr(${word}, 0, 3)"),
            c("also_three", "substring(${word}, 1, 3)"),
            c("head", "substring-before(${word}, ' ')"),
            c("tail", "substring-after(${word}, ' ')"),
            c("begins", "starts-with(${word}, 'ab')"),
            c("ends", "ends-with(${word}, 'yz')"),
            c("holds", "contains(${word}, 'b')"),
            c("neat", "normalize-space('  a   b ')"),
            c("capital", "translate(${word}, 'abc', 'ABC')"),
            c("as_text", "string(12)"),
            c("fingerprint", "digest(${word}, 'SHA-256', 'hex')"),
            c("decoded", "base64-decode('aGFsbG8=')"),
            c("ticket", "string-length(uuid(8)) + string-length(uuid())"),
        ]
    ],
    "functions_numbers": [
        [
            q("decimal", "wage"),
            c("rounded", "round(${wage}, 1)"),
            c("whole", "int(${wage})"),
            c("down", "floor(${wage})"),
            c("up", "ceiling(${wage})"),
            c("size", "abs(0 - ${wage})"),
            c("square", "pow(${wage}, 2)"),
            c("root", "sqrt(number('9'))"),
            c("logs", "log10(1000) + log(exp(1)) + exp10(0)"),
            c("turn", "round(sin(pi() div 2) + cos(0) + tan(0) + asin(0) + acos(1) + atan(0) + atan2(0, 1), 6)"),
            c("least", "min(${wage}, 10)"),
            c("most", "max(${wage}, 10)"),
            c("chance", "random() >= 0 and random() < 1"),
        ]
    ],
    "functions_dates": [
        [
            q("date", "begin_day"),
            c("days", "date-diff(${begin_day}, '2026-03-01', 'days')"),
            c("months", "date-diff(${begin_day}, '2026-03-01', 'months')"),
            c("written", "format-date(${begin_day}, '%d-%m-%Y')"),
            c("later", "format-date(date(${begin_day} + 7), '%Y-%m-%d')"),
            c("noon", "decimal-time('12:00')"),
            c("count", "decimal-date-time(${begin_day})"),
            c("moment", "format-date-time(date-time('2026-01-31T09:05:00Z'), '%Y')"),
            c("past", "${begin_day} <= today() and now() > ${begin_day}"),
        ]
    ],
    "functions_repeats": [
        [
            q("begin repeat", "child", repeat_count="3"),
            q("integer", "age"),
            q("end repeat"),
            c("many", "count(${child})"),
            c("known", "count-non-empty(${age})"),
            c("total", "sum(${age})"),
            c("youngest", "min(${age})"),
            c("oldest", "max(${age})"),
            c("listed", "join(', ', ${age})"),
            c("shuffled", "join(', ', randomize(${age}, 42))"),
            c("walk", "distance('52 5;52 5.001')"),
            c("garden", "area('52 5;52 5.001;52.001 5.001;52.001 5;52 5')"),
        ]
    ],
    "curly_quotes": [[q("select_one yes_no", "a"), q("text", "b", relevant="${a} = ‘yes’")], YES_NO],
    "once": [[q("date", "first", calculation="once(today())")]],
    "languages": [
        [
            {
                "type": "text", "name": "name",
                "label::English (en)": "What is your name?", "label::Nederlands (nl)": "Hoe heet u?",
                "hint::English (en)": "First name", "hint::Nederlands (nl)": "Voornaam",
                "required": "yes",
                "required_message::English (en)": "We need it", "required_message::Nederlands (nl)": "Dit is nodig",
                "media::image::English (en)": "name-en.png", "media::image::Nederlands (nl)": "name-nl.png",
            }
        ]
    ],
}  # fmt: skip

BROKEN: dict[str, Sequence[Sequence[Row]]] = {
    "unknown_type": [[q("integr", "age")]],
    "unknown_list": [[q("select_one yesno", "work")], YES_NO],
    "unknown_column": [[q("integer", "age", relevent="1 = 1")]],
    "no_name": [[{"type": "text", "label": "Name?"}]],
    "bad_name": [[q("text", "first name")]],
    "name_twice": [[q("text", "name"), q("integer", "name")]],
    "group_open": [[q("begin group", "home"), q("text", "street")]],
    "group_closed_twice": [[q("text", "street"), q("end group")]],
    "choice_twice": [[q("select_one yes_no", "work")], [*YES_NO, YES_NO[0]]],
    "no_label": [[{"type": "text", "name": "name", "hint": "x"}]],
    "syntax": [[q("integer", "age"), q("text", "b", relevant="${age} >= ")]],
    "unknown_function": [[q("integer", "age"), q("text", "b", relevant="selectd(${age}, 'x')")]],
    "argument_count": [[q("text", "a"), q("text", "b", relevant="selected(${a})")]],
    "unknown_reference": [[q("integer", "age"), q("text", "b", relevant="${agee} > 18")]],
    "reference_in_label": [[q("text", "name"), q("text", "b", "Hello ${nam}")]],
    "bare_name": [[q("integer", "age"), q("text", "b", relevant="age > 18")]],
    "asked_later": [[q("text", "b", relevant="${age} > 18"), q("integer", "age")]],
    "cycle": [[q("calculate", "a", calculation="${b} + 1"), q("calculate", "b", calculation="${a} + 1")]],
    "own_relevance": [[q("integer", "age", relevant="${age} > 18")]],
    "choice_not_in_list": [[q("select_one yes_no", "a"), q("text", "b", relevant="${a} = 'yess'")], YES_NO],
    "selected_not_in_list": [
        [q("select_multiple yes_no", "a"), q("text", "b", relevant="selected(${a}, 'maybe')")],
        YES_NO,
    ],
    "number_with_text": [[q("integer", "age"), q("text", "b", relevant="${age} = 'old'")]],
    "date_with_number": [[q("date", "born"), q("text", "b", relevant="${born} > 2000")]],
    "sum_of_choices": [[q("select_one yes_no", "a"), q("calculate", "b", calculation="${a} + 1")], YES_NO],
    "bad_pattern": [[q("text", "a", constraint="regex(., '[0-9')")]],
    "endless_pattern": [[q("text", "a", constraint=r"regex(., '^([a-z]+ ?)+\1$')")]],
    "endless_range": [[q("range", "score", parameters="start=0 end=10 step=0.000001")]],
    "long_name": [[q("text", "a" * 65)]],
    "groups_too_deep": [
        [*({"type": "begin group", "name": f"g{n}"} for n in range(21)), q("text", "a"), *[{"type": "end group"}] * 21]
    ],
    "unreachable": [
        [q("select_one yes_no", "a"), q("text", "b", relevant="${a} = 'yes' and ${a} = 'no'")],
        YES_NO,
    ],
    "unreachable_group": [
        [
            q("select_one yes_no", "a"),
            q("begin group", "g", relevant="${a} = 'yes'"),
            q("text", "b", relevant="${a} = 'no'"),
            q("end group"),
        ],
        YES_NO,
    ],
    "filter_column": [[q("select_one town", "town", choice_filter="provnce = 'gr'")], TOWNS],
    "missing_file": [[q("select_one_from_file nowhere.csv", "a")]],
    "empty_range": [[q("range", "score", parameters="start=10 end=1")]],
    "missing_translation": [
        [
            {"type": "text", "name": "a", "label::English (en)": "A", "label::Nederlands (nl)": "A"},
            {"type": "text", "name": "b", "label::English (en)": "B"},
        ]
    ],
    "repeat_from_outside": [
        [
            q("begin repeat", "r", repeat_count="2"),
            q("integer", "n"),
            q("end repeat"),
            q("text", "b", relevant="${n} > 1"),
        ]
    ],
}


def write(path: Path, sheets: Mapping[str, Sequence[Row]]) -> None:
    """A workbook with these sheets; the headers are the keys in order of appearance."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": datetime(2026, 11, 22)})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        headers = list(dict.fromkeys(header for row in rows for header in row))
        for column, header in enumerate(headers):
            sheet.write_string(0, column, header)
        for number, row in enumerate(rows, start=1):
            for column, header in enumerate(headers):
                if row.get(header):
                    sheet.write_string(number, column, row[header])
    book.close()


def main(folder: Path = HERE) -> None:
    """Every workbook, into the folder and its folder ``broken``."""
    (folder / "broken").mkdir(exist_ok=True)
    (folder / "occupations.csv").write_text("name,label,wage\nwelder,Welder,2600\nbaker,Baker,2300\n", encoding="utf-8")
    for target, forms in ((folder, GOOD), (folder / "broken", BROKEN)):
        for name, parts in forms.items():
            sheets = {"survey": parts[0]} | ({"choices": parts[1]} if len(parts) > 1 else {}) | {"settings": [SETTINGS]}
            write(target / f"{name}.xlsx", sheets)


if __name__ == "__main__":
    main()
