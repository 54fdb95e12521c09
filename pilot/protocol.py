"""One protocol drives everything: it is read here, checked as a whole, and given the fingerprint that all else obeys.

`read` takes a folder with protocol.yaml and its instruments and gives a `Protocol`, or a ProtocolError that lists
every problem with its line and the remedy. `from_record` gives the same value back from what was locked.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import rfc8785
import yaml
from pydantic import TypeAdapter, ValidationError

import randomization as rz
from analysis.errors import AnalysisError
from analysis.plan import PreAnalysisPlan
from analysis.plan_schema import Outcome
from analysis.planning import Plan as SamplePlan
from dashboards.disclosure import Rules as DisclosureRules
from pilot import drawing, scales
from pilot.derivations import Derivation, one_sided
from pilot.errors import ProtocolError
from pilot.protocol_sections import (
    ArmSection,
    ConsentSection,
    Incentive,
    LookSection,
    Outreach,
    OutreachArm,
    PilotSection,
    Population,
    Question,
    incentives_that_cannot_be,
)
from randomization.errors import RandomizationError
from surveys import Instrument, InstrumentError, read_xlsform
from surveys.beside import near
from surveys.codebook import codebook
from surveys.errors import SurveyError
from surveys.expressions import Expression
from surveys.expressions import compile as compile_expression
from surveys.followups import Wave, read_waves
from surveys.readability import judge

Path_ = tuple[str | int, ...]
KEYS = (
    "pilot", "question", "population", "outreach", "arms", "allocation", "instruments", "waves", "outcomes",
    "sample_size", "analysis_plan", "looks", "disclosure", "consent",
)  # fmt: skip
OPTIONAL = ("incentives",)
"""Sections that a protocol may leave out; locked ones from before they existed do."""
DELIVERED = (
    "outreach_arm", "advice_taken", "advice_minutes", "advice_sessions", "portal_views", "referrals", "voucher_issued",
    "voucher_spent_cents",
)  # fmt: skip
"""Columns of the data that are counted and not asked: what each person really got."""
OUTREACH = "outreach_arm"
"""What a draw may read beside the covariates: how this person was reached, itself drawn before anybody was known."""
DERIVED = ("age", "pension_age_reached")
"""What eligibility may use beside the answers of the screening: whole years; yes or no; on the day of screening."""


MEDIA = "media"
"""The folder, in that of the protocol, with the pictures and recordings of the questions."""
MEDIA_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".svg": "image/svg+xml",
    ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".m4a": "audio/mp4", ".wav": "audio/wav",
}  # fmt: skip
LARGEST_MEDIUM = 2 * 2**20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what, and how to mend it. `line` counts from 1; 0 when there is no line."""

    path: Path_
    message: str
    line: int = 0

    def __str__(self) -> str:
        place = ".".join(str(part) for part in self.path) or "protocol"
        return f"line {self.line}, {place}: {self.message}" if self.line else f"{place}: {self.message}"


