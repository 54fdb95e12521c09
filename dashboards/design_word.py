"""The design document for Word: headings, paragraphs, tables with header rows, and the drawings as pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from dashboards import raster, svg
from dashboards.figure import Figure, Number, Table
from dashboards.render import WIDE
from dashboards.report import EPOCH
from dashboards.texts import text

if TYPE_CHECKING:
    from dashboards.design_document import DesignDocument

TABLE_STYLE = "Table Grid"
WIDTH = 150
"""Millimetres of a picture."""


def word(document: DesignDocument) -> bytes:
    """The bytes of a .docx file; its properties hold title and language, and no time of making."""
    from docx import Document

    out = Document()
    _properties(out, document)
    out.add_heading(document.title, level=0)
    out.add_paragraph(text("design.subtitle", document.language))
    _keys(out, document)
    out.add_heading(text("design.first_page", document.language), level=1)
    for answer in document.answers:
        out.add_heading(answer.question, level=2)
        out.add_paragraph(" ".join(answer.sentences))
    out.add_page_break()
    for number, chapter in enumerate(document.chapters, 1):
        out.add_heading(f"{number}. {chapter.title}", level=1)
        for paragraph in chapter.paragraphs:
            out.add_paragraph(paragraph)
        for name, value in chapter.facts:
            line = out.add_paragraph()
            line.add_run(f"{name}: ").bold = True
            line.add_run(value)
        for figure in chapter.figures:
            _figure(out, figure, document)
    saved = io.BytesIO()
    out.save(saved)
    return saved.getvalue()


def _properties(out: Any, document: DesignDocument) -> None:
    properties = out.core_properties
    properties.title, properties.language, properties.author = document.title, document.language, ""
    properties.created = properties.modified = EPOCH.replace(tzinfo=None)
    style = out.styles["Normal"].element.get_or_add_rPr()
    _child(style, "w:lang", {"w:val": {"nl": "nl-NL", "en": "en-GB"}[document.language]})


def _child(parent: Any, tag: str, attributes: dict[str, str]) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(tag)
    for key, value in attributes.items():
        element.set(qn(key), value)
    parent.append(element)
    return element


def _keys(out: Any, document: DesignDocument) -> None:
    columns = tuple(what for _, what in document.keys)
    rows = (tuple(number for number, _ in document.keys),)
    _table(out, Table(columns, rows, ""))


def _figure(out: Any, figure: Figure, document: DesignDocument) -> None:
    out.add_heading(figure.title, level=2)
    out.add_paragraph(figure.sentence)
    if figure.plotly:
        _picture(out, figure)
    if figure.table.rows:
        out.add_paragraph(figure.table.caption, style="Caption")
        _table(out, figure.table)
    for line in (figure.note, text("common.source", document.language, source=figure.source) if figure.source else ""):
        if line:
            out.add_paragraph(line)


def _picture(out: Any, figure: Figure) -> None:
    """The drawing, with its words for who cannot see it."""
    from docx.shared import Mm

    run = out.add_paragraph().add_run()
    run.add_picture(io.BytesIO(raster.png(svg.draw(figure.plotly, width=WIDE))), width=Mm(WIDTH))
    described = run._r.xpath(".//wp:docPr")[0]
    described.set("descr", figure.alt)
    described.set("title", figure.title)


def _table(out: Any, table: Table) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    made = out.add_table(rows=1, cols=len(table.columns))
    made.style = TABLE_STYLE
    _child(made.rows[0]._tr.get_or_add_trPr(), "w:tblHeader", {"w:val": "true"})
    for cell, name in zip(made.rows[0].cells, table.columns, strict=True):
        cell.paragraphs[0].add_run(name).bold = True
    for row in table.rows:
        for cell, content in zip(made.add_row().cells, row, strict=True):
            cell.text = str(content)
            if isinstance(content, Number):
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
