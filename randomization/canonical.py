"""One spelling for every value that is hashed, so that a fingerprint does not depend on who wrote the file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> bytes:
    """JSON by RFC 8785: keys sorted, no spaces, one spelling of each number, UTF-8.

    >>> canonical_json({"b": 1, "a": [True, "é"]})
    b'{"a":[true,"\\xc3\\xa9"],"b":1}'
    """
    import rfc8785

    return rfc8785.dumps(_plain(value))


def sha256_hex(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, in hexadecimal.

    >>> sha256_hex({})[:8]
    '44136fa3'
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
