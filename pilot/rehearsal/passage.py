"""One whole pilot through the production code: letters, enrolment, screening, consent, answers, allocation, talks,
vouchers, follow-ups, withdrawals, freeze and plan, in a database of its own that is thrown away afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analysis.errors import AnalysisError
from analysis.results import Results
from dashboards.figure import Number
from dashboards.texts import Language
from pilot import audit, counts, dataset, keys, locking, people, results, schema
from pilot.db import Database
from pilot.errors import Refused
from pilot.journey import (
    advice,
    allocation,
    answering,
    delivery,
    eligibility,
    enrolment,
    followup,
    outreach,
    vouchers,
    withdrawal,
)
from pilot.models import Allocation, Freeze, Invitee, Participant, Pilot
from pilot.pages import Dashboard
from pilot.protocol import Protocol
from pilot.rehearsal.answers import Library, context_of, filled
from pilot.rehearsal.looks import ANSWERS_WITHIN, LEAVES_AFTER, interim, last
from pilot.rehearsal.world import World, link
from pilot.settings import Settings, load
from pilot.synthetic import Person, contact_of, gives_consent
from pilot.synthetic import people as synthetic_people

LANGUAGES: tuple[Language, ...] = ("nl", "en")
BATCH = 40
ROUNDS = 40
ADVISORS = 6
CONSENTS, LEAVES, GIVES_UP, COMES = 0.93, 0.02, 0.04, 0.5
"""Habits that no section of a protocol states: consent, withdrawal, leaving half-way, and answering a letter."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Passage:
    """What came out of one whole pilot, as plain values.

    `data` is what was frozen, in the order of the draw; `results` those of the plan; `flow` the figure of the
    flow of participants by language, part by part; `findings` what in the record does not add up; `looks` what each
    look said, in the order in which they opened.
    """

    data: pd.DataFrame = field(repr=False)
    results: dict[str, Any] = field(repr=False)
    flow: dict[str, dict[str, Any]] = field(repr=False)
    findings: list[str]
    notes: list[str]
    reminded: int
    looks: list[dict[str, Any]]


def seen(name: str, people: int, found: Results | str) -> dict[str, Any]:
    """A look as plain values: people allocated by then, and whether it claims an effect on a primary outcome, by a
    confirmatory contrast.

    `claims` is None when the look could not be opened, and `why` then says the reason.
    """
    if isinstance(found, str):
        return {"look": name, "people": people, "claims": None, "why": found}
    primary = [one for one in found.outcomes if one.family == "primary"]
    claims = any(c.reading != "unclear" and not c.outside_family for outcome in primary for c in outcome.contrasts)
    return {"look": name, "people": people, "claims": claims, "why": ""}


def passage(
    protocol: Protocol,
    world: World,
    answers: Library,
    *,
    participants: int,
    seed: str,
    progress: Progress | None = None,
) -> Passage:
    """Takes `participants` people from a letter to the last answer. The same `seed` gives the same pilot.

    Raises Refused when the protocol lets nobody through, with what stopped them.
    """
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        settings = _settings(Path(folder), seed)
        with _opened(settings) as database:
            return _Passage(database, settings, protocol, world, answers, seed).whole(participants, progress)


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = Database(settings)
    try:
        schema.upgrade(database)
        yield database
    finally:
        database.dispose()


def _settings(home: Path, seed: str) -> Settings:
    """An installation of its own; its secrets follow from the seed, because study ids follow from them."""
    secret = lambda what: hashlib.sha256(f"rehearsal/{seed}/{what}".encode())  # noqa: E731
    own = {"kind": "test", "base_url": "http://localhost", "secret_key": secret("secret").hexdigest()}
    own["password_salt"] = secret("salt").hexdigest()
    own["data_key"] = base64.b64encode(secret("data").digest()).decode()
    return load({}, home=home, **own)