class InvalidProtocol(ProtocolError):
    """A protocol that cannot be: `problems` lists everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        many = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
        super().__init__(f"the protocol has {many}:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Protocol:
    """A checked protocol. Every part is a typed value; `canonical` is the text whose SHA-256 is `fingerprint`."""

    pilot: PilotSection
    question: Question
    population: Population
    outreach: Outreach
    arms: tuple[ArmSection, ...]
    allocation: rz.Design
    instruments: Mapping[str, Instrument]
    waves: tuple[Wave, ...]
    plan: PreAnalysisPlan
    sample_size: SamplePlan
    looks: tuple[LookSection, ...]
    disclosure: DisclosureRules
    consent: ConsentSection
    incentives: tuple[Incentive, ...] | None
    eligibility: tuple[Expression, ...] = field(repr=False)
    covariates: Mapping[str, Expression] = field(repr=False)
    canonical: str = field(repr=False)
    fingerprint: str

    def arm(self, name: str) -> ArmSection:
        return next(arm for arm in self.arms if arm.name == name)

    def outreach_arm(self, name: str) -> OutreachArm | None:
        return next((arm for arm in self.outreach.arms if arm.name == name), None)

    def wave(self, name: str) -> Wave:
        return next(wave for wave in self.waves if wave.name == name)

    @property
    def baseline(self) -> Wave:
        """The wave that is filled in before allocation."""
        return self.waves[0]

    @property
    def asks_address(self) -> bool:
        """Whether a follow-up wave may send letters, so that people are asked where to."""
        return any(wave.by_letter for wave in self.waves[1:])

    @property
    def learns_from(self) -> Outcome:
        """The outcome that an adaptive draw follows: the first primary one, which is yes or no."""
        return drawing.primary_outcome(self.plan)

    @property
    def screening(self) -> Instrument:
        return self.instruments[self.population.screening]

    def instrument_of(self, wave: str) -> Instrument:
        return self.instruments[self.wave(wave).instrument]

    def instruments_record(self) -> dict[str, Any]:
        """The instruments as JSON, to be stored beside `canonical`."""
        return {name: instrument.to_dict() for name, instrument in self.instruments.items()}

    def allocation_section(self) -> str:
        """The canonical text of the allocation section: only a change of this opens a new allocation epoch."""
        return rfc8785.dumps(json.loads(self.canonical)["allocation"]).decode()


def hard_texts(protocol: Protocol) -> tuple[str, ...]:
    """What is too hard or too long to read in the instruments, each with the sentence to mend; nothing when all is B1.

    This is the gate of `pilot protocol check`: people with little schooling read these texts on a telephone.
    """
    return tuple(f"{name}: {problem}" for name, form in protocol.instruments.items() for problem in judge(form))


def biased_outcomes(protocol: Protocol) -> tuple[str, ...]:
    """The derived outcomes that people who stop answering would bias, each with the remedy; nothing when all are fair.

    No error: other rules for who is missing may be meant. `pilot protocol check` names them.
    """
    books = [codebook(protocol.instrument_of(wave.name), wave.name) for wave in protocol.waves]
    derived = [outcome for outcome in protocol.plan.outcomes if outcome.source.derive]
    found = ((outcome.name, one_sided(Derivation.of(outcome.source), books)) for outcome in derived)
    return tuple(f"outcome '{name}': {told}" for name, told in found if told)


def read(path: Path, *, change: Callable[[dict[str, Any]], None] | None = None) -> Protocol:
    """The protocol in this file (or in protocol.yaml of this folder); raises InvalidProtocol with every problem.

    `change` may alter the sections before they are checked: a demo and a rehearsal move the dates.
    """
    path = path / "protocol.yaml" if path.is_dir() else path
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ProtocolError(f"{path} cannot be read: {error.strerror}; give the folder or its protocol.yaml") from None
    data, lines, problems = _parse(text)
    if change is not None and not problems:
        change(data)
    instruments = _instruments(data.get("instruments"), path.parent, problems) if not problems else {}
    return _build(data, instruments, problems, lines)


@lru_cache(maxsize=64)
def _from_texts(canonical: str, instruments: str) -> Protocol:
    data = json.loads(canonical)
    known = {name: Instrument.from_dict(value) for name, value in json.loads(instruments).items()}
    return _build(data, known, [], {})


def from_record(canonical: str, instruments: Mapping[str, Any]) -> Protocol:
    """The protocol that was stored: same value, same fingerprint. Kept in memory, since every request needs it."""
    return _from_texts(canonical, json.dumps(instruments, sort_keys=True))


class _Loader(yaml.SafeLoader):
    """YAML without its surprises: no dates, and only true and false are booleans."""


_Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile("^(?:true|false)$"), list("tf"))


def _parse(text: str) -> tuple[dict[str, Any], dict[Path_, int], list[Problem]]:
    """Data, the line of every path, and what is wrong with the text as YAML."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        return {}, {}, [Problem((), f"this is no YAML: {getattr(error, 'problem', error)}", line)]
    if not isinstance(data, dict) or node is None:
        return {}, {}, [Problem((), "the file holds no sections; it starts with `pilot:`", 1)]
    lines: dict[Path_, int] = {}
    problems = list(_walk(node, (), lines))
    return data, lines, problems


