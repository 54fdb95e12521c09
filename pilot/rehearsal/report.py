"""What a rehearsal showed: power, type-I error, bias, coverage and false alarms, each with its Monte Carlo error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special

from pilot.protocol import Protocol
from pilot.rehearsal.run import Rehearsed
from pilot.rehearsal.stopping import Simulated, Stopping, share, stopping
from pilot.rehearsal.world import World


@dataclass(frozen=True, slots=True)
class Row:
    """One contrast of one outcome over the trials of both worlds.

    `truth` is the difference if everybody answered; `bias` and `coverage` are about that. `power` is the share of
    trials in the assumed world that read as an effect, `false_positive` that share in the world without effects;
    `planned` the power that the sample-size section computes for so many people. `refused` trials had no estimate.
    """

    outcome: str
    treated: str
    comparison: str
    truth: float
    bias: Simulated
    rmse: Simulated
    coverage: Simulated
    power: Simulated
    planned: float | None
    false_positive: Simulated
    null_coverage: Simulated
    refused: int
    outside_family: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The whole of it. `familywise` is the share of null trials in which any confirmatory contrast of a primary outcome
    reads as an effect.
    """

    pilot: str
    title: dict[str, str]
    fingerprint: str
    participants: int
    trials: int
    seed: int
    full: bool
    rows: tuple[Row, ...]
    familywise: Simulated
    alpha: float
    sample_ratio_alarms: Simulated
    sample_ratio_threshold: float
    observed: dict[str, float]
    take_up: dict[str, float]
    findings: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    once: tuple[str, ...]
    each: tuple[str, ...]
    reminded: int
    stopping: Stopping | None
    flow: dict[str, dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without the drawings."""
        plain = asdict(self)
        plain["flow"] = {name: {k: v for k, v in flow.items() if k != "markup"} for name, flow in self.flow.items()}
        return plain


JOURNEY = (
    "letters", "enrolment", "screening", "consent", "contact", "first_list", "allocation", "delivery", "talks",
    "vouchers", "follow_ups", "reminders", "withdrawal", "audit", "freeze", "look",
)  # fmt: skip
"""Steps that the passage takes through the database; names of the texts in the report."""
LINKED = {"look": "linkage", "outcomes": "outcomes_linked"}
"""The other name of a step where an outcome comes from a register."""
EACH = ("draw", "take_up", "drop_out", "answers", "dataset", "outcomes", "plan")


def report_of(protocol: Protocol, done: Rehearsed) -> Report:
    """The report of a rehearsal; nothing in it is drawn at random any more."""
    rows, lost = tuple(_rows(protocol, done)), tuple(_unestimated(protocol, done))
    null, assumed = done.trials["null"], done.trials["assumed"]
    primary = [o.name for o in protocol.plan.outcomes if o.family == "primary"]
    family = {f"{name}|{treated}|{comparison}" for name in primary for treated, comparison in protocol.plan.contrasts}
    any_said = [any(e is not None and e[5] for key, e in t["effects"].items() if key in family) for t in null]
    alpha = protocol.plan.analysis.alpha
    alarms = share([t["mismatch"] for t in (*null, *assumed)])
    familywise = share(any_said)
    broken = sum(t["findings"] for t in (*null, *assumed))
    looks = stopping(protocol, done.trials)
    closed = [
        f"look '{look}' could not always be opened: {why}" for look, why in (looks.closed if looks else {}).items()
    ]
    findings = (*done.passage.findings, *([f"{broken} findings in the records of the trials"] if broken else []))
    world = done.worlds["assumed"]
    return Report(
        pilot=protocol.pilot.slug, title=dict(protocol.pilot.title), fingerprint=protocol.fingerprint,
        participants=done.order.participants, trials=done.order.trials, seed=done.order.seed, full=done.order.full,
        rows=rows, familywise=familywise, alpha=alpha, sample_ratio_alarms=alarms,
        sample_ratio_threshold=float(done.passage.results["sample_ratio"]["threshold"]),
        observed=_observed(assumed, world), take_up=dict(world.take_up), findings=tuple(findings),
        notes=(*done.passage.notes, *lost, *closed),
        warnings=(
            *_warnings(rows, done.order.trials, familywise, alpha, findings, lost), *_of_looks(looks, alpha),
        ), stopping=looks,
        once=_steps(JOURNEY, world), each=_steps(JOURNEY if done.order.full else EACH, world),
        reminded=done.passage.reminded, flow=done.passage.flow,
    )  # fmt: skip


def _steps(steps: Sequence[str], world: World) -> tuple[str, ...]:
    return tuple(LINKED.get(step, step) if world.registers else step for step in steps)


def _rows(protocol: Protocol, done: Rehearsed) -> Iterable[Row]:
    world = done.worlds["assumed"]
    levels = done.answers.expected(world)
    for outcome in protocol.plan.outcomes:
        for treated, comparison in protocol.plan.every_contrast:
            key = f"{outcome.name}|{treated}|{comparison}"
            effects = {name: [t["effects"].get(key) for t in trials] for name, trials in done.trials.items()}
            known = {name: np.array([e for e in found if e is not None]) for name, found in effects.items()}
            if min(len(found) for found in known.values()) < 2:
                continue
            truth = levels[outcome.name][treated] - levels[outcome.name][comparison]
            miss = known["assumed"][:, 0] - truth
            yield Row(
                outcome=outcome.name, treated=treated, comparison=comparison, truth=truth,
                bias=Simulated(float(miss.mean()), float(miss.std(ddof=1) / math.sqrt(len(miss)))), rmse=_rmse(miss),
                coverage=_covered(known["assumed"], truth), power=share(known["assumed"][:, 5]),
                planned=_planned(protocol, world, outcome.name, (treated, comparison), done.order.participants),
                false_positive=share(known["null"][:, 5]), null_coverage=_covered(known["null"], 0.0),
                refused=sum(e is None for found in effects.values() for e in found),
                outside_family=(treated, comparison) in protocol.plan.analysis.secondary_contrasts,
            )  # fmt: skip


def _unestimated(protocol: Protocol, done: Rehearsed) -> Iterable[str]:
    """The contrasts of which fewer than two trials of a world gave an estimate: they have no row."""
    for outcome in protocol.plan.outcomes:
        for treated, comparison in protocol.plan.every_contrast:
            key = f"{outcome.name}|{treated}|{comparison}"
            if min(sum(t["effects"].get(key) is not None for t in trials) for trials in done.trials.values()) < 2:
                yield f"{outcome.name}: {treated} against {comparison} could hardly ever be estimated; take more people"


def _covered(known: np.ndarray, truth: float) -> Simulated:
    return share((known[:, 2] <= truth) & (truth <= known[:, 3]))


def _rmse(miss: np.ndarray) -> Simulated:
    rmse = float(np.sqrt(np.mean(miss**2)))
    spread = float(np.std(miss**2, ddof=1)) / math.sqrt(len(miss))
    return Simulated(rmse, spread / (2 * rmse) if rmse else 0.0)


def _planned(protocol: Protocol, world: World, outcome: str, pair: tuple[str, str], people: int) -> float | None:
    """The power that the section computes for so many people, where it is sized for this very comparison."""
    plan = protocol.sample_size
    if outcome != world.outcome or pair not in plan.model().pairs():
        return None
    ratio = {arm.name: arm.ratio for arm in plan.section.arms}
    return plan.power(people / sum(ratio.values()), recruited=True)


def _observed(trials: list[dict[str, Any]], world: World) -> dict[str, float]:
    """The share of each arm whose outcome is known in the end, over all trials."""
    found = {}
    for arm in world.mean:
        seen = [t["observed"][f"{world.outcome}|{arm}"] for t in trials]
        found[arm] = sum(known for known, _ in seen) / sum(people for _, people in seen)
    return found


def _three(trials: int) -> float:
    """Three errors, or as many as are as rare when the error itself comes from few trials (Student's t).

    >>> round(_three(200), 2), round(_three(3), 1)
    (3.04, 19.2)
    """
    return float(special.stdtrit(trials - 1, special.ndtr(3.0)))


def _warnings(
    rows: Sequence[Row], trials: int, familywise: Simulated, alpha: float, findings: Sequence[str], lost: Sequence[str]
) -> Iterable[str]:
    """What a researcher should look at before inviting anybody: more than three Monte Carlo errors off."""
    if findings:
        yield "findings"
    if familywise.value - alpha > 3 * familywise.error:
        yield "type_one"
    if any(abs(row.bias.value) > _three(trials) * row.bias.error for row in rows):
        yield "bias"
    if any(1 - alpha - row.coverage.value > 3 * row.coverage.error for row in rows):
        yield "coverage"
    if any(row.planned is not None and row.planned - row.power.value > 3 * row.power.error for row in rows):
        yield "power"
    if lost or any(row.refused for row in rows):
        yield "refused"


def _of_looks(found: Stopping | None, alpha: float) -> Iterable[str]:
    if found is not None and found.false_claims.value - alpha > 3 * found.false_claims.error:
        yield "looks"
    if found is not None and found.closed:
        yield "closed"
