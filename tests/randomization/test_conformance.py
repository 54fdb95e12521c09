"""Every design keeps every promise: an explicit table property x design, where a cell that does not apply says why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import randomization as rz
from randomization.errors import DesignNotDefined
from randomization.live import GENESIS, Context, LogRow, chain_hash, next_draw, replay, scope, stratum_label
from randomization.sequential import Sequential

KEY = bytes(range(32))
CONTEXT = Context("conformance", "test", 1)

UNITS = pd.DataFrame(
    {
        "region": list("xyxyxyxy"),
        "sex": list("mmfffmmf"),
        "desk": list("aabbccdd"),
        "area": list("xxxxyyyy"),
        "pair": [1, 1, 2, 2, 3, 3, 4, 4],
        "tickets": [1, 2, 3, 1, 1, 2, 1, 1],
        "enrolled": [True, True, False, True, True, True, False, True],
        "age": [21.0, 55.0, 32.0, 28.0, 61.0, 44.0, 39.0, 25.0],
    },
    index=[f"u{number}" for number in range(8)],
)
SIX = UNITS.iloc[:6]


@dataclass(frozen=True)
class Case:
    """A design, units for its statistics (few, so that its support can be listed), and the same with other labels."""

    design: Any
    units: Any
    relabelled: Any


def arms(*names: str, weights: tuple[int, ...] = ()) -> dict[str, int]:
    return dict(zip(names, weights or (1,) * len(names), strict=True))


def case(make: Callable[[list[str]], Any], units: Any, names: str = "ab") -> Case:
    """The design with arms a, b, … and again with labels whose alphabetical order is the other way round."""
    return Case(make(list(names)), units, make([f"arm {chr(ord('z') - place)}" for place in range(len(names))]))


CASES: dict[str, Case] = {
    "simple": case(lambda n: rz.simple(arms(*n, weights=(1, 3))), 6),
    "complete": case(lambda n: rz.complete(n), 5, "abc"),
    "complete 2:7:1": case(lambda n: rz.complete(arms(*n, weights=(2, 7, 1))), 4, "abc"),
    "blocked": case(lambda n: rz.blocked(arms(*n, weights=(1, 2)), strata=["sex"]), UNITS.iloc[:7]),
    "blocked stratum": case(lambda n: rz.blocked(n, strata=["sex"], misfits="stratum"), UNITS.iloc[:7]),
    "blocked global": case(lambda n: rz.blocked(n, strata=["region"], misfits="global"), SIX, "ab"),
    "blocked drop": case(lambda n: rz.blocked(n, strata=["region"], misfits="drop"), SIX),
    "blocked error": case(lambda n: rz.blocked(n, strata=["region"], misfits="error"), UNITS),
    "permuted_blocks": case(lambda n: rz.permuted_blocks(n, strata=["sex"]), UNITS),
    "permuted_blocks 1:2": case(lambda n: rz.permuted_blocks(arms(*n, weights=(1, 2)), multiples=(1, 2)), 7),
    "clustered": case(lambda n: rz.clustered(n, "desk", strata=["area"]), UNITS),
    "matched_pairs": case(lambda n: rz.matched_pairs(n, "pair"), UNITS),
    "factorial": case(lambda n: rz.factorial({"p": n[:2], "q": n[2:]}, strata=["region"]), UNITS.iloc[:5], "abcd"),
    "two_stage": case(lambda n: rz.two_stage(n[:2], n[2:], enrolled="enrolled"), UNITS.iloc[:5], "abcd"),
    "two_stage saturation": case(
        lambda n: rz.two_stage(
            rz.clustered(n[:2], "pair"), {n[0]: arms(*n[2:]), n[1]: arms(*n[2:], weights=(1, 2))}, within="pair"
        ),
        SIX,
        "abcd",
    ),
    "stepped_wedge": case(lambda n: rz.stepped_wedge("desk", steps=2), UNITS),
    "rerandomized": case(lambda n: rz.rerandomized(rz.complete(n), ["age"], p_accept=0.5), SIX),
    "biased_coin": case(lambda n: rz.biased_coin(n, p=2 / 3), 6),
    "big_stick": case(lambda n: rz.big_stick(n, limit=2, strata=["region"]), UNITS),
    "urn": case(lambda n: rz.urn(n, alpha=1, beta=1), 5, "abc"),
    "block_urn": case(lambda n: rz.block_urn(arms(*n, weights=(1, 2)), multiple=2), 7),
    "maximal_procedure": case(lambda n: rz.maximal_procedure(n, mti=2, length=6), 6),
    "minimization": case(lambda n: rz.minimization(n, {"sex": 2, "region": 1}, p=0.8), SIX),
    "adaptive": case(lambda n: rz.adaptive(n, evidence={n[0]: (3, 1), n[1]: (1, 4)}), 4),
    "lottery": case(lambda n: rz.lottery(3, strata=["sex"]), UNITS.iloc[:7]),
    "lottery tickets": case(lambda n: rz.lottery(2, tickets="tickets"), SIX),
}
SEQUENTIAL = {name for name, item in CASES.items() if isinstance(item.design, Sequential)}

BATCH = "allocates everybody at once, so there are no arrivals"
FIXED = "its arms have names of their own, which cannot be chosen"
NO_BLOCK = "has no blocks"

# Cells that do not apply, by property and design. Every other cell of the table is a test.
NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "probabilities sum to one": {"blocked drop": "a misfit left out has no arm; the sum is the chance of staying in"},
    "a draw never looks at later arrivals": {name: BATCH for name in CASES if name not in SEQUENTIAL},
    "live draws replay without a difference": {name: BATCH for name in CASES if name not in SEQUENTIAL},
    "live draws do not hang on the order of keys": {name: BATCH for name in CASES if name not in SEQUENTIAL},
    "live draws have the chances of the design": {
        **{name: BATCH for name in CASES if name not in SEQUENTIAL},
        "minimization": "its chances hang on who came before; they are compared move by move in the live tests",
    },
    "imbalance stays within what predictability says": {
        **{name: BATCH for name in CASES if name not in SEQUENTIAL},
        "minimization": "balances margins, so predictability is not defined without the arrivals",
    },
    "batch designs refuse a live draw": dict.fromkeys(SEQUENTIAL, "can be drawn from live"),
    "whole blocks are exactly in the ratio": {
        name: NO_BLOCK for name in CASES if not name.startswith("permuted_blocks")
    },
    "relabelling arms relabels the draw": {"stepped_wedge": FIXED, "lottery": FIXED, "lottery tickets": FIXED},
}


def probabilities_sum_to_one(item: Case) -> None:
    total = item.design.probabilities(item.units, n=200).sum(axis=1)
    assert np.allclose(total, 1, atol=1e-12)


def drawn_shares_match_the_probabilities(item: Case) -> None:
    chances = item.design.probabilities(item.units, n=3_000, seed=99)
    draws = item.design.draws(item.units, 1_500, seed=11)
    for code, name in enumerate(item.design.names):
        share = (draws == code).mean(axis=0)
        p = chances[name].to_numpy()
        error = np.sqrt(p * (1 - p) / 1_500 + chances.attrs["standard_error"] ** 2)
        assert (np.abs(share - p) <= 5 * error + 1e-12).all(), name


def same_seed_same_draw(item: Case) -> None:
    first, again = (item.design.draws(item.units, 20, seed=5) for _ in range(2))
    assert (first == again).all()
    assert (first != item.design.draws(item.units, 20, seed=6)).any()


def draw_is_a_row_of_draws(item: Case) -> None:
    drawn = item.design.draw(item.units, seed=3)
    codes = item.design.draws(item.units, 1, seed=3)
    assert codes.dtype == np.uint8
    assert codes.shape == (1, len(drawn))
    names = [item.design.names[code] if code != 255 else None for code in codes[0]]
    assert [None if pd.isna(name) else name for name in drawn] == names
    if isinstance(item.units, pd.DataFrame):
        assert drawn.index.equals(item.units.index)


def a_draw_never_looks_at_later_arrivals(item: Case) -> None:
    whole = item.design.draws(item.units, 10, seed=8)
    for k in range(1, whole.shape[1]):
        part = item.units.iloc[:k] if isinstance(item.units, pd.DataFrame) else k
        assert (item.design.draws(part, 10, seed=8) == whole[:, :k]).all()


def relabelling_arms_relabels_the_draw(item: Case) -> None:
    assert item.design.names != item.relabelled.names
    # Cells of a factorial are laid out by factor and level in the order given, so codes correspond one to one.
    assert (item.design.draws(item.units, 20, seed=4) == item.relabelled.draws(item.units, 20, seed=4)).all()


def json_round_trip_keeps_the_fingerprint(item: Case) -> None:
    form = item.design.to_dict()
    again = rz.from_dict(json.loads(json.dumps(form)))
    assert again == item.design
    assert again.fingerprint == item.design.fingerprint
    assert (again.draws(item.units, 5, seed=1) == item.design.draws(item.units, 5, seed=1)).all()
    assert rz.from_dict(json.loads(json.dumps(form, sort_keys=True))).fingerprint == item.design.fingerprint


def only_legal_allocations_occur_with_their_chances(item: Case) -> None:
    support = item.design.support(item.units)
    assert sum(support.probabilities) == 1
    assert len(support) == item.design.n_allocations(item.units)
    n = max(1_500, 8 * len(support))
    seen = Counter(row.tobytes() for row in item.design.draws(item.units, n, seed=17))
    expected = {
        codes.tobytes(): float(chance) * n
        for codes, chance in zip(support.allocations, support.probabilities, strict=True)
    }
    assert set(seen) <= set(expected)
    statistic = sum((seen[key] - value) ** 2 / value for key, value in expected.items())
    assert len(expected) == 1 or chi2.sf(statistic, len(expected) - 1) > 1e-4


def support_agrees_with_the_probabilities(item: Case) -> None:
    support = item.design.support(item.units)
    chances = item.design.probabilities(item.units, n=4_000)
    for code, name in enumerate(item.design.names):
        listed = [
            float(
                sum(
                    (
                        p
                        for codes, p in zip(support.allocations, support.probabilities, strict=True)
                        if codes[k] == code
                    ),
                    Fraction(0),
                )
            )
            for k in range(support.allocations.shape[1])
        ]
        assert np.allclose(chances[name], listed, atol=max(1e-12, 5 * chances.attrs["standard_error"]))


def people_of(item: Case) -> list[dict[str, str]]:
    columns = ["region", "sex"]
    return [{name: str(row[name]) for name in columns} for _, row in UNITS.iterrows()] * 5


def live_log(design: Any, people: list[dict[str, str]], key: bytes = KEY) -> list[LogRow]:
    """Arrivals taken one by one, as the pilot's allocator does."""
    states: dict[str, Any] = {}
    heads: dict[str, str] = {}
    counts: Counter[str] = Counter()
    log = []
    for sequence, person in enumerate(people, start=1):
        stratum = stratum_label(design, person)
        row = stratum if scope(design) == "stratum" else "pilot"
        counts[row] += 1
        drawn = next_draw(
            design,
            key=key,
            context=CONTEXT,
            stratum=stratum,
            position=counts[row],
            state=states.get(row),
            covariates=person,
        )
        states[row] = json.loads(json.dumps(drawn.state))
        payload = {"arm": drawn.arm, "stratum": stratum, "position": counts[row], "covariates": person}
        previous = heads.get(stratum, GENESIS)
        heads[stratum] = chain_hash(previous, payload)
        log.append(LogRow(sequence, stratum, counts[row], drawn.arm, person, previous, heads[stratum], payload))
        assert drawn.probability == drawn.probabilities[drawn.arm] > 0
        assert sum(drawn.probabilities.values()) == 1
    return log


