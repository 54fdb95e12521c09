"""The demo: a pilot that has come to its final look and a second one that still recruits, peopled by nobody real.

Every synthetic participant goes through the very journey functions that the web calls; nothing is inserted behind them.
The same seed gives the same people, the same arms and the same answers.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot import keys, locking, people, publishing, results
from pilot.catalogue import offers
from pilot.db import Database
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
from pilot.models import Allocation, Invitee, Offer, Participant, Pilot, ProtocolVersion
from pilot.protocol import Protocol, read
from pilot.settings import Settings
from pilot.synthetic import Person, World, contact_of, filling, follow_up_answers, gives_consent
from pilot.synthetic import people as synthetic_people

PARTICIPANTS, SMALL = 1200, 48
BATCH = 40
ADVISORS = 6
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Login:
    """Who can sign in to the demo, as what."""

    role: str
    email: str


WORDS = (
    "tulp",
    "fiets",
    "molen",
    "zeil",
    "brug",
    "haven",
    "wilg",
    "storm",
    "duin",
    "kano",
    "lamp",
    "boter",
    "klomp",
    "regen",
)
ROLES = ("researcher", "statistician", "advisor", "interviewer", "policymaker", "steward", "administrator")
LOGINS = tuple(Login(role, f"{role}@demo.example.org") for role in ROLES)


def is_ready(database: Database) -> bool:
    """Whether a demo stands in this database already."""
    with database.reading() as session:
        return session.scalar(select(Pilot.id).where(Pilot.slug == "ontwikkeladvies")) is not None


def build(
    database: Database,
    settings: Settings,
    *,
    password: str,
    seed: int,
    now: datetime,
    count: int = PARTICIPANTS,
    small: int = SMALL,
    progress: Progress = lambda _what, _done, _of: None,
) -> None:
    """Makes both pilots. `now` is the day on which the demo stands; every other date counts from it."""
    folder = settings.protocols / "ontwikkeladvies"
    finished = read(folder, change=_moved(now.date() - timedelta(days=760), now.date() - timedelta(days=430)))
    recruiting = read(
        folder, change=_moved(now.date() - timedelta(days=100), now.date() + timedelta(days=400), slug="noord")
    )
    rng = random.Random(seed)
    with database.writing() as session:
        hashed = people.hashed(settings, password)
        first = _set_up(session, settings, finished, hashed, rng, now=now - timedelta(days=800))
        second = _set_up(session, settings, recruiting, hashed, rng, now=now - timedelta(days=110))
        _fill_catalogue(session, folder / "catalogue.csv", first, now=now - timedelta(days=790))
    _Run(database, settings, finished, first, World(), random.Random(f"{seed}/1"), now, progress).all(count)
    _Run(database, settings, recruiting, second, World(), random.Random(f"{seed}/2"), now, progress).all(small)
    with database.writing() as session:
        pilot = locking.by_slug(session, first)
        locking.close(session, pilot, actor_id=None, now=now - timedelta(hours=2))
        statistician = people.by_email(session, "statistician@demo.example.org")
        results.open_look(
            session, pilot, finished, "final", folder=settings.freezes, statistician_id=statistician.id,
            now=now - timedelta(hours=1),
        )  # fmt: skip
        followup.queue_due(session, locking.by_slug(session, second), recruiting, zone=settings.zone, now=now)
    for protocol in (finished, recruiting):
        _publish(database, settings, protocol, now=now)


def _publish(database: Database, settings: Settings, protocol: Protocol, *, now: datetime) -> None:
    """What policymakers see, as the worker publishes it."""
    with database.writing() as session:
        pilot = locking.by_slug(session, protocol.pilot.slug)
        draft = publishing.prepare(session, pilot, protocol, folder=settings.freezes, now=now)
        publishing.publish(session, pilot, draft, now=now)


def _moved(start: date, end: date, *, slug: str = "") -> Callable[[dict[str, Any]], None]:
    """The protocol with recruitment at these dates, and under a name of its own for the second pilot."""

    def change(data: dict[str, Any]) -> None:
        data["pilot"]["recruitment"] = {"start": start.isoformat(), "end": end.isoformat(), "target": PARTICIPANTS}
        if slug:
            data["pilot"]["slug"] = f"{data['pilot']['slug']}-{slug}"
            data["pilot"]["title"] = {"nl": "Pilot ontwikkeladvies Noord", "en": "Development advice pilot North"}
            data["pilot"]["recruitment"]["target"] = 300

    return change


def _set_up(
    session: Session, settings: Settings, protocol: Protocol, hashed: str, rng: random.Random, *, now: datetime
) -> str:
    """Pilot, staff, lock by a second person, and recruitment opened; gives the pilot's name."""
    pilot = locking.create(session, protocol, now=now)
    ids = {}
    for login in LOGINS:
        everywhere = login.role == "administrator"
        if everywhere and people.find(session, login.email) is not None:
            ids[login.role] = people.by_email(session, login.email).id
            continue
        newcomer = people.Newcomer(
            email=login.email,
            name=login.role.capitalize(),
            role=login.role,
            pilot=None if everywhere else pilot.slug,
            organisation="Loket Voorbeeld" if login.role == "advisor" else None,
        )
        ids[login.role] = people.add(session, newcomer, hashed, now=now).user_id
    for number in range(2, ADVISORS + 1):
        newcomer = people.Newcomer(
            f"advisor{number}@demo.example.org", f"Adviseur {number}", "advisor", pilot.slug, "Loket Voorbeeld"
        )
        people.add(session, newcomer, hashed, now=now)
    version = locking.propose(session, pilot, protocol, author_id=ids["researcher"], now=now)
    locking.approve(
        session, pilot, version, approver_id=ids["administrator"], folder=settings.keys, now=now, entropy=rng.randbytes
    )
    locking.start(session, pilot, mode="live", actor_id=ids["researcher"], now=now)
    return pilot.slug


