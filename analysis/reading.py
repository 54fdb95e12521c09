"""Reading a table from a file, with errors that name the file, the column and the row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from analysis.errors import DataError
from analysis.trial import require_columns


def read_data(path: str | Path, *, columns: Iterable[str] = (), text: Iterable[str] = ()) -> pd.DataFrame:
    """A table with one row per participant from a CSV or Parquet file.

    A CSV file is UTF-8 with a header; when its header holds semicolons it is read as spreadsheets write it in most of
    Europe, with decimal commas. `columns` must be present; `text` are read as text, which keeps leading zeros.

    Raises `DataError` when the file is absent, empty, not a table or has a column name twice, and `UnknownColumn` when
    one of `columns` is not there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "people.csv"
    ...     _ = file.write_text("id;hours\\n001;1,5\\n", encoding="utf-8")
    ...     read_data(file, columns=["hours"], text=["id"]).to_dict("records")
    [{'id': '001', 'hours': 1.5}]
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file '{path}'")
    readers = {".csv": _read_csv, ".txt": _read_csv, ".parquet": _read_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"'{path.name}' is not a kind of file that can be read here", remedy="save the table as .csv or .parquet"
        )
    data = reader(path, tuple(text))
    if data.empty:
        raise DataError(f"'{path.name}' holds a header but no rows")
    require_columns(data, columns)
    return data


def _read_csv(path: Path, text: tuple[str, ...]) -> pd.DataFrame:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline().rstrip("\r\n")
        if not header.strip():
            raise DataError(f"'{path.name}' has no header", remedy="the first line holds the names of the columns")
        european = header.count(";") > header.count(",")
        names = [name.strip().strip('"') for name in header.split(";" if european else ",")]
        for name, count in Counter(names).items():
            if count > 1 and name:
                raise DataError(f"'{path.name}' has {count} columns that are called '{name}'")
        return pd.read_csv(
            path,
            sep=";" if european else ",",
            decimal="," if european else ".",
            encoding="utf-8-sig",
            skipinitialspace=True,
            dtype={column: "str" for column in text if column in names},
        )
    except UnicodeDecodeError as error:
        raise DataError(f"'{path.name}' is not UTF-8 text", remedy="save it as 'CSV UTF-8'") from error
    except pd.errors.ParserError as error:
        raise DataError(f"'{path.name}' cannot be read as a table: {error}") from error


def _read_parquet(path: Path, text: tuple[str, ...]) -> pd.DataFrame:
    try:
        data = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"'{path.name}' cannot be read as a Parquet file: {error}") from error
    return data.astype({column: "str" for column in text if column in data.columns})
