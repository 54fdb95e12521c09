"""The researcher's room for questionnaires: how each reads, what it holds, and whether a workbook can be used.

A workbook is read and judged here and never kept: what is asked of people changes only with the protocol.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Blueprint, g, render_template, request, send_file
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot import locking
from pilot.errors import NotYours, Refused
from pilot.protocol import Protocol
from pilot.translations import unreviewed
from pilot.web.language import INTERFACE
from pilot.web.rules import rule
from surveys import Instrument, InstrumentError, check_xlsform
from surveys.codebook import Codebook, codebook
from surveys.ddi import to_ddi
from surveys.errors import Finding
from surveys.readability import Problem, judge, measure
from surveys.redcap import read_redcap, write_redcap
from surveys.xlsform_export import write_xlsform

bp = Blueprint("instruments", __name__)


@dataclass(frozen=True, slots=True)
class Judged:
    """A workbook that somebody put in: what is wrong with it by place, and how it reads."""

    file: str
    instrument: Instrument | None = None
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    @property
    def usable(self) -> bool:
        return self.instrument is not None and not any(finding.severity == "error" for finding in self.findings)


@bp.get("/<slug>/instruments")
@rule.may("see_protocol")
def overview(slug: str) -> str:  # noqa: ARG001  # the rule has read it
    return _page()


@bp.post("/<slug>/instruments")
@rule.may("see_protocol")
def check(slug: str) -> str | tuple[str, int]:  # noqa: ARG001
    """Reads a workbook or a REDCap data dictionary, and says row by row what is wrong; nothing is kept."""
    upload = request.files.get("file")
    content = upload.read() if upload else b""
    if upload is None or not content:
        return _page(error=_("Choose a file first.")), 422
    judged = _judge(upload.filename or "", content)
    return (_page(judged), 200) if judged.usable else (_page(judged), 422)


@bp.get("/<slug>/instruments/<name>/<filename>")
@rule.may("see_protocol")
def download(slug: str, name: str, filename: str) -> Response:  # noqa: ARG001
    """One instrument in another form: its codebook, or the workbook to start a next version from."""
    protocol = _in_force()
    if protocol is None or name not in protocol.instruments or filename not in FORMS:
        raise NotYours("there is no such instrument")
    mimetype, make = FORMS[filename]
    content = make(protocol.instruments[name])
    return send_file(io.BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=f"{name}-{filename}")


def _judge(file: str, content: bytes) -> Judged:
    try:
        if file.lower().endswith(".csv"):
            instrument, findings = read_redcap(content, "dictionary", language="nl")
        else:
            instrument, findings = check_xlsform(content)
    except InstrumentError as error:
        return Judged(file, findings=error.findings)
    return Judged(file, instrument, findings, judge(instrument) if instrument else ())


def _in_force() -> Protocol | None:
    try:
        return locking.in_force(g.session, g.pilot.id)[1]
    except Refused:
        return None


def _page(judged: Judged | None = None, *, error: str = "") -> str:
    protocol = _in_force()
    forms = protocol.instruments if protocol else {}
    offered = protocol.pilot.interface_languages if protocol else ()
    return render_template(
        "instruments/overview.html",
        rows=[(name, form, [measure(form, language) for language in form.languages]) for name, form in forms.items()],
        problems=[(name, problem) for name, form in forms.items() for problem in judge(form)],
        interface=[(INTERFACE[code], unreviewed(code)) for code in offered],
        files=list(FORMS),
        judged=judged,
        errors=[("file", error)] if error else [],
    )


def _books(form: Instrument) -> list[Codebook]:
    return [codebook(form, form.name)]


def _as_json(form: Instrument) -> bytes:
    return json.dumps([one.to_dict() for one in _books(form)], ensure_ascii=False, indent=1).encode()


FORMS: dict[str, tuple[str, Callable[[Instrument], bytes]]] = {
    "codebook.json": ("application/json", _as_json),
    "codebook.xml": ("application/xml", lambda form: to_ddi(_books(form), form.title or form.name)),
    "form.xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        lambda form: write_xlsform(form).content,
    ),
    "redcap.csv": ("text/csv", lambda form: write_redcap(form).content),
}
"""Adding a form in which an instrument can be taken away is adding a line."""
