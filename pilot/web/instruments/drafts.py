"""Drafts: begin one as a copy, see its questions in order, add and move them, go back to an earlier version, take it
away.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace

from flask import flash, g, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot import drafting
from pilot.errors import NotYours, Refused, Stale
from pilot.web import forms
from pilot.web.instruments import bp, desk, words
from pilot.web.instruments.overview import XLSX, judge_upload, page, protocol_in_force
from pilot.web.rules import rule
from surveys import Instrument
from surveys.definition import CHOOSING, KINDS, Question, Section
from surveys.editing import add, before, behind, next_version, put, remove
from surveys.errors import EditError
from surveys.xlsform_export import write_xlsform


@bp.post("/<slug>/instruments/drafts")
@rule.may("propose_protocol")
def begin(slug: str) -> Response | tuple[str, int]:
    """A draft as a copy: of a questionnaire in force, or of a workbook that somebody puts in."""
    name = request.form.get("name", "").strip().lower()
    form, copied = _copied()
    if not isinstance(form, Instrument):
        return form, 422
    try:
        work = drafting.start(g.session, g.pilot, name, form, copied=copied, author_id=g.user.id, now=g.now)
    except Refused as error:
        return page(error=_not_begun(error), place="name"), 422
    flash(_("The draft is there. What is asked of people stays as it is until a next protocol is locked."), "good")
    return redirect(url_for("instruments.draft", slug=slug, name=work.name), code=303)


def _not_begun(error: Refused) -> str:
    if error.code == "name":
        return _("Give the draft a name of small letters, figures, _ and -. Start with a letter.")
    if error.code == "taken":
        return _("There is a draft with that name already. Go on with it, or choose another name.")
    return str(error)


def _copied() -> tuple[Instrument | str, str]:
    """The form to copy and what it is called; else the page that says why there is none."""
    chosen = request.form.get("of", "")
    if chosen:
        protocol = protocol_in_force()
        if protocol is None or chosen not in protocol.instruments:
            return page(error=_("Choose the questionnaire to copy."), place="of"), ""
        form = protocol.instruments[chosen]
        # Answers say which version they were given to: a copy must not pass for the one that it came from.
        return replace(form, version=next_version(form.version)), f"{chosen}, {form.fingerprint[:12]}"
    judged = judge_upload()
    if judged is None:
        return page(error=_("Choose a file first.")), ""
    if judged.instrument is None:
        return page(judged), ""
    return judged.instrument, judged.file[:80]


@bp.get("/<slug>/instruments/drafts/<name>")
@rule.may("see_protocol")
def draft(slug: str, name: str) -> str:  # noqa: ARG001
    return shown(name)


def shown(name: str, errors: list[tuple[str, str]] | None = None) -> str:
    work = desk.opened(name)
    found = desk.judged(work.form)
    return render_template(
        "instruments/draft.html",
        work=work,
        lines=desk.lines(work.form),
        whole=found.findings.get("", ()),
        whole_problems=found.problems.get("", ()),
        state=words.found(found.count("error"), found.count("warning"), found.sentences),
        usable=not found.count("error"),
        kinds=words.KINDS,
        problems_named=words.PROBLEMS,
        say=words.said,
        places=desk.places(work.form),
        lists=[(one, one) for one in work.form.lists if not one.endswith(" or_other")],
        versions=[(row, words.done(row.deed, row.subject), desk.author(row.author_id))
                  for row in drafting.history(g.session, g.pilot, name)[:50]],
        files=list(FILES),
        spoken=[words.language(code) for code in work.form.languages],
        addable=words.offered(work.form.languages),
        may_write=desk.may_write(),
        typed=request.form,
        errors=errors or [],
    )  # fmt: skip


@bp.post("/<slug>/instruments/drafts/<name>/form")
@rule.may("propose_protocol")
def call(slug: str, name: str) -> Response | tuple[str, int]:
    """What the form as a whole is called, and which version it is."""
    try:
        title, version = (
            forms.text(request.form, "title", longest=200),
            forms.text(request.form, "form_version", longest=40),
        )
    except forms.TooLong as error:
        return shown(name, [("title", words.refused(EditError("too_long", most=error.longest)))]), 422
    titled = lambda form: replace(form, title=title, version=version)  # noqa: E731
    refused = _tried(name, "title", lambda: _save(name, titled, touches=("",), deed=("changed", title)))
    return refused or _back(slug, name)


@bp.post("/<slug>/instruments/drafts/<name>/add")
@rule.may("propose_protocol")
def add_question(slug: str, name: str) -> Response | tuple[str, int]:
    kind, own, after = (request.form.get(field, "").strip() for field in ("kind", "name", "after"))

    def one_more() -> None:
        item = _new(kind, own, request.form.get("list", ""))
        _save(name, lambda form: add(form, item, after=after), touches=(), deed=("added", own))

    refused = _tried(name, "", one_more)
    return refused or redirect(url_for("instruments.question", slug=slug, name=name, question=own), code=303)


def _new(kind: str, name: str, list_: str) -> Question | Section:
    if kind in ("group", "repeat"):
        return Section(name, (), repeats=kind == "repeat")
    if kind not in KINDS:
        raise EditError("kind_unknown", "kind")
    return Question(name, kind, choices=(list_ or name or "list") if kind in CHOOSING else "")  # type: ignore[arg-type]


@bp.post("/<slug>/instruments/drafts/<name>/move")
@rule.may("propose_protocol")
def move(slug: str, name: str) -> Response | tuple[str, int]:
    """One up or one down (`up`, `down`), or to a place by name (`moved`, `after`)."""
    given = request.form
    own = given.get("up") or given.get("down") or given.get("moved") or ""

    def moved(form: Instrument) -> Instrument:
        after = given.get("after", "")
        place = before(form, own) if given.get("up") else behind(form, own) if given.get("down") else after
        return form if place is None else put(form, own, place)

    # What a question says stays as it is, so that a move never stands in the way of a change.
    refused = _tried(name, "questions", lambda: _save(name, moved, touches=(), deed=("moved", own)))
    return refused or _back(slug, name, f"#q-{own}")


@bp.post("/<slug>/instruments/drafts/<name>/remove")
@rule.may("propose_protocol")
def remove_question(slug: str, name: str) -> Response | tuple[str, int]:
    own = request.form.get("question", "")
    gone = lambda form: remove(form, own)  # noqa: E731
    refused = _tried(name, "questions", lambda: _save(name, gone, touches=(own,), deed=("removed", own)))
    if refused:
        return refused
    flash(_("%(name)s is removed. An earlier version still holds it.", name=own), "good")
    return _back(slug, name)


@bp.post("/<slug>/instruments/drafts/<name>/restore")
@rule.may("propose_protocol")
def restore(slug: str, name: str) -> Response | tuple[str, int]:
    """Makes an earlier version the newest; those in between stay."""
    number = _number(request.form.get("wanted", ""))
    again = lambda: drafting.restore(  # noqa: E731
        g.session, g.pilot, name, number, seen=seen_version(), author_id=g.user.id, now=g.now
    )
    refused = _tried(name, "versions", again)
    if refused:
        return refused
    flash(_("Version %(number)s stands again. The others are kept.", number=number), "good")
    return _back(slug, name)


@bp.get("/<slug>/instruments/drafts/<name>/<filename>")
@rule.may("see_protocol")
def take(slug: str, name: str, filename: str) -> Response:  # noqa: ARG001
    """The draft as a file, as it stands now or as it stood in a version (`?version=3`)."""
    number = _number(request.args["version"]) if "version" in request.args else None
    work = desk.opened(name, number)
    if filename not in FILES:
        raise NotYours("there is no such file")
    mimetype, make = FILES[filename]
    named = f"{name}-version-{work.number}.{filename.rsplit('.', 1)[1]}"
    return send_file(io.BytesIO(make(work.form)), mimetype=mimetype, as_attachment=True, download_name=named)


def _tried(name: str, place: str, deed: Callable[[], object]) -> tuple[str, int] | None:
    """Does it; the page of the draft with what is wrong when it cannot be done. `place` is where the page says so."""
    try:
        deed()
    except EditError as error:
        return shown(name, [(place or error.field, words.refused(error))]), 422
    except Stale:
        said = _("Somebody else changed the same thing in the meantime. Nothing was overwritten. Look at it first.")
        return shown(name, [(place or "questions", said)]), 409
    return None


def _back(slug: str, name: str, place: str = "") -> Response:
    return redirect(url_for("instruments.draft", slug=slug, name=name) + place, code=303)


def _save(
    name: str, make: Callable[[Instrument], Instrument], *, touches: tuple[str, ...], deed: tuple[str, str]
) -> drafting.Work:
    return drafting.change(
        g.session, g.pilot, name, make, seen=seen_version(), touches=touches, deed=deed, author_id=g.user.id, now=g.now
    )


def seen_version() -> int:
    """The version that stood on the page that was sent."""
    return _number(request.form.get("version", ""))


def _number(given: str) -> int:
    """The number of a version as it was sent; what is no number is 0, which no version has."""
    return int(given) if given.isdecimal() and len(given) < 9 else 0


def _zipped(form: Instrument) -> bytes:
    """The workbook and the lists that belong beside it."""
    written, packed = write_xlsform(form), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("form.xlsx", written.content)
        for file, content in written.tables.items():
            archive.writestr(file, content)
    return packed.getvalue()


def _json(form: Instrument) -> bytes:
    return json.dumps(form.to_dict(), ensure_ascii=False, indent=1).encode()


FILES: dict[str, tuple[str, Callable[[Instrument], bytes]]] = {
    "form.xlsx": (XLSX, lambda form: write_xlsform(form).content),
    "form.json": ("application/json", _json),
    "form.zip": ("application/zip", _zipped),
}
"""Adding a form in which a draft can be taken away is adding a line."""
