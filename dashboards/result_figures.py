"""The figures that the results of a plan give: what `dashboards.report` prints and a page of a pilot may show.

Readers differ in language, in what they may see and in how arms are called; `Reader` carries that once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboards.balance import balance
from dashboards.disclosure import Rules
from dashboards.effects import Effect, Pooled, few_behind
from dashboards.errors import FigureError
from dashboards.figure import Cell, Figure, Number, Table
from dashboards.forest import effect_axis_title, forest
from dashboards.format import Formatter, Unit, writer
from dashboards.masking import Look
from dashboards.response import response
from dashboards.sample_ratio import sample_ratio
from dashboards.sentence import ArmOutcome, OutcomeWords, sentences
from dashboards.shares import Group
from dashboards.subgroups import Subgroup, subgroups
from dashboards.take_up import take_up
from dashboards.texts import Language, in_language, of_the_library, text

if TYPE_CHECKING:
    from analysis.results import ContrastResult, OutcomeResult, Results
    from analysis.results import Effect as Estimated

UNITS: dict[str, Unit] = {
    "risk_difference": "share", "share_above_zero": "share", "risk_ratio": "ratio", "hazard_ratio": "ratio",
    "log_rank": "ratio",
}  # fmt: skip
"""The unit of an effect by the summary that the plan registered; every other summary is in the outcome's own unit."""


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom figures are made.

    Attributes:
        language: of texts and numbers.
        look: whether outcomes by arm may be seen.
        labels: readers' words for arms, covariates and subgroup columns, by their name in the plan.
        phrases: how people of an arm are called in a sentence ("with advice"), by the arm's name.
        said: how an outcome is said ("{count} started training"), by the outcome's name.
        rules: disclosure rules when the reader is the public, None inside the pilot.
    """

    language: Language
    look: Look
    labels: Mapping[str, str] = field(default_factory=dict)
    phrases: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    rules: Rules | None = None

    @property
    def form(self) -> Formatter:
        return Formatter(self.language)

    def name(self, name: str) -> str:
        """The reader's word for an arm or column."""
        return self.labels.get(name, name)

    def phrase(self, arm: str) -> str:
        """People of an arm, in a sentence."""
        return self.phrases.get(arm) or text("result.in_group", self.language, arm=self.name(arm))

    def outcome(self, outcome: OutcomeResult) -> str:
        """The outcome's label in the reader's language, else in any, else its name."""
        return outcome.label.get(self.language) or next(iter(outcome.label.values()), outcome.name)

    def contrast(self, treated: str, comparison: str, *, outside_family: bool = False) -> str:
        """A contrast in words, and that it stands outside the family that the pilot is sized for."""
        name = text("result.against", self.language, treated=self.name(treated), comparison=self.name(comparison))
        return text("common.outside_family", self.language, name=name) if outside_family else name

    def named(self, contrast: ContrastResult) -> str:
        """A contrast of the results in words."""
        return self.contrast(contrast.treated, contrast.comparison, outside_family=contrast.outside_family)


def unit_of(outcome: OutcomeResult) -> Unit:
    """The unit of the outcome's effects."""
    return UNITS.get(outcome.summary, "number")


def pooled_of(outcome: OutcomeResult, reader: Reader) -> Pooled | None:
    """The outcome over all arms together; None when nobody's outcome is known."""
    known = [(arm.mean, arm.observed) for arm in outcome.arms if arm.mean is not None]
    total = sum(n for _, n in known)
    if not total:
        return None
    unit = unit_of(outcome)
    mean = math.fsum(mean * n for mean, n in known) / total
    return Pooled(reader.outcome(outcome), mean, total, "share" if unit == "ratio" else unit)


def in_words(outcome: OutcomeResult, reader: Reader) -> Figure:
    """A plain sentence for each confirmatory contrast of an outcome that has an effect."""
    pace = outcome.summary in ("hazard_ratio", "log_rank")
    words = OutcomeWords(reader.outcome(outcome), reader.said.get(outcome.name, ""), pace)
    anchor = f"{slug(outcome.name)}-in-words"
    if not reader.look.is_open:
        comparison = ArmOutcome("", "", 0.0, 0)
        return sentences(
            (), comparison, words, look=reader.look, language=reader.language, pooled=pooled_of(outcome, reader),
            rules=reader.rules, id=anchor,
        )  # fmt: skip
    means = {arm.arm: arm for arm in outcome.arms}
    family = [c for c in outcome.contrasts if not c.outside_family]
    kept = [c for c in family if c.main is not None and means[c.treated].mean is not None]
    if not kept:
        raise FigureError(f"no contrast of '{outcome.name}' was estimated", remedy="See the reasons in the results.")
    first = kept[0].comparison
    told = [c for c in kept if c.comparison == first]

    def arm(name: str, effect: Effect | None) -> ArmOutcome:
        return ArmOutcome(reader.name(name), reader.phrase(name), means[name].mean or 0.0, means[name].observed, effect)

    arms = [arm(c.treated, _effect(c, reader, unit_of(outcome))) for c in told]
    return sentences(
        arms, arm(first, None), words, look=reader.look, language=reader.language, rules=reader.rules, id=anchor
    )


