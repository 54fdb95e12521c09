"""Omega hierarchical: recovered exactly where it is known, and as the package psych has it."""

import json
from pathlib import Path

import numpy as np
import pytest

from surveys import ScoringError
from surveys.hierarchy import omega_hierarchical

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "surveys" / "hierarchy.json").read_text())


def with_correlations(correlation: np.ndarray, people: int = 100) -> np.ndarray:
    """Answers whose correlations are exactly these."""
    raw = np.random.default_rng(3).normal(size=(people, len(correlation)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    return white @ np.linalg.cholesky(correlation).T


def parts(upper: list[float], lower: tuple[float, ...] = (0.8, 0.7, 0.6)) -> tuple[np.ndarray, np.ndarray]:
    """The correlations of items in parts that load on one general factor, and how the items load on that."""
    own = np.kron(np.eye(len(upper)), np.array(lower)[:, None])
    between = np.outer(upper, upper)
    np.fill_diagonal(between, 1.0)
    correlation = own @ between @ own.T
    np.fill_diagonal(correlation, 1.0)
    return correlation, own @ np.array(upper)


@pytest.mark.parametrize("upper", [[0.8, 0.7, 0.6], [0.8, 0.7, 0.6, 0.75], [0.5, 0.9, 0.4, 0.6]])
def test_the_general_factor_that_made_the_answers_is_found_again(upper: list[float]):
    correlation, general = parts(upper)
    found = omega_hierarchical(with_correlations(correlation), factors=len(upper))
    assert found.general == pytest.approx(general, abs=1e-5)
    assert found.hierarchical == pytest.approx(general.sum() ** 2 / correlation.sum(), abs=1e-5)
    unique = len(upper) * (3 - 0.8**2 - 0.7**2 - 0.6**2)
    assert found.total == pytest.approx(1 - unique / correlation.sum(), abs=1e-5)


def test_it_is_what_the_package_psych_says():
    found = omega_hierarchical(REFERENCE["answers"])
    assert found.hierarchical == pytest.approx(REFERENCE["hierarchical"], abs=1e-4)
    assert found.total == pytest.approx(REFERENCE["total"], abs=1e-4)
    assert found.general == pytest.approx(REFERENCE["general"], abs=1e-4)


def test_turning_the_scale_of_an_item_or_leaving_people_out_changes_what_it_should():
    answers = np.array(REFERENCE["answers"], dtype=float)
    stretched = answers * np.arange(1, 10) + 3
    assert omega_hierarchical(stretched).hierarchical == pytest.approx(omega_hierarchical(answers).hierarchical)
    holed = answers.copy()
    holed[:5, 2] = np.nan
    assert omega_hierarchical(holed) == omega_hierarchical(answers[5:])


def test_what_has_no_general_factor_is_refused():
    answers = np.array(REFERENCE["answers"], dtype=float)
    with pytest.raises(ScoringError, match="at least three parts"):
        omega_hierarchical(answers, factors=2)
    with pytest.raises(ScoringError, match="4 parts need at least 12 items; there are 9"):
        omega_hierarchical(answers, factors=4)
    turned = answers.copy()
    turned[:, 4] = 8 - turned[:, 4]
    with pytest.raises(ScoringError, match="item 5 goes against the general factor"):
        omega_hierarchical(turned)
    with pytest.raises(ScoringError, match="three people"):
        omega_hierarchical(answers[:2])
