"""Three questions about the numbers of a pilot: what if we are wrong, will there be enough people in time, and does the
registered analysis find the effect in simulated pilots?
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import g, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup

from analysis.errors import AnalysisError
from analysis.planning import Plan
from pilot import sizing
from pilot.web.design import answer, bp, words
from pilot.web.design.fields import MOST, Field, read_all
from pilot.web.design.numbers import Desk, desk_of
from pilot.web.language import percent
from pilot.web.rules import rule


@dataclass
class Found:
    """What a page answers: sentences and drawings. `invitation` stands there while nothing was asked yet; `summary` is
    for who cannot see the page move.
    """

    said: list[str] = field(default_factory=list)
    drawn: list[Markup] = field(default_factory=list)
    invitation: str = ""
    summary: str = ""


def _page(topic: str, desk: Desk, compute: Callable[[], Found], **more: object) -> tuple[str, int]:
    """The page of a topic, or with `part=answer` what moves in it; a refused request is said at its field."""
    found = None
    if not desk.faults:
        try:
            found = compute()
        except AnalysisError as error:
            desk.refuse(error)
    template = "design/found.html" if request.args.get("part") == "answer" else "design/topic.html"
    page = render_template(template, topic=topic, title=words.TOPICS[topic], desk=desk, found=found, **more)
    return page, 422 if desk.faults else 200


@bp.get("/<slug>/sample-size/risk")
@rule.may("see_protocol")
def risk(slug: str) -> tuple[str, int]:  # noqa: ARG001  # the rule has read it
    """How sure the number is: assurance, each assumption by itself, and two that move together."""
    desk = desk_of(chosen=("down", "across"))
    names = [(one.name, one.label) for one in desk.fields]
    known: dict[str, str] = dict(names)
    picked: dict[str, str] = {key: desk.typed.get(key, "") for key in ("down", "across")}

    def compute() -> Found:
        moving = [bar.name for bar in desk.plan.tornado() if bar.swing > 0 and bar.name in known]
        first: dict[str, str] = dict(zip(("down", "across"), dict.fromkeys([*moving, *known]), strict=False))
        for key, name in picked.items():
            picked[key] = name if name in known else first[key]
        found = Found(drawn=answer.of_risk(desk.terms, picked["down"], picked["across"]))
        sure = answer.assurance_of(desk.plan)
        if sure is not None:
            found.said.append(desk.terms.say("sure.assurance", assurance=percent(sure)))
            found.summary = found.said[0]
        if picked["down"] == picked["across"]:
            found.said.append(_("Choose two different assumptions to see them move together."))
        return found

    picks = [("down", _("From top to bottom")), ("across", _("From left to right"))]
    return _page("risk", desk, compute, picks=picks, names=names, picked=picked)


@bp.get("/<slug>/sample-size/time")
@rule.may("see_protocol")
def time(slug: str) -> tuple[str, int]:  # noqa: ARG001
    """Whether enough people enrol in time, week by week."""
    own = _time_fields(sizing.latest(g.session, g.pilot).sample_size)
    desk = desk_of(*own)
    values, faults = read_all(own, desk.typed)
    desk.faults |= faults

    def compute() -> Found:
        said = desk.plan.section.recruitment
        pace = _pace(desk, own[:3], values)
        if pace is None and said is None:
            return Found(invitation=_("Fill in how many people join in a week."))
        weeks, target = (round(values[name]) if name in values else None for name in ("weeks", "target"))
        sentence, figure = answer.of_time(desk.terms, sizing.in_time(desk.plan, pace, weeks, target))
        return Found(drawn=[figure], summary=sentence)

    return _page("time", desk, compute)


def _time_fields(plan: Plan) -> list[Field]:
    """The pace with its ends and the weeks, as the protocol has them (else empty), and the people needed."""
    said = plan.section.recruitment
    rate = (said.per_week.value, *said.per_week.range) if said else (0.0, 0.0, 0.0)
    labels = (_("People who join in a week, your best guess"), _("At least"), _("At most"))
    paces = [
        Field(name, label, "number", value, 0.01, float(MOST))
        for name, label, value in zip(("pace", "pace_low", "pace_high"), labels, rate, strict=True)
    ]
    weeks = Field("weeks", _("Weeks of recruitment"), "number", float(said.weeks) if said else 0.0, 1.0, 520.0)
    return [*paces, weeks, Field("target", _("People needed in all"), "number", 0.0, 1.0, float(MOST))]


def _pace(desk: Desk, own: list[Field], values: dict[str, float]) -> tuple[float, float, float] | None:
    """The pace with its ends when one of them was changed, a fifth to both sides where none is known; None for that of
    the plan.
    """
    if not {one.name for one in own} & set(values):
        return None
    value, low, high = (values.get(one.name, one.value) for one in own)
    low, high = low or 0.8 * value, high or 1.2 * value
    if not 0 < low <= value <= high:
        desk.faults["pace"] = _("Your best guess must lie between the lowest and the highest.")
    return value, min(low, value), max(high, value)


@bp.get("/<slug>/sample-size/trial")
@rule.may("see_protocol")
def trial(slug: str) -> tuple[str, int]:  # noqa: ARG001
    """Simulated pilots with the registered analysis, as many as can be done while a reader waits."""
    fewest, most = float(sizing.FEWEST_TRIALS), float(sizing.MOST_TRIALS)
    own = [
        Field("trials", _("Simulated pilots"), "number", 200.0, fewest, most),
        Field("seed", _("Seed: the same one gives the same answer"), "number", 1.0, 0.0, 1e9),
    ]
    desk = desk_of(*own, chosen=("run",))
    values, faults = read_all(own, desk.typed)
    desk.faults |= faults

    def compute() -> Found:
        if not desk.typed.get("run"):
            return Found(invitation=_("Press the button. It takes a few seconds."))
        trials, seed = (round(values.get(one.name, one.value)) for one in own)
        found = sizing.tried(desk.plan, desk.protocol.plan, trials=trials, seed=seed)
        if found is None:
            return Found(
                invitation=_("This analysis takes too long for a page. The command pilot design-document does it.")
            )
        sentence, figure = answer.of_trials(desk.terms, found)
        fewer = _("A page does no more than %(count)s of these pilots.", count=found.trials)
        return Found([fewer] if "trials" in values and found.trials < trials else [], [figure], summary=sentence)

    return _page("trial", desk, compute, slow=True)
