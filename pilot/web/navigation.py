"""What stands in the menu of whom: a table of pages, each shown to those who hold its capability."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _

from pilot import access
from pilot.models import Pilot, User
from pilot.web.state import state


@dataclass(frozen=True, slots=True)
class Item:
    """A page of one pilot (its path holds a slug), or of the installation."""

    endpoint: str
    capability: str
    label: object
    of_a_pilot: bool = True
    demo_only: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    url: str
    label: object
    current: str = ""
    """`page` for the page that is shown, `true` for the room that a deeper page lies in: the value of aria-current."""


# Adding a page to the menu is adding a line.
ITEMS: tuple[Item, ...] = (
    Item("advisor.caseload", "see_caseload", _("Caseload")),
    Item("interviewer.queue", "interview", _("Interviews")),
    Item("paper.overview", "type_paper", _("Paper")),
    Item("researcher.overview", "see_flow", _("Flow")),
    Item("checks.overview", "see_quality", _("Checks")),
    Item("researcher.protocol", "see_protocol", _("Protocol")),
    Item("design.calculator", "see_protocol", _("Sample size")),
    Item("instruments.overview", "see_protocol", _("Questionnaires")),
    Item("policymaker.results", "see_published", _("Results")),
    Item("steward.overview", "handle_privacy_requests", _("Privacy")),
    Item("steward.messages", "see_messages", _("Messages")),
    Item("steward.record", "read_audit", _("Audit")),
    Item("administrator.clock", "move_clock", _("Clock"), demo_only=True),
    Item("administrator.users", "manage_users", _("People"), of_a_pilot=False),
)


def items(user: User, pilot: Pilot | None) -> list[Shown]:
    """The menu of this person in this pilot, or outside any pilot; only pages that this installation has."""
    found = []
    for item in ITEMS:
        fits = item.of_a_pilot == (pilot is not None) and (not item.demo_only or state().settings.kind == "demo")
        if fits and item.endpoint in current_app.view_functions and access.may(user, item.capability, pilot):
            url = url_for(item.endpoint) if pilot is None else url_for(item.endpoint, slug=pilot.slug)
            found.append(Shown(url, item.label))
    return _marked(found)


def _marked(found: list[Shown]) -> list[Shown]:
    """The menu with at most one item marked: the one whose address holds that of the page, the longest first."""
    here = max((one.url for one in found if f"{request.path}/".startswith(f"{one.url}/")), key=len, default="")
    sort = "page" if here == request.path else "true"
    return [replace(one, current=sort) if one.url == here else one for one in found]