def effects(outcome: OutcomeResult, reader: Reader) -> Figure:
    """The forest plot of an outcome's contrasts, each by the estimate that the plan made the main result."""
    seen = [c for c in outcome.contrasts if c.main is not None] if reader.look.is_open else []
    small = small_arms(outcome, reader.rules)
    kept = [c for c in seen if not {c.treated, c.comparison} & small]
    together = pooled_of(outcome, reader)
    return forest(
        [_effect(c, reader, unit_of(outcome)) for c in kept],
        look=reader.look,
        language=reader.language,
        pooled=[together] if together else [],
        rules=reader.rules,
        title=text("result.effects_on", reader.language, outcome=reader.outcome(outcome)),
        id=f"{slug(outcome.name)}-effects",
    )


def small_arms(outcome: OutcomeResult, rules: Rules | None) -> set[str]:
    """Arms of whose outcome the public may see nothing: with the other arm's number an effect would give it away."""
    if rules is None:
        return set()
    unit: Unit = "number" if unit_of(outcome) == "number" else "share"
    return {a.arm for a in outcome.arms if a.mean is None or few_behind(a.mean, a.observed, unit, rules)}


def estimates(outcome: OutcomeResult, reader: Reader) -> Figure:
    """Every estimate of an outcome with all that is needed to judge it: the researcher's table.

    Raises `FigureError` under a masked look.
    """
    if not reader.look.is_open:
        raise FigureError("estimates by arm are masked", remedy="Wait for a look that the protocol permits.")
    language = reader.language
    heads = ("contrast", "method", "effect", "se", "interval", "df", "p", "p_corrected", "n", "convention", "source")
    columns = [text(f"result.{head}", language) for head in heads]
    columns[2] = effect_axis_title(unit_of(outcome), language)
    rows: list[tuple[Cell, ...]] = []
    refused = []
    for c in outcome.contrasts:
        name = reader.named(c)
        rows += [_estimate_row(name, e, c, outcome, reader) for e in (c.unadjusted, c.adjusted) if e is not None]
        refused += [f"{name}: {c.refused}"] if c.refused else []
    caption = text("result.estimates_caption", language, outcome=reader.outcome(outcome))
    return Figure(
        id=f"{slug(outcome.name)}-estimates",
        title=text("result.estimates_title", language, outcome=reader.outcome(outcome)),
        sentence=text(
            "result.estimates_sentence", language, estimand=of_the_library(outcome.analysis_label, language).rstrip(".")
        ),
        plotly={},
        table=Table(tuple(columns), tuple(rows), caption),
        note=" ".join(
            [text("result.main_marked", language), *_apart(outcome, reader), *_beside(outcome, reader), *refused]
        ),
    )


def response_of(outcome: OutcomeResult, reader: Reader) -> Figure:
    """Whose outcome is known, by arm."""
    groups = [Group(reader.name(a.arm), a.observed, a.n) for a in outcome.response.arms if a.n]
    return response(
        groups, look=reader.look, language=reader.language, wave=reader.outcome(outcome), rules=reader.rules,
        id=f"{slug(outcome.name)}-response",
    )  # fmt: skip


def subgroups_of(outcome: OutcomeResult, reader: Reader, alpha: float) -> list[Figure]:
    """One forest plot a contrast, its subgroup columns below one another; none when the plan names no subgroups."""
    pairs = {(s.treated, s.comparison): s.outside_family for s in outcome.subgroups}
    return [_subgroup_figure(outcome, pair, reader, alpha, outside) for pair, outside in pairs.items()]


def take_up_of(results: Results, reader: Reader) -> Figure | None:
    """Take-up by arm, None when the plan defines none."""
    groups = [Group(reader.name(a.arm), a.taken, a.known) for a in results.take_up if a.known]
    if not groups:
        return None
    return take_up(
        groups,
        definition=in_language(results.take_up_definition, reader.language),
        language=reader.language,
        rules=reader.rules,
    )


