"""Fingerprints and encodings of text, as XForms 1.1 (section 7.8.1) and the ODK XForms specification have them."""

from __future__ import annotations

import base64
import binascii
import hashlib

from surveys.errors import ExpressionError
from surveys.expressions.values import Value, string
from surveys.nearest import did_you_mean

__all__ = ["base64_decode", "digest"]

ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
ENCODINGS = ("base64", "hex")


def digest(text: Value, algorithm: Value, encoding: Value = "base64") -> str:
    """The fingerprint of a text in UTF-8. Raises ExpressionError for another algorithm or encoding.

    >>> digest("abc", "MD5", "hex")
    '900150983cd24fb0d6963f7d28e17f72'
    """
    name, written = string(algorithm), string(encoding)
    if name not in ALGORITHMS:
        remedy = did_you_mean(name, ALGORITHMS, f"choose from {', '.join(ALGORITHMS)}")
        raise ExpressionError(f"digest() does not know the algorithm '{name}'", remedy=remedy)
    if written not in ENCODINGS:
        raise ExpressionError(f"digest() writes base64 or hex, not '{written}'", remedy="leave it out for base64")
    found = hashlib.new(ALGORITHMS[name], string(text).encode(), usedforsecurity=False).digest()
    return found.hex() if written == "hex" else base64.b64encode(found).decode()


def base64_decode(text: Value) -> str:
    """The text that base64 stands for; empty when it is not base64 of a text in UTF-8.

    >>> base64_decode("aGFsbG8=")
    'hallo'
    """
    try:
        return base64.b64decode("".join(string(text).split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
