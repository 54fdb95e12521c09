"""The questions of the wizard: what is asked, when, and within which bounds; and the section they amount to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from analysis.planning import Plan
from pilot.web.design.fields import decimal, decimal_sign

Answers = Mapping[str, str]
MARGIN = 0.2
"""How far a guess without a range may be off, as a share of itself."""


def always(_answers: Answers) -> bool:
    return True


def _is(name: str, value: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.get(name) == value


@dataclass(frozen=True, slots=True)
class Step:
    """One question on a page of its own.

    `options` are the choices; without them it asks a number from `low` to `high`, with `ranged` also the lowest and
    highest that it could be. `divide` turns what was typed into what the section holds.
    """

    name: str
    question: object
    hint: object = ""
    options: tuple[tuple[str, object, object], ...] = ()
    low: float = 0.0
    high: float = 1e9
    unit: object = ""
    ranged: bool = False
    needed: bool = True
    asked: Callable[[Answers], bool] = always

    @property
    def kind(self) -> Literal["choice", "number"]:
        return "choice" if self.options else "number"

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}_low", f"{self.name}_high") if self.ranged else (self.name,)

    def faults(self, answers: Answers) -> dict[str, str]:
        """What is wrong with the answer, by field."""
        typed = answers.get(self.name, "").strip()
        if self.options:
            known = [value for value, _label, _hint in self.options]
            return {} if typed in known else {self.name: gettext("Choose one of the answers.")}
        if not typed and not self.needed:
            return {}
        found = {}
        for field in self.fields:
            text = answers.get(field, "").strip()
            if field != self.name and not text:
                continue
            value = decimal(text)
            if value is None or not self.low <= value <= self.high:
                low, high = (f"{edge:.12g}".replace(".", decimal_sign()) for edge in (self.low, self.high))
                found[field] = gettext("Give a number between %(low)s and %(high)s.", low=low, high=high)
        if not found and self.ranged:
            found |= self._order(answers)
        if not found and self.name == "gain" and decimal(typed) == 0:
            found[self.name] = gettext("A gain of zero cannot be found by any number of people.")
        return found

    def _order(self, answers: Answers) -> dict[str, str]:
        value, low, high = (decimal(answers.get(field, "").strip() or answers[self.name]) for field in self.fields)
        if value is None or low is None or high is None or low <= value <= high:
            return {}
        return {self.name: gettext("Your best guess must lie between the lowest and the highest.")}


YES_NO = _is("kind", "share")
STEPS: tuple[Step, ...] = (
    Step("kind", _("What do you want to compare in the end?"), options=(
        ("share", _("How many people do something"), _("For example: start training, find work.")),
        ("number", _("How high something is for each person"), _("For example: a score, hours, an income.")),
    )),
    Step("groups", _("How many groups get something new?"),
         _("Beside them one group gets what is usual. With that group all others are compared."), options=(
        ("1", _("One"), ""), ("2", _("Two"), ""), ("3", _("Three"), ""),
    )),
    Step("base", _("Of 100 people who get what is usual, how many do it?"), low=0.1, high=99.9, ranged=True,
         unit=_("of 100"), asked=YES_NO),
    Step("spread", _("How far do people differ from one another?"),
         _("Give the standard deviation: about two thirds of all people lie no further than that from the middle."),
         low=1e-6, asked=_is("kind", "number")),
    Step("gain", _("How many more of 100 would make it worth the money?"),
         _("Think of the smallest gain that would still convince you. A smaller gain asks for more people."),
         low=-99, high=99, ranged=True, unit=_("of 100"), asked=YES_NO),
    Step("rise", _("How much higher must it be to be worth the money?"),
         _("Think of the smallest difference that would still convince you. A smaller one asks for more people."),
         low=-1e9, ranged=True, asked=_is("kind", "number")),
    Step("whom", _("About whom did you give that gain?"), options=(
        ("takers", _("About people who use the offer"), ""),
        ("assigned", _("About everybody who gets the offer, whether they use it or not"), ""),
    )),
    Step("take_up", _("Of 100 people who get the offer, how many use it?"), low=1, high=100, ranged=True,
         unit=_("of 100"), asked=_is("whom", "takers")),
    Step("elsewhere", _("Of 100 people who get what is usual, how many find such help elsewhere?"), low=0, high=99,
         unit=_("of 100"), asked=_is("whom", "takers")),
    Step("loss", _("Of 100 people, how many do you lose before the end?"),
         _("With a survey after a year often 25 to 40. With registers about 2."), low=0, high=95, ranged=True,
         unit=_("of 100")),
    Step("together", _("Do people share an advisor, a school or a firm?"),
         _("People who share one resemble each other. Then each further person tells less."), options=(
        ("no", _("No"), ""),
        ("new", _("Yes, but only in the groups that get something new"), _("For example the clients of one advisor.")),
        ("all", _("Yes, and all people who share one get the same"), _("For example everybody of one firm.")),
    )),
    Step("size", _("How many people share one?"), low=2, high=10_000, unit=_("people"),
         asked=lambda answers: answers.get("together") in ("new", "all")),
    Step("alike", _("How much do they resemble each other?"), options=(
        ("0.01", _("A little"), _("People of one region.")), ("0.03", _("Somewhat"), _("Clients of one advisor.")),
        ("0.1", _("A lot"), _("People of one firm or class.")),
    ), asked=lambda answers: answers.get("together") in ("new", "all")),
    Step("sure", _("How sure do you want to be to find the gain, when it is there?"), options=(
        ("0.8", _("80%"), _("Usual. One pilot in five would miss a true gain.")),
        ("0.9", _("90%"), _("Surer. It asks for about a third more people.")),
    )),
    Step("budget", _("How much money is there, in euros?"), _("Leave it empty when you do not know it."), low=100,
         high=1e12, needed=False),
)  # fmt: skip
BY_NAME = {step.name: step for step in STEPS}


def way(answers: Answers) -> list[Step]:
    """The questions that these answers lead to, in order."""
    return [step for step in STEPS if step.asked(answers)]


def open_step(answers: Answers) -> Step | None:
    """The first question without a good answer; None when all are answered."""
    return next((step for step in way(answers) if step.faults(answers)), None)


def plan_of(answers: Answers) -> Plan:
    """The section that the answers amount to; raises SectionError when it cannot be. Every question is answered."""
    share = answers["kind"] == "share"
    gain = BY_NAME["gain" if share else "rise"]
    outcome: dict[str, Any] = {
        "name": "outcome",
        "kind": "binary" if share else "continuous",
        "effect": assumption(gain, answers, 100 if share else 1),
        "effect_on": answers["whom"],
    }
    if share:
        outcome["control"] = assumption(BY_NAME["base"], answers, 100)
    else:
        outcome["sd"] = assumption(BY_NAME["spread"], answers, 1)
    arms: list[dict[str, Any]] = [{"name": "usual"}]
    arms += [
        {"name": f"new_{number}" if answers["groups"] != "1" else "new"}
        for number in range(1, int(answers["groups"]) + 1)
    ]
    section: dict[str, Any] = {
        "control": "usual",
        "arms": arms,
        "outcomes": [outcome],
        "power": float(answers["sure"]),
        "attrition": {"survey": assumption(BY_NAME["loss"], answers, 100)},
    }
    if answers["whom"] == "takers":
        section["take_up"] = assumption(BY_NAME["take_up"], answers, 100)
        section["take_up_control"] = assumption(BY_NAME["elsewhere"], answers, 100)
    if answers["together"] != "no":
        clusters = {"icc": _icc(answers), "size": assumption(BY_NAME["size"], answers, 1)}
        if answers["together"] == "all":
            section["clusters"] = clusters
        for arm in arms[1:] if answers["together"] == "new" else ():
            arm["nested"] = clusters
    if answers.get("budget", "").strip():
        section["budget"] = decimal(answers["budget"])
    return Plan.from_dict(section)


def assumption(step: Step, answers: Answers, divide: float) -> dict[str, Any]:
    """Best guess, range and source of one answer; without a range typed a fifth to both sides."""
    value = decimal(answers[step.name]) or 0.0
    typed = [answers.get(field, "").strip() for field in step.fields[1:]]
    near = sorted((value * (1 - MARGIN), value * (1 + MARGIN)))
    low, high = ((decimal(text) if text else None) for text in (typed or ("", "")))
    reach = [near[0] if low is None else low, near[1] if high is None else high]
    reach = [min(max(edge, step.low), step.high) for edge in reach]
    source = (
        gettext("Own estimate, by the wizard.")
        if all(typed) and typed
        else gettext("Own estimate, by the wizard; the range is a guess of a fifth to both sides.")
    )
    scaled = [round(number / divide, 9) for number in (value, *reach)]
    return {"value": scaled[0], "range": [scaled[1], scaled[2]], "source": source}


def _icc(answers: Answers) -> dict[str, Any]:
    value = float(answers["alike"])
    source = gettext("Planning assumption: region .005 to .02, advisor .01 to .05, employer .05 to .10.")
    return {"value": value, "range": [value / 2, min(value * 2, 0.5)], "source": source}
