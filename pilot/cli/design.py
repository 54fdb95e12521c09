"""`pilot design-document`: from the planning assumptions of a protocol to the document that a funder reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from pilot.cli import Console, Failed, console
from pilot.errors import PilotError, ProtocolError

if TYPE_CHECKING:
    from analysis.plan import PreAnalysisPlan
    from analysis.planning import Plan
    from analysis.planning.trials import Trials

SECTION = "sample_size"


@click.command("design-document")
@click.argument("protocol", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True,
              help="File to write; its ending says what: .pdf, .docx, .html or .json.")  # fmt: skip
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True)
@click.option("--trials", type=click.IntRange(0, 1_000_000),
              help="Simulated pilots with the effect, and as many without; 0 leaves the simulation out. By default "
                   "1000, or as many as take about a minute if the registered analysis has no fast form.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same document.")
@console
def command(out: Console, protocol: Path, output: Path, language: str, trials: int | None, seed: int) -> None:
    """Write the design document of PROTOCOL: how many people, why, at what price, and what the pilot can show.

    PROTOCOL is a protocol (or its folder), or a file with the section sample_size alone.
    """
    from dashboards.design_document import build
    from dashboards.design_files import check_path, write

    _said(lambda: check_path(output))
    found = _read(protocol, language)
    simulated = None if trials == 0 else _said(lambda: _simulated(found, trials, seed, _progress(out)))
    document = _said(
        lambda: build(
            found.plan, language=language, title=found.title, labels=found.labels, simulation=simulated,  # type: ignore[arg-type]
            fingerprint=found.fingerprint, contrasts=found.contrasts,
        )
    )  # fmt: skip
    _said(lambda: write(document, output))
    size = document.numbers["size"]
    facts = {"file": str(output), "total": size["total"], "recruited": size["recruited_by_arm"], "seed": seed}
    people = ", ".join(f"{name} {count}" for name, count in size["recruited_by_arm"].items())
    count = 0 if simulated is None else simulated.trials
    out.say(f"{output}: {size['total']} people to recruit ({people})", **facts, trials=count)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the document needs of a protocol; of a section alone there is only the plan."""

    plan: Plan
    title: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    analysis: PreAnalysisPlan | None = None

    @property
    def contrasts(self) -> tuple[tuple[str, str], ...]:
        """All registered comparisons, also those that the plan is not sized for."""
        return () if self.analysis is None else self.analysis.every_contrast


def _read(path: Path, language: str) -> _Read:
    from analysis.planning import Plan

    file = path / "protocol.yaml" if path.is_dir() else path
    section = _section_alone(file)
    if section is not None:
        return _Read(_said(lambda: Plan.from_dict(section)))
    return _protocol(path, language)


def _section_alone(file: Path) -> Any:
    """The section of a file that holds nothing else; None for a whole protocol, which has its own reader."""
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise PilotError(f"{file} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{file} is no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict) or SECTION not in data:
        raise ProtocolError(
            f"{file} has no section '{SECTION}': a design document starts from the planning assumptions; "
            "docs/methods/planning.md shows one to begin with"
        )
    return data[SECTION] if set(data) == {SECTION} else None


def _protocol(path: Path, language: str) -> _Read:
    from pilot.protocol import read

    found = read(path)
    labels = {arm.name: arm.label.get(language, arm.name) for arm in found.arms}
    labels |= {outcome.name: outcome.label.get(language, outcome.name) for outcome in found.plan.outcomes}
    return _Read(
        found.sample_size,
        found.pilot.title.get(language, found.pilot.slug),
        labels,
        found.fingerprint,
        found.plan,
    )


def _simulated(found: _Read, trials: int | None, seed: int, progress: Callable[[int, int], None] | None) -> Trials:
    from analysis.planning.trials import simulated

    return simulated(found.plan, seed=seed, trials=trials, analysis=found.analysis, jobs=None, progress=progress)


def _progress(out: Console) -> Callable[[int, int], None] | None:
    """A bar for a person at a terminal."""
    if out.as_json or not sys.stderr.isatty():
        return None
    from analysis.simulation.run import bar

    return bar


def _said(run: Callable[[], Any]) -> Any:
    """Runs it; what is wrong with the plan or the file becomes one sentence with its remedy."""
    from analysis.errors import AnalysisError
    from dashboards.errors import DashboardError
    from randomization.errors import RandomizationError

    try:
        return run()
    except (AnalysisError, RandomizationError, DashboardError) as error:
        said, remedy = str(error), getattr(error, "remedy", "")
        raise Failed(said if not remedy or remedy in said else f"{said}; {remedy}") from error
