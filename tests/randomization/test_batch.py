"""Batch files: assignments and a record that reproduces them; nothing is written when anything is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import randomization as rz
from randomization.batch import randomize_file, read_units, reproduce

DESIGN = {"method": "blocked", "ratio": {"portal": 1, "advice": 1}, "strata": ["region"]}


def write(folder: Path, text: str) -> Path:
    path = folder / "units.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def units(tmp_path: Path) -> Path:
    return write(tmp_path, "id,region,age\n" + "".join(f"0{k},{'NA' if k % 2 else 'zuid'},{k}\n" for k in range(1, 9)))


def test_the_record_reproduces_the_draw(units: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    batch = randomize_file(units, DESIGN, 7, out, id_column="id")
    record = json.loads((tmp_path / "out.csv.json").read_text())
    written = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert list(written["id"]) == [f"0{k}" for k in range(1, 9)]
    assert record["counts"] == {"portal": 4, "advice": 4}
    again = reproduce(record, read_units(units, rz.from_dict(DESIGN), id_column="id"))
    assert again.tolist() == written["arm"].tolist() == batch.assignments["arm"].tolist()


def test_a_record_with_sorted_keys_still_reproduces(units: Path, tmp_path: Path) -> None:
    batch = randomize_file(units, DESIGN, 7, tmp_path / "out.csv", id_column="id")
    record = json.loads(json.dumps(batch.record, sort_keys=True))
    frame = read_units(units, rz.from_dict(DESIGN), id_column="id")
    assert reproduce(record, frame).tolist() == batch.assignments["arm"].tolist()


def test_changed_units_or_a_changed_record_are_seen(units: Path, tmp_path: Path) -> None:
    record = randomize_file(units, DESIGN, 7, tmp_path / "out.csv", id_column="id").record
    frame = read_units(units, rz.from_dict(DESIGN), id_column="id")
    with pytest.raises(rz.UnitsError, match="not those of the record"):
        reproduce(record, frame.assign(region="zuid"))
    with pytest.raises(rz.UnitsError, match="arms are not those"):
        reproduce({**record, "seed": 8}, frame)
    with pytest.raises(rz.UnitsError, match="fingerprint"):
        reproduce({**record, "design": {**record["design"], "misfits": "stratum"}}, frame)


@pytest.mark.parametrize(
    ("text", "design", "message"),
    [
        ("id,region\n1,n\n1,z\n", DESIGN, "'1' occurs twice in column 'id'"),
        ("id,region\n1,n\n,z\n", DESIGN, "line 3 has no 'id'"),
        ("id,region\n1,n\n2,\n", DESIGN, "'region' is missing for unit '2'"),
        ("id,regio\n1,n\n2,z\n", DESIGN, "'region' is not among"),
        ("region\nn\nz\n", DESIGN, "'id' is not among"),
        ("id,region,arm\n1,n,a\n2,z,b\n", DESIGN, "'arm' is in the file already"),
        ("id,region\n", DESIGN, "holds no unit"),
        ("", DESIGN, "not a CSV file"),
        (
            "id,age\n1,20\n2,x\n",
            {"method": "rerandomized", "base": {"method": "complete", "ratio": ["a", "b"]}, "covariates": ["age"]},
            "'age' holds 'x' for unit '2'",
        ),
    ],
)
def test_nothing_is_written_when_anything_is_wrong(tmp_path: Path, text: str, design: dict, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(rz.UnitsError, match=message):
        randomize_file(path, design, 7, tmp_path / "out.csv", id_column="id")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["units.csv"]


def test_truths_and_numbers_are_read_from_text(tmp_path: Path) -> None:
    path = write(tmp_path, "id,enrolled,tickets\n1,true,2\n2,No,1\n3,1,1\n4,0,1\n")
    staged = rz.two_stage(["letter", "call"], ["portal", "advice"], enrolled="enrolled")
    assert read_units(path, staged, id_column="id")["enrolled"].tolist() == [True, False, True, False]
    batch = randomize_file(path, rz.lottery(2, tickets="tickets"), 3, tmp_path / "out.csv", id_column="id")
    assert batch.record["counts"] == {"waiting list": 2, "offer": 2}
