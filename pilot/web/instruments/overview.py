"""How the questionnaires of a pilot read, what they hold, and whether a workbook can be used.

A workbook is read and judged here and kept only as a draft, when somebody asks for that: what is asked of people
changes only with the protocol.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import g, render_template, request, send_file
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot import drafting, locking
from pilot.errors import NotYours, Refused
from pilot.protocol import Protocol
from pilot.translations import unreviewed
from pilot.web.instruments import bp, desk, words
from pilot.web.language import INTERFACE
from pilot.web.rules import rule
from surveys import Instrument, InstrumentError, check_xlsform
from surveys.beside import gather, missing_media
from surveys.codebook import Codebook, codebook
from surveys.ddi import to_ddi
from surveys.errors import Finding
from surveys.readability import Problem, judge, measure
from surveys.redcap import read_redcap, write_redcap
from surveys.xlsform_export import write_xlsform

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
    return page()


@bp.post("/<slug>/instruments")
@rule.may("see_protocol")
def check(slug: str) -> str | tuple[str, int]:  # noqa: ARG001
    """Reads a workbook or a REDCap data dictionary, and says row by row what is wrong; nothing is kept."""
    judged = judge_upload()
    if judged is None:
        return page(error=_("Choose a file first.")), 422
    return (page(judged), 200) if judged.usable else (page(judged), 422)


@bp.get("/<slug>/instruments/<name>/<filename>")
@rule.may("see_protocol")
def download(slug: str, name: str, filename: str) -> Response:  # noqa: ARG001
    """One instrument in another form: its codebook, or the workbook to start a next version from."""
    protocol = protocol_in_force()
    if protocol is None or name not in protocol.instruments or filename not in FORMS:
        raise NotYours("there is no such instrument")
    mimetype, make = FORMS[filename]
    content = make(protocol.instruments[name])
    return send_file(io.BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=f"{name}-{filename}")


def judge_upload() -> Judged | None:
    """What was put in, read and judged: a workbook with the files beside it, or a data dictionary. None: nothing."""
    upload = request.files.get("file")
    content = upload.read() if upload else b""
    if upload is None or not content:
        return None
    file = upload.filename or ""
    try:
        beside = gather((one.filename or "", one.read()) for one in request.files.getlist("beside") if one.filename)
        if file.lower().endswith(".csv"):
            instrument, findings = read_redcap(content, "dictionary", language="nl")
        else:
            instrument, findings = check_xlsform(content, tables=beside)
    except InstrumentError as error:
        return Judged(file, findings=error.findings)
    if instrument is None:
        return Judged(file, findings=findings)
    return Judged(file, instrument, (*findings, *missing_media(instrument, beside)), judge(instrument))


def protocol_in_force() -> Protocol | None:
    try:
        return locking.in_force(g.session, g.pilot.id)[1]
    except Refused:
        return None


def page(judged: Judged | None = None, *, error: str = "", place: str = "file") -> str:
    protocol = protocol_in_force()
    forms = protocol.instruments if protocol else {}
    offered = protocol.pilot.interface_languages if protocol else ()
    return render_template(
        "instruments/overview.html",
        rows=[(name, form, [measure(form, language) for language in form.languages]) for name, form in forms.items()],
        problems=[(name, problem) for name, form in forms.items() for problem in judge(form)],
        problems_named=words.PROBLEMS,
        say=words.said,
        interface=[(INTERFACE[code], unreviewed(code)) for code in offered],
        files=list(FORMS),
        judged=judged,
        drafts=[(row, words.done(row.deed, row.subject), desk.author(row.author_id))
                for row in drafting.newest(g.session, g.pilot)],
        may_write=desk.may_write(),
        typed=request.form,
        errors=[(place, error)] if error else [],
    )  # fmt: skip


def _books(form: Instrument) -> list[Codebook]:
    return [codebook(form, form.name)]


def _as_json(form: Instrument) -> bytes:
    return json.dumps([one.to_dict() for one in _books(form)], ensure_ascii=False, indent=1).encode()


FORMS: dict[str, tuple[str, Callable[[Instrument], bytes]]] = {
    "codebook.json": ("application/json", _as_json),
    "codebook.xml": ("application/xml", lambda form: to_ddi(_books(form), form.title or form.name)),
    "form.xlsx": (XLSX, lambda form: write_xlsform(form).content),
    "redcap.csv": ("text/csv", lambda form: write_redcap(form).content),
}
"""Adding a form in which an instrument can be taken away is adding a line."""
