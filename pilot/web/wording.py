"""What people read when something cannot be: for each error what happened and what to do, in plain words.

Keyed by the stable code of an error first, by the status of the page otherwise. Domain code raises; only this says.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _


@dataclass(frozen=True, slots=True)
class Wording:
    heading: object
    happened: object
    remedy: object


BY_CODE: dict[str, Wording] = {
    "link_expired": Wording(
        _("This link no longer works"),
        _("Personal links work for a limited time. That keeps your answers safe."),
        _("Call us, and we send you a new link right away. What you filled in before is kept."),
    ),
    "link_replaced": Wording(
        _("This link was replaced"),
        _("There is a newer message with a new link for you."),
        _("Open the newest message that we sent you. If you cannot find it, call us."),
    ),
    "stale": Wording(
        _("There are newer answers"),
        _("You, or somebody who helps you, answered this question on another screen. We kept the newest answer."),
        _("Open your link again and go on from there."),
    ),
    "stale_form": Wording(
        _("This page was open too long"),
        _("For your safety we cannot accept the form from this page. Nothing was changed."),
        _("Go back, load the page again, and send it once more. Your browser has to accept cookies from this site."),
    ),
    "busy": Wording(
        _("It is very busy at the moment"),
        _("We could not save this just now. Nothing was changed."),
        _("Wait a moment and try again. You cannot do anything twice by trying again."),
    ),
}

BY_STATUS: dict[int, Wording] = {
    400: Wording(
        _("We could not read this"),
        _("What your browser sent was not complete. Nothing was changed."),
        _("Go back, load the page again, and try once more."),
    ),
    403: Wording(
        _("This is not allowed"),
        _("You are not allowed to do this. Nothing was changed."),
        _("If you think you should be, ask the administrator of your pilot."),
    ),
    404: Wording(
        _("There is no such page"),
        _("The page does not exist, or it is not meant for you."),
        _("Check the address. Did you type a link from a letter? Then compare it letter by letter."),
    ),
    405: Wording(
        _("This page cannot be used like that"),
        _("The page exists, but not for what your browser asked. Nothing was changed."),
        _("Go back and use the buttons on the page."),
    ),
    409: Wording(
        _("This is not possible now"),
        _("This step cannot be taken at this moment. Nothing was changed."),
        _("Go back and load the page again to see how things stand."),
    ),
    410: Wording(
        _("This is no longer here"),
        _("The page was there, but not any more."),
        _("Call us if you still need it."),
    ),
    413: Wording(
        _("This is too large"),
        _("What you sent is larger than we can accept. Nothing was saved."),
        _("Send a smaller file, or a shorter text."),
    ),
    422: Wording(
        _("Something is not right yet"),
        _("We could not use what was filled in. Nothing was changed."),
        _("Go back, look at what you filled in, and send it again."),
    ),
    429: Wording(
        _("Too many tries"),
        _("This was tried too often in a short time. We stopped it for safety."),
        _("Wait a few minutes and try again."),
    ),
    500: Wording(
        _("Something went wrong on our side"),
        _("This is our mistake, not yours. Nothing was changed by this step."),
        _("Try again in a few minutes. If it happens again, call us."),
    ),
    503: Wording(
        _("We cannot help you at this moment"),
        _("The site cannot answer now. Nothing was changed."),
        _("Wait a moment and try again. You cannot do anything twice by trying again."),
    ),
}


def of(status: int, code: str = "") -> Wording:
    """The words for an error: those of its code, else those of its status."""
    return BY_CODE.get(code) or BY_STATUS.get(status) or BY_STATUS[500 if status >= 500 else 400]
