"""What stewards read: kinds and states of messages, degrees of stopping, and refusals at their field."""

from __future__ import annotations

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from pilot.protocol import Protocol

MESSAGES: dict[str, object] = {
    "invitation": _("Invitation"),
    "receipt": _("Receipt of the draw"),
    "statement": _("Statement to confirm"),
    "gift": _("Gift card"),
    "wave_invitation": _("Questions: invitation"),
    "wave_reminder": _("Questions: reminder"),
}
STATES: dict[str, object] = {
    "queued": _("waiting"),
    "sent": _("sent"),
    "cancelled": _("cancelled"),
    "failed": _("failed"),
    "bounced": _("came back"),
    "unsure": _("not known"),
}
CHANNELS: dict[str, object] = {
    "email": _("e-mail"),
    "sms": _("text message"),
    "letter": _("letter"),
    "phone": _("telephone"),
}
TROUBLE: dict[str, object] = {
    "came back": _("It came back."),
    "the mail server refuses this address": _("The mail server refuses this address."),
    "the mail server does not take": _("The mail server does not take this address now. It is tried again."),
    "the mail server did not take": _("The mail server did not take the message. It is tried again."),
    "the provider of text messages refuses this number": _("The provider refuses this number."),
    "the provider of text messages refuses PILOT_SMS_TOKEN": _(
        "The provider does not know us: look at PILOT_SMS_TOKEN."
    ),
    "the provider of text messages is not there": _("The provider is not there. It is tried again."),
    "the provider of text messages gave no whole answer": _("The provider gave no whole answer."),
    "the provider of text messages answers": _("The provider answers with an error."),
    "the worker stopped while": _("The program stopped while it sent this."),
}
"""What went wrong with a message, by how its error begins."""
DEGREES: dict[str, object] = {
    "no_contact": _("no more contact"),
    "no_data": _("nothing more is collected"),
    "erase": _("erased"),
}
PURPOSES: dict[str, object] = {
    "participate": _("taking part"),
    "linkage": _("linkage with registers"),
    "second_contact": _("calling somebody who knows where the person is"),
}


def trouble(error: str | None) -> str:
    """What went wrong with a message in the reader's language; what has no words here as it stands in the record."""
    found = next((said for start, said in TROUBLE.items() if (error or "").startswith(start)), error or "")
    return str(found)


def wave(name: str, protocol: Protocol) -> str:
    """What a list of questions is called: by when it is asked."""
    months = next((one.offset.months for one in protocol.waves if one.name == name), 0)
    if name == protocol.baseline.name:
        return gettext("First list")
    return ngettext("List after %(num)s month", "List after %(num)s months", months) if months else name
