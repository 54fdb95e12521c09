"""One checked row per participant, and tables that are read or refused with the place named."""

from __future__ import annotations

import pandas as pd
import pytest

import randomization as rz
from analysis import Trial, read_data
from analysis.errors import DataError, MissingValues, UnknownColumn

TWO = pd.DataFrame({"arm": ["a", "b", "a", "b"], "desk": [1, 2, 1, 2], "who": list("wxyz"), "y": [1.0, 2, 3, 4]})


@pytest.mark.parametrize(
    ("data", "settings", "error", "words"),
    [
        (TWO, {"arm": "arms"}, UnknownColumn, "did you mean 'arm'"),
        (TWO.assign(arm=["a", None, "a", "b"]), {}, MissingValues, "'arm' is empty on 1 of 4 rows"),
        (TWO.assign(arm=list("abac")), {"design": rz.complete(["a", "b"])}, DataError, "row 3: arm 'c'"),
        (TWO.assign(who=list("wxww")), {"identity": "who"}, DataError, "participant 'w' stands on more than one row"),
        (TWO.assign(desk=[1, 1, 2, 2]), {"clusters": "desk"}, DataError, "cluster '1' has more than one arm"),
        (TWO.assign(duo=[1, 1, 1, 2]), {"pairs": "duo"}, DataError, "pair '1' has 3 members"),
        (TWO.assign(duo=[1, 2, 1, 2]), {"pairs": "duo"}, DataError, "pair '1' are in the same arm"),
        (TWO.assign(chance=[0.5, 0.5, 1.0, 0.5]), {"probability": "chance"}, DataError, "row 2: the probability"),
        (TWO, {"control": "c"}, DataError, "control arm 'c' is no arm"),
        (TWO.iloc[:0], {}, DataError, "no participants"),
        ([1, 2], {}, DataError, "analysis.read_data"),
    ],
)
def test_a_row_that_cannot_belong_to_the_trial_is_refused(data, settings, error, words):
    with pytest.raises(error, match=words):
        Trial(data, **settings)


def test_the_data_handed_in_stay_as_they_were():
    before = TWO.copy()
    trial = Trial(TWO.assign(arm=[0, 1, 0, 1]), control="0")
    assert trial.counts() == {"0": 2, "1": 2}
    pd.testing.assert_frame_equal(before, TWO)


def test_the_arms_and_strata_are_those_of_the_design():
    design = rz.blocked({"b": 1, "a": 1, "unused": 1}, strata=["desk"])
    trial = Trial(TWO, design=design)
    assert set(trial.arms) == {"a", "b", "unused"}
    assert trial.counts()["unused"] == 0
    assert trial.stratum().tolist() == ["1", "2", "1", "2"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("empty.csv", "", "no header"),
        ("rows.csv", "a,b\n", "no rows"),
        ("twice.csv", "a,a\n1,2\n", "2 columns that are called 'a'"),
        ("table.xls", "x", "not a kind of file"),
        ("ragged.csv", "a,b\n1,2\n1,2,3,4\n", "cannot be read as a table"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, name, text, words):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_data(tmp_path / name)


def test_a_file_in_another_encoding_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "latin.csv").write_bytes("naam,y\ncafé,1\n".encode("latin-1"))
    with pytest.raises(DataError, match="CSV UTF-8"):
        read_data(tmp_path / "latin.csv")


def test_parquet_and_both_kinds_of_csv_give_the_same_table(tmp_path):
    table = pd.DataFrame({"id": ["007", "008"], "hours": [1.5, 2.25]})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "b.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig")
    table.to_parquet(tmp_path / "c.parquet")
    for name in ("a.csv", "b.csv", "c.parquet"):
        found = read_data(tmp_path / name, columns=["hours"], text=["id"])
        assert found.to_dict("list") == table.to_dict("list")
    with pytest.raises(UnknownColumn, match="did you mean 'hours'"):
        read_data(tmp_path / "a.csv", columns=["hour"])
