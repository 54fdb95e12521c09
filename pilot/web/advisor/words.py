"""What advisors read: names of components and channels, and for each refusal what is not right and what to do."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from pilot.errors import Refused
from pilot.web.language import euros
from pilot.web.reading import Faults

COMPONENTS: dict[str, object] = {
    "acquaintance": _("Getting acquainted"),
    "labour_market_scan": _("Labour market scan"),
    "skills_inventory": _("What somebody can do"),
    "goals": _("Goals"),
    "development_plan": _("Development plan"),
    "training_search": _("Looking for training"),
    "funding_search": _("Looking for money for training"),
    "referral": _("Referral"),
    "follow_up_call": _("Follow-up call"),
}
CHANNELS: dict[str, object] = {
    "in_person": _("At the desk, in person"),
    "phone": _("By telephone"),
    "video": _("By video call"),
}
ARM_HOLDS: dict[str, object] = {
    "portal": _("Portal with courses and money for training"),
    "advice": _("Talks with an advisor"),
    "voucher": _("Training voucher"),
}
DEGREES: dict[str, object] = {
    "no_contact": _("has stopped: no more messages or calls for the study"),
    "no_data": _("has stopped: we collect nothing more about this person"),
    "erase": _("has stopped: the personal data are erased"),
}

# The id of the field behind an error, where it is not the name itself.
FIRST_OF = {"held_on": "held_on-day", "channel": "channel-1", "components": "components-1", "degree": "degree-1"}

SAID: dict[str, object] = {
    "in_future": _("This day has yet to come. Log the talk once it was held."),
    "minutes": _("Write how many minutes the talk lasted, between 1 and 600."),
    "channel": _("Choose how you spoke with each other."),
    "component": _("Choose from the list what you did."),
    "components_missing": _("Tick at least one thing that you did."),
    "too_long": _("This is too long. Write at most 10,000 characters."),
    "goal_missing": _("Write what this person wants to reach."),
    "too_few_minutes": _("The talks add up to less than four hours. Log the missing talks first."),
    "no_plan": _("Write the development plan first."),
    "reason_missing": _("Write why. The reason is kept with the handover."),
    "amount": _("Write an amount of more than zero euro."),
    "provider_missing": _("Write who gives the training."),
    "expired": _("This voucher is no longer valid."),
    "overspent": _("That is too much: the voucher holds %(left)s."),
}


def fault(faults: Faults, error: Refused, *, field: str) -> None:
    """Puts a refusal of the journey at its field, in the reader's words; raises it again when it has none here."""
    words = SAID.get(error.code)
    if words is None:
        raise error
    name = str(error.details.get("field") or field)
    left = error.details.get("left_cents")
    text = str(words) if left is None else str(words) % {"left": euros(int(str(left)))}
    faults.add(name, text, at=FIRST_OF.get(name, name))
