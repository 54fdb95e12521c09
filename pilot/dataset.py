"""From the record to analysis data: one row for each allocated participant, frozen in a file that is never changed.

Answers are pulled out of their JSON by one generated SELECT for each wave, typed by the instrument's codebook: no rows
of entity, attribute and value, and no objects. Outcome figures and effects read freezes only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Float, and_, cast, func, select
from sqlalchemy.orm import Session, aliased

from analysis.plan_schema import ScaleSource
from pilot import derivations, locking, scales
from pilot.db import one_at_a_time
from pilot.errors import Refused, Tampered
from pilot.events import record
from pilot.models import (
    AdviceSession,
    Allocation,
    Consent,
    Exposure,
    Freeze,
    Participant,
    Pilot,
    StratumState,
    Submission,
    Voucher,
)
from pilot.protocol import Protocol
from surveys.codebook import Codebook, Variable, codebook, with_instances
from surveys.errors import ScoringError

BY_ARM = (
    "arm", "probability", "advice_taken", "advice_minutes", "advice_sessions", "referrals", "voucher_issued",
    "voucher_spent_cents",
)  # fmt: skip
"""Columns that give the arm away. A freeze that is made before a permitted look does not hold them."""

STOPPED = ("no_data", "erase")
"""The degrees of withdrawal after which answers are not used."""

LABELS: Mapping[str, Mapping[str, str]] = {
    "study_id": {"nl": "Studienummer", "en": "Study id"},
    "arm": {"nl": "Groep waarin de deelnemer is geloot", "en": "Arm to which the participant was allocated"},
    "probability": {"nl": "Kans op deze groep", "en": "Probability of this arm"},
    "outreach_arm": {"nl": "Wijze van uitnodigen", "en": "Outreach arm"},
    "allocated_on": {"nl": "Dag van loting", "en": "Day of allocation"},
    "withdrawn": {"nl": "Gestopt met meedoen", "en": "Withdrawn"},
    "advice_taken": {"nl": "Ten minste één gesprek gehad (1 ja, 0 nee)", "en": "At least one talk held (1 yes, 0 no)"},
    "advice_minutes": {"nl": "Minuten gesprek", "en": "Minutes of talks"},
    "advice_sessions": {"nl": "Aantal gesprekken", "en": "Number of talks"},
    "referrals": {"nl": "Aantal verwijzingen", "en": "Number of referrals"},
    "portal_views": {"nl": "Bekeken aanbod in het overzicht", "en": "Offers viewed in the portal"},
    "voucher_issued": {"nl": "Voucher gekregen (1 ja, 0 nee)", "en": "Voucher issued (1 yes, 0 no)"},
    "voucher_spent_cents": {"nl": "Besteed van de voucher (cent)", "en": "Spent of the voucher (cents)"},
}
ABOUT_A_LIST: Mapping[str, Mapping[str, str]] = {
    "responded": {"nl": "Vragenlijst ingevuld (1 ja, 0 nee)", "en": "List answered (1 yes, 0 no)"},
    "mode": {"nl": "Hoe de vragenlijst is afgerond", "en": "How the list was finished"},
    "modes": {"nl": "Alle manieren waarop antwoorden zijn gegeven", "en": "Every way in which answers were given"},
    "submitted_on": {"nl": "Dag waarop de vragenlijst is verstuurd", "en": "Day on which the list was sent"},
}
"""What the columns `<wave>__<name>` say that belong to no question."""
MODES: Mapping[str, Mapping[str, str]] = {
    "self": {"nl": "zelf ingevuld", "en": "answered alone"},
    "phone": {"nl": "interview per telefoon", "en": "interview by telephone"},
    "desk": {"nl": "interview aan het loket", "en": "interview at the desk"},
    "paper": {"nl": "formulier op papier", "en": "form on paper"},
}
"""The ways to answer, in the order of the columns that hold several."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The data and all that is needed to read them: variables by name, and the SQL that made each wave."""

    data: pd.DataFrame
    variables: Mapping[str, Variable]
    codebooks: tuple[Codebook, ...]
    sql: tuple[str, ...]


