"""The sample size of one pilot: change a number and see what it does; what a budget buys; a draw for places."""

from __future__ import annotations

import io
import mimetypes
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import flash, g, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from analysis.errors import AnalysisError
from analysis.planning import Plan
from dashboards.design_files import WRITERS
from dashboards.design_terms import Terms
from dashboards.texts import Language
from pilot import access, sizing
from pilot.errors import NotYours, Refused
from pilot.protocol import InvalidProtocol, Protocol
from pilot.web.design import answer, bp, words
from pilot.web.design.fields import MOST, Field, assumptions, demands, read_all
from pilot.web.rules import rule

LANGUAGES: dict[str, Callable[[], Language]] = {
    "design": answer.language, "design.nl": lambda: "nl", "design.en": lambda: "en",
}  # fmt: skip
"""The languages of the document, by the name of the file before its ending; without one, that of the page."""


@dataclass
class Desk:
    """The numbers as the reader has set them: the fields, what was typed, what is wrong, and the plan that follows."""

    protocol: Protocol
    plan: Plan
    fields: list[Field]
    asked: list[Field]
    own: list[Field]
    typed: dict[str, str]
    faults: dict[str, str] = field(default_factory=dict)
    people: int | None = None

    @property
    def more(self) -> list[Field]:
        """All fields but those of assumptions."""
        return [*self.asked, *self.own]

    @property
    def fault_below(self) -> bool:
        """Whether something is wrong in the fields that a page folds up."""
        return any(one.name in self.faults for one in (*self.fields, *self.asked))

    @property
    def errors(self) -> list[tuple[str, str]]:
        names = {one.name: one.label for one in (*self.fields, *self.more)}
        return [(name, f"{names[name]}: {said}" if name in names else said) for name, said in self.faults.items()]

    @property
    def query(self) -> dict[str, str]:
        """What was typed and is not empty, to carry over to another page."""
        return {name: value for name, value in self.typed.items() if value}

    @property
    def terms(self) -> Terms:
        """What everything is called."""
        return answer.terms_of(self.plan, answer.labels_of(self.protocol))

    def refuse(self, error: AnalysisError) -> None:
        """Puts a refused request at the field that binds, where there is one."""
        parameter, said = words.refusal(error)
        place = next((f.name for f in (*self.fields, *self.more) if f.name.rsplit(".", 1)[-1] == parameter), None)
        if place is None and parameter == "attrition":
            place = next((f.name for f in self.fields if f.name.startswith("attrition.")), None)
        self.faults.setdefault(place or parameter or "power", said)


def desk_of(*extra: Field, chosen: tuple[str, ...] = ()) -> Desk:
    """The pilot's latest section with the numbers of the query (or of the form) in it.

    `extra` are fields of one page, `chosen` what it lets people pick from lists.
    """
    protocol = sizing.latest(g.session, g.pilot)
    plan, labels = protocol.sample_size, answer.labels_of(protocol)
    given = request.form if request.method == "POST" else request.args
    fields, asked = assumptions(answer.terms_of(plan, labels)), demands(plan)
    needed = Field("people", _("People to recruit in each group, if you know it"), "number", 0.0, 2.0, float(MOST))
    names = [one.name for one in (*fields, *asked, needed, *extra)]
    typed = {name: given.get(name, "")[:120] for name in [*names, "correction", *chosen] if given.get(name)}
    desk = Desk(protocol, plan, fields, [*asked, needed], list(extra), typed)
    values, desk.faults = read_all(fields, typed)
    whole, faults = read_all(asked, typed)
    desk.faults |= faults
    people, faults = read_all([needed], typed)
    desk.faults |= faults
    desk.people = round(people["people"]) if people else None
    section: dict[str, Any] = dict(whole)
    if typed.get("correction") in words.CORRECTIONS:
        section["correction"] = typed["correction"]
    if not desk.faults:
        try:
            desk.plan = sizing.changed(plan, values, **section)
        except AnalysisError as error:
            desk.refuse(error)
    return desk


def _answered(desk: Desk) -> answer.Answer | None:
    if desk.faults:
        return None
    try:
        return answer.of_plan(desk.terms, desk.people)
    except AnalysisError as error:
        desk.refuse(error)
        return None


@bp.context_processor
def _lists() -> dict[str, Any]:
    """What the pages about numbers list: the further questions and the corrections."""
    return {"topics": words.TOPICS, "corrections": [(name, str(said)) for name, said in words.CORRECTIONS.items()]}


