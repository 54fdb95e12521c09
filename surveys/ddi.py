"""The codebook as DDI-Codebook 2.5 XML, the form in which data archives take a description of variables.

Source: DDI Alliance, DDI-Codebook 2.5 (2012): the elements stdyDscr and dataDscr/var.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from surveys.codebook import MISSING, Codebook, Variable
from surveys.definition import Text

__all__ = ["NAMESPACE", "to_ddi"]

NAMESPACE = "ddi:codebook:2_5"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
KINDS = {"date": "date", "datetime": "date", "time": "time"}
NUMERIC = ("integer", "number", "flag")


def to_ddi(codebooks: Iterable[Codebook], title: str, identifier: str = "") -> bytes:
    """DDI-Codebook XML (UTF-8) of the codebooks of a study, one file description a wave.

    >>> from surveys.codebook import codebook
    >>> from surveys.definition import Instrument, Question
    >>> form = Instrument("f", (Question("age", "integer", {"en": "Age?"}),), languages=("en",))
    >>> b'<var ID="V1" name="w__age" files="F1" intrvl="discrete">' in to_ddi([codebook(form, "w")], "Pilot")
    True
    """
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(_tag("codeBook"), {"version": "2.5"})
    study = _under(root, "stdyDscr")
    statement = _under(_under(study, "citation"), "titlStmt")
    _under(statement, "titl", title)
    if identifier:
        _under(statement, "IDNo", identifier)
    books = list(codebooks)
    for number, book in enumerate(books, start=1):
        text = _under(_under(root, "fileDscr", ID=f"F{number}"), "fileTxt")
        _under(text, "fileName", book.wave)
        _under(text, "fileCont", f"{book.title or book.instrument}; fingerprint {book.fingerprint}")
    data = _under(root, "dataDscr")
    position = 0
    for number, book in enumerate(books, start=1):
        for variable in book.variables:
            position += 1
            _variable(data, variable, position, number)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _variable(data: ET.Element, variable: Variable, position: int, file: int) -> None:
    kind = "contin" if variable.type in ("number", "date", "datetime") else "discrete"
    var = _under(data, "var", ID=f"V{position}", name=variable.name, files=f"F{file}", intrvl=kind)
    _texts(var, "labl", variable.label)
    question = _under(var, "qstn")
    _texts(question, "qstnLit", variable.label)
    if variable.bounds is not None:
        low, high = variable.bounds
        _under(_under(var, "valrng"), "range", min=f"{low:g}", max=f"{high:g}")
    invalid = _under(var, "invalrng")
    for code, _ in MISSING.values():
        _under(invalid, "item", VALUE=str(code))
    if variable.universe:
        _under(var, "universe", variable.universe)
    for code, label in variable.values.items():
        _category(var, code, label)
    for code, label in MISSING.values():
        _category(var, str(code), label, missing="Y")
    about = {"category": KINDS[variable.type]} if variable.type in KINDS else {}
    _under(var, "varFormat", type="numeric" if variable.type in NUMERIC else "character", **about)


def _category(var: ET.Element, code: str, label: Text, **attributes: str) -> None:
    category = _under(var, "catgry", **attributes)
    _under(category, "catValu", code)
    _texts(category, "labl", label)


def _texts(parent: ET.Element, name: str, texts: Text) -> None:
    for language, words in texts.items():
        _under(parent, name, words).set(LANG, language)


def _under(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, _tag(tag), attributes)
    element.text = text
    return element


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
