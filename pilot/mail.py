"""The one way out for e-mail: a mail server when one is set, else a file a message in the outbox folder."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from contextlib import closing, suppress
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from pilot.errors import Busy, SettingsError, Undeliverable
from pilot.settings import Settings

SECONDS = 15


def send(
    settings: Settings, to: str, subject: str, body: str, *, kind: str, reference: str = "", html: str = ""
) -> None:
    """Send one message in plain text, and beside it the same words as HTML where that is given; `kind` starts the name
    of its file in the outbox. With a `reference` every try carries the same Message-ID, by which mail servers and
    readers know it again.

    Raises Busy when the mail server cannot take it now, Undeliverable when it says that the address is of no use, and
    SettingsError when `smtp_url` is not an address.
    """
    message = EmailMessage()
    message["From"], message["To"] = settings.sender, to
    message["Subject"] = " ".join(subject.split())
    message["Date"], message["Message-ID"] = formatdate(localtime=False), name_of(reference)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    if html:
        message.add_alternative(html, subtype="html")
    if settings.smtp_url:
        _by_server(settings.smtp_url, message)
    else:
        _to_outbox(settings, message, kind)


def file_of(kind: str, reference: str) -> str:
    """The name of the file in the outbox that a message with this reference has, however often it was tried."""
    return _file(kind, name_of(reference))


def _file(kind: str, name: str) -> str:
    return f"{kind}-{name.strip('<>').partition('@')[0]}.eml"


def name_of(reference: str) -> str:
    """The Message-ID of every try of a message with this reference; one of its own without."""
    if not reference:
        return make_msgid(domain="adviespilot")
    return f"<{hashlib.sha256(reference.encode()).hexdigest()[:32]}@adviespilot>"


def _to_outbox(settings: Settings, message: EmailMessage, kind: str) -> None:
    settings.outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.outbox / _file(kind, str(message["Message-ID"]))
    path.touch(mode=0o600)
    path.write_bytes(message.as_bytes())


def _by_server(url: str, message: EmailMessage) -> None:
    place = urlsplit(url)
    if place.scheme not in ("smtp", "smtps") or not place.hostname:
        raise SettingsError("PILOT_SMTP_URL is no address of a mail server; write smtp://user:password@host:587.")
    try:
        server = _connection(place.scheme, place.hostname, place.port)
        with closing(server):
            if place.username:
                server.login(unquote(place.username), unquote(place.password or ""))
            server.send_message(message)
            _part(server)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _reason in error.recipients.values()]
        if all(500 <= code < 600 for code in codes):
            raise Undeliverable(f"the mail server refuses this address ({codes[0]})") from None
        raise Busy("the mail server does not take this address now; it will be tried again") from None
    except (OSError, smtplib.SMTPException) as error:
        raise Busy(
            f"the mail server did not take the message ({type(error).__name__}); it will be tried again"
        ) from error


def _part(server: smtplib.SMTP) -> None:
    """Says goodbye. The server has the message: however it takes its leave, nothing is sent again for it."""
    with suppress(OSError, smtplib.SMTPException):
        server.quit()


def _connection(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port or 25, timeout=SECONDS)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    return server
