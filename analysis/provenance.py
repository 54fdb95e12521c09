"""What was run on what: fingerprints, versions and seeds, so that a result can be traced and made again."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata

import numpy as np
import pandas as pd

from analysis.results import Provenance

_LIBRARIES = ("numpy", "scipy", "pandas", "formulaic", "adviespilot")


def data_fingerprint(data: pd.DataFrame) -> str:
    """SHA-256 in hexadecimal of names and values in their order; whole numbers hash alike as int and as float.

    >>> one = data_fingerprint(pd.DataFrame({"a": [1, 2]}))
    >>> one == data_fingerprint(pd.DataFrame({"a": [1.0, 2.0]})), one == data_fingerprint(pd.DataFrame({"a": [2, 1]}))
    (True, False)
    """
    digest = hashlib.sha256()
    for column in data.columns:
        values = data[column]
        digest.update(f"{len(str(column))}:{column}|{len(values)}|".encode())
        if pd.api.types.is_numeric_dtype(values):
            digest.update(np.ascontiguousarray(values.astype(float).to_numpy(), dtype="<f8").tobytes())
        else:
            for value in values:
                text = "" if pd.isna(value) else str(value)
                digest.update(f"{len(text)}:{text}".encode())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries on which the numbers rest."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed as a package"
    return found


def provenance(
    plan_sha256: str, design_sha256: str, data: pd.DataFrame, *, seed: int, draws: int, created: str | None
) -> Provenance:
    """The record that stands in the results; `created` comes from whoever has a clock."""
    return Provenance(
        plan_sha256=plan_sha256,
        data_sha256=data_fingerprint(data),
        data_rows=len(data),
        design_sha256=design_sha256,
        seed=seed,
        draws=draws,
        versions=versions(),
        created=created,
    )
