"""Many people draw at the same moment, in processes of their own, and some transactions are undone half-way."""

from __future__ import annotations

import pytest
from arrivals import broken_promises, draw_together, get_ready, unbalanced
from live_designs import DESIGNS, drawn_by
from small_pilot import Site, with_capacity
from sqlalchemy import select

from pilot.db import Database
from pilot.errors import Refused
from pilot.models import Allocation, StratumState


def crowd(site: Site, *, processes: int, each: int, strata: int, blocks: bool = True) -> list[str]:
    everybody = get_ready(site, processes * each, strata=strata)
    told = draw_together(site, everybody, processes=processes, rollbacks=0.05)
    assert sum(one.rollbacks for one in told) > 0
    assert set().union(*(one.places for one in told)) == set(everybody)
    return broken_promises(site, told, everybody=everybody, blocks=blocks)


@pytest.mark.parametrize("strata", [1, 8])
def test_eight_processes_lose_nobody_and_double_nobody(either_site: Site, strata: int):
    assert crowd(either_site, processes=8, each=25, strata=strata) == []


@pytest.mark.heavy
@pytest.mark.parametrize("strata", [1, 8])
def test_a_long_queue_loses_nobody_and_doubles_nobody(either_site: Site, strata: int):
    assert crowd(either_site, processes=8, each=150, strata=strata) == []


@pytest.mark.heavy
@pytest.mark.parametrize("method", ["minimization", "adaptive", "urn", "big_stick"])
def test_other_designs_lose_nobody_either(new_site, address: str, method: str):
    """One row for the pilot where margins or outcomes count, one a stratum else; replay gives every arm again."""
    site = new_site(database_url=address, protocol=drawn_by(method))
    assert crowd(site, processes=8, each=150, strata=8, blocks=False) == []
    if method == "big_stick":
        with site.reading() as (session, _pilot):
            rows = session.scalars(select(Allocation).order_by(Allocation.stratum, Allocation.position)).all()
        lead: dict[str, int] = {}
        for row in rows:
            lead[row.stratum] = lead.get(row.stratum, 0) + (1 if row.arm == "portal" else -1)
            assert abs(lead[row.stratum]) <= DESIGNS["big_stick"]["limit"]


def test_places_run_out_exactly_for_many_at_once(new_site, address: str):
    """With twelve places an arm, no arm gets a thirteenth, and none are left over while people are refused."""
    site = new_site(database_url=address, protocol=with_capacity(12))
    everybody = get_ready(site, 60, strata=8)
    with pytest.raises(Refused, match="all places are taken"):
        draw_together(site, everybody, processes=4, rollbacks=0.05)
    fresh = Site(site.settings, Database(site.settings), slug=site.slug)
    try:
        taken = [arms for arms in counts(fresh) if arms]
    finally:
        fresh.database.dispose()
    total = {arm: sum(arms.get(arm, 0) for arms in taken) for arm in ("portal", "advice", "voucher")}
    assert max(total.values()) == 12


def counts(site: Site) -> list[dict[str, int]]:
    with site.reading() as (session, _pilot):
        return [dict(state) for state in session.scalars(select(StratumState.counts))]


def test_the_check_of_blocks_sees_a_block_that_is_not_balanced():
    even = ["portal", "advice", "voucher"]
    assert unbalanced("noord", even * 4) == []
    assert unbalanced("noord", [*even, "portal", "portal", "advice", "advice", "voucher", "voucher", *even]) == []
    assert unbalanced("noord", [*even, *["portal"] * 4, *["advice"] * 3, *["voucher"] * 2]) != []
