"""The pilots that these stories happen in, and the doors to their pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pilot_fixtures import address, either_site, new_site, site
from small_pilot import Site
from visitors import Doors

__all__ = ["address", "either_site", "new_site", "site"]


@pytest.fixture
def open_doors() -> Iterator[Callable[[Site], Doors]]:
    """`open_doors(site)`: the pages of a pilot, with a clock that the test holds."""
    opened: list[Doors] = []

    def build(site: Site) -> Doors:
        opened.append(Doors(site))
        return opened[-1]

    yield build
    for doors in opened:
        doors.close()


@pytest.fixture
def doors(site: Site, open_doors: Callable[[Site], Doors]) -> Doors:
    """The pages of the pilot on SQLite."""
    return open_doors(site)
