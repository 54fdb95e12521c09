"""What roles and states are called on pages of staff."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

ROLE_NAMES: dict[str, object] = {
    "researcher": _("researcher"),
    "statistician": _("statistician"),
    "advisor": _("advisor"),
    "interviewer": _("interviewer"),
    "policymaker": _("policymaker"),
    "steward": _("data steward"),
    "administrator": _("administrator"),
}

STATUS_NAMES: dict[str, object] = {
    "draft": _("draft"),
    "locked": _("locked, not started"),
    "running": _("running"),
    "closed": _("closed"),
}
