"""Response by arm: a wave that one arm answers more often than another can bias every effect that follows.

The gap matters before any look, the arms' names do not: under a masked look the arms either disappear into one number
or appear as letters in an order drawn from a seed that the page does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Literal

import numpy as np

from dashboards.counts import count_note
from dashboards.disclosure import Rules
from dashboards.errors import FigureError
from dashboards.figure import Figure
from dashboards.format import Formatter
from dashboards.masking import Look
from dashboards.shares import Group, share_drawing, share_table
from dashboards.texts import Language, text


def response(
    arms: Sequence[Group], *, look: Look, language: Language, wave: str,
    when_masked: Literal["pooled", "letters"] = "pooled", seed: int | None = None, rules: Rules | None = None,
    id: str = "response",
) -> Figure:  # fmt: skip
    """Who answered, by arm; `arms` counts those who answered the wave among those asked.

    Letters need a `seed`. They hide names only: arms of very different sizes can still be told apart, and then
    "pooled" is the right choice.

    >>> arms = [Group("Portal", 300, 400), Group("Advice", 340, 400)]
    >>> response(arms, look=Look.masked(), language="en", wave="12 months").table.rows[0][0]
    'Everyone together'
    """
    if not arms:
        raise FigureError("there is no group whose response can be shown", remedy="Give at least one.")
    form, groups, masked = Formatter(language), list(arms), not look.is_open
    if masked and when_masked == "letters":
        groups = lettered(groups, language, seed)
    elif masked:
        everyone = text("common.everyone", language)
        groups = [Group(everyone, sum(a.count for a in arms), sum(a.n for a in arms))]
    published = [p for g in groups if (p := g.published(rules)) is not None]
    notes = [look.notice(language)] if masked else []
    notes += [text("response.note", language), count_note(form, rules, [len(published) < len(groups)])]
    return Figure(
        id=id,
        title=text("response.title", language, wave=wave),
        sentence=_sentence(published, form),
        plotly=share_drawing(published, form, axis_title=text("response.axis", language)),
        table=share_table(
            groups,
            form,
            did=text("response.did", language),
            caption=text("response.caption", language, wave=wave),
            rules=rules,
        ),
        note=" ".join(notes),
        alt=text("shares.alt", language, count=form.integer(len(published))),
    )


def lettered(groups: Sequence[Group], language: Language, seed: int | None) -> list[Group]:
    """The groups under letters, in an order drawn from the seed, so that neither name nor place tells the arm.

    Raises `FigureError` without a seed, or with more arms than letters.
    """
    if seed is None:
        raise FigureError("masked letters need a seed", remedy="Give one that readers of the page cannot know.")
    if len(groups) > len(ascii_uppercase):
        raise FigureError(f"there are no letters for {len(groups)} groups", remedy="Show them together.")
    order = np.random.default_rng(seed).permutation(len(groups))
    return [
        Group(text("response.letter", language, letter=ascii_uppercase[place]), groups[i].count, groups[i].n)
        for place, i in enumerate(order)
    ]


def _sentence(groups: Sequence[Group], form: Formatter) -> str:
    language = form.language
    if not groups:
        return text("shares.sentence_small", language)
    if len(groups) == 1:
        return text("response.sentence_one", language, share=form.percent(groups[0].share), name=groups[0].name)
    most, least = max(groups, key=lambda g: g.share), min(groups, key=lambda g: g.share)
    if most.share == least.share:
        return text("response.sentence_even", language, share=form.percent(most.share))
    gap = form.decimal(100 * (most.share - least.share), 1)
    return text(
        "response.sentence", language, most=form.percent(most.share), best=most.name,
        least=form.percent(least.share), worst=least.name, gap=gap,
    )  # fmt: skip
