"""What people who look alike share, in words; never the number, the address or the mark itself."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

WORDS: dict[str, object] = {
    "phone": _("Same telephone number"),
    "email": _("Same e-mail address"),
    "device": _("Same telephone or computer used to sign up"),
    "name": _("Same name and date of birth"),
}
