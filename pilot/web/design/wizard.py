"""A few plain questions, one a page, that end in a `sample_size` section. Nothing is kept: the address holds it all."""

from __future__ import annotations

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from analysis.errors import AnalysisError
from pilot import access, sizing
from pilot.errors import NotYours, Refused
from pilot.web.design import answer, bp, numbers, steps, words
from pilot.web.rules import rule

LONGEST = 40


def _answers() -> dict[str, str]:
    """What was answered so far; nothing else of the address is carried along."""
    given = request.form if request.method == "POST" else request.args
    known = [field for step in steps.STEPS for field in step.fields]
    return {name: given[name].strip()[:LONGEST] for name in known if given.get(name, "").strip()}


@bp.get("/<slug>/sample-size/wizard")
@rule.may("see_protocol")
def begin(slug: str) -> str:  # noqa: ARG001  # the rule has read it
    return render_template("design/begin.html", first=steps.STEPS[0].name)


@bp.get("/<slug>/sample-size/wizard/<key>")
@rule.may("see_protocol")
def ask(slug: str, key: str) -> Response | str | tuple[str, int]:
    """One question; when its answer is in the address and good, on to the next one."""
    step = steps.BY_NAME.get(key)
    if step is None:
        raise NotYours("there is no such question")
    given = _answers()
    sent = request.args.get("sent") == key
    faults = step.faults(given) if sent else {}
    if sent and not faults:
        return redirect(_next(slug, given, step), code=303)
    way = steps.way(given)
    place = way.index(step) if step in way else 0
    page = render_template(
        "design/question.html",
        step=step,
        given=given,
        faults=faults,
        carried={name: value for name, value in given.items() if name not in step.fields},
        number=place + 1,
        of=len(way),
        back=url_for("design.ask", slug=slug, key=way[place - 1].name, **given)  # type: ignore[arg-type]
        if place
        else url_for("design.begin", slug=slug),
    )
    return (page, 422) if faults else page


def _next(slug: str, given: dict[str, str], step: steps.Step) -> str:
    """The question after this one, or the first one that is still open, or the result."""
    way = steps.way(given)
    later = way[way.index(step) + 1 :] if step in way else way
    for one in later:
        if one.faults(given) or not one.needed:
            return url_for("design.ask", slug=slug, key=one.name, **given)  # type: ignore[arg-type]
    still = steps.open_step(given)
    if still is not None:
        return url_for("design.ask", slug=slug, key=still.name, **given)  # type: ignore[arg-type]
    return url_for("design.result", slug=slug, **given)  # type: ignore[arg-type]


@bp.get("/<slug>/sample-size/wizard/result")
@rule.may("see_protocol")
def result(slug: str) -> Response | str | tuple[str, int]:
    """The number of people, what it hangs on, and the section to copy or to propose."""
    given = _answers()
    still = steps.open_step(given)
    if still is not None:
        return redirect(url_for("design.ask", slug=slug, key=still.name, **given), code=303)  # type: ignore[arg-type]
    told = [(step, _told(step, given)) for step in steps.way(given) if given.get(step.name)]
    shared = {"told": told, "given": given}
    try:
        plan = steps.plan_of(given)
        found = answer.of_plan(answer.terms_of(plan, _names(int(given["groups"]))))
    except AnalysisError as error:
        _parameter, said = words.refusal(error)
        return render_template("design/result.html", answer=None, fault=said, **shared), 422
    return render_template(
        "design/result.html",
        answer=found,
        fault="",
        section=sizing.as_yaml(plan),
        may_propose=access.may(g.user, "propose_protocol", g.pilot) and g.pilot.status != "closed",
        **shared,
    )


@bp.post("/<slug>/sample-size/wizard/result")
@rule.may("propose_protocol")
def keep(slug: str) -> Response:
    """Proposes the answers as the sample size of this pilot, in the names of its own arms."""
    given = _answers()
    back = url_for("design.result", slug=slug, **given)  # type: ignore[arg-type]
    if steps.open_step(given) is not None:
        return redirect(back, code=303)
    try:
        plan = sizing.fitted(steps.plan_of(given), sizing.latest(g.session, g.pilot))
    except (Refused, AnalysisError) as refused:
        numbers.say_refused(refused)
        return redirect(back, code=303)
    return numbers.save(plan, back=back)


def _told(step: steps.Step, given: dict[str, str]) -> str:
    if step.options:
        return str(next((label for value, label, _hint in step.options if value == given[step.name]), ""))
    return f"{given[step.name]} {step.unit}".strip()


def _names(groups: int) -> dict[str, str]:
    new = {"new": _("What is new")} if groups == 1 else {f"new_{n}": _("New %(n)s", n=n) for n in range(1, groups + 1)}
    return {"usual": _("What is usual"), "outcome": _("your outcome"), **new}