def live_draws_replay_without_a_difference(item: Case) -> None:
    log = live_log(item.design, people_of(item))
    assert replay(item.design, key=KEY, context=CONTEXT, log=log) == []
    assert any(found.what == "arm" for found in replay(item.design, key=bytes(32), context=CONTEXT, log=log))


def live_draws_do_not_hang_on_the_order_of_keys(item: Case) -> None:
    sorted_keys = rz.from_dict(json.loads(json.dumps(item.relabelled.to_dict(), sort_keys=True)))
    assert sorted_keys.names != item.relabelled.names
    people = people_of(item)
    assert [row.arm for row in live_log(sorted_keys, people)] == [row.arm for row in live_log(item.relabelled, people)]


def live_draws_have_the_chances_of_the_design(item: Case) -> None:
    first = Counter(
        next_draw(item.design, key=key.to_bytes(32, "big"), context=CONTEXT, stratum="all", position=1, state=None).arm
        for key in range(1_000)
    )
    chances = item.design.probabilities(1 if not item.design.strata else UNITS.iloc[:1])
    for name in item.design.names:
        p = float(chances[name].iloc[0])
        assert abs(first[name] / 1_000 - p) <= 5 * np.sqrt(p * (1 - p) / 1_000)


def imbalance_stays_within_what_predictability_says(item: Case) -> None:
    n = 6
    worst = item.design.predictability(n).max_imbalance
    units = n if not item.design.strata else UNITS.iloc[:n].assign(region="x", sex="m")
    seen = Fraction(0)
    for row in item.design.support(units).allocations:
        for k in range(1, n + 1):
            scaled = [Fraction(int((row[:k] == code).sum()), w) for code, w in enumerate(item.design.weights)]
            seen = max(seen, max(scaled) - min(scaled))
    assert seen == worst


