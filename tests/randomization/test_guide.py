"""The guide runs as it stands: what a researcher pastes is what the tests run."""

from __future__ import annotations

import doctest
from pathlib import Path


def test_every_line_of_the_guide_gives_what_it_says() -> None:
    page = Path(__file__).parents[2] / "docs" / "guide" / "randomization.md"
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    found = doctest.testfile(str(page), module_relative=False, optionflags=flags, encoding="utf-8")
    assert found.attempted > 25
    assert found.failed == 0
