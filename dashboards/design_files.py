"""Lays a design document out: a page, a PDF, a Word document or JSON, each written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from markupsafe import Markup

from dashboards.design_document import DesignDocument
from dashboards.errors import ReportError
from dashboards.render import environment, figure_html, style_sheet, template_source
from dashboards.report import report_pdf

__all__ = ["html", "json_text", "pdf", "write"]


def html(document: DesignDocument) -> str:
    """The document as one page: no script, nothing loaded from elsewhere, the same bytes for the same document."""
    figures = {
        figure.id: Markup(figure_html(figure, document.language, level=3, interactive=False, open_table=True))  # noqa: S704
        for figure in document.figures
    }
    style = style_sheet() + template_source("design.css")
    return environment().get_template("design.html").render(document=document, figures=figures, style=style)


def pdf(document: DesignDocument) -> bytes:
    """The page as a tagged PDF (PDF/UA-1) on A4, with title and language set."""
    return report_pdf(html(document))


def json_text(document: DesignDocument) -> str:
    """Every number, the sentences of the first page and the tables, as JSON."""
    whole = {
        "title": document.title,
        "language": document.language,
        "answer": [
            {"id": answer.id, "question": answer.question, "sentences": list(answer.sentences)}
            for answer in document.answers
        ],
        **document.numbers,
    }
    return json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def docx(document: DesignDocument) -> bytes:
    """The document for Word, with real headings, tables and pictures."""
    from dashboards.design_word import word

    return word(document)


WRITERS: dict[str, Callable[[DesignDocument], bytes]] = {
    ".html": lambda document: html(document).encode(),
    ".pdf": pdf,
    ".docx": docx,
    ".json": lambda document: json_text(document).encode(),
}
"""Who writes which kind of file; adding a kind is adding a line."""


def check_path(path: Path) -> None:
    """Raises ReportError, before anything is computed, for a kind of file or a place that cannot be written."""
    if path.suffix.lower() not in WRITERS:
        known = ", ".join(WRITERS)
        raise ReportError(f"'{path.name}' names no kind of file that is known", remedy=f"End it in one of {known}.")
    if path.is_dir():
        raise ReportError(f"{path} is a folder", remedy="Name a file in it.")
    if not path.parent.is_dir():
        raise ReportError(f"{path} cannot be written: there is no folder {path.parent}", remedy="Make it first.")
    if not os.access(path.parent, os.W_OK):
        raise ReportError(f"{path} cannot be written: no permission in {path.parent}", remedy="Choose another place.")


def write(document: DesignDocument, path: Path | str) -> Path:
    """Writes the document in the form that the suffix names, beside its place first and then moved there.

    Raises `ReportError` for an unknown suffix or a place that cannot be written; an older file then stays as it was.
    """
    path = Path(path)
    check_path(path)
    content = WRITERS[path.suffix.lower()](document)
    beside: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        beside = Path(name)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        beside.chmod(0o666 & ~_umask())
        os.replace(beside, path)
    except OSError as error:
        if beside is not None:
            beside.unlink(missing_ok=True)
        raise ReportError(f"{path} cannot be written: {error.strerror}", remedy="Choose another place.") from error
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