def batch_designs_refuse_a_live_draw(item: Case) -> None:
    with pytest.raises(DesignNotDefined, match="cannot meet people one by one"):
        next_draw(item.design, key=KEY, context=CONTEXT, stratum="all", position=1, state=None)


def whole_blocks_are_exactly_in_the_ratio(item: Case) -> None:
    design = rz.permuted_blocks(dict(zip(item.design.names, item.design.weights, strict=True)), multiples=(2,))
    size = design.sizes[0]
    for row in design.draws(5 * size, 200, seed=9):
        for block in row.reshape(5, size):
            assert np.bincount(block, minlength=2).tolist() == [2 * weight for weight in design.weights]
        ahead = np.abs(np.cumsum(row == 0) * design.weights[1] - np.cumsum(row == 1) * design.weights[0])
        assert ahead.max() <= 2 * design.weights[0] * design.weights[1]


PROPERTIES: dict[str, Callable[[Case], None]] = {
    "probabilities sum to one": probabilities_sum_to_one,
    "drawn shares match the probabilities": drawn_shares_match_the_probabilities,
    "same seed same draw": same_seed_same_draw,
    "draw is a row of draws": draw_is_a_row_of_draws,
    "a draw never looks at later arrivals": a_draw_never_looks_at_later_arrivals,
    "relabelling arms relabels the draw": relabelling_arms_relabels_the_draw,
    "JSON round trip keeps the fingerprint": json_round_trip_keeps_the_fingerprint,
    "only legal allocations occur, with their chances": only_legal_allocations_occur_with_their_chances,
    "support agrees with the probabilities": support_agrees_with_the_probabilities,
    "live draws replay without a difference": live_draws_replay_without_a_difference,
    "live draws do not hang on the order of keys": live_draws_do_not_hang_on_the_order_of_keys,
    "live draws have the chances of the design": live_draws_have_the_chances_of_the_design,
    "imbalance stays within what predictability says": imbalance_stays_within_what_predictability_says,
    "batch designs refuse a live draw": batch_designs_refuse_a_live_draw,
    "whole blocks are exactly in the ratio": whole_blocks_are_exactly_in_the_ratio,
}

CELLS = [
    pytest.param(PROPERTIES[name], CASES[design], id=f"{name}-{design}")
    for name in PROPERTIES
    for design in CASES
    if design not in NOT_APPLICABLE.get(name, {})
]


@pytest.mark.parametrize(("holds", "item"), CELLS)
def test_every_design_keeps_every_promise(holds: Callable[[Case], None], item: Case) -> None:
    holds(item)


def test_a_cell_that_does_not_apply_says_why() -> None:
    assert set(NOT_APPLICABLE) <= set(PROPERTIES)
    for name, reasons in NOT_APPLICABLE.items():
        assert set(reasons) <= set(CASES), name
        assert all(len(reason) > 8 for reason in reasons.values()), name


def test_every_method_has_a_row_in_the_table() -> None:
    from randomization.designs import METHODS

    assert set(METHODS) == {item.design.method for item in CASES.values()}
