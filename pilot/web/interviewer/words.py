"""What interviewers read: how somebody is asked, and what came of an attempt, in a few words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

MODES: dict[str, object] = {"phone": _("by telephone"), "desk": _("at the desk")}
NEEDED: dict[str, object] = {
    "phone": _("Choose what came of the call."),
    "desk": _("Choose what came of the appointment."),
}
MOMENT: dict[str, object] = {
    "phone": _("Write the day and the time at which to call back."),
    "desk": _("Write the day and the time of the new appointment."),
}
OUTCOMES: dict[str, object] = {
    "no_answer": _("Nobody answered"),
    "busy": _("Line engaged"),
    "machine": _("Answering machine"),
    "call_back": _("Call back later"),
    "no_show": _("Did not come"),
    "later": _("Would rather come on another day"),
    "broke_off": _("Stopped half-way"),
    "wrong_number": _("Wrong number, or no longer in use"),
    "language": _("We do not speak the same language"),
    "unable": _("Too ill to answer"),
    "deceased": _("Has died"),
    "refused": _("Does not want to answer this time"),
    "completed": _("All questions answered"),
}
HINTS: dict[str, object] = {
    "machine": _("Say only who you are and that you call again. Say nothing about the study."),
    "call_back": _("Write below when it suits."),
    "later": _("Write below when it suits."),
    "broke_off": _("What was answered so far is kept. Say below when to go on, if you agreed on it."),
    "language": _("A colleague who speaks it can call. The list stays open."),
    "deceased": _("Tell the data steward today, so that no message goes out any more."),
    "refused": _("We ask again at the next list. Wants to stop altogether? Tell the data steward."),
}
REASONS: dict[str, object] = {
    "no_time": _("No time"),
    "not_interested": _("Not interested"),
    "too_long": _("Too many questions"),
    "too_private": _("Too private"),
    "no_trust": _("No trust in what happens with the answers"),
    "not_said": _("Does not say why"),
}
SOURCES: dict[str, object] = {
    "told_by_participant": _("The participant"),
    "told_by_second": _("The person whom the participant named"),
}
