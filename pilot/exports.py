"""What leaves for analysis elsewhere: CSV, Stata and SPSS with labels, a codebook, an R script for the primary result.

Everything is written from one freeze, so that all files hold the same rows. Study ids only; and before a permitted look
a freeze holds nothing that gives an arm away, so neither does any of this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from analysis.rscript import r_script
from pilot.dataset import ABOUT_A_LIST, LABELS, MODES, consent_columns
from pilot.errors import Refused
from pilot.models import Freeze
from pilot.protocol import Protocol

FORMATS = ("csv", "dta", "sav")
LONGEST_LABEL = {"dta": 80, "sav": 250}
LONGEST_VALUE = {"dta": 32_000, "sav": 120}
LONGEST_NAME = {"dta": 28, "sav": 60}
"""Below the formats' own limits (32 and 64): the writer names a set of labels after its variable and a number."""

AGREED_TO = {"nl": "Versie waarmee is ingestemd", "en": "Version that was agreed to"}

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(
    data: Any, row: Freeze, protocol: Protocol, folder: Path, *, language: str, alpha: float | None = None
) -> tuple[Path, ...]:
    """All files of one freeze in `folder`; raises Refused when a file of that name is there already.

    `alpha` is the level of the look that was opened on it: the R script draws its intervals at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{protocol.pilot.slug}-freeze-{row.number:04d}"
    described = labels(row, protocol, language)
    files = [stem.with_suffix(f".{kind}") for kind in FORMATS] + [folder / f"{stem.name}-codebook.json"]
    taken = [path.name for path in files if path.exists()]
    if taken:
        raise Refused(f"{taken[0]} is there already; give an empty folder", code="exists")
    _safe_for_spreadsheets(data).to_csv(files[0], index=False)
    codes = value_labels(row, language)
    for path in files[1:3]:
        _statistics_package(data, path, described, codes)
    codebook = {"manifest": _about(row), "columns": described, "codebooks": row.manifest["codebooks"]}
    files[3].write_text(json.dumps(codebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if row.manifest["with_arms"]:
        script = folder / f"{stem.name}.R"
        script.write_text(r_script(protocol.plan, files[0].name, alpha=alpha), encoding="utf-8")
        files.append(script)
    return tuple(files)


def labels(row: Freeze, protocol: Protocol, language: str) -> Mapping[str, str]:
    """A label for each column of the freeze."""
    known: dict[str, str] = {name: texts.get(language) or texts["nl"] for name, texts in LABELS.items()}
    for book in row.manifest["codebooks"]:
        for name, texts in ABOUT_A_LIST.items():
            known[f"{book['wave']}__{name}"] = f"{texts.get(language) or texts['nl']} ({book['wave']})"
        for variable in book["variables"]:
            label = variable["label"]
            known[variable["name"]] = str(label.get(language) or label.get("nl") or variable["name"])
    agreed = AGREED_TO.get(language, AGREED_TO["en"])
    for text in protocol.consent.texts:
        question = text.question.get(language) or text.question["nl"]
        known[consent_columns(protocol)[text.purpose]] = f"{agreed}: {question}"
    known |= {o.name: o.label.get(language, o.name) for o in protocol.plan.outcomes}
    return {n: known.get(n) or str(n).replace("__", ": ").replace("_", " ") for n in row.manifest["columns"]}


def value_labels(row: Freeze, language: str) -> Mapping[str, Mapping[str, str]]:
    """Code to label for every variable with a fixed list of answers."""
    found: dict[str, dict[str, str]] = {}
    for book in row.manifest["codebooks"]:
        found[f"{book['wave']}__mode"] = {mode: texts.get(language) or texts["nl"] for mode, texts in MODES.items()}
        for variable in book["variables"]:
            values = variable.get("values") or {}
            if values and variable["type"] == "category":
                said = {
                    str(code): str(texts.get(language) or texts.get("nl") or code) for code, texts in values.items()
                }
                found[str(variable["name"])] = said
    return found


def _statistics_package(
    data: Any, path: Path, described: Mapping[str, str], codes: Mapping[str, Mapping[str, str]]
) -> None:
    """Categories as numbers with value labels, in the order of the form; names shortened where the format demands."""
    kind = path.suffix[1:]
    plain, numbered = data.copy(), {}
    for name, values in codes.items():
        if name in plain:
            order = {code: number for number, code in enumerate(values, start=1)}
            plain[name] = pd.to_numeric(plain[name].map(order), errors="coerce")
            numbered[name] = {order[code]: _cut(label, LONGEST_VALUE[kind]) for code, label in values.items()}
    for name in plain.columns:
        if plain[name].dtype == object or pd.api.types.is_string_dtype(plain[name]):
            plain[name] = plain[name].astype("object").where(plain[name].notna(), "").astype(str)
    short = _short_names(list(plain.columns), LONGEST_NAME[kind])
    plain = plain.rename(columns=short)
    texts: list[Any] = [_cut(described[name], LONGEST_LABEL[kind]) for name in data.columns]
    renamed: dict[str, Any] = {short[name]: values for name, values in numbered.items()}
    writer = pyreadstat.write_dta if kind == "dta" else pyreadstat.write_sav
    writer(plain, str(path), column_labels=texts, variable_value_labels=renamed)


def _cut(text: str, longest: int) -> str:
    """At most so many bytes, for the formats count those, and never half a letter."""
    return text.encode()[:longest].decode(errors="ignore")


def _short_names(names: list[str], longest: int) -> dict[str, str]:
    """Names that fit the format and stay different from each other, also where capitals do not count (SPSS)."""
    short: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        candidate, number = plain[:longest], 1
        while candidate.lower() in taken:
            number += 1
            candidate = f"{plain[: longest - len(str(number)) - 1]}_{number}"
        taken.add(candidate.lower())
        short[name] = candidate
    return short


def _safe_for_spreadsheets(data: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    safe = data.copy()
    for name in safe.columns:
        if safe[name].dtype == object or pd.api.types.is_string_dtype(safe[name]):
            text = safe[name].astype("object")
            safe[name] = text.map(lambda v: f"'{v}" if isinstance(v, str) and v.startswith(FORMULA) else v)
    return safe


def _about(row: Freeze) -> dict[str, Any]:
    return {name: value for name, value in row.manifest.items() if name not in ("codebooks", "sql")}
