"""The live allocator: pure, bound to its place, balanced, and its log shows every tampering."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import randomization as rz
from randomization.live import (
    GENESIS,
    Context,
    Difference,
    LogRow,
    chain_hash,
    commitment,
    next_draw,
    opening_state,
    replay,
    scope,
    stratum_label,
    verify_commitment,
)
from randomization.sequential import Sequential

KEY = bytes(range(32))
LIVE = Context("advice-2026", "live", 1)
BLOCKS = rz.permuted_blocks({"portal": 1, "advice": 1}, strata=["region"], multiples=(2, 3))
MINIMISED = rz.minimization(["a", "b", "c"], {"sex": 2, "region": 1}, p=0.8)


def arms_of(design: Any, n: int, *, key: bytes = KEY, context: Context = LIVE, stratum: str = "noord") -> list[str]:
    state, arms = None, []
    for position in range(1, n + 1):
        drawn = next_draw(design, key=key, context=context, stratum=stratum, position=position, state=state)
        state = drawn.state
        arms.append(drawn.arm)
    return arms


def chained(rows: list[tuple[str, str, dict[str, str]]], extra: dict[str, Any] | None = None) -> list[LogRow]:
    """Rows (stratum, arm, covariates) as a log with positions and hash chains by stratum."""
    heads: dict[str, str] = {}
    counts: Counter[str] = Counter()
    log = []
    for sequence, (stratum, arm, person) in enumerate(rows, start=1):
        counts[stratum] += 1
        payload = {"arm": arm, "position": counts[stratum], "stratum": stratum} | (extra or {})
        previous = heads.get(stratum, GENESIS)
        heads[stratum] = chain_hash(previous, payload)
        log.append(LogRow(sequence, stratum, counts[stratum], arm, person, previous, heads[stratum], payload))
    return log


def honest_log(n: int = 20) -> list[LogRow]:
    lines = {region: iter(arms_of(BLOCKS, n, stratum=region)) for region in ("noord", "zuid")}
    people = ["noord" if place % 3 else "zuid" for place in range(n)]
    return chained([(region, next(lines[region]), {"region": region}) for region in people])


def whats(found: list[Difference]) -> set[str]:
    return {difference.what for difference in found}


def test_the_same_arguments_give_the_same_arm_and_others_another_sequence() -> None:
    first = arms_of(BLOCKS, 60)
    assert arms_of(BLOCKS, 60) == first
    others = [
        arms_of(BLOCKS, 60, key=bytes(32)),
        arms_of(BLOCKS, 60, stratum="zuid"),
        arms_of(BLOCKS, 60, context=Context("advice-2026", "test", 1)),
        arms_of(BLOCKS, 60, context=Context("advice-2026", "live", 2)),
        arms_of(BLOCKS, 60, context=Context("other", "live", 1)),
        arms_of(rz.permuted_blocks({"portal": 1, "advice": 1}, strata=["region"], multiples=(2, 4)), 60),
    ]
    assert all(sequence != first for sequence in others)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 3), min_size=2, max_size=4), st.lists(st.integers(1, 3), min_size=1, max_size=2))
def test_blocks_are_exactly_in_the_ratio_and_prefixes_within_half_a_block(
    ratio: list[int], multiples: list[int]
) -> None:
    names = [f"arm {place}" for place in range(len(ratio))]
    design = rz.permuted_blocks(dict(zip(names, ratio, strict=True)), multiples=multiples)
    arms = arms_of(design, 60)
    worst = max(float(Fraction(max(design.multiples))), 1.0)
    counts: Counter[str] = Counter()
    for place, arm in enumerate(arms, start=1):
        counts[arm] += 1
        for name, share in zip(design.names, design.shares, strict=True):
            weight = design.weights[design.names.index(name)]
            assert abs(counts[name] - place * share) <= worst * weight
    state, block, begin = None, 1, 0
    for position in range(1, 61):
        drawn = next_draw(design, key=KEY, context=LIVE, stratum="noord", position=position, state=state)
        state = drawn.state
        if state["block"] != block:
            inside = Counter(arms[begin : position - 1])
            unit = (position - 1 - begin) // sum(design.weights)
            assert inside == Counter(dict(zip(design.names, (unit * w for w in design.weights), strict=True)))
            block, begin = state["block"], state["begin"]


def test_the_state_of_a_block_does_not_hold_what_is_to_come() -> None:
    drawn = next_draw(BLOCKS, key=KEY, context=LIVE, stratum="noord", position=1, state=None)
    assert drawn.state == {"position": 1, "block": 1, "begin": 0}


def test_positions_out_of_order_are_refused() -> None:
    first = next_draw(BLOCKS, key=KEY, context=LIVE, stratum="noord", position=1, state=None)
    for position, state in ((2, None), (1, first.state), (3, first.state), (0, None), (-1, None)):
        with pytest.raises(rz.AllocationError, match="position"):
            next_draw(BLOCKS, key=KEY, context=LIVE, stratum="noord", position=position, state=state)


def test_a_short_key_and_a_wrong_context_are_refused() -> None:
    with pytest.raises(rz.AllocationError, match="key holds 4 bytes"):
        next_draw(BLOCKS, key=b"Jefe", context=LIVE, stratum="noord", position=1, state=None)
    with pytest.raises(rz.AllocationError, match="mode 'trial'"):
        Context("p", "trial", 1)
    with pytest.raises(rz.AllocationError, match="epoch"):
        Context("p", "live", -1)


def test_an_epoch_that_opens_later_starts_a_fresh_block() -> None:
    later = opening_state(BLOCKS, 58)
    drawn = next_draw(BLOCKS, key=KEY, context=LIVE, stratum="noord", position=58, state=later)
    first = next_draw(BLOCKS, key=KEY, context=LIVE, stratum="noord", position=1, state=None)
    assert drawn.arm == first.arm
    assert drawn.state["begin"] == 57


def test_stratum_labels_are_canonical_and_never_collide() -> None:
    design = rz.permuted_blocks(["a", "b"], strata=["region", "schooling"])
    assert stratum_label(design, {"schooling": "mbo2", "region": "noord"}) == "noord|mbo2"
    left = stratum_label(design, {"region": "a|b", "schooling": "c"})
    right = stratum_label(design, {"region": "a", "schooling": "b|c"})
    assert left != right
    for value in ({"region": "noord"}, {"region": "noord", "schooling": ""}, {"region": "noord", "schooling": None}):
        with pytest.raises(rz.UnitsError, match="'schooling'") as caught:
            stratum_label(design, value)  # type: ignore[arg-type]
        assert caught.value.path == ("schooling",)


def test_whose_row_is_locked() -> None:
    assert scope(BLOCKS) == scope(rz.big_stick(["a", "b"])) == "stratum"
    assert scope(MINIMISED) == scope(rz.adaptive(["a", "b"])) == "pilot"
    with pytest.raises(rz.DesignNotDefined):
        scope(rz.complete(["a", "b"]))


def test_minimisation_stores_margins_and_the_chances_of_the_rule() -> None:
    state = None
    people = [{"sex": "f" if k % 2 else "m", "region": "noord" if k % 3 else "zuid"} for k in range(12)]
    for position, person in enumerate(people, start=1):
        margins = {} if state is None else state["margins"]
        full = {factor: margins.get(factor, {}) for factor in MINIMISED.factors}
        chances = MINIMISED.chances_for(full, person)
        drawn = next_draw(
            MINIMISED, key=KEY, context=LIVE, stratum="all", position=position, state=state, covariates=person
        )
        assert drawn.probabilities == chances
        state = drawn.state
    assert sum(sum(level.values()) for level in state["margins"]["sex"].values()) == 12


def test_minimisation_names_the_factor_without_a_value() -> None:
    with pytest.raises(rz.UnitsError, match="'sex'"):
        next_draw(
            MINIMISED, key=KEY, context=LIVE, stratum="all", position=1, state=None, covariates={"region": "noord"}
        )


def test_adaptive_draws_follow_the_evidence_in_the_state() -> None:
    design = rz.adaptive(["a", "b"], floor="1/20")
    before = design.with_evidence(None, {"a": [40, 2], "b": [3, 40]})
    drawn = next_draw(design, key=KEY, context=LIVE, stratum="all", position=1, state=before)
    assert drawn.probabilities["b"] == Fraction(1, 20)
    assert drawn.state["evidence"] == {"a": [40, 2], "b": [3, 40]}
    log = chained([("all", drawn.arm, {})], {"evidence": {"a": [40, 2], "b": [3, 40]}})
    assert replay(design, key=KEY, context=LIVE, log=log) == []


def test_an_honest_log_replays_clean_and_in_any_order_of_reading() -> None:
    log = honest_log()
    assert replay(BLOCKS, key=KEY, context=LIVE, log=log) == []
    assert replay(BLOCKS, key=KEY, context=LIVE, log=reversed(log)) == []


def test_an_arm_changed_with_its_whole_chain_made_anew_is_seen() -> None:
    rows = [(row.stratum, row.arm, dict(row.covariates)) for row in honest_log()]
    other = "portal" if rows[4][1] == "advice" else "advice"
    rows[4] = (rows[4][0], other, rows[4][2])
    found = replay(BLOCKS, key=KEY, context=LIVE, log=chained(rows))
    assert [(d.sequence, d.what, d.recorded) for d in found] == [(5, "arm", other)]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            lambda log: [*log[:4], replace(log[4], arm="portal" if log[4].arm == "advice" else "advice"), *log[5:]],
            "arm",
        ),
        (lambda log: [*log[:4], *log[5:]], "position"),
        (lambda log: [*log[:4], replace(log[4], recorded={**log[4].recorded, "note": "x"}), *log[5:]], "row_hash"),
        (lambda log: [*log[:4], replace(log[4], row_hash="f" * 64), *log[5:]], "row_hash"),
        (lambda log: [*log[:4], replace(log[4], position=9), *log[5:]], "position"),
        (lambda log: [*log, replace(log[-1], sequence=99)], "previous_hash"),
        (lambda log: [*log[:4], replace(log[4], covariates={"region": "oost"}), *log[5:]], "stratum"),
        (
            lambda log: [*log[:1], replace(log[1], sequence=3), replace(log[2], sequence=2), *log[3:]],
            "previous_hash",
        ),
    ],
    ids=["arm", "deleted", "payload", "hash", "position", "inserted", "covariates", "reordered"],
)
def test_tampering_is_seen(change: Any, what: str) -> None:
    assert what in whats(replay(BLOCKS, key=KEY, context=LIVE, log=change(honest_log())))


def test_a_tail_cut_off_is_seen_against_an_anchored_head() -> None:
    log = honest_log()
    heads = {row.stratum: row.row_hash for row in log}
    assert replay(BLOCKS, key=KEY, context=LIVE, log=log, heads=heads) == []
    assert replay(BLOCKS, key=KEY, context=LIVE, log=log[:-1]) == []
    assert whats(replay(BLOCKS, key=KEY, context=LIVE, log=log[:-1], heads=heads)) == {"head"}
    assert whats(replay(BLOCKS, key=KEY, context=LIVE, log=[], heads=heads)) == {"head"}


def test_the_commitment_binds_key_and_nonce() -> None:
    published = commitment(KEY, b"nonce")
    assert verify_commitment(published, KEY, b"nonce")
    assert not verify_commitment(published, KEY, b"other")
    assert not verify_commitment(published, bytes(32), b"nonce")


def test_live_shares_follow_the_ratio() -> None:
    design = rz.permuted_blocks({"a": 1, "b": 2})
    shares: Counter[str] = Counter()
    for key in range(600):
        shares[arms_of(design, 5, key=key.to_bytes(32, "big"))[4]] += 1
    assert abs(shares["b"] / 600 - 2 / 3) < 5 * (2 / 9 / 600) ** 0.5


@pytest.mark.parametrize("measure", ["range", "variance", "sd"])
@pytest.mark.parametrize("ratio", [{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 3}])
def test_minimising_many_draws_at_once_gives_the_arms_of_one_at_a_time(measure: str, ratio: dict[str, int]) -> None:
    design = rz.minimization(ratio, {"sex": "3/2", "region": 1}, imbalance=measure, p=0.8)
    units = pd.DataFrame(
        {"sex": ["f" if k % 2 else "m" for k in range(24)], "region": [str(k % 5 // 2) for k in range(24)]}
    )
    layout = design.layout(units)
    assert (design.codes(layout, 12, 5) == Sequential.codes(design, layout, 12, 5)).all()


def test_covariates_logged_as_numbers_are_those_of_the_row() -> None:
    person = {"region": "noord", "age": "31"}
    drawn = next_draw(BLOCKS, key=KEY, context=LIVE, stratum="noord", position=1, state=None, covariates=person)
    payload = {"arm": drawn.arm, "covariates": {"region": "noord", "age": 31}}
    row = LogRow(1, "noord", 1, drawn.arm, person, GENESIS, chain_hash(GENESIS, payload), payload)
    assert replay(BLOCKS, key=KEY, context=LIVE, log=[row]) == []


@pytest.mark.parametrize(
    "design",
    [
        rz.urn(["a", "b", "c"], alpha=1, beta=2),
        rz.urn(["a", "b"], alpha=0, beta=1),
        rz.big_stick(["a", "b"], limit=2),
        rz.permuted_blocks({"a": 1, "b": 2}),
        rz.minimization(["a", "b"], ["sex"]),
    ],
    ids=lambda design: f"{design.method} {len(design.arms)}",
)
def test_few_draws_and_many_draws_take_the_same_way(design: Any) -> None:
    units = pd.DataFrame({"sex": list("mfffm") * 6})
    layout = design.layout(units)
    many = design.codes(layout, 20, 3)
    assert (many[:1] == design.codes(layout, 1, 3)).all()
    assert (many == Sequential.codes(design, layout, 20, 3)).all()
    assert (many[:5] == Sequential.codes(design, layout, 5, 3)).all()
