"""The pre-analysis plan: read it, lock it, rehearse it on blinded data, carry it out.

A plan is the three sections `allocation`, `outcomes` and `analysis_plan` of a protocol, or of a plan.yaml for other
people's data. It fixes every choice before the outcomes are known; what the data decide is left to written rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785
from pydantic import ValidationError

import randomization as rz
from analysis.defaults import Decision, decide
from analysis.errors import PlanError, nearest
from analysis.plan_schema import AnalysisPlan, Outcome, PlanSections
from analysis.structure import check_contrasts
from analysis.times import check_times
from analysis.waiting_list import check_waiting_list

if TYPE_CHECKING:
    import pandas as pd

    from analysis.results import Results


@dataclass(frozen=True, slots=True)
class Locked:
    """A plan that can no longer change: canonical JSON (RFC 8785) and its SHA-256 in hexadecimal."""

    canonical_json: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PreAnalysisPlan:
    """Everything that is decided before the data are seen.

    `design` is the allocation, `decision` the estimator that follows from it. Make one with `from_dict` or `read`.

    >>> plan = PreAnalysisPlan.from_dict({
    ...     "allocation": {"method": "complete", "ratio": {"portal": 1, "advice": 1}},
    ...     "outcomes": [{"name": "trained", "kind": "binary", "source": {"column": "trained"}}],
    ...     "analysis_plan": {"control": "portal"},
    ... })
    >>> plan.contrasts, plan.decision.unadjusted, len(plan.lock().sha256)
    ((('advice', 'portal'),), 'difference in means', 64)
    """

    design: rz.Design
    allocation: Mapping[str, Any]
    outcomes: tuple[Outcome, ...]
    analysis: AnalysisPlan
    decision: Decision

    @classmethod
    def from_dict(cls, sections: Mapping[str, Any]) -> PreAnalysisPlan:
        """Read the sections of a plan; `decision` may be among them when the plan was locked before.

        Raises `PlanError`, whose `.path` leads to the place in the mapping: an unknown key, a value that does not
        fit, an arm that the allocation does not have, an estimator that contradicts the design.
        """
        parsed = _parse(sections)
        allocation = dict(sections["allocation"])
        design = _design(allocation)
        analysis = _contrasts_filled(parsed.analysis_plan, arm_names(design))
        check_contrasts(design, analysis)
        decision = decide(design, analysis)
        check_times(parsed.outcomes, decision)
        check_waiting_list(design, analysis, parsed.outcomes)
        if parsed.decision is not None and parsed.decision != decision.locked():
            changed = sorted(k for k, v in decision.locked().items() if parsed.decision.get(k) != v)
            raise PlanError(
                f"this version of the software decides otherwise than the locked plan on: {', '.join(changed)}",
                remedy="run the plan with the version that locked it",
                path=("decision",),
            )
        return cls(design, allocation, parsed.outcomes, analysis, decision)

    @classmethod
    def read(cls, path: str | Path) -> PreAnalysisPlan:
        """Read a plan.yaml or a locked plan.json; raises `PlanError` when the file is not such a plan."""
        import yaml

        path = Path(path)
        if not path.is_file():
            raise PlanError(f"there is no plan '{path}'")
        try:
            sections = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise PlanError(f"'{path.name}' is not readable YAML: {error}") from error
        if not isinstance(sections, Mapping):
            raise PlanError(
                f"'{path.name}' holds no plan", remedy="it has the keys allocation, outcomes and analysis_plan"
            )
        return cls.from_dict(sections)

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of the arms, in the order of the allocation."""
        return arm_names(self.design)

    @property
    def contrasts(self) -> tuple[tuple[str, str], ...]:
        """The confirmatory contrasts, each (treated, comparison)."""
        return self.analysis.contrasts

    @property
    def every_contrast(self) -> tuple[tuple[str, str], ...]:
        """All registered contrasts: the confirmatory ones first, then those outside their family."""
        return self.analysis.every_contrast

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain JSON values with every default written out and the decision it leads to."""
        return {
            "allocation": dict(self.allocation),
            "outcomes": [outcome.model_dump(mode="json", by_alias=True) for outcome in self.outcomes],
            "analysis_plan": self.analysis.model_dump(mode="json"),
            "decision": self.decision.locked(),
        }

    def lock(self) -> Locked:
        """The plan as canonical JSON with its fingerprint; the same plan gives the same bytes on every machine."""
        text = rfc8785.dumps(self.to_dict())
        return Locked(text.decode("utf-8"), hashlib.sha256(text).hexdigest())

    def dry_run(self, data: pd.DataFrame, seed: int) -> Results:
        """Carry the plan out on data from which everything about the arms was taken away first.

        Arms are redrawn from the design with `seed`; the real arm column, take-up, sessions, vouchers, costs and
        every other column that the plan does not need are dropped unread. Nothing in the result says anything about
        the arms; it shows that the pipeline works. `data` may lack an arm column altogether.
        """
        from analysis.rehearsal import rehearse

        return rehearse(self, data, seed)

    def run(
        self, data: pd.DataFrame, *, expected_sha256: str | None = None, created: str | None = None,
        alpha: float | None = None,
    ) -> Results:  # fmt: skip
        """Carry the plan out. `expected_sha256` is the published fingerprint; `created` a time stamp to keep.

        `alpha` is the level of an interim or last look (`analysis.monitoring.level_of_look`): effects are claimed and
        intervals drawn at it. Without it at the level of the plan.

        Raises `DataError` and its kind when the data are not those of this plan, `PlanError` when the plan is not
        the one that was published. A contrast that cannot be estimated is reported as refused, with the reason.
        """
        from analysis.execution import carry_out

        if expected_sha256 is not None and expected_sha256 != self.lock().sha256:
            raise PlanError(
                f"this plan has fingerprint {self.lock().sha256[:12]}…, not the published {expected_sha256[:12]}…",
                remedy="run the plan that was locked, or register an amendment",
            )
        return carry_out(self, data, created=created, alpha=alpha)


def arm_names(design: rz.Design) -> tuple[str, ...]:
    """The names of the arms of a design, in its order."""
    return tuple(str(getattr(arm, "name", arm)) for arm in design.arms)


def _parse(sections: Mapping[str, Any]) -> PlanSections:
    try:
        return PlanSections.model_validate(dict(sections))
    except ValidationError as error:
        first = error.errors()[0]
        raise _as_plan_error(dict(first), len(error.errors())) from error


def _as_plan_error(first: dict[str, Any], count: int) -> PlanError:
    path = tuple(part for part in first["loc"] if part != "[key]")
    place = where(path)
    others = f" ({count - 1} more after this one)" if count > 1 else ""
    if first["type"] == "extra_forbidden":
        return PlanError(f"{place or 'the plan'}: this key is not known{others}", remedy=_nearest_key(path), path=path)
    if first["type"] == "missing":
        return PlanError(f"{place} is missing{others}", path=path)
    message = str(first["msg"]).removeprefix("Value error, ")
    shown = first.get("input")
    found = f", not {shown!r}" if first["type"] != "value_error" and isinstance(shown, str | int | float) else ""
    return PlanError(f"{place}: {message[:1].lower()}{message[1:]}{found}{others}", path=path)


def where(path: tuple[str | int, ...]) -> str:
    """A path as people write it.

    >>> where(("outcomes", 0, "kind"))
    'outcomes[0].kind'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _nearest_key(path: tuple[str | int, ...]) -> str:
    model: Any = PlanSections
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        model = _section_under(model, str(part)) or model
    known = [info.alias or name for name, info in model.model_fields.items()]
    return nearest(path[-1], known, "key")


