"""What interviewers read: what came of a call, in a few words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

OUTCOMES: dict[str, object] = {
    "no_answer": _("Nobody answered"),
    "call_back": _("Call back later"),
    "wrong_number": _("Wrong number"),
    "refused": _("Does not want to answer this time"),
    "completed": _("All questions answered"),
}
HINTS: dict[str, object] = {
    "call_back": _("Write below when it suits."),
    "refused": _("We ask again at the next list. Wants to stop altogether? Tell the data steward."),
}
