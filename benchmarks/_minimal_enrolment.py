"""The least that an endpoint can do and still draw: one page in plain Core over the same tables and the same chain.

It is what `enrolment.py` measures the real page against: no session, no protection of forms, no rules of access, no
translations, no log; one transaction that finds the person, sees that eligibility, consent and the first list are on
record, takes the place, derives the arm, and keeps it with its link in the chain and an event.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, redirect
from sqlalchemy import Connection, create_engine, insert, select, update
from sqlalchemy.dialects import postgresql
from werkzeug.wrappers import Response

from pilot import keys
from pilot.db import Database
from pilot.locking import in_force
from pilot.models import Allocation, Consent, Event, Participant, Pilot, Screening, StratumState, Submission
from pilot.settings import load
from randomization import live

person, counter = Participant.__table__.c, StratumState.__table__.c
FIND = (
    select(person.id, person.study_id, person.nonce, person.covariates, Screening.eligible, Allocation.arm)
    .join(Screening, Screening.participant_id == person.id)
    .join(Submission, Submission.participant_id == person.id)
    .join(Consent, (Consent.participant_id == person.id) & (Consent.purpose == "participate") & Consent.given)
    .outerjoin(Allocation, Allocation.participant_id == person.id)
)


def make() -> Flask:
    """The app of one page; the address of the database and the folder of the keys come from the environment."""
    url, folder, slug = os.environ["PILOT_DATABASE_URL"], Path(os.environ["PILOT_KEYS"]), "ontwikkeladvies"
    engine = create_engine(url, pool_size=8, max_overflow=2)
    with Database(load()).reading() as session:
        pilot = session.query(Pilot).one()
        version, protocol = in_force(session, pilot.id)
        terms = {"pilot_id": pilot.id, "epoch": version.epoch, "fingerprint": version.fingerprint}
    key, app = keys.read(folder, slug, "live"), Flask("minimal")

    @app.post("/draw/<study_id>")
    def draw(study_id: str) -> Response:
        now = datetime.now(UTC)
        with engine.begin() as connection:
            found = connection.execute(FIND.where(person.study_id == study_id)).one()
            if found.arm is None and found.eligible:
                _draw(connection, protocol, key, slug, terms, found, now)
        return redirect("/done", code=303)

    return app


def _draw(
    connection: Connection, protocol: Any, key: bytes, slug: str, terms: dict[str, Any], found: Any, now: datetime
) -> None:
    stratum = live.stratum_label(protocol.allocation, found.covariates)
    place = {"pilot_id": terms["pilot_id"], "mode": "live", "epoch": terms["epoch"], "stratum": stratum}
    here = [counter[name] == value for name, value in place.items()]
    take = (
        update(StratumState)
        .where(*here)
        .values(next_position=counter.next_position + 1)
        .returning(counter.next_position - 1, counter.state, counter.head, counter.counts)
    )
    taken = connection.execute(take).first()
    if taken is None:
        opened = {**place, "next_position": 1, "counts": {}, "head": live.GENESIS}
        connection.execute(postgresql.insert(StratumState).values(**opened).on_conflict_do_nothing())
        taken = connection.execute(take).one()
    position, state, head, counts = taken
    context = live.Context(pilot=slug, mode="live", epoch=terms["epoch"])
    drawn = live.next_draw(
        protocol.allocation, key=key, context=context, stratum=stratum, position=position, state=state,
        covariates=found.covariates,
    )  # fmt: skip
    kept = {
        "position": position, "arm": drawn.arm, "probability": str(drawn.probability),
        "covariates": dict(found.covariates), "fingerprint": terms["fingerprint"],
    }  # fmt: skip
    payload = {**place, **kept, "pilot": slug, "study_id": found.study_id, "allocated_at": now.isoformat()}
    row_hash = live.chain_hash(head, payload)
    after = {"state": drawn.state, "head": row_hash, "counts": {**counts, drawn.arm: counts.get(drawn.arm, 0) + 1}}
    connection.execute(update(StratumState).where(*here).values(**after))
    own = {"participant_id": found.id, "idempotency_key": found.nonce, "allocated_at": now}
    connection.execute(insert(Allocation).values(**place, **kept, **own, previous_hash=head, row_hash=row_hash))
    told = {"stratum": stratum, "position": position, "row_hash": row_hash}
    event = {"pilot_id": terms["pilot_id"], "participant_id": found.id, "kind": "allocated", "detail": told, "at": now}
    connection.execute(insert(Event).values(**event))
