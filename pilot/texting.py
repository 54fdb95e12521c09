"""The one way out for text messages: a provider over HTTP when one is set, else a file a message in the outbox folder.

A provider takes a JSON object `{"to", "from", "text", "reference"}` by POST, with the token of the settings as bearer
and the reference again as `Idempotency-Key`. Most providers can be reached so, directly or through a few lines of their
own. An answer is certain or it is not: what was never handed over is tried again, what may have left is not, unless the
settings say that the provider keeps to the key.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from pilot.errors import Busy, SettingsError, Undeliverable, Unsure
from pilot.settings import Settings

NOT_LET_IN = (401, 403)
NOT_TAKEN = (408, 425, 429, 503)
"""Answers that say that the message was not taken, so that another try doubles nothing."""


def repeatable(settings: Settings) -> bool:
    """Whether a message may be tried again although nobody knows how the last try went."""
    return not settings.sms_url or bool(settings.sms_keyed)


def send(settings: Settings, to: str, body: str, *, reference: str, kind: str) -> None:
    """Send one text message; `reference` is the same at every try, `kind` is the name of its file in the outbox.

    Raises Busy when the provider has not taken it, Unsure when nobody can say whether it has, Undeliverable when it
    says that the number is of no use, and SettingsError when it does not know this installation.
    """
    if not settings.sms_url:
        _to_outbox(settings, to, body, kind)
        return
    written = {"to": to, "from": settings.sms_sender, "text": body, "reference": reference}
    headers = {"Content-Type": "application/json", "Idempotency-Key": reference, "Connection": "close"}
    if settings.sms_token:
        headers["Authorization"] = f"Bearer {settings.sms_token}"
    try:
        status = _post(settings.sms_url, json.dumps(written).encode(), headers, settings.sms_seconds)
        _judge(status)
    except Unsure as error:
        if not settings.sms_keyed:
            raise
        raise Busy(f"{error}; it will be tried again under the same key") from error


def _post(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> int:
    """The status of the answer. Up to the connection every failure is a certain one, after it none is."""
    connection, path = _towards(url, seconds)
    try:
        connection.connect()
    except OSError as error:
        connection.close()
        raise Busy(f"the provider of text messages is not there ({type(error).__name__})") from error
    try:
        with _cut_after(connection, seconds):
            connection.request("POST", path, body, dict(headers))
            return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise Unsure(f"the provider of text messages gave no whole answer ({type(error).__name__})") from error
    finally:
        connection.close()


def _towards(url: str, seconds: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection that follows no redirect: numbers of people go to the address of the settings and nowhere else."""
    place = urlsplit(url)
    path = place.path + (f"?{place.query}" if place.query else "")
    if place.scheme == "https" and place.hostname:
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(place.hostname, place.port, timeout=seconds, context=context), path or "/"
    if place.scheme == "http" and place.hostname:
        return http.client.HTTPConnection(place.hostname, place.port, timeout=seconds), path or "/"
    raise SettingsError("PILOT_SMS_URL is no address of a provider; write https://…")


@contextmanager
def _cut_after(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """Cuts the line when the whole exchange takes longer: a provider that gives a byte now and then holds nobody up."""

    def cut() -> None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _judge(status: int) -> None:
    """What an answer means for the message."""
    if 200 <= status < 300:
        return
    if status in NOT_LET_IN:
        raise SettingsError("the provider of text messages refuses PILOT_SMS_TOKEN")
    if status in NOT_TAKEN or 300 <= status < 400:
        raise Busy(f"the provider of text messages answers {status}; it will be tried again")
    if status >= 500:
        raise Unsure(f"the provider of text messages answers {status}, which says nothing about the message")
    raise Undeliverable(f"the provider of text messages refuses this number ({status})")


def file_of(kind: str) -> str:
    """The name of the file in the outbox, the same at every try."""
    return f"{kind}.sms.txt"


def _to_outbox(settings: Settings, to: str, body: str, kind: str) -> None:
    """The name holds the message's number: sending it again writes the same file and not a second one."""
    settings.outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = file_of(kind)
    beside = settings.outbox / f".{name}.part"
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(f"{to}\n{body}".encode())
    os.replace(beside, settings.outbox / name)