class _Passage:
    """The pilot while it is under way."""

    def __init__(
        self, database: Database, settings: Settings, protocol: Protocol, world: World, answers: Library, seed: str
    ) -> None:
        self.database, self.settings, self.protocol = database, settings, protocol
        self.world, self.answers = world, answers
        self.rng, self.numbers = random.Random(f"{seed}/people"), np.random.default_rng(_words(seed))
        self.secret, self.slug = settings.secret_key.encode(), protocol.pilot.slug
        self.notes: list[str] = []
        self.taken: dict[str, float] = {}
        self.later: list[tuple[datetime, int, Callable[[Session], object]]] = []
        self.number = 0
        self.looks: list[dict[str, Any]] = []
        self.to_come = list(interim(protocol))
        self.start = datetime.combine(protocol.pilot.recruitment.start, time(10), UTC)
        self.stop = datetime.combine(protocol.pilot.recruitment.end, time(16), UTC)
        self.end = self.stop

    def whole(self, wanted: int, progress: Progress | None) -> Passage:
        self._open()
        allocated, crowd = 0, self._crowd(wanted)
        while allocated < wanted and (batch := list(islice(crowd, BATCH))):
            with self.database.writing() as session:
                pilot = locking.by_slug(session, self.slug)
                for person, invitee in batch:
                    moment = self.start + (self.stop - self.start) * min(allocated / wanted, 1.0)
                    self._until(session, moment)
                    came = allocated < wanted and self._one(session, pilot, person, invitee, moment)
                    allocated += bool(came)
                self._open_looks(session, pilot, moment)
            if self.notes:
                break
            if progress is not None:
                progress(min(allocated, wanted), wanted)
        if allocated < 2 * len(self.protocol.arms):
            raise Refused(self._why_so_few(allocated), code="rehearsal")
        if allocated < wanted:
            self.notes.append(f"{allocated} of {wanted} people were allocated before the pilot was full or ran dry")
        return self._close()

    def _open(self) -> None:
        before = self.start - timedelta(days=30)
        with self.database.writing() as session:
            pilot = locking.create(session, self.protocol, now=before)
            hashed = people.hashed(self.settings, "a rehearsal has no sign-in page")
            ids = {}
            for role in ("researcher", "statistician", *(f"advisor{n}" for n in range(1, ADVISORS + 1))):
                kind = role.rstrip("0123456789")
                office = "Rehearsal" if kind == "advisor" else None
                newcomer = people.Newcomer(f"{role}@rehearsal.example.org", role, kind, pilot.slug, office)
                ids[role] = people.add(session, newcomer, hashed, now=before).user_id
            version = locking.propose(session, pilot, self.protocol, author_id=ids["researcher"], now=before)
            locking.approve(
                session, pilot, version, approver_id=ids["statistician"], folder=self.settings.keys, now=before,
                entropy=self.rng.randbytes,
            )  # fmt: skip
            locking.start(session, pilot, mode="live", actor_id=ids["researcher"], now=before)
            self.statistician = ids["statistician"]
        self.key = keys.read(self.settings.keys, self.slug, "live")

    def _crowd(self, wanted: int) -> Iterator[tuple[Person, str | None]]:
        """Who comes, by letter or by the open link: as many rounds of letters as it takes."""
        plan = self.protocol.sample_size.section.recruitment
        comes = plan.enrolment.value if plan and plan.enrolment is not None else COMES
        everybody = synthetic_people(self.rng, ROUNDS * 2 * wanted, today=self.start.date())
        for number in range(ROUNDS):
            crowd = list(islice(everybody, 2 * wanted))
            codes = self._invite(crowd, number) if self.protocol.outreach.arms else {}
            for person in crowd:
                if self.rng.random() < comes:
                    yield person, codes.get(person.number)

    def _invite(self, crowd: Sequence[Person], number: int) -> dict[int, str]:
        rows = [
            {
                "reference": f"P{p.number}",
                "name": p.name,
                "address": p.postcode,
                "language": p.language,
                "region": p.region,
            }
            for p in crowd
        ]
        letters = lambda length: "".join(self.rng.choices(outreach.ALPHABET, k=length))  # noqa: E731
        posted = self.start - timedelta(days=4)
        with self.database.writing() as session:
            pilot = locking.by_slug(session, self.slug)
            outreach.import_list(
                session, pilot, self.protocol, rows, batch=f"round {number + 1}", keyring=self.database.keyring,
                actor_id=None, now=posted, letters=letters,
            )  # fmt: skip
            outreach.hand_over(session, pilot, self.protocol, base_url="http://localhost", actor_id=None, now=posted)
            found = session.execute(select(Invitee.reference, Invitee.code).where(Invitee.pilot_id == pilot.id))
            return {int(reference[1:]): code for reference, code in found}

    def _one(self, session: Session, pilot: Pilot, person: Person, code: str | None, now: datetime) -> bool:
        """One person's way; says whether it came to an allocation."""
        protocol, rng, keyring = self.protocol, self.rng, self.database.keyring
        invitee = code and outreach.open_invitation(session, pilot, code, keyring=keyring, now=now)
        participant = enrolment.enrol(
            session, pilot, nonce=f"rehearsal-{person.number:08d}", language=person.language, secret=self.secret,
            now=now, invitee=invitee or None,
        )  # fmt: skip
        if rng.random() < GIVES_UP:
            return False
        screened = self._answer(session, participant, answering.SCREENING, person, now)
        if not eligibility.screen(session, protocol, participant, screened, now=now).eligible:
            return False
        if not gives_consent(session, protocol, participant, person, rng, chance=CONSENTS, now=now):
            return False
        enrolment.set_contact(session, participant, contact_of(person), keyring=keyring, secret=self.secret, now=now)
        self._answer(session, participant, protocol.baseline.name, person, now)
        answering.submit(session, protocol, participant, protocol.baseline.name, now=now)
        version, _ = locking.in_force(session, pilot.id)
        try:
            drawn = allocation.allocate(session, pilot, version, protocol, participant, key=self.key, now=now)
        except Refused as refusal:
            if refusal.code != "full":
                raise
            self.notes.append(f"the pilot was full: {refusal}")
            return False
        delivery.deliver(session, pilot, protocol, participant, secret=self.secret, zone=self.settings.zone, now=now)
        self._after(session, participant, drawn, person, now)
        return True

    def _answer(
        self, session: Session, participant: Participant, wave: str, person: Person, now: datetime
    ) -> dict[str, object]:
        instrument = answering.instrument_of(self.protocol, wave)
        pages, _ = filled(instrument, person, self.rng, context_of(person, now))
        return self._keep(session, participant, wave, pages, person, now)

    def _keep(
        self, session: Session, participant: Participant, wave: str, pages: Sequence[answering.Page], person: Person,
        now: datetime,
    ) -> dict[str, object]:  # fmt: skip
        kept = answering.keep_pages(
            session, self.protocol, participant, wave, answering.in_order(pages), revision=None,
            language=person.language, now=now,
        )  # fmt: skip
        if kept.errors:
            told = kept.errors[0]
            raise Refused(f"question '{told.question}' of '{wave}' was refused: {told.message}", code="rehearsal")
        return dict(kept.answers)

    def _after(
        self, session: Session, participant: Participant, drawn: Allocation, person: Person, start: datetime
    ) -> None:
        """What follows the draw: talks, a voucher, leaving, and the follow-ups of those who still answer."""
        arm = [drawn.arm]
        components = self.protocol.arm(drawn.arm).components
        taken = self.world.takes_up(arm, self.numbers)
        self.taken[participant.study_id] = float(taken[0])
        outcome = self.world.outcomes(arm, taken, self.numbers)
        chosen = int(self.answers.choose(outcome, self.numbers)[0])
        if taken[0] and "advice" in components:
            held = start + timedelta(days=self.rng.randrange(5, 22))
            self._at(held, participant, lambda session, one: self._talk(session, one, held))
        voucher = vouchers.of(session, participant) if taken[0] and "voucher" in components else None
        if voucher is not None:
            code, amount, spent = voucher.code, voucher.amount_cents // 2, start + timedelta(days=30)
            self._at(spent, participant, lambda session, one: vouchers.redeem(
                session, code, amount, provider="Rehearsal", actor_id=None, nonce=f"rehearsal-voucher-{one.id}",
                now=spent,
            ))  # fmt: skip
        answers = self.world.answering(1, self.numbers)
        if self.rng.random() < LEAVES:
            degree = self.rng.choice(("no_contact", "no_data"))
            left = start + timedelta(days=LEAVES_AFTER)
            self._at(
                left,
                participant,
                lambda session, one: withdrawal.withdraw(session, one, degree, actor_id=None, now=left),
            )
            answers = {}
        for wave in self.protocol.waves[1:]:
            due = wave.on(start.date())
            self.end = max(self.end, datetime.combine(due.closes_on, time(12), UTC) + timedelta(days=1))
            if answers.get(wave.name, np.zeros(1, bool))[0]:
                moment = datetime.combine(due.opens_on, time(19, 30), UTC) + timedelta(
                    days=self.rng.randrange(ANSWERS_WITHIN)
                )
                self._at(moment, participant, partial(self._follow_up, wave.name, chosen, person, moment))

    def _follow_up(
        self, wave: str, chosen: int, person: Person, now: datetime, session: Session, participant: Participant
    ) -> None:
        self._keep(session, participant, wave, self.answers.pages[chosen][wave], person, now)
        answering.submit(session, self.protocol, participant, wave, now=now)

    def _at(self, moment: datetime, participant: Participant, what: Callable[[Session, Participant], object]) -> None:
        """Something that this person does later: a look before that moment does not know of it."""
        who, self.number = participant.id, self.number + 1
        heapq.heappush(self.later, (moment, self.number, lambda now: what(now, now.get_one(Participant, who))))

    def _until(self, session: Session, moment: datetime) -> None:
        """What people do up to this moment, in the order of time."""
        while self.later and self.later[0][0] <= moment:
            heapq.heappop(self.later)[2](session)

    def _open_looks(self, session: Session, pilot: Pilot, now: datetime) -> None:
        """The interim looks that the protocol permits by now; one that the plan cannot carry out is noted."""
        for look in list(self.to_come):
            allowed = results.permission(session, pilot, self.protocol, look.name, now=now)
            if not allowed.granted:
                continue
            self.to_come.remove(look)
            try:
                with session.begin_nested():
                    row = results.open_look(
                        session, pilot, self.protocol, look.name, folder=self.settings.freezes,
                        statistician_id=self.statistician, now=now,
                    )  # fmt: skip
                found: Results | str = Results.from_dict(row.results)
            except AnalysisError as error:
                found = str(error)
            self.looks.append(seen(look.name, allowed.total, found))

    def _talk(self, session: Session, participant: Participant, held: datetime) -> None:
        caseload = advice.advisor_of(session, participant)
        if caseload is None:
            return
        advice.log_session(
            session, participant, advisor_id=caseload.advisor_id, nonce=f"rehearsal-{participant.id}",
            held_on=held.date(), minutes=60, channel=advice.CHANNELS[0], components=advice.COMPONENTS[:2], now=held,
        )  # fmt: skip

    def _close(self) -> Passage:
        """Messages that are due, the end of recruitment, the checks of the record, the final look: freeze and plan."""
        with self.database.writing() as session:
            pilot = locking.by_slug(session, self.slug)
            middle = self.stop + timedelta(days=1)
            self._until(session, middle)
            queued = followup.queue_due(session, pilot, self.protocol, zone=self.settings.zone, now=middle)
            locking.close(session, pilot, actor_id=None, now=self.end)
            week = middle
            while week < self.end:
                week = min(week + timedelta(days=7), self.end)
                self._until(session, week)
                self._open_looks(session, pilot, week)
            findings = [str(finding) for finding in audit.verify(session, pilot)]
            findings += [str(found) for found in audit.replay(session, pilot, key=self.key, mode="live")]
            findings += allocation.counters_hold(session)
            data, found = self._linked(session, pilot) if self.world.registers else self._looked(session, pilot)
            flow = {language: self._flow(session, pilot, language) for language in LANGUAGES}
            self.looks.append(seen(last(self.protocol).name, len(data), Results.from_dict(found)))
            return Passage(data, found, flow, findings, self.notes, queued, self.looks)

    def _looked(self, session: Session, pilot: Pilot) -> tuple[pd.DataFrame, dict[str, Any]]:
        """What the final look froze, and what it showed."""
        look = results.open_look(
            session, pilot, self.protocol, last(self.protocol).name, folder=self.settings.freezes,
            statistician_id=self.statistician, now=self.end,
        )  # fmt: skip
        frozen = session.get_one(Freeze, look.freeze_id)
        return _in_order(session, pilot, dataset.read_freeze(self.settings.freezes, frozen)), look.results

    def _linked(self, session: Session, pilot: Pilot) -> tuple[pd.DataFrame, dict[str, Any]]:
        """The data frozen with the arms, linked to the registers, and the plan carried out on that.

        A look in the application holds no register: the plan runs where the registers are, as `pilot analyse` does.
        """
        frozen = dataset.freeze(
            session, pilot, self.protocol, folder=self.settings.freezes, with_arms=True, actor_id=self.statistician,
            now=self.end,
        )  # fmt: skip
        data = _in_order(session, pilot, dataset.read_freeze(self.settings.freezes, frozen))
        taken = np.array([self.taken[who] for who in data["study_id"]])
        linked = link(data, self.world.from_registers(data["arm"].tolist(), taken, self.numbers))
        return linked, self.protocol.plan.run(linked, created=self.end.isoformat()).to_dict()

    def _flow(self, session: Session, pilot: Pilot, language: Language) -> dict[str, Any]:
        page = Dashboard(session, pilot, self.protocol, language=language, now=self.end).researcher()
        figure = next(figure for figure in page.figures if figure.id == "flow")
        cells = [[[c.text, c.value] if isinstance(c, Number) else c for c in row] for row in figure.table.rows]
        told = {name: getattr(figure, name) for name in ("title", "sentence", "note", "alt", "markup")}
        return {**told, "caption": figure.table.caption, "columns": list(figure.table.columns), "rows": cells}

    def _why_so_few(self, allocated: int) -> str:
        with self.database.reading() as session:
            pilot = locking.by_slug(session, self.slug)
            reasons = counts.not_eligible(session, pilot)
        told = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1]))
        return (
            f"only {allocated} synthetic people came as far as the draw; not eligible: {told or 'nobody'}. A rehearsal "
            "knows birth_date, schooling, work, region and works_in_netherlands; other screening questions are "
            "answered by chance"
        )


def _words(seed: str) -> list[int]:
    digest = hashlib.sha256(seed.encode()).digest()
    return [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 32, 4)]


def _in_order(session: Session, pilot: Pilot, data: pd.DataFrame) -> pd.DataFrame:
    """The people in the order of their draw, which is the order in which they meet the allocation."""
    query = (
        select(Participant.study_id)
        .join(Allocation, Allocation.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id)
        .order_by(Participant.id)
    )
    return data.set_index("study_id").loc[list(session.scalars(query))].reset_index()
