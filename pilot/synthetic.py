"""People who do not exist, for demos and rehearsals: who they are, what they answer, and what an arm does to them.

Everything follows from the random generator that is handed in. The effects are chosen, so that one can see whether the
analysis finds them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from pilot.journey import consent, enrolment
from pilot.models import Participant
from pilot.protocol import Protocol
from surveys import Context, Instrument
from surveys.path import Step, first_open

FIRST = (
    "Fatima", "Jan", "Maria", "Ahmed", "Kees", "Anna", "Mohammed", "Linda", "Piotr", "Aysha", "Henk", "Samira",
    "Willem", "Oksana", "Johan", "Zeynep", "Dirk", "Rachida", "Sven", "Magda", "Ruud", "Naima", "Gerrit", "Elif",
)  # fmt: skip
LAST = (
    "de Vries", "Jansen", "Yılmaz", "Bakker", "Nowak", "van Dijk", "El Amrani", "Visser", "Smit", "Kowalska", "Mulder",
    "Şahin", "de Boer", "Haddad", "Bos", "Kovalenko", "Vos", "Peters",
)  # fmt: skip
SCHOOLING = {"primary": 0.14, "vmbo": 0.30, "mbo1": 0.08, "mbo2": 0.18, "mbo3": 0.14, "mbo4": 0.12, "hbo_wo": 0.04}
WORK = {"employed": 0.62, "self_employed": 0.08, "looking": 0.18, "none": 0.12}
REGION = {"noord": 0.12, "oost": 0.22, "west": 0.42, "zuid": 0.24}


@dataclass(frozen=True, slots=True)
class World:
    """What is true among the synthetic people, in shares; `starts` is the chance to start training in a year, by arm.

    The base and the gains follow the planning assumptions: 15% without advice, more for those who take it up.
    """

    starts: Mapping[str, float] = field(default_factory=lambda: {"portal": 0.17, "advice": 0.25, "voucher": 0.36})
    take_up: float = 0.68
    take_up_elsewhere: float = 0.05
    answers_wave: float = 0.84
    leaves: float = 0.02
    consents: float = 0.93


@dataclass(frozen=True, slots=True)
class Person:
    """One synthetic person; `propensity` moves the chance of training, so that covariates explain something."""

    number: int
    name: str
    birth_date: date
    schooling: str
    work: str
    region: str
    language: str
    phone: str
    email: str
    postcode: str

    @property
    def propensity(self) -> float:
        """A multiplier of the chance to start training: schooling and work raise it, age lowers it."""
        young = 1.2 if self.birth_date.year > 1985 else 0.85
        schooled = 1.15 if self.schooling in ("mbo3", "mbo4") else 0.92
        return young * schooled * (1.1 if self.work == "employed" else 0.9)


def people(rng: random.Random, count: int, *, today: date) -> Iterator[Person]:
    """As many people as asked for, one after the other."""
    for number in range(1, count + 1):
        name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
        born = today - timedelta(days=int(365.25 * rng.triangular(17.4, 67, 42)))
        yield Person(
            number=number,
            name=name,
            birth_date=born,
            schooling=drawn(rng, SCHOOLING),
            work=drawn(rng, WORK),
            region=drawn(rng, REGION),
            language="en" if rng.random() < 0.12 else "nl",
            phone=f"+316{rng.randrange(10**7, 10**8):08d}",
            email=f"person{number}@example.org" if rng.random() < 0.7 else "",
            postcode=f"{rng.randrange(1000, 9999)} {''.join(rng.choices('ABCDEGHJKLNPRTVWXZ', k=2))}",
        )


def gives_consent(
    session: Session, protocol: Protocol, participant: Participant, person: Person, rng: random.Random, *,
    chance: float, now: datetime,
) -> bool:  # fmt: skip
    """Puts this person's yes or no to every text of consent on record; says whether the person takes part."""
    agrees = rng.random() < chance
    yes = {text.purpose: agrees if text.required else rng.random() < 0.7 for text in protocol.consent.texts}
    versions = {text.purpose: text.version for text in protocol.consent.texts}
    consent.give(session, protocol, participant, yes, versions=versions, language=person.language, now=now)
    return agrees


def contact_of(person: Person) -> enrolment.Contact:
    """How this person can be reached."""
    return enrolment.Contact(
        person.name, person.phone, person.email or None, person.postcode, person.birth_date.isoformat()
    )


def drawn(rng: random.Random, shares: Mapping[str, float]) -> str:
    """One key, each with its share."""
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def filling(
    instrument: Instrument,
    person: Person,
    rng: random.Random,
    *,
    context: Context,
    given: Mapping[str, str] | None = None,
) -> Callable[[Mapping[str, Any]], tuple[str, Mapping[str, list[str]]] | None]:
    """How this person fills in a list: from the answers so far to the next page, None at the end.

    `given` fixes answers by name, the person's own traits come next, the rest is drawn.
    """

    def page(answers: Mapping[str, Any]) -> tuple[str, Mapping[str, list[str]]] | None:
        step = first_open(instrument, answers, context=context)
        return None if step is None else (step.key, _raw(step, person, rng, given or {}))

    return page


def _raw(step: Step, person: Person, rng: random.Random, given: Mapping[str, str]) -> Mapping[str, list[str]]:
    if step.shown_only:
        return {}
    own = {
        "birth_date": person.birth_date.isoformat(),
        "schooling": person.schooling,
        "work": person.work,
        "region": person.region,
        "works_in_netherlands": "yes",
        **given,
    }
    if step.key in own:
        return {step.key: [own[step.key]]}
    return {step.key: _drawn_answer(step, rng)}


def _drawn_answer(step: Step, rng: random.Random) -> list[str]:
    kind, names = step.question.kind, [choice.name for choice in step.choices]
    if kind == "select_one":
        return [rng.choice(names)]
    if kind == "select_multiple":
        return rng.sample(names, k=1)
    if kind in ("integer", "decimal", "range"):
        return [str(_within(step, rng))]
    if kind == "acknowledge":
        return ["OK"]
    return [] if not step.required else ["-"]


def _within(step: Step, rng: random.Random) -> int:
    """A whole number that the usual constraints of hours and counts allow."""
    parameters = step.question.parameters
    return rng.randint(int(float(parameters.get("start", 1))), int(float(parameters.get("end", 36))))


def follow_up_answers(
    rng: random.Random, person: Person, *, started: bool, already: bool, advised: bool, waves_left: Sequence[str]
) -> dict[str, str]:
    """The answers of one follow-up that carry the effect, and the work of now; the others are drawn."""
    says = started and (already or not waves_left or rng.random() < 0.6)
    return {
        "training_started": "yes" if says else "no",
        "training_last_4_weeks": "yes" if says and rng.random() < 0.5 else "no",
        "career_advice_received": "yes" if advised else "no",
        "work": person.work if rng.random() < 0.75 else drawn(rng, WORK),
    }
