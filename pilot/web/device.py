"""A mark on the telephone or computer of somebody who signs up, so that signing up twice on one of them can be seen.

It is a random text in a cookie of this site, given on the page that asks for contact data: after the yes to taking
part, and with words about it on that page. What is kept is a keyed hash, with the contact data. It opens nothing and
tells nothing, and two people who share a telephone only become a flag for somebody to judge. The browser of a member
of staff gets none: everybody who signs up at a desk would look like one person.
"""

from __future__ import annotations

import re
import secrets

from flask import Response, after_this_request, request
from flask_login import current_user

from pilot.web.state import state

DAYS = 180
"""How long the mark stays on the device, counted from the day on which it was given; it is never renewed."""
LENGTH = 24
_MARK = re.compile(r"[A-Za-z0-9_-]{32}")


def name() -> str:
    """What the cookie is called; over https no other host and no other path can set it."""
    return "__Host-device" if state().settings.secure else "device"


def give() -> None:
    """The answer to this request leaves a mark on the device, unless there is one, or staff use it."""
    if known() is None and not _of_staff():
        after_this_request(_leave)


def known() -> str | None:
    """The mark that the device carries; None without one, with a strange one, and where staff have signed in."""
    mark = request.cookies.get(name(), "")
    return mark if _MARK.fullmatch(mark) and not _of_staff() else None


def _of_staff() -> bool:
    return bool(current_user.is_authenticated)


def _leave(answer: Response) -> Response:
    mark = secrets.token_urlsafe(LENGTH)
    secure = state().settings.secure
    answer.set_cookie(name(), mark, max_age=DAYS * 24 * 3600, secure=secure, httponly=True, samesite="Lax")
    return answer
