"""What is secret in the database, and how: AES-GCM for names and contact data, keyed hashes for look-ups.

A column says in its type where it lives ("table.column"); that text is bound to each cipher text, so a value cannot
be moved to another column. The keys hang on the engine's dialect, so that nothing global holds them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from pilot.errors import SettingsError, Tampered

NONCE = 12


@dataclass(frozen=True)
class Keyring:
    """Data keys by id (one byte); the highest encrypts, every one decrypts, so keys can be replaced."""

    keys: dict[int, bytes] = field(repr=False)

    @property
    def current(self) -> int:
        return max(self.keys)

    def seal(self, text: str, place: str) -> bytes:
        nonce = os.urandom(NONCE)
        sealed = AESGCM(self.keys[self.current]).encrypt(nonce, text.encode(), place.encode())
        return bytes([self.current]) + nonce + sealed

    def open(self, sealed: bytes, place: str) -> str:
        """The text that was sealed for this place; raises Tampered when it was changed or moved."""
        if sealed[0] not in self.keys:
            raise SettingsError(f"a value of {place} was encrypted with key {sealed[0]}, which is not configured")
        try:
            plain = AESGCM(self.keys[sealed[0]]).decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], place.encode())
        except InvalidTag:
            raise Tampered(
                f"a value of {place} cannot be decrypted: the key is another one, or it was changed"
            ) from None
        return plain.decode()

    def lookup(self, text: str, purpose: str) -> str:
        """A keyed hash: equal texts give equal hashes, and nobody without the key can try texts."""
        derived = hmac.new(self.keys[min(self.keys)], b"lookup:" + purpose.encode(), hashlib.sha256).digest()
        return hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()


class Encrypted(TypeDecorator[str]):
    """A text column that is encrypted at rest. `place` is "table.column"."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else _keyring(dialect).seal(value, self.place)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else _keyring(dialect).open(bytes(value), self.place)


def _keyring(dialect: Dialect) -> Keyring:
    return dialect.keyring  # type: ignore[attr-defined]  # set by pilot.db on each engine it makes