def build(session: Session, pilot: Pilot, protocol: Protocol) -> Frame:
    """Everyone who was allocated in the pilot's present mode, whatever happened later, with outcomes worked out.

    People who asked for no more data, or for erasure, keep their row and their arm; their answers are not in it. Each
    `consent_…` holds the version under which the data may be used for that purpose, and nothing when they may not.
    """
    base = _read(session, _spine(pilot), index="participant_id")
    base["probability"] = [float(Fraction(text)) for text in base["probability"]]
    base["allocated_on"] = [moment.date().isoformat() for moment in base["allocated_on"]]
    covariates = pd.DataFrame(list(base.pop("covariates")), index=base.index)
    parts, sql = [base, _typed_covariates(covariates, protocol)], []
    codebooks: list[Codebook] = []
    for wave in protocol.waves:
        book = codebook(protocol.instrument_of(wave.name), wave.name)
        query = _wave(pilot, wave.name, book)
        sql.append(str(query.compile(session.get_bind())))
        rows = _read(session, query, index="participant_id")
        codebooks.append(book if "analysed" not in rows else with_instances(book, _held(rows["analysed"])))
        parts.append(wave_frame(rows, wave.name, codebooks[-1], base.index))
    consents = _consents(session, pilot, protocol, base.index)
    data = pd.concat([*parts, _delivered(session, pilot, base.index), consents], axis=1)
    stopped = data["withdrawn"].isin(STOPPED)
    data.loc[stopped, list(consents)] = ""
    answers = [name for book in codebooks for name in (v.name for v in book.variables) if name in data]
    data.loc[stopped, answers] = None
    data = pd.concat([data, outcomes(data, protocol)], axis=1)
    variables = {v.name: v for book in codebooks for v in book.variables if v.name in data}
    return Frame(data.sort_values("study_id").reset_index(drop=True), variables, tuple(codebooks), tuple(sql))


