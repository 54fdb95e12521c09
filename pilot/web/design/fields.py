"""The fields of a sample size: which there are, how each is written and read, and between which bounds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from flask_babel import gettext as _

from analysis.planning import Named, Plan
from dashboards.design_terms import Terms
from pilot.web.language import number as written

Kind = Literal["percent", "points", "number"]
MOST = 10_000_000
SHARES = {"take_up", "take_up_control", "enrolment", "r2", "control", "survey", "register"}


@dataclass(frozen=True, slots=True)
class Field:
    """One number: its name in the query, what it is called, how it is written, and where it may lie."""

    name: str
    label: str
    kind: Kind
    value: float
    low: float
    high: float
    hint: str = ""

    @property
    def scale(self) -> float:
        """A share is typed as a percentage."""
        return 1.0 if self.kind == "number" else 100.0

    def shown(self, value: float) -> str:
        """The value as a person types it, in the reader's language.

        >>> from flask import Flask
        >>> Field("x", "Take-up", "percent", 0.6, 0, 1).plain(0.655)
        '65.5'
        """
        text = self.plain(value)
        return text.replace(".", decimal_sign())

    def plain(self, value: float) -> str:
        """The value with a point and no thousands, as short as it can be."""
        return f"{round(value * self.scale, 6):.10g}"

    @property
    def unit(self) -> str:
        return {"percent": "%", "points": _("points"), "number": ""}[self.kind]

    def read(self, typed: str) -> tuple[float, str]:
        """The value of what was typed, and what is wrong with it (empty when nothing is)."""
        found = decimal(typed)
        low, high = (self.shown(edge) for edge in (self.low, self.high))
        if found is None or not self.low <= found / self.scale <= self.high:
            return self.value, _("Give a number between %(low)s and %(high)s.", low=low, high=high)
        return found / self.scale, ""


def decimal(typed: str, point: str = "") -> float | None:
    """A number as people write it, with a comma or a point; None when it is none.

    `point` is the decimal sign of the reader's language, by default that of the page; the other sign, before three
    digits, sets thousands apart.

    >>> decimal("12,5", ","), decimal("1.200,50", ","), decimal("17.000.000", ","), decimal("12.000", ",")
    (12.5, 1200.5, 17000000.0, 12000.0)
    >>> decimal("12.000", "."), decimal("12,000", "."), decimal("0.010", ","), decimal("x", "."), decimal("1e9", ".")
    (12.0, 12000.0, 0.01, None, None)
    """
    point = point or decimal_sign()
    other = "." if point == "," else ","
    text = re.sub(r"[\s%€\u202f]", "", typed).replace("\u2212", "-")
    if re.fullmatch(rf"-?[1-9]\d{{0,2}}(\{other}\d{{3}})+(\{point}\d*)?", text):
        text = text.replace(other, "")
    text = text.replace(",", ".")
    if not re.fullmatch(r"-?\d{1,12}(\.\d{0,9})?", text):
        return None
    return float(text)


def decimal_sign() -> str:
    """The decimal sign of the reader's language."""
    return "." if "." in written(1.5, 1) else ","


def assumptions(terms: Terms) -> list[Field]:
    """A field for every assumption of the section that bears on the first outcome, in its order."""
    return [_field(item, terms) for item in terms.plan.assumptions() if _counts(item.name, terms.plan)]


def _counts(name: str, plan: Plan) -> bool:
    parts = name.split(".")
    if parts[0] == "outcomes":
        return parts[1] == plan.primary.name
    return parts[0] != "attrition" or parts[1] == plan.primary.measured_by


def _field(item: Named, terms: Terms) -> Field:
    last = item.name.rsplit(".", 1)[-1]
    binary = terms.plan.primary.kind == "binary"
    if last == "effect":
        kind: Kind = "points" if binary else "number"
        low, high = (-1.0, 1.0) if binary else (-float(MOST), float(MOST))
    elif last in SHARES and not (last == "control" and not binary):
        kind, low, high = "percent", 0.0, 1.0
    elif last == "icc":
        kind, low, high = "number", 0.0, 0.99
    else:
        kind, low, high = "number", -float(MOST) if last == "control" else 0.0, float(MOST)
    field = Field(item.name, terms.assumption(item.name), kind, item.value, low, high)
    reach = _("Between %(low)s and %(high)s by the protocol.", low=field.shown(item.low), high=field.shown(item.high))
    return replace(field, hint=f"{reach} {item.source}")


def demands(plan: Plan) -> list[Field]:
    """Power and alpha: what is asked of the pilot."""
    section = plan.section
    return [
        Field("power", _("Chance to find the effect (power)"), "percent", section.power, 0.01, 0.9999),
        Field("alpha", _("Chance of a false claim (alpha)"), "percent", section.alpha, 0.0001, 0.5),
    ]


def read_all(fields: list[Field], typed: Mapping[str, str]) -> tuple[dict[str, float], dict[str, str]]:
    """Values of the fields that were typed and differ from their own, and what is wrong, both by name."""
    values, faults = {}, {}
    for field in fields:
        if (text := typed.get(field.name, "").strip()) == "":
            continue
        value, fault = field.read(text)
        if fault:
            faults[field.name] = fault
        elif not math.isclose(value, field.value, rel_tol=1e-9, abs_tol=1e-12):
            values[field.name] = value
    return values, faults