def _fill_catalogue(session: Session, file: Path, slug: str, *, now: datetime) -> None:
    with file.open(encoding="utf-8", newline="") as lines:
        offers.import_rows(session, csv.DictReader(lines), actor_id=None, pilot=locking.by_slug(session, slug), now=now)


class _Run:
    """One pilot filled with people, in the order of their arrival."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        protocol: Protocol,
        slug: str,
        world: World,
        rng: random.Random,
        now: datetime,
        progress: Progress,
    ) -> None:
        self.database, self.settings, self.protocol, self.slug = database, settings, protocol, slug
        self.world, self.rng, self.now, self.progress = world, rng, now, progress
        self.secret = settings.secret_key.encode()
        self.key = keys.read(settings.keys, slug, "live")

    def all(self, wanted: int) -> None:
        """Invites four for each participant wanted, and lets them come until that many are allocated."""
        recruitment = self.protocol.pilot.recruitment
        start = datetime.combine(recruitment.start, time(10), UTC)
        last = min(datetime.combine(recruitment.end, time(16), UTC), self.now - timedelta(hours=3))
        crowd = list(synthetic_people(self.rng, wanted * 4, today=recruitment.start))
        self._invite(crowd, start)
        codes = self._codes()
        arrivals = self._arrivals(crowd, start, last, wanted)
        allocated = 0
        while allocated < wanted and (batch := list(islice(arrivals, BATCH))):
            with self.database.writing() as session:
                pilot, advisors = locking.by_slug(session, self.slug), _Advisors(session)
                version, _ = locking.in_force(session, pilot.id)
                for person, moment in batch:
                    if allocated >= wanted:
                        break
                    code = codes.get(person.number)
                    allocated += self._one(session, pilot, version, advisors, person, code, moment)
            self.progress(self.slug, min(allocated, wanted), wanted)

    def _invite(self, crowd: Sequence[Person], start: datetime) -> None:
        invited = crowd[: int(len(crowd) * 0.95)]
        rows = [
            {
                "reference": f"P{person.number:05d}",
                "name": person.name,
                "address": f"Voorbeeldstraat {person.number}\n{person.postcode} Voorbeeldstad",
                "language": person.language,
                "region": person.region,
            }
            for person in invited
        ]
        letters = lambda length: "".join(self.rng.choices(outreach.ALPHABET, k=length))  # noqa: E731
        with self.database.writing() as session:
            pilot = locking.by_slug(session, self.slug)
            outreach.import_list(
                session, pilot, self.protocol, rows, batch="eerste lijst", keyring=self.database.keyring,
                actor_id=None, now=start - timedelta(days=10), letters=letters,
            )  # fmt: skip
            base, posted = self.settings.base_url, start - timedelta(days=4)
            outreach.hand_over(session, pilot, self.protocol, base_url=base, actor_id=None, now=posted)

    def _codes(self) -> dict[int, tuple[str, str]]:
        with self.database.reading() as session:
            pilot = locking.by_slug(session, self.slug)
            rows = session.scalars(select(Invitee).where(Invitee.pilot_id == pilot.id))
            return {int(row.reference[1:]): (row.code, row.outreach_arm) for row in rows}

    def _arrivals(
        self, crowd: Sequence[Person], start: datetime, last: datetime, wanted: int
    ) -> Iterator[tuple[Person, datetime]]:
        """Who comes, evenly over recruitment with some haste at first; the personal letter brings more."""
        codes = self._codes()
        comes = []
        for person in crowd:
            _code, arm = codes.get(person.number, ("", ""))
            chance = {"letter_personal": 0.46, "letter_plain": 0.36}.get(arm, 0.6)
            if self.rng.random() < chance:
                comes.append(person)
        comes = comes[: int(wanted * 1.5)]
        span = (last - start).total_seconds()
        moments = sorted(start + timedelta(seconds=span * self.rng.random() ** 1.15) for _ in comes)
        return zip(comes, moments, strict=True)

    def _one(
        self,
        session: Session,
        pilot: Pilot,
        version: ProtocolVersion,
        advisors: _Advisors,
        person: Person,
        code: tuple[str, str] | None,
        now: datetime,
    ) -> bool:
        """One person's way; says whether the person was allocated."""
        rng, protocol = self.rng, self.protocol
        keyring = self.database.keyring
        invitee = code and outreach.open_invitation(session, pilot, code[0], keyring=keyring, now=now)
        nonce = f"demo-{self.slug}-{person.number}"
        participant = enrolment.enrol(
            session, pilot, nonce=nonce, language=person.language, secret=self.secret, now=now, invitee=invitee or None
        )
        if rng.random() < 0.04:
            return False
        screened = self._answer(session, participant, answering.SCREENING, person, now)
        screening = eligibility.screen(session, protocol, participant, screened, now=now)
        if not screening.eligible:
            return False
        if not gives_consent(session, protocol, participant, person, rng, chance=self.world.consents, now=now):
            return False
        # Held to the end, so that the session does not forget it and read and decrypt it again.
        _identity = enrolment.set_contact(
            session, participant, contact_of(person), keyring=keyring, secret=self.secret, now=now
        )
        self._answer(session, participant, protocol.baseline.name, person, now)
        answering.submit(session, protocol, participant, protocol.baseline.name, now=now)
        allocated = allocation.allocate(session, pilot, version, protocol, participant, key=self.key, now=now)
        delivery.deliver(session, pilot, protocol, participant, secret=self.secret, zone=self.settings.zone, now=now)
        self._live(session, advisors, participant, allocated, person, now)
        return True

    def _answer(
        self,
        session: Session,
        participant: Participant,
        wave: str,
        person: Person,
        now: datetime,
        given: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        instrument = answering.instrument_of(self.protocol, wave)
        context = answering.context(participant, person.language, now)
        filled = filling(instrument, person, self.rng, context=context, given=given)
        kept = answering.keep_pages(
            session, self.protocol, participant, wave, filled, revision=None, language=person.language, now=now
        )
        return dict(kept.answers)

    def _live(
        self,
        session: Session,
        advisors: _Advisors,
        participant: Participant,
        allocated: Allocation,
        person: Person,
        start: datetime,
    ) -> None:
        """What happens after allocation, as far as it lies in the past: portal, talks, voucher, follow-ups, leaving."""
        rng, world = self.rng, self.world
        components = self.protocol.arm(allocated.arm).components
        takes_up = rng.random() < world.take_up
        advised = takes_up if "advice" in components else rng.random() < world.take_up_elsewhere
        begins = rng.random() < min(world.starts[allocated.arm] * person.propensity, 0.95)
        for _ in range(rng.randrange(4)):
            moment = start + timedelta(days=rng.randrange(1, 60))
            if moment < self.now:
                offers.view(session, participant, advisors.any_offer(rng), now=moment)
        if takes_up and "advice" in components:
            advisors.advise(participant, start, rng, self.now)
        if begins and "voucher" in components:
            self._redeem(session, participant, start + timedelta(days=rng.randrange(20, 200)))
        if rng.random() < world.leaves and start + timedelta(days=40) < self.now:
            degree = rng.choice(("no_contact", "no_data"))
            withdrawal.withdraw(session, participant, degree, actor_id=None, now=start + timedelta(days=40))
            return
        self._follow_ups(session, participant, person, start, begins, advised)

    def _redeem(self, session: Session, participant: Participant, moment: datetime) -> None:
        voucher = vouchers.of(session, participant)
        if voucher is None or moment >= self.now:
            return
        amount = min(self.rng.choice((16_500, 38_000, 69_000, 95_000, 100_000)), voucher.amount_cents)
        nonce = f"demo-voucher-{participant.id}"
        vouchers.redeem(session, voucher.code, amount, provider="ROC Voorbeeld", nonce=nonce, actor_id=None, now=moment)

    def _follow_ups(
        self, session: Session, participant: Participant, person: Person, start: datetime, begins: bool, advised: bool
    ) -> None:
        waves, told = self.protocol.waves[1:], False
        for index, wave in enumerate(waves):
            day = wave.on(start.date()).opens_on + timedelta(days=self.rng.randrange(0, 30))
            moment = datetime.combine(day, time(19, 30), UTC)
            if moment >= self.now or self.rng.random() > self.world.answers_wave:
                continue
            left = [later.name for later in waves[index + 1 :]]
            given = follow_up_answers(self.rng, person, started=begins, already=told, advised=advised, waves_left=left)
            told = told or given["training_started"] == "yes"
            self._answer(session, participant, wave.name, person, moment, given)
            answering.submit(session, self.protocol, participant, wave.name, now=moment)


class _Advisors:
    """The advisors of a pilot at work."""

    def __init__(self, session: Session) -> None:
        self.session = session
        # Held as they are: a session forgets what nobody holds, and would read each offer anew at every view.
        self.offers = list(session.scalars(select(Offer).where(Offer.kind == "training").order_by(Offer.id)))

    def any_offer(self, rng: random.Random) -> int:
        return rng.choice(self.offers).id

    def advise(self, participant: Participant, start: datetime, rng: random.Random, now: datetime) -> None:
        """One to four talks, a plan, referrals, and the statement when four hours are reached."""
        caseload = advice.advisor_of(self.session, participant)
        if caseload is None:
            return
        moment, advisor = start, caseload.advisor_id
        for number in range(rng.choice((1, 2, 3, 3, 4))):
            moment += timedelta(days=rng.randrange(5, 22))
            if moment >= now:
                return
            parts = rng.sample(advice.COMPONENTS, k=rng.randrange(2, 5))
            advice.log_session(
                self.session, participant, advisor_id=advisor, nonce=f"demo-{participant.id}-{number}",
                held_on=moment.date(), minutes=rng.choice((45, 60, 75, 90, 120)), channel=rng.choice(advice.CHANNELS),
                components=parts, now=moment,
            )  # fmt: skip
        goal = rng.choice(
            ("Een vaste baan in de logistiek", "Beter Nederlands", "Werken in de zorg", "Een eigen bedrijf")
        )
        advice.write_plan(
            self.session, participant, advisor_id=advisor, goal=goal, steps="Cursus kiezen. Aanmelden.", now=moment
        )
        offers.refer(self.session, participant, self.any_offer(rng), advisor_id=advisor, now=moment)
        if advice.minutes_of(self.session, participant) >= advice.STATEMENT_MINUTES:
            advice.state_performance(self.session, participant, advisor_id=advisor, now=moment)
            advice.confirm_performance(self.session, participant, now=moment + timedelta(days=2))