def _section_under(model: Any, key: str) -> Any:
    from typing import get_args

    from analysis.plan_schema import Section

    field = model.model_fields.get(key)
    pending = [field.annotation] if field is not None else []
    while pending:
        candidate = pending.pop()
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
        pending.extend(get_args(candidate))
    return None


def _design(allocation: Mapping[str, Any]) -> rz.Design:
    try:
        return rz.from_dict(allocation)
    except ValueError as error:
        path = tuple(getattr(error, "path", ()))
        raise PlanError(f"allocation: {error}", path=("allocation", *path)) from error


def _contrasts_filled(plan: AnalysisPlan, arms: tuple[str, ...]) -> AnalysisPlan:
    def known(arm: str, *path: str | int) -> None:
        if arm not in arms:
            raise PlanError(
                f"{where(('analysis_plan', *path))}: the allocation has no arm '{arm}'",
                remedy=nearest(arm, arms, "arm"),
                path=("analysis_plan", *path),
            )

    known(plan.control, "control")
    for key in ("contrasts", "secondary_contrasts"):
        for place, pair in enumerate(getattr(plan, key)):
            for side, arm in enumerate(pair):
                known(arm, key, place, side)
    for arm in plan.components:
        known(arm, "components", arm)
    for place, arm in enumerate(plan.advisors.arms if plan.advisors else ()):
        known(arm, "advisors", "arms", place)
    if not plan.contrasts:
        against_control = tuple((arm, plan.control) for arm in arms if arm != plan.control)
        plan = plan.model_copy(update={"contrasts": against_control})
    _outside_only(plan)
    return plan


def _outside_only(plan: AnalysisPlan) -> None:
    """Raise `PlanError` for a contrast that would stand both within and outside the confirmatory family."""
    confirmatory = {frozenset(pair) for pair in plan.contrasts}
    for place, pair in enumerate(plan.secondary_contrasts):
        if frozenset(pair) in confirmatory:
            path = ("analysis_plan", "secondary_contrasts", place)
            raise PlanError(
                f"{where(path)}: '{pair[0]}' against '{pair[1]}' is a confirmatory contrast already",
                remedy="name each pair of arms in one of the two lists; without 'contrasts' all arms are compared with "
                "the control there",
                path=path,
            )
