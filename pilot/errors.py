"""The errors of a running pilot, as one small tree.

PilotError                    a person can mend it; the message says what and how
├── SettingsError             the machine is not set up
├── ProtocolError             protocol.yaml says something that cannot be
├── Refused                   the journey does not allow this step now
│   ├── NotYours              not there, or not yours: the two look alike
│   ├── LinkExpired           a personal link that no longer opens
│   └── Stale                 somebody answered in the meantime; nothing was overwritten
├── Busy                      the database could not answer in time; trying again is safe
├── Undeliverable             a message cannot reach this address or number, now or later
├── Unsure                    nobody knows whether a message left; sending it again may double it
└── Tampered                  the audit trail does not add up
"""

from __future__ import annotations


class PilotError(Exception):
    """Something a person can mend. `code` is stable and names the text that people are shown."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, **details: object) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.details = details


class SettingsError(PilotError):
    code = "settings"


class ProtocolError(PilotError):
    code = "protocol"


class Refused(PilotError):
    code = "refused"


class NotYours(Refused):
    code = "not_found"


class LinkExpired(Refused):
    code = "link_expired"


class Stale(Refused):
    code = "stale"


class Busy(PilotError):
    code = "busy"


class Undeliverable(PilotError):
    code = "undeliverable"


class Unsure(PilotError):
    code = "unsure"


class Tampered(PilotError):
    code = "tampered"
