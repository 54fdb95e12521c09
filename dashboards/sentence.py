"""What an arm did, in a sentence that needs no statistics: of 100 people with advice, 27 started training.

Shares become people out of a hundred and a difference becomes that many more or fewer, with the range that the
interval allows. A difference whose interval includes zero is unclear: the pilot cannot tell, which is not the same as
there being none, and the sentence never says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboards.counts import count_note, shown
from dashboards.counts import withheld as withheld_cell
from dashboards.disclosure import Rules
from dashboards.effects import Effect, Pooled, few_behind
from dashboards.errors import FigureError
from dashboards.figure import Figure, Number, Table
from dashboards.format import Formatter, Unit, writer
from dashboards.masking import Look
from dashboards.texts import Language, text


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """An outcome in one arm, in the words of the protocol.

    Attributes:
        name: the arm's name, for the table ("Advice").
        phrase: how people of this arm are called in a sentence ("with advice", "met advies").
        value: share or mean among the `n` people whose outcome is known.
        effect: against the comparison arm; None for the comparison arm itself.
    """

    name: str
    phrase: str
    value: float
    n: int
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """How an outcome is said. `happened` holds the place `{count}`: "{count} started training", "begonnen er {count}
    aan een opleiding". `name` is for tables and for means ("earnings in euros"). `pace` says that a ratio compares how
    often it happens at any moment, not how many have it in the end."""

    name: str
    happened: str = ""
    pace: bool = False

    def said(self, count: str, language: Language) -> str:
        """The outcome with its count."""
        if self.happened:
            return self.happened.format(count=count)
        return text("sentence.happened", language, count=count, name=self.name)


def sentence(arm: ArmOutcome, comparison: ArmOutcome, words: OutcomeWords, language: Language) -> str:
    """One arm against the comparison, for a reader without statistics.

    Raises `FigureError` when the arm has no effect to tell.

    >>> words = OutcomeWords("Started training", "{count} started training")
    >>> effect = Effect("Advice against portal", 0.08, 0.04, 0.12, n=1200)
    >>> sentence(ArmOutcome("Advice", "with advice", 0.27, 600, effect),
    ...          ArmOutcome("Portal", "without advice", 0.19, 600), words, "en")
    'Of 100 people with advice, 27 started training; without advice 19. That is 8 more per 100 (between 4 and 12 more).'
    """
    if arm.effect is None:
        raise FigureError(f"the arm '{arm.name}' has no effect to tell", remedy="Give the contrast with its interval.")
    if arm.effect.unit in ("share", "ratio"):
        return _of_hundred(arm, comparison, words, language)
    return _on_average(arm, comparison, words, language)


def sentences(
    arms: Sequence[ArmOutcome], comparison: ArmOutcome, words: OutcomeWords, *,
    look: Look, language: Language, pooled: Pooled | None = None, rules: Rules | None = None, id: str = "in-words",
) -> Figure:  # fmt: skip
    """A plain sentence per arm with the table behind it; under a masked look one sentence over everyone together.

    With `rules` an arm whose numbers would show a cell below the smallest allowed is told without numbers.
    """
    form = Formatter(language)
    title = text("sentence.title", language, outcome=words.name)
    if not look.is_open:
        return _masked(pooled, words, title, look=look, form=form, rules=rules, id=id)
    unit = _unit(arms)
    hidden = {a.name for a in (*arms, comparison) if rules is not None and few_behind(a.value, a.n, unit, rules)}
    told = [
        text("sentence.too_few", language, arm=arm.name, least=form.integer(rules.min_cell))
        if rules is not None and ({arm.name, comparison.name} & hidden)
        else sentence(arm, comparison, words, language)
        for arm in arms
    ]
    notes = [] if rules is None else [count_note(form, rules, [bool(hidden)])]
    level = next((a.effect.level for a in arms if a.effect), 0.95)
    notes.insert(0, text("sentence.note", language, level=form.level(level)))
    return Figure(
        id=id,
        title=title,
        sentence="\n".join(told),
        plotly={},
        table=_table((comparison, *arms), words, hidden, form, rules),
        note=" ".join(notes),
        source="; ".join(dict.fromkeys(a.effect.source for a in arms if a.effect and a.effect.source)),
    )


def _of_hundred(arm: ArmOutcome, comparison: ArmOutcome, words: OutcomeWords, language: Language) -> str:
    form, effect = Formatter(language), _effect(arm)
    ratio = effect.unit == "ratio"
    small = not ratio and min(abs(100 * v) for v in (effect.value, effect.low, effect.high)) < 1
    digits = 1 if small else 0

    def write(share: float) -> str:
        return form.decimal(abs(100 * share), digits)

    with_it, without = form.decimal(100 * arm.value, digits), form.decimal(100 * comparison.value, digits)
    happened = words.said(with_it, language)
    said = text(
        "sentence.of_hundred", language, arm=arm.phrase, happened=happened, comparison=comparison.phrase, count=without
    )
    if ratio:
        return f"{said} {_times(effect, words, language)}"
    return f"{said} {_difference(effect, write, language, 'per_hundred')}"


def _on_average(arm: ArmOutcome, comparison: ArmOutcome, words: OutcomeWords, language: Language) -> str:
    form, effect = Formatter(language), _effect(arm)
    write = writer(effect.unit, form)
    said = text(
        "sentence.on_average", language, name=words.name, arm=arm.phrase, mean=write(arm.value),
        comparison=comparison.phrase, other=write(comparison.value),
    )  # fmt: skip
    return f"{said} {_difference(effect, lambda v: write(abs(v)), language, 'average')}"


def _difference(effect: Effect, write: Callable[[float], str], language: Language, kind: str) -> str:
    """The second sentence: how much more or fewer, or that it is unclear, with the range on both sides of zero."""

    def signed(value: float) -> str:
        return text(f"sentence.{kind}.{'more' if value >= 0 else 'fewer'}", language, size=write(value))

    if not effect.clear:
        if not effect.low <= effect.null <= effect.high:
            return text("sentence.corrected", language, low=signed(effect.low), high=signed(effect.high))
        return text(f"sentence.{kind}.unclear", language, low=signed(effect.low), high=signed(effect.high))
    near, far = sorted((effect.low, effect.high), key=abs)
    direction = "more" if effect.value > 0 else "fewer"
    return text(
        f"sentence.{kind}.clear_{direction}", language, size=write(effect.value), low=write(near), high=write(far)
    )


def _times(effect: Effect, words: OutcomeWords, language: Language) -> str:
    write = writer("ratio", Formatter(language))
    key = f"sentence.{'pace' if words.pace else 'ratio'}.{'clear' if effect.clear else 'unclear'}"
    return text(key, language, value=write(effect.value), low=write(effect.low), high=write(effect.high))


def _effect(arm: ArmOutcome) -> Effect:
    if arm.effect is None:
        raise FigureError(f"the arm '{arm.name}' has no effect to tell", remedy="Give the contrast with its interval.")
    return arm.effect


def _unit(arms: Sequence[ArmOutcome]) -> Unit:
    units: list[Unit] = [a.effect.unit for a in arms if a.effect]
    return units[0] if units else "share"


def _table(
    arms: Sequence[ArmOutcome], words: OutcomeWords, hidden: set[str], form: Formatter, rules: Rules | None
) -> Table:
    language = form.language
    unit = _unit(arms)
    counted: Unit = "share" if unit == "ratio" else unit
    write = writer(counted, form, digits=0 if rules and counted == "share" else None)
    points = writer(unit, form, difference=True)
    withheld = withheld_cell(form)
    rows = []
    for arm in arms:
        value = withheld if arm.name in hidden else Number(write(arm.value), arm.value)
        people = withheld if arm.name in hidden else shown(arm.n, form, rules)
        if arm.effect is None:
            change: str | Number = text("sentence.is_comparison", language)
        elif hidden & {arm.name, arms[0].name}:
            change = withheld
        else:
            e = arm.effect
            change = Number(f"{points(e.value)} ({form.between(e.low, e.high, points)})", e.value)
        rows.append((arm.name, people, value, change))
    columns = (
        text("common.arm", language),
        text("common.n", language),
        words.name,
        text("sentence.difference_column", language),
    )
    return Table(columns, tuple(rows), text("sentence.caption", language, outcome=words.name))


def _masked(
    pooled: Pooled | None, words: OutcomeWords, title: str, *, look: Look, form: Formatter, rules: Rules | None,
    id: str,
) -> Figure:  # fmt: skip
    language = form.language
    rows: tuple[tuple[str | Number, ...], ...] = ()
    told = [look.notice(language)]
    if pooled is not None and not (rules is not None and pooled.too_few(rules)):
        rows = ((text("common.everyone", language), shown(pooled.n, form, rules),
                 Number(writer(pooled.unit, form)(pooled.value), pooled.value)),)  # fmt: skip
        if pooled.unit == "share":
            happened = words.said(form.decimal(100 * pooled.value, 0), language)
            told.append(text("sentence.pooled", language, happened=happened))
    columns = (text("common.arm", language), text("common.n", language), words.name)
    caption = text("sentence.caption", language, outcome=words.name)
    return Figure(id=id, title=title, sentence="\n".join(told), plotly={}, table=Table(columns, rows, caption))