def _walk(node: yaml.Node, path: Path_, lines: dict[Path_, int]) -> Iterator[Problem]:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                yield Problem((*path, key.value), f"stands twice (first on line {seen[key.value]}); keep one", line)
            seen[key.value] = line
            yield from _walk(value, (*path, key.value), lines)
            lines[(*path, key.value)] = line
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*path, index), lines)


def _instruments(section: Any, folder: Path, problems: list[Problem]) -> dict[str, Instrument]:
    if not isinstance(section, dict) or not section:
        problems.append(
            Problem(("instruments",), "name at least one instrument: `baseline: {file: instruments/baseline.xlsx}`")
        )
        return {}
    found: dict[str, Instrument] = {}
    for name, entry in section.items():
        place = ("instruments", name)
        if not isinstance(entry, dict) or set(entry) != {"file"}:
            problems.append(Problem(place, "is written as `{file: instruments/name.xlsx}`"))
            continue
        file = (folder / str(entry["file"])).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.is_file():
            problems.append(Problem((*place, "file"), f"there is no file '{entry['file']}' in the protocol's folder"))
            continue
        try:
            found[name] = _with_media(_instrument(file.read_bytes(), _beside(file)), folder / MEDIA, place, problems)
        except InstrumentError as error:
            problems.append(Problem((*place, "file"), str(error)))
    return found


def _with_media(instrument: Instrument, folder: Path, place: Path_, problems: list[Problem]) -> Instrument:
    """The instrument with the SHA-256 of its pictures and recordings: they are locked with the questions."""
    files: dict[str, str] = {}
    for name in instrument.shown_files:
        path = folder / name
        if Path(name).name != name or path.suffix.lower() not in MEDIA_TYPES:
            problems.append(Problem(place, f"'{name}' is no picture or recording; use {', '.join(MEDIA_TYPES)}"))
        elif not path.is_file():
            problems.append(Problem(place, f"there is no file '{name}' in the folder '{MEDIA}' of the protocol"))
        elif path.stat().st_size > LARGEST_MEDIUM:
            problems.append(Problem(place, f"'{name}' is larger than {LARGEST_MEDIUM // 2**20} MB; make it smaller"))
        else:
            files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return replace(instrument, files=files) if files else instrument


Beside = tuple[tuple[str, bytes], ...]
"""The lists beside a workbook, by name."""


def _beside(workbook: Path) -> Beside:
    return tuple(near(workbook).items()) if workbook.suffix.lower() == ".xlsx" else ()


@lru_cache(maxsize=64)
def _instrument(workbook: bytes, beside: Beside) -> Instrument:
    """A workbook is read once for its content, however often and under whatever protocol it is asked for."""
    return read_xlsform(workbook, tables=dict(beside))


def _build(
    data: dict[str, Any], instruments: dict[str, Instrument], problems: list[Problem], lines: dict[Path_, int]
) -> Protocol:
    reader = _Reader(data, problems)
    if not problems:
        reader.keys()
    if not problems:
        parts = reader.parts(instruments)
    if problems:
        raise InvalidProtocol(tuple(_located(problem, lines) for problem in problems))
    canonical = rfc8785.dumps(_with_fingerprints(data, instruments)).decode()
    fingerprint = hashlib.sha256(canonical.encode()).hexdigest()
    return Protocol(**parts, instruments=instruments, canonical=canonical, fingerprint=fingerprint)


def _with_fingerprints(data: dict[str, Any], instruments: Mapping[str, Instrument]) -> dict[str, Any]:
    """The data with each instrument's content in its fingerprint: a changed workbook is a changed protocol."""
    section = {
        name: {"file": data["instruments"][name]["file"], "sha256": instrument.fingerprint}
        for name, instrument in instruments.items()
    }
    return {**data, "instruments": section}


