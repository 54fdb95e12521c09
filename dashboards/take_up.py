"""Take-up by arm: how many people used what their arm offers, as the plan defines it.

Take-up is what was delivered, not what it led to, so no look masks it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.counts import count_note
from dashboards.disclosure import Rules
from dashboards.errors import FigureError
from dashboards.figure import Figure
from dashboards.format import Formatter
from dashboards.shares import Group, share_drawing, share_table
from dashboards.texts import Language, text


def take_up(
    arms: Sequence[Group], *, definition: str, language: Language, rules: Rules | None = None, id: str = "take-up"
) -> Figure:
    """Take-up by arm; `definition` says in the words of the plan who counts as having taken up the offer.

    >>> figure = take_up([Group("Advice", 240, 400)], definition="at least one session", language="en")
    >>> figure.sentence
    'Advice: 60% took up what was offered.'
    """
    if not arms:
        raise FigureError("there is no group whose take-up can be shown", remedy="Give at least one.")
    form = Formatter(language)
    published = [p for a in arms if (p := a.published(rules)) is not None]
    told = [text("take_up.sentence", language, name=g.name, share=form.percent(g.share)) for g in published]
    caption = text("take_up.caption", language)
    definition_note = text("take_up.definition", language, definition=definition)
    return Figure(
        id=id,
        title=text("take_up.title", language),
        sentence=" ".join(told) or text("shares.sentence_small", language),
        plotly=share_drawing(published, form, axis_title=text("take_up.axis", language)),
        table=share_table(arms, form, did=text("take_up.did", language), caption=caption, rules=rules),
        note=f"{definition_note} {count_note(form, rules, [len(published) < len(arms)])}",
        alt=text("shares.alt", language, count=form.integer(len(published))),
    )