def freeze(
    session: Session,
    pilot: Pilot,
    protocol: Protocol,
    *,
    folder: Path,
    with_arms: bool,
    actor_id: int | None,
    now: datetime,
) -> Freeze:
    """Writes the data to a file that never changes, with a manifest; `with_arms` only inside a permitted look.

    One at a time for each pilot: a freeze that was being made during an erasure is found by it and superseded too.
    """
    one_at_a_time(session, "freeze", pilot.id)
    frame = build(session, pilot, protocol)
    if frame.data.empty:
        raise Refused("nobody has been allocated yet; there is nothing to freeze", code="empty")
    data = frame.data if with_arms else frame.data.drop(columns=[name for name in BY_ARM if name in frame.data])
    number = (session.scalar(select(func.max(Freeze.number)).where(Freeze.pilot_id == pilot.id)) or 0) + 1
    name, digest = _write(data, folder, f"{pilot.slug}/freeze-{number:04d}")
    version, _ = locking.in_force(session, pilot.id)
    manifest = {
        "pilot": pilot.slug,
        "number": number,
        "created": now.isoformat(),
        "rows": len(data),
        "columns": list(data.columns),
        "sha256": digest,
        "with_arms": with_arms,
        "protocol": version.fingerprint,
        "audit_heads": _heads(session, pilot),
        "sql": list(frame.sql),
        "codebooks": [book.to_dict() for book in frame.codebooks],
        "scoring": {one.name: scales.rule(one.source.scale) for one in protocol.plan.outcomes if one.source.scale},
    }
    row = Freeze(
        pilot_id=pilot.id, number=number, file=name, sha256=digest, rows=len(data), manifest=manifest, created_at=now,
        created_by=actor_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(session, "frozen", pilot, now=now, actor_id=actor_id, number=number, sha256=digest, with_arms=with_arms)
    return row


def read_freeze(folder: Path, row: Freeze) -> pd.DataFrame:
    """The data of a freeze; raises Tampered when its file was changed, Refused when it was superseded."""
    path = folder / row.file
    if row.superseded_by is not None or not path.is_file():
        raise Refused(f"freeze {row.number} was superseded; use a later one", code="superseded")
    if hashlib.sha256(path.read_bytes()).hexdigest() != row.sha256:
        raise Tampered(f"the file of freeze {row.number} is not the one that was written: its SHA-256 differs")
    return pd.read_parquet(path)


def supersede(
    session: Session, pilot: Pilot, protocol: Protocol, *, folder: Path, actor_id: int | None, now: datetime
) -> int:
    """After an erasure: every freeze of the pilot gives way to a new one. Manifests stay, with the hash of each file.

    The old files are destroyed by `disposal.sweep` after the commit: an erasure that is undone has lost no freeze.
    """
    one_at_a_time(session, "freeze", pilot.id)
    old = session.scalars(
        select(Freeze).where(Freeze.pilot_id == pilot.id, Freeze.superseded_by.is_(None)).order_by(Freeze.number)
    ).all()
    if not old:
        return 0
    with_arms = any(row.manifest.get("with_arms") for row in old)
    new = freeze(session, pilot, protocol, folder=folder, with_arms=with_arms, actor_id=actor_id, now=now)
    for row in old:
        row.superseded_by = new.id
    session.flush()
    return len(old)


def _read(session: Session, query: Any, *, index: str) -> Any:
    result = session.execute(query)
    return pd.DataFrame(result.all(), columns=list(result.keys())).set_index(index)


def _spine(pilot: Pilot) -> Any:
    return (
        select(
            Participant.id.label("participant_id"),
            Participant.study_id,
            Allocation.arm,
            Allocation.probability,
            Allocation.covariates,
            Participant.outreach_arm,
            Allocation.allocated_at.label("allocated_on"),
            Participant.withdrawn,
        )
        .join(Allocation, Allocation.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Allocation.mode == pilot.mode)
        .order_by(Participant.id)
    )


def _wave(pilot: Pilot, wave: str, book: Codebook) -> Any:
    """One SELECT for one wave: the latest revision of each person, every variable out of the JSON with its type.

    A list with a repeat brings the whole JSON along, for nobody knows beforehand how many instances there are.
    """
    later = aliased(Submission)
    columns = [
        _extract(variable).label(variable.name)
        for variable in book.variables
        if variable.type != "flag" and not variable.repeated
    ]
    if any(variable.repeated for variable in book.variables):
        columns.append(Submission.analysed.label("analysed"))
    return (
        select(Submission.participant_id, Submission.submitted_at, Submission.mode, Submission.modes, *columns)
        .join(Allocation, Allocation.participant_id == Submission.participant_id)
        .outerjoin(
            later,
            and_(
                later.participant_id == Submission.participant_id,
                later.wave == Submission.wave,
                later.revision > Submission.revision,
            ),
        )
        .where(
            Allocation.pilot_id == pilot.id, Allocation.mode == pilot.mode, Submission.wave == wave, later.id.is_(None)
        )
    )


def _extract(variable: Variable) -> Any:
    value = Submission.analysed[variable.question].as_string()
    return cast(value, Float) if variable.type in ("integer", "number") else value


def wave_frame(rows: Any, wave: str, book: Codebook, index: pd.Index) -> pd.DataFrame:
    data = pd.concat([rows.drop(columns=["submitted_at", "mode", "modes", "analysed"], errors="ignore"),
                      _instances(rows, book)], axis=1).reindex(index)  # fmt: skip
    for variable in book.variables:
        if variable.type == "flag" and not variable.repeated:
            words = data[variable.name.removesuffix(f"__{variable.choice}")]
            chosen = words.dropna().map(lambda text, choice=variable.choice: float(choice in str(text).split()))
            data[variable.name] = chosen.reindex(data.index)
    about = pd.DataFrame(
        {
            f"{wave}__responded": pd.Series(index.isin(rows.index).astype(int), index=index),
            f"{wave}__mode": rows["mode"].reindex(index),
            f"{wave}__modes": _ways(rows).reindex(index),
            f"{wave}__submitted_on": pd.to_datetime(rows["submitted_at"], utc=True)
            .dt.strftime("%Y-%m-%d")
            .reindex(index),
        }
    )
    return pd.concat([about, data], axis=1)


def _held(lists: pd.Series) -> set[str]:
    """The names of all values that anybody's list holds."""
    return {name for values in lists for name in values}


def _instances(rows: Any, book: Codebook) -> pd.DataFrame:
    """A column for each question in each instance of a repeat, numbers as numbers and everything else as text."""
    columns: dict[str, Any] = {}
    for variable in book.variables:
        if variable.instance and variable.type != "flag":
            found = rows["analysed"].map(lambda values, key=variable.question: values.get(key))
            number = variable.type in ("integer", "number")
            columns[variable.name] = (
                pd.to_numeric(found, errors="coerce") if number else found.map(str, na_action="ignore")
            )
    return pd.DataFrame(columns, index=rows.index)


def _ways(rows: Any) -> pd.Series:
    """Every mode of a list, with spaces between: who began alone and went on by telephone has two."""
    found, mixed = rows["mode"].astype("object"), rows["modes"].map(bool).to_numpy(dtype=bool)
    for person, mode, modes in zip(rows.index[mixed], rows["mode"][mixed], rows["modes"][mixed], strict=True):
        used = {mode, *modes.values()}
        found.loc[person] = " ".join(one for one in MODES if one in used)
    return found


def _typed_covariates(covariates: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Covariates as numbers where every value is one; strata stay text, whatever they look like."""
    typed = {}
    for name in protocol.covariates:
        column = covariates[name] if name in covariates else pd.Series(index=covariates.index, dtype="string")
        numbers: Any = pd.to_numeric(column, errors="coerce")
        typed[name] = numbers if name not in protocol.allocation.strata and numbers.notna().all() else column
    return pd.DataFrame(typed, index=covariates.index)


def _delivered(session: Session, pilot: Pilot, index: pd.Index) -> pd.DataFrame:
    """What each person really got: talks, minutes, views, referrals, voucher."""
    talks = _grouped(
        session,
        pilot,
        AdviceSession.participant_id,
        func.count().label("n"),
        func.sum(AdviceSession.minutes).label("m"),
    )
    exposures = {
        kind: _grouped(session, pilot, Exposure.participant_id, func.count().label("n"), where=Exposure.kind == kind)
        for kind in ("viewed", "referred")
    }
    vouchers = _grouped(session, pilot, Voucher.participant_id, func.sum(Voucher.spent_cents).label("n"))
    filled = lambda column: column.reindex(index).fillna(0).astype("int64")  # noqa: E731
    sessions = filled(talks["n"])
    return pd.DataFrame(
        {
            "advice_sessions": sessions,
            "advice_minutes": filled(talks["m"]),
            "advice_taken": (sessions > 0).astype("int64"),
            "portal_views": filled(exposures["viewed"]["n"]),
            "referrals": filled(exposures["referred"]["n"]),
            "voucher_issued": pd.Series(index.isin(vouchers.index).astype("int64"), index=index),
            "voucher_spent_cents": filled(vouchers["n"]),
        }
    )


def consent_columns(protocol: Protocol) -> dict[str, str]:
    """The column of each consent text, by its purpose."""
    return {text.purpose: f"consent_{text.purpose}" for text in protocol.consent.texts}


def _consents(session: Session, pilot: Pilot, protocol: Protocol, index: pd.Index) -> pd.DataFrame:
    """For each purpose the version of the text to which a person last said yes; empty for a no and for no answer."""
    query = (
        select(Consent.participant_id, Consent.purpose, Consent.version, Consent.given)
        .join(Participant, Participant.id == Consent.participant_id)
        .where(Participant.pilot_id == pilot.id)
        .order_by(Consent.id)
    )
    standing: dict[str, dict[int, str]] = {purpose: {} for purpose in consent_columns(protocol)}
    for person, purpose, version, given in session.execute(query):
        if purpose in standing:
            standing[purpose][person] = version if given else ""
    return pd.DataFrame(
        {
            column: pd.Series(standing[purpose], index=index, dtype="object").fillna("")
            for purpose, column in consent_columns(protocol).items()
        },
        index=index,
    )


def _grouped(session: Session, pilot: Pilot, person: Any, *counts: Any, where: Any = None) -> Any:
    query = (
        select(person.label("participant_id"), *counts)
        .join(Participant, Participant.id == person)
        .where(Participant.pilot_id == pilot.id)
        .group_by(person)
    )
    return _read(session, query if where is None else query.where(where), index="participant_id")


def outcomes(data: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Each derived outcome of the protocol, worked out row by row from the survey variables; empty where unknown."""
    columns = {}
    for outcome in protocol.plan.outcomes:
        if outcome.source.scale is not None:
            columns[outcome.name] = _scored(outcome.name, outcome.source.scale, data)
        if outcome.source.derive is None:
            continue
        rule = derivations.Derivation.of(outcome.source)
        unknown = sorted(rule.references - set(data.columns))
        if unknown:
            raise Refused(
                f"outcome '{outcome.name}' is derived from '{unknown[0]}', which no wave asks", code="outcome"
            )
        values = _derived(rule, data[sorted(rule.references)])
        columns[outcome.name] = values.mask(_silent(data, rule.references))
    return pd.DataFrame(columns, index=data.index)


def _silent(data: Any, names: Iterable[str]) -> Any:
    """Who answered none of the waves that these columns come from, or whose answers may not be used; nobody where a
    column comes from elsewhere."""
    responded = {f"{name.split('__')[0]}__responded" for name in names}
    if not responded or not responded <= set(data.columns):
        return pd.Series(False, index=data.index)
    nothing = (data[sorted(responded)].fillna(0).astype(float) == 0).all(axis=1)
    return nothing | data["withdrawn"].isin(STOPPED) if "withdrawn" in data else nothing


def _derived(rule: derivations.Derivation, data: Any) -> Any:
    """One value for each distinct combination of answers: as many evaluations as there are combinations."""
    known = data.astype(object).where(data.notna(), "")
    keys = list(zip(*(known[name] for name in known), strict=True))
    values = {key: rule.value(dict(zip(known.columns, key, strict=True))) for key in set(keys)}
    return pd.Series([values[key] for key in keys], index=data.index, dtype=float)


def _scored(outcome: str, source: ScaleSource, data: pd.DataFrame) -> pd.Series:
    """The score of each person; an answer that is no number ("I do not know") counts as missing."""
    items = data[list(source.items)].astype(object).apply(pd.to_numeric, errors="coerce")
    rows = [[None if value != value else float(value) for value in row] for row in items.to_numpy(float)]
    try:
        return pd.Series(scales.values(source, rows), index=data.index, dtype=float)
    except ScoringError as error:
        raise Refused(f"outcome '{outcome}': {error}", code="outcome") from None


def _write(data: pd.DataFrame, folder: Path, stem: str) -> tuple[str, str]:
    """Writes beside, syncs, renames: a file that is there is whole. Gives its name and SHA-256.

    The name holds the content's hash, so a file left by a transaction that was undone is never taken for another.
    """
    beside = folder / f"{stem}.{os.getpid()}.part"
    beside.parent.mkdir(parents=True, exist_ok=True)
    data.to_parquet(beside, index=False)
    with open(beside, "rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f"{stem}-{digest[:12]}.parquet"
    os.replace(beside, folder / name)
    return name, digest


def _heads(session: Session, pilot: Pilot) -> dict[str, Any]:
    rows: Iterator[Any] = session.execute(
        select(
            StratumState.mode, StratumState.epoch, StratumState.stratum, StratumState.next_position, StratumState.head
        )
        .where(StratumState.pilot_id == pilot.id)
        .order_by(StratumState.mode, StratumState.epoch, StratumState.stratum)
    )  # type: ignore[assignment]
    return {f"{mode}/{epoch}/{stratum}": {"positions": n - 1, "head": head} for mode, epoch, stratum, n, head in rows}