def _located(problem: Problem, lines: dict[Path_, int]) -> Problem:
    """The problem with the line of its path, or of the nearest part of the path that has one."""
    if problem.line:
        return problem
    path = problem.path
    while path and path not in lines:
        path = path[:-1]
    return Problem(problem.path, problem.message, lines.get(path, 0))


class _Reader:
    """Reads every section, so that a person sees all problems at once and not one a run."""

    def __init__(self, data: dict[str, Any], problems: list[Problem]) -> None:
        self.data, self.problems = data, problems

    def keys(self) -> None:
        for key in self.data:
            if key not in (*KEYS, *OPTIONAL):
                near = difflib.get_close_matches(str(key), (*KEYS, *OPTIONAL), n=1)
                remedy = f"did you mean '{near[0]}'?" if near else f"known sections: {', '.join((*KEYS, *OPTIONAL))}"
                self.problems.append(Problem((key,), f"is no section of a protocol; {remedy}"))
        for key in KEYS:
            if key not in self.data:
                self.problems.append(Problem((key,), "this section is missing"))

    def parts(self, instruments: Mapping[str, Instrument]) -> dict[str, Any]:
        plan_parts = {key: self.data[key] for key in ("allocation", "outcomes", "analysis_plan")}
        parts = {
            "pilot": self._typed("pilot", PilotSection),
            "question": self._typed("question", Question),
            "population": self._typed("population", Population),
            "outreach": self._typed("outreach", Outreach),
            "arms": self._typed("arms", tuple[ArmSection, ...]),
            "allocation": self._made("allocation", lambda: rz.from_dict(self.data["allocation"])),
            "waves": self._made("waves", lambda: read_waves(self.data["waves"])),
            "sample_size": self._made("sample_size", lambda: SamplePlan.from_dict(self.data["sample_size"])),
            "looks": self._typed("looks", tuple[LookSection, ...]),
            "disclosure": self._typed("disclosure", DisclosureRules),
            "consent": self._typed("consent", ConsentSection),
            "incentives": self._typed("incentives", tuple[Incentive, ...]) if "incentives" in self.data else None,
        }
        if not self.problems:
            self._say(drawing.meets_people_one_by_one(parts["allocation"]))
        if not self.problems:
            parts["plan"] = self._made(None, lambda: PreAnalysisPlan.from_dict(plan_parts))
        if not self.problems:
            self._agree(parts, instruments)
        if not self.problems:
            self._expressions(parts, instruments)
        if not self.problems:
            self._columns(parts, instruments)
        return parts

    def _typed(self, key: str, kind: Any) -> Any:
        return self._made(key, lambda: TypeAdapter(kind).validate_python(self.data[key]))

    def _made(self, key: str | None, make: Callable[[], Any]) -> Any:
        prefix: Path_ = (key,) if key else ()
        try:
            return make()
        except ValidationError as error:
            for detail in error.errors():
                self.problems.append(Problem((*prefix, *detail["loc"]), _plain(detail)))
        except (RandomizationError, AnalysisError, SurveyError) as error:
            path = tuple(getattr(error, "path", ()))
            if path[: len(prefix)] == prefix:
                path = path[len(prefix) :]
            self.problems.append(Problem((*prefix, *path), str(error)))
        return None

    def _say(self, found: Iterable[tuple[Path_, str]]) -> None:
        self.problems += [Problem(path, message) for path, message in found]

    def _agree(self, parts: dict[str, Any], instruments: Mapping[str, Instrument]) -> None:
        """What one section says must hold in the others."""
        say = lambda path, message: self.problems.append(Problem(path, message))  # noqa: E731
        named = [arm.name for arm in parts["arms"]]
        allocated = [arm.name for arm in parts["allocation"].arms]
        if sorted(named) != sorted(allocated):
            say(("allocation", "ratio"), f"allocates {', '.join(allocated)}; the section arms has {', '.join(named)}")
        known = {*parts["population"].covariates, OUTREACH}
        self._say(drawing.drawable(parts["allocation"], known, parts["plan"], parts["looks"]))
        if parts["population"].screening not in instruments:
            say(("population", "screening"), f"there is no instrument '{parts['population'].screening}'")
        names = [wave.name for wave in parts["waves"]]
        for index, wave in enumerate(parts["waves"]):
            if wave.instrument not in instruments:
                say(("waves", index, "instrument"), f"there is no instrument '{wave.instrument}'")
        for index, look in enumerate(parts["looks"]):
            if look.wave not in names:
                say(("looks", index, "wave"), f"there is no wave '{look.wave}'; waves: {', '.join(names)}")
        self._say(incentives_that_cannot_be(parts["incentives"] or (), names[1:]))
        for language in parts["pilot"].languages:
            for index, text in enumerate(parts["consent"].texts):
                if language not in text.text or language not in text.question:
                    say(("consent", "texts", index), f"the text in '{language}' is missing; nobody consents unread")

    def _expressions(self, parts: dict[str, Any], instruments: Mapping[str, Instrument]) -> None:
        screening = instruments[parts["population"].screening]
        known = {*(question.name for question in screening.questions), *DERIVED}
        parts["eligibility"] = tuple(
            self._expression(("population", "eligibility", index, "rule"), criterion.rule, known)
            for index, criterion in enumerate(parts["population"].eligibility)
        )
        parts["covariates"] = {
            name: self._expression(("population", "covariates", name), rule, known)
            for name, rule in parts["population"].covariates.items()
        }

    def _columns(self, parts: dict[str, Any], instruments: Mapping[str, Instrument]) -> None:
        """Every column that the analysis names is one that the data will have."""
        plan: PreAnalysisPlan = parts["plan"]
        asked = {
            variable.name
            for wave in parts["waves"]
            for variable in codebook(instruments[wave.instrument], wave.name).variables
        }
        known = asked | set(parts["covariates"]) | set(DELIVERED)
        for index, outcome in enumerate(plan.outcomes):
            path: Path_ = ("outcomes", index, "source")
            if outcome.source.column and outcome.source.column not in known:
                self.problems.append(Problem((*path, "column"), _no_column(outcome.source.column, known)))
            for key in ("derive", "known_if"):
                if text := getattr(outcome.source, key):
                    self._expression((*path, key), text, known, what="column of the data")
            for place, message in scales.problems(outcome.source.scale, known) if outcome.source.scale else ():
                self.problems.append(Problem((*path, "scale", *place), message))
        for key in ("covariates", "subgroups"):
            for index, name in enumerate(getattr(plan.analysis, key)):
                if name not in known:
                    self.problems.append(Problem(("analysis_plan", key, index), _no_column(name, known)))
        if plan.analysis.take_up is not None and plan.analysis.take_up.column not in known:
            message = _no_column(plan.analysis.take_up.column, known)
            self.problems.append(Problem(("analysis_plan", "take_up", "column"), message))

    def _expression(
        self, path: Path_, text: str, known: set[str], *, what: str = "question of the screening"
    ) -> Expression | None:
        try:
            expression = compile_expression(text)
        except SurveyError as error:
            self.problems.append(Problem(path, str(error)))
            return None
        for name in sorted(expression.references - known):
            self.problems.append(Problem(path, f"'{name}' is no {what}; {_nearest(name, known)}"))
        return expression


def _nearest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean '{near[0]}'?" if near else "check the spelling"


def _no_column(name: str, known: set[str]) -> str:
    return f"'{name}' is no column of the data; {_nearest(name, known)}"


def _plain(detail: Any) -> str:
    """A pydantic finding in plain words."""
    kind, message = detail["type"], detail["msg"]
    if kind == "missing":
        return "is missing; add it"
    if kind == "extra_forbidden":
        return "is not known here; check the spelling, or leave it out"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]} (found: {detail['input']!r})"