@bp.get("/<slug>/sample-size")
@rule.may("see_protocol")
def calculator(slug: str) -> tuple[str, int]:  # noqa: ARG001  # the rule has read it
    """The page; with `part=answer` only what changes when a number changes."""
    desk = desk_of()
    found = _answered(desk)
    template = "design/answer.html" if request.args.get("part") == "answer" else "design/numbers.html"
    page = render_template(
        template,
        desk=desk,
        answer=found,
        may_propose=access.may(g.user, "propose_protocol", g.pilot) and g.pilot.status != "closed",
    )
    return page, 422 if desk.faults else 200


@bp.get("/<slug>/sample-size/money")
@rule.may("see_protocol")
def money(slug: str) -> tuple[str, int]:  # noqa: ARG001
    """What a budget buys, and what a draw for so many places among so many applicants shows."""
    plan = sizing.latest(g.session, g.pilot).sample_size
    own = plan.section.budget or 1_000_000.0
    budget = Field("budget", _("Budget in euros"), "number", own, 1.0, 1e12)
    places = [
        Field("places", _("Places"), "number", 0.0, 2.0, float(MOST)),
        Field("applicants", _("Applicants"), "number", 0.0, 4.0, float(MOST)),
    ]
    desk = desk_of(budget, *places)
    values, faults = read_all([budget, *places], desk.typed)
    desk.faults |= faults
    drawn, best, draw = [], None, None
    if not desk.faults:
        try:
            if "places" in values and "applicants" in values:
                draw = desk.plan.lottery(round(values["places"]), round(values["applicants"]))
            best = desk.plan.allocate(values.get("budget", own))
            drawn = answer.of_money(desk.terms, values.get("budget", own))
        except AnalysisError as error:
            desk.refuse(error)
    page = render_template(
        "design/bought.html" if request.args.get("part") == "answer" else "design/money.html",
        desk=desk,
        budget=budget,
        places=places,
        best=best,
        draw=draw,
        drawn=drawn,
        terms=desk.terms,
    )
    return page, 422 if desk.faults else 200


@bp.get("/<slug>/sample-size/document/<name>")
@rule.may("see_protocol")
def document(slug: str, name: str) -> Response:
    """The design document of these numbers as a file: design.pdf, .docx, .html or .json; design.nl.pdf in Dutch."""
    stem, kind = os.path.splitext(name)
    tongue = LANGUAGES.get(stem, lambda: None)()
    if tongue is None or kind not in WRITERS:
        raise NotYours("there is no such document")
    desk = desk_of()
    if not desk.faults:
        try:
            whole = WRITERS[kind](answer.document(desk.plan, desk.protocol, tongue))
        except AnalysisError as error:
            desk.refuse(error)
    if desk.faults:
        return redirect(url_for("design.calculator", slug=slug, **desk.query), code=303)  # type: ignore[arg-type]
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return send_file(io.BytesIO(whole), mimetype=mimetype, as_attachment=True, download_name=f"{slug}-{name}")


@bp.post("/<slug>/sample-size")
@rule.may("propose_protocol")
def propose(slug: str) -> Response | tuple[str, int]:
    """Proposes the protocol with these numbers; a second person approves it."""
    desk = desk_of()
    if desk.faults:
        for _name, said in desk.errors:
            flash(said, "wrong")
        return redirect(url_for("design.calculator", slug=slug, **desk.query), code=303)  # type: ignore[arg-type]
    return save(desk.plan, back=url_for("design.calculator", slug=slug, **desk.query))  # type: ignore[arg-type]


def save(plan: Plan, *, back: str) -> Response:
    """Proposes this plan for the pilot of the request and shows the protocol; a refusal goes back with the reason."""
    reason = request.form.get("reason", "").strip()[:2000]
    try:
        sizing.propose(g.session, g.pilot, plan, author_id=g.user.id, reason=reason, now=g.now)
    except InvalidProtocol as error:
        for problem in error.problems:
            flash(str(problem), "wrong")
        return redirect(back, code=303)
    except Refused as refused:
        say_refused(refused)
        return redirect(back, code=303)
    flash(_("The sample size is proposed. A second person approves it."), "good")
    return redirect(url_for("researcher.protocol", slug=g.pilot.slug), code=303)


def say_refused(refused: Refused | AnalysisError) -> None:
    """Why nothing was proposed, in the reader's language, on the next page."""
    if isinstance(refused, AnalysisError):
        flash(words.refusal(refused)[1], "wrong")
    else:
        flash(_REFUSALS.get(refused.code, lambda: str(refused))(), "wrong")


_REFUSALS = {
    "no_change": lambda: _("Nothing differs from the protocol that was proposed last."),
    "reason_missing": lambda: _("The protocol is locked. Say what changed, and why."),
    "arms_differ": lambda: _("The number of groups is not that of the pilot. Go through the questions again."),
    "outcome_differs": lambda: _("The pilot has another kind of outcome. Go through the questions again."),
    "closed": lambda: _("The pilot is closed. Its protocol cannot change any more."),
}
