"""Allocation keys: one secret of 256 bits for each pilot and mode, in a file outside the database and its backups."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from pilot.errors import SettingsError

LENGTH = 32
Entropy = Callable[[int], bytes]


def path(folder: Path, slug: str, mode: str) -> Path:
    return folder / f"{slug}-{mode}.key"


def create(folder: Path, slug: str, mode: str, entropy: Entropy = secrets.token_bytes) -> bytes:
    """A new key, readable by its owner only; an existing one is kept and returned, never replaced."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path(folder, slug, mode), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read(folder, slug, mode)
    with open(descriptor, "wb") as file:
        file.write(entropy(LENGTH))
        file.flush()
        os.fsync(file.fileno())
    return read(folder, slug, mode)


def read(folder: Path, slug: str, mode: str) -> bytes:
    """The key; raises SettingsError when the file is missing or has another length."""
    file = path(folder, slug, mode)
    try:
        key = file.read_bytes()
    except OSError:
        raise SettingsError(
            f"the allocation key {file.name} is not in the folder of PILOT_KEYS; put it back from the safe place where "
            "it is kept. Without it nobody can be allocated, and a new key would break the published commitment."
        ) from None
    if len(key) != LENGTH:
        raise SettingsError(
            f"the allocation key {file.name} has {len(key)} bytes and not {LENGTH}; put the right one back"
        )
    return key
