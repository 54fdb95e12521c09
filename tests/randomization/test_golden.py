"""Golden vectors: an upgrade of Python, numpy or this package may not change an allocation that was made."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest

import randomization as rz
from randomization.live import Context, next_draw
from randomization.streams import ALGORITHM, GENERATOR, KeyedStream, SeededStream, below, shuffled

GOLDEN = json.loads((Path(__file__).parents[1] / "reference" / "randomization" / "golden.json").read_text())


def test_the_seeded_stream_is_fixed() -> None:
    golden = GOLDEN["seeded"]
    assert golden["generator"] == GENERATOR
    assert [str(word) for word in SeededStream(golden["seed"]).words(8).tolist()] == golden["words"]
    assert [str(word) for word in SeededStream(golden["seed"], 3).words(4).tolist()] == golden["part_3"]
    assert SeededStream(golden["seed"]).below(6, 20).tolist() == golden["below_6"]


def test_the_keyed_stream_is_fixed() -> None:
    golden = GOLDEN["keyed"]
    stream = KeyedStream(bytes.fromhex(golden["key"]), tuple(golden["fields"]))
    words = stream.words()
    assert golden["algorithm"] == ALGORITHM
    assert [str(word) for word in islice(stream.words(), 8)] == golden["words"]
    assert [below(words, 10) for _ in range(20)] == golden["below_10"]
    assert shuffled(stream.words(), list(range(10))) == golden["shuffled"]


UNITS = pd.DataFrame({"region": list("xyxyxyxy"), "sex": list("mmfffmmf")}, index=[f"u{k}" for k in range(8)])
DESIGNS = {
    "simple": (rz.simple({"a": 1, "b": 3}), 6),
    "complete": (rz.complete(["a", "b", "c"]), 5),
    "blocked": (rz.blocked({"a": 1, "b": 2}, strata=["sex"]), UNITS.iloc[:7]),
    "permuted_blocks": (rz.permuted_blocks(["a", "b"], strata=["sex"]), UNITS),
    "big_stick": (rz.big_stick(["a", "b"], limit=2, strata=["region"]), UNITS),
    "urn": (rz.urn(["a", "b", "c"]), 5),
    "block_urn": (rz.block_urn({"a": 1, "b": 2}, multiple=2), 7),
    "minimization": (rz.minimization(["a", "b"], {"sex": 2, "region": 1}, p=0.8), UNITS.iloc[:6]),
    "lottery": (rz.lottery(3, strata=["sex"]), UNITS.iloc[:7]),
}


@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_the_draw_of_a_seed_is_fixed(name: str) -> None:
    design, units = DESIGNS[name]
    drawn = design.draws(units, 3, seed=GOLDEN["seeded"]["seed"])
    assert ["".join(str(code) for code in row) for row in drawn.tolist()] == GOLDEN["draws"][name]


@pytest.mark.parametrize(
    ("ratio", "units", "draws", "name"),
    [
        ({"a": 1, "b": 2, "c": 2}, 5_000, 7, "complete 1:2:2, 5,000 units, 7 draws"),
        ({"a": 1, "b": 1}, 3_001, 5, "complete 1:1, 3,001 units, 5 draws"),
    ],
)
def test_large_draws_are_fixed(ratio: dict[str, int], units: int, draws: int, name: str) -> None:
    drawn = rz.complete(ratio).draws(units, draws, seed=1)
    assert hashlib.sha256(drawn.tobytes()).hexdigest() == GOLDEN["large"][name]


@pytest.mark.parametrize("name", ["permuted_blocks", "big_stick", "block_urn", "urn", "simple", "minimization"])
def test_live_arms_and_fingerprints_are_fixed(name: str) -> None:
    design, golden = DESIGNS[name][0], GOLDEN["live"][name]
    assert design.fingerprint == golden["fingerprint"]
    people = [{column: str(row[column]) for column in UNITS.columns} for _, row in UNITS.iterrows()] * 2
    states, counts, arms = {}, {}, []
    for person in people:
        stratum = "|".join(person[column] for column in design.strata) or "all"
        counts[stratum] = counts.get(stratum, 0) + 1
        drawn = next_draw(
            design,
            key=bytes(range(32)),
            context=Context("conformance", "test", 1),
            stratum=stratum,
            position=counts[stratum],
            state=states.get(stratum),
            covariates=person,
        )
        states[stratum] = drawn.state
        arms.append(drawn.arm)
    assert arms == golden["arms"]


def test_importing_the_package_and_a_live_draw_loads_no_data_frames() -> None:
    code = (
        "import sys, randomization as rz\n"
        "assert 'numpy' not in sys.modules\n"
        "from randomization.live import Context, next_draw\n"
        "d = rz.permuted_blocks(['a', 'b'])\n"
        "next_draw(d, key=bytes(32), context=Context('p', 'live', 1), stratum='all', position=1, state=None)\n"
        "assert not {'numpy', 'pandas', 'scipy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_every_public_name_can_be_had() -> None:
    for name in rz.__all__:
        assert getattr(rz, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'permuted_block'"):
        rz.permuted_block  # noqa: B018


def test_a_design_travels_to_another_process_without_the_units_it_has_seen() -> None:
    design = rz.blocked({"b": 1, "a": 2}, strata=["sex"])
    fresh = len(pickle.dumps(design))
    design.draw(UNITS, seed=1)
    copy = pickle.loads(pickle.dumps(design))
    assert copy == design
    assert copy.names == ("b", "a")
    assert len(pickle.dumps(design)) == fresh


def test_changed_values_in_the_same_frame_are_drawn_anew() -> None:
    units = UNITS.copy()
    design = rz.blocked(["a", "b"], strata=["sex"])
    design.draw(units, seed=1)
    units["sex"] = list("mmmmffff")
    drawn = design.draw(units, seed=1)
    assert (drawn == "a").groupby(units["sex"]).sum().tolist() == [2, 2]
    units.loc["u0", "sex"] = None
    with pytest.raises(rz.UnitsError, match="'u0'"):
        design.draw(units, seed=1)