def balance_of(results: Results, reader: Reader) -> Figure | None:
    """Balance at baseline, None when the plan names no covariates."""
    if results.balance is None or not results.balance.rows:
        return None
    contrasts = {key for row in results.balance.rows for key in row.normalised_difference}
    words = {key: reader.contrast(*key.split(" - ", 1)) for key in contrasts if " - " in key}
    return balance(results.balance, language=reader.language, labels={**words, **reader.labels})


def sample_ratio_of(results: Results, reader: Reader) -> Figure:
    """The sample-ratio check."""
    return sample_ratio(results.arms, results.sample_ratio, language=reader.language, labels=reader.labels)


def slug(name: str) -> str:
    """A name as an anchor.

    >>> slug("training_started_12m"), slug("2e meting")
    ('training-started-12m', 'o-2e-meting')
    """
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return kept if kept[:1].isalpha() else f"o-{kept}".rstrip("-")


def _effect(contrast: ContrastResult, reader: Reader, unit: Unit) -> Effect:
    return Effect.of_contrast(contrast, reader.named(contrast), unit=unit)


def _estimate_row(
    name: str, estimate: Estimated, contrast: ContrastResult, outcome: OutcomeResult, reader: Reader
) -> tuple[Cell, ...]:
    form, unit = reader.form, unit_of(outcome)
    main = estimate is contrast.main
    digits = _digits(estimate.se * (100 if unit == "share" else 1))
    write = writer(unit, form, difference=True, digits=digits)
    corrected = contrast.p_corrected if main else None
    absent = Number(text("common.none", form.language))
    df = Number("∞") if estimate.df is None else Number(form.decimal(estimate.df, 1), estimate.df)
    return (
        name + (" *" if main else ""),
        of_the_library(estimate.method, form.language),
        Number(write(estimate.value), estimate.value),
        Number(form.decimal(estimate.se * (100 if unit == "share" else 1), digits), estimate.se),
        Number(form.between(estimate.low, estimate.high, write)),
        df,
        Number(form.p_value(estimate.p), estimate.p),
        absent if corrected is None else Number(form.p_value(corrected), corrected),
        Number(form.integer(estimate.n), estimate.n),
        estimate.convention,
        estimate.source,
    )


def _digits(se: float) -> int:
    """Decimals that leave a standard error five significant digits, between none and six."""
    return min(6, max(0, 4 - math.floor(math.log10(se))))


def _apart(outcome: OutcomeResult, reader: Reader) -> list[str]:
    """What it means that contrasts stand outside the family, when some do."""
    outside = any(c.outside_family for c in outcome.contrasts)
    return [text("result.outside_family", reader.language)] if outside else []


def _beside(outcome: OutcomeResult, reader: Reader) -> list[str]:
    """What stands beside the estimates: bounds, permutation and the effect on those who took up the offer."""
    language, form, lines = reader.language, reader.form, []
    write = writer(unit_of(outcome), form, difference=True)
    for c in outcome.contrasts:
        name = reader.named(c)
        if c.bounds is not None:
            lines.append(
                text(
                    f"result.bounds.{c.bounds.method}", language, contrast=name,
                    bounds=form.between(c.bounds.low, c.bounds.high, write),
                )
            )  # fmt: skip
        if c.p_permutation is not None:
            lines.append(text("result.permutation", language, contrast=name, p=form.p_value(c.p_permutation)))
        if c.complier is not None:
            e = c.complier.effect
            lines.append(
                text(
                    "result.complier", language, contrast=name, value=write(e.value),
                    interval=form.between(e.low, e.high, write),
                )
                if e is not None
                else text("result.no_complier", language, contrast=name, reason=c.complier.refused)
            )  # fmt: skip
    return lines


def _subgroup_figure(
    outcome: OutcomeResult, pair: tuple[str, str], reader: Reader, alpha: float, outside_family: bool
) -> Figure:
    groups = []
    for s in outcome.subgroups:
        if (s.treated, s.comparison) != pair:
            continue
        found = [(level, level.effect) for level in s.levels]
        drawn = tuple(
            Effect(level.level, e.value, e.low, e.high, e.n, e.level, unit_of(outcome), e.null, e.convention, e.source,
                   df=math.inf if e.df is None else e.df)
            for level, e in found
            if e is not None
        )  # fmt: skip
        missing = tuple(f"{reader.name(s.column)} {level.level}: {level.refused}." for level, e in found if e is None)
        groups.append(Subgroup(reader.name(s.column), drawn, s.p_corrected, missing))
    return subgroups(
        groups, look=reader.look, language=reader.language, alpha=alpha, rules=reader.rules,
        contrast=reader.contrast(*pair, outside_family=outside_family),
        id=slug(f"{outcome.name}-{pair[0]}-{pair[1]}-subgroups"),
    )  # fmt: skip
