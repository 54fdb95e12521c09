"""A question that was not answered yet looks alike for everybody: such a page is drawn once and then only addressed.

Drawing a page costs more than all else that a request does, and thousands open the same question in the same hour. Kept
are pages that hold nothing of a person: no answer, no words of an answer, no message. What differs (the personal link
and the token of the form) is taken out before and put in after.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from flask import g, request, session
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf

from pilot.web.force import in_force
from pilot.web.language import offered
from pilot.web.state import state
from surveys.definition import Question
from surveys.path import Path, Step

MOST = 512
LINK, FORM = "\0link\0", "\0form\0"
_pages: OrderedDict[Hashable, str] = OrderedDict()
_lock = Lock()


def page(token: str, wave: str, path: Path, step: Step, revision: int, draw: Callable[[], str]) -> str:
    """The page that `draw` gives, drawn anew or as it was drawn for somebody else."""
    if not _alike(step):
        return draw()
    key = _key(wave, path, step, revision)
    with _lock:
        known = _pages.get(key)
        if known is not None:
            _pages.move_to_end(key)
    form = generate_csrf()
    if known is None:
        drawn = draw()
        known = drawn.replace(token, LINK).replace(form, FORM)
        _keep(key, known)
        return drawn
    return known.replace(LINK, token).replace(FORM, form)


def _keep(key: Hashable, drawn: str) -> None:
    with _lock:
        _pages[key] = drawn
        while len(_pages) > MOST:
            _pages.popitem(last=False)


def _alike(step: Step) -> bool:
    """Whether nothing on the page comes from this person: no answer in it, no text that repeats an answer, and no word
    of the address they came by, which the links to other languages carry along.
    """
    if step.key in step.state.answers or session.get("_flashes") or set(request.args) - {"lang"}:
        return False
    if not isinstance(step.item, Question) or step.instance or step.item.calculation or step.item.default:
        return False
    texts = [step.item.label, step.item.hint, step.item.guidance, *(section.label for section in step.sections)]
    texts += [choice.label for choice in step.choices]
    texts += [medium for one in (step.item, *step.choices) for medium in one.media.values()]
    return not any("${" in words for text in texts for words in text.values())


def _key(wave: str, path: Path, step: Step, revision: int) -> Hashable:
    """Everything that a page with nothing personal on it depends on."""
    before, settings = path.before(step.key), state().settings
    return (
        settings.help_phone, settings.kind,
        in_force()[0].fingerprint, g.pilot.id, str(get_locale()), *offered(), wave, step.key, revision,
        path.steps.index(step), path.total, before.key if before else "", tuple(choice.name for choice in step.choices),
    )  # fmt: skip
