"""The one way out for text messages: a provider over HTTP when one is set, else a file a message in the outbox folder.

A provider takes a JSON object `{"to", "from", "text", "reference"}` by POST, with the token of the settings as bearer
and the reference again as `Idempotency-Key`, so that a message whose answer was lost is not sent twice. Most providers
can be reached so, directly or through a few lines of their own.
"""

from __future__ import annotations

import http.client
import json
import os
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pilot.errors import Busy, SettingsError, Undeliverable
from pilot.settings import Settings

SECONDS = 15
NOT_LET_IN = (401, 403)
LATER = (408, 425, 429)


def send(settings: Settings, to: str, body: str, *, reference: str, kind: str) -> None:
    """Send one text message; `reference` is the same at every try, `kind` is the name of its file in the outbox.

    Raises Busy when the provider cannot take it now, Undeliverable when it says that the number is of no use, and
    SettingsError when it does not know this installation.
    """
    if not settings.sms_url:
        _to_outbox(settings, to, body, kind)
        return
    if urlsplit(settings.sms_url).scheme not in ("http", "https"):
        raise SettingsError("PILOT_SMS_URL is no address of a provider; write https://…")
    written = {"to": to, "from": settings.sms_sender, "text": body, "reference": reference}
    headers = {"Content-Type": "application/json", "Idempotency-Key": reference}
    if settings.sms_token:
        headers["Authorization"] = f"Bearer {settings.sms_token}"
    _post(Request(settings.sms_url, json.dumps(written).encode(), headers, method="POST"))  # noqa: S310  # see above


class _Stay(HTTPRedirectHandler):
    """A provider that moved is an error: numbers of people go to the address of the settings and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


def _post(request: Request) -> None:
    try:
        with build_opener(_Stay).open(request, timeout=SECONDS) as answer:
            answer.read(1)
    except HTTPError as error:
        error.close()
        if error.code in NOT_LET_IN:
            raise SettingsError("the provider of text messages refuses PILOT_SMS_TOKEN") from None
        if error.code in LATER or not 400 <= error.code < 500:
            raise Busy(f"the provider of text messages answers {error.code}; it will be tried again") from None
        raise Undeliverable(f"the provider of text messages refuses this number ({error.code})") from None
    except (OSError, http.client.HTTPException) as error:
        raise Busy(
            f"the provider of text messages does not answer ({type(error).__name__}); it will be tried again"
        ) from error


def _to_outbox(settings: Settings, to: str, body: str, kind: str) -> None:
    """The name holds the message's number: sending it again writes the same file and not a second one."""
    settings.outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{kind}.sms.txt"
    beside = settings.outbox / f".{name}.part"
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(f"{to}\n{body}".encode())
    os.replace(beside, settings.outbox / name)
