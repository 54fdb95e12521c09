"""The codebook describes every value that an analysis can meet, as JSON and as DDI."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from surveys import Context, Instrument, Question, analysable, read_xlsform
from surveys.codebook import MISSING, codebook
from surveys.ddi import NAMESPACE, to_ddi

ROOT = Path(__file__).parents[2]
FORMS = ROOT / "protocols" / "ontwikkeladvies" / "instruments"
EXAMPLES = Path(__file__).parent / "examples"
NOW = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))


@pytest.mark.parametrize(
    "path", [*sorted(FORMS.glob("*.xlsx")), *sorted(EXAMPLES.glob("*.xlsx"))], ids=lambda p: p.stem
)
def test_every_value_of_the_data_has_its_variable(path: Path):
    form = read_xlsform(path)
    described = {variable.question for variable in codebook(form, "w").variables}
    found = {key.rsplit(".", 1)[-1] for key in analysable(form, {}, context=NOW) if not key.endswith("_count")}
    assert found <= described


def test_a_variable_has_its_label_type_and_value_labels():
    book = codebook(read_xlsform(FORMS / "followup_12m.xlsx"), "followup_12m")
    work = book["followup_12m__work"]
    assert (work.type, work.label["nl"]) == ("category", "Welk werk hebt u nu?")
    assert list(work.values) == ["employed", "self_employed", "looking", "none"]
    assert book["followup_12m__hours_worked"].universe == "${work} = 'employed' or ${work} = 'self_employed'"
    assert book["followup_12m__training_payer__employer"].type == "flag"
    with pytest.raises(KeyError):
        book["followup_12m__nothing"]


def test_the_universe_of_a_question_includes_that_of_its_group():
    book = codebook(read_xlsform(EXAMPLES / "group_relevant.xlsx"), "w")
    assert book["w__hours"].universe == "${work} = 'yes'"


def test_a_repeated_variable_says_so():
    book = codebook(read_xlsform(EXAMPLES / "repeat_nested.xlsx"), "w")
    assert book["w__hours"].repeated == ("person", "job")


def test_the_codebook_is_json():
    book = codebook(read_xlsform(FORMS / "baseline.xlsx"), "baseline")
    copy = json.loads(json.dumps(book.to_dict()))
    assert copy["missing"]["no_answer"]["code"] == -9
    assert [v["name"] for v in copy["variables"]] == [v.name for v in book.variables]


def test_ddi_holds_every_variable_with_labels_categories_and_missing_codes():
    books = [codebook(read_xlsform(FORMS / f"{name}.xlsx"), name) for name in ("baseline", "followup_3m")]
    root = ET.fromstring(to_ddi(books, "Ontwikkeladvies", "study-1"))
    ns = {"d": NAMESPACE}
    variables = root.findall("d:dataDscr/d:var", ns)
    assert [v.get("name") for v in variables] == [v.name for book in books for v in book.variables]
    assert len({v.get("ID") for v in variables}) == len(variables)
    assert {v.get("files") for v in variables} == {f.get("ID") for f in root.findall("d:fileDscr", ns)} == {"F1", "F2"}
    work = next(v for v in variables if v.get("name") == "baseline__work")
    values = [c.findtext("d:catValu", None, ns) for c in work.findall("d:catgry", ns) if c.get("missing") is None]
    assert values == ["employed", "self_employed", "looking", "none"]
    missing = [c.findtext("d:catValu", None, ns) for c in work.findall("d:catgry[@missing='Y']", ns)]
    assert missing == [str(code) for code, _ in MISSING.values()]
    languages = [label.get("{http://www.w3.org/XML/1998/namespace}lang") for label in work.findall("d:labl", ns)]
    assert languages == ["nl", "en"]
    assert root.findtext("d:stdyDscr/d:citation/d:titlStmt/d:titl", None, ns) == "Ontwikkeladvies"


def test_the_parts_of_a_ddi_variable_stand_in_the_order_of_the_schema():
    order = ["labl", "qstn", "valrng", "invalrng", "universe", "catgry", "varFormat"]
    root = ET.fromstring(to_ddi([codebook(read_xlsform(EXAMPLES / "range.xlsx"), "w")], "t"))
    for variable in root.iter(f"{{{NAMESPACE}}}var"):
        places = [order.index(part.tag.split("}")[1]) for part in variable]
        assert places == sorted(places)


@pytest.mark.parametrize(
    ("calculation", "kind"),
    [
        ("${age} * 12", "number"), ("round(${age} div 2, 1)", "number"), ("if(${age} > 3, 1, 0)", "number"),
        ("date-diff(${born}, today())", "number"), ("-${age}", "number"), ("${age} >= 18", "category"),
        ("not(${age} >= 18) or ${age} = 2", "category"), ("concat(${age}, 'x')", "text"), ("once(today())", "text"),
        ("if(${age} > 3, 1, 'x')", "text"), ("${age}", "text"), ("coalesce(${age}, 3)", "text"), ("today()", "text"),
    ],
)  # fmt: skip
def test_a_calculation_has_the_type_that_it_always_gives(calculation: str, kind: str):
    form = Instrument(
        "f", (Question("age", "integer"), Question("born", "date"), Question("x", "calculate", calculation=calculation))
    )
    variable = codebook(form, "w")["w__x"]
    assert variable.type == kind
    assert list(variable.values) == (["true", "false"] if kind == "category" else [])
    value = analysable(form, {"age": 20, "born": "1990-02-03"}, context=NOW)["x"]
    assert isinstance(value, int | float) or kind != "number"
    assert value in variable.values or kind != "category"


def test_ddi_says_which_texts_are_dates_and_times():
    kinds = [Question(kind, kind, {"en": kind}) for kind in ("date", "time", "datetime", "text", "integer")]
    root = ET.fromstring(to_ddi([codebook(Instrument("f", tuple(kinds), languages=("en",)), "w")], "t"))
    formats = [dict(one.attrib) for one in root.iter(f"{{{NAMESPACE}}}varFormat")]
    assert [one.get("category") for one in formats] == ["date", "time", "date", None, None]
    assert [one["type"] for one in formats] == ["character"] * 4 + ["numeric"]
