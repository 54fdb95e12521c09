"""Batch work on files: a list of units and a design in, assignments and a record that reproduces them out.

Nothing is written unless everything held: both files are made beside their place and moved there last.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from randomization.canonical import sha256_hex
from randomization.design import Design
from randomization.errors import UnitsError
from randomization.mapping import from_dict
from randomization.streams import GENERATOR
from randomization.units import column_of, first_unit

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "randomization-batch-1"
TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The units with their arm (column 'arm'), and the record from which anybody gets the same again."""

    assignments: pd.DataFrame
    record: dict[str, Any]


def read_units(path: str | Path, design: Design, *, id_column: str | None = None) -> pd.DataFrame:
    """The units of a CSV file (UTF-8, header), every value text but those the design reads as numbers or truths.

    Raises `UnitsError` naming column, unit and remedy: no such column, an id twice or missing, a value that is no
    number. Empty cells are missing; 'NA' is a value.
    """
    import pandas as pd

    try:
        units = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UnitsError(f"{Path(path).name} is not a CSV file: {error}", remedy="save it as CSV in UTF-8") from error
    if not len(units):
        raise UnitsError(f"{Path(path).name} holds no unit", remedy="write one row a unit under the header")
    if "arm" in units.columns:
        raise UnitsError("column 'arm' is in the file already", path=("arm",), remedy="rename it or leave it out")
    if id_column is not None:
        ids = column_of(units, id_column)
        if ids.isna().any():
            line = int(first_unit(ids, ids.isna())[0]) + 2
            raise UnitsError(f"line {line} has no {id_column!r}", path=(id_column,), remedy="give every unit an id")
        if ids.duplicated().any():
            raise UnitsError(
                f"unit {first_unit(ids, ids.duplicated())[1]!r} occurs twice in column {id_column!r}",
                path=(id_column,),
                remedy="keep one row for each unit",
            )
        units = units.set_index(id_column, drop=False)
        units.index.name = None
    for name in design.numbers:
        if name in units.columns:
            units[name] = _numbers(column_of(units, name))
    for name in design.truths:
        if name in units.columns:
            units[name] = _truths(column_of(units, name))
    return units


def _numbers(column: pd.Series) -> pd.Series:
    import pandas as pd

    values = pd.Series(pd.to_numeric(column, errors="coerce"), index=column.index)
    wrong = values.isna() & column.notna()
    if wrong.any():
        unit, value = first_unit(column, wrong)
        raise UnitsError(
            f"column {column.name!r} holds {value!r} for unit {unit!r}, which is not a number",
            path=(str(column.name),),
            remedy="correct the value",
        )
    return values


def _truths(column: pd.Series) -> pd.Series:
    values = column.str.strip().str.lower().map(TRUTHS)
    wrong = values.isna() & column.notna()
    if wrong.any():
        unit, value = first_unit(column, wrong)
        raise UnitsError(
            f"column {column.name!r} holds {value!r} for unit {unit!r}",
            path=(str(column.name),),
            remedy="write true or false",
        )
    return values


def allocate(units: pd.DataFrame, design: Design | Mapping[str, Any], seed: int) -> Batch:
    """Draw the units with the seed; the record holds design, seed, generator and hashes of what went in and came out.

    >>> import pandas as pd
    >>> design = {"method": "complete", "ratio": {"portal": 1, "advice": 1}}
    >>> batch = allocate(pd.DataFrame({"id": ["a", "b"]}), design, 7)
    >>> sorted(batch.assignments["arm"]), batch.record["seed"]
    (['advice', 'portal'], 7)
    """
    made = design if isinstance(design, Design) else from_dict(design)
    drawn = made.draw(units, seed)
    read = units.loc[:, list(dict.fromkeys(made.columns))]
    record = {
        "format": FORMAT,
        "design": made.to_dict(),
        "arms": list(made.names),
        "fingerprint": made.fingerprint,
        "seed": int(seed),
        "generator": GENERATOR,
        "units": {"number": len(units), "columns": list(read.columns), "sha256": _hash_of(read)},
        "counts": {name: int((drawn == name).sum()) for name in made.names},
        "left_out": int(drawn.isna().sum()),
        "assignments_sha256": _hash_of(drawn.to_frame()),
    }
    return Batch(units.assign(arm=drawn), record)


def _hash_of(frame: pd.DataFrame) -> str:
    """SHA-256 over index and values as text, so that a file read again hashes the same."""
    rows = [
        [str(unit), *("" if value != value else _text(value) for value in row)]
        for unit, row in zip(frame.index, frame.itertuples(index=False), strict=True)
    ]
    return sha256_hex(rows)


def _text(value: Any) -> str:
    return repr(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def randomize_file(
    units_path: str | Path,
    design: Mapping[str, Any] | Design,
    seed: int,
    out_path: str | Path,
    *,
    record_path: str | Path | None = None,
    id_column: str | None = None,
) -> Batch:
    """Units of a CSV file drawn and written with a column 'arm'; beside it the record as JSON (`<out>.json`).

    Raises the errors of the design and of the units, before anything is written.
    """
    made = design if isinstance(design, Design) else from_dict(design)
    batch = allocate(read_units(units_path, made, id_column=id_column), made, seed)
    out = Path(out_path)
    table = batch.assignments.to_csv(index=False, lineterminator="\n").encode()
    record = batch.record | {
        "units_file": {
            "name": Path(units_path).name,
            "sha256": hashlib.sha256(Path(units_path).read_bytes()).hexdigest(),
        },
        "out_file": {"name": out.name, "sha256": hashlib.sha256(table).hexdigest()},
        "id_column": id_column,
    }
    beside = Path(record_path) if record_path is not None else out.with_name(out.name + ".json")
    text = (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()
    _write_all([(out, table), (beside, text)])
    return Batch(batch.assignments, record)


def _write_all(files: list[tuple[Path, bytes]]) -> None:
    waiting: list[tuple[Path, Path]] = []
    try:
        for path, content in files:
            part = path.with_name(f".{path.name}.part")
            waiting.append((part, path))
            part.write_bytes(content)
        for part, path in waiting:
            os.replace(part, path)
    finally:
        for part, _ in waiting:
            part.unlink(missing_ok=True)


def reproduce(record: Mapping[str, Any], units: pd.DataFrame) -> pd.Series:
    """The arms again from a record and the same units; `UnitsError` says which of the two has changed.

    Arms are laid out in the record's order, for a file may have been written with its keys sorted.
    """
    form = dict(record["design"])
    if isinstance(form.get("ratio"), Mapping):
        form["ratio"] = {name: form["ratio"][name] for name in record["arms"]}
    made = from_dict(form)
    if made.fingerprint != record["fingerprint"]:
        raise UnitsError("the record's design does not have its fingerprint", remedy="the record was changed")
    read = units.loc[:, list(record["units"]["columns"])]
    if _hash_of(read) != record["units"]["sha256"]:
        raise UnitsError("the units are not those of the record", remedy="use the file that was drawn from")
    drawn = made.draw(units, record["seed"])
    if _hash_of(drawn.to_frame()) != record["assignments_sha256"]:
        raise UnitsError("the arms are not those of the record", remedy="the record or the library was changed")
    return drawn
