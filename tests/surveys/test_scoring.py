"""Scores follow each scale's published rule, and nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import ScoringError, ScoringUnknown
from surveys.reliability import alpha, items, omega, reliability, standardized_alpha
from surveys.scoring import SCALES, MissingItems, Scale, below, missing_rule, score, scores

KNOWN = {name: scale for name, scale in SCALES.items() if scale.reversed_items is not None}


@pytest.mark.parametrize("name", KNOWN)
def test_the_ends_of_a_scale_are_the_ends_of_its_score(name: str):
    scale = SCALES[name]
    ends = {
        "sum": (scale.items * scale.low * scale.factor, scale.items * scale.high * scale.factor),
        "mean": (scale.low, scale.high),
        "any": (0, 1),
    }[scale.rule]
    assert score(name, [scale.low] * scale.items)["total"] == ends[0]
    assert score(name, [scale.high] * scale.items)["total"] == ends[1]


def test_the_ends_that_the_manuals_give():
    assert score("who5", [5] * 5) == {"total": 100.0}
    assert score("gse", [1] * 10) == {"total": 10.0}
    assert score("gse", [4] * 10) == {"total": 40.0}


def test_the_cut_offs_of_the_well_being_index_are_those_of_its_source():
    """Topp et al. (2015): at most 50 calls for screening, at most 28 points to depression."""
    assert [below("who5", total) for total in (0, 28)] == [("screen for depression", "likely depression")] * 2
    assert [below("who5", total) for total in (32, 48, 50)] == [("screen for depression",)] * 3
    assert [below("who5", total) for total in (52, 100)] == [(), ()]
    assert below("gse", 10) == ()  # its author gives none
    for total in (-4, 104):
        with pytest.raises(ScoringError, match="goes from 0 to 100"):
            below("who5", total)


def test_subscales_hold_their_own_items():
    answers = [1] * 6 + [2] * 6 + [3] * 6 + [4] * 6
    assert score("caas", answers) == {"total": 2.5, "concern": 1, "control": 2, "curiosity": 3, "confidence": 4}
    assert score("caas_sf", [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])["curiosity"] == 3


def test_a_missing_item_is_only_allowed_where_the_source_allows_it():
    assert score("gse", [4] * 7 + [None] * 3)["total"] == 40.0
    with pytest.raises(ScoringUnknown, match="may miss 3 items at most; 4"):
        score("gse", [4] * 6 + [None] * 4)
    for name in KNOWN.keys() - {"gse"}:
        answers: list[float | None] = [float(SCALES[name].low)] * SCALES[name].items
        with pytest.raises(ScoringUnknown, match="no published rule"):
            score(name, [None, *answers[1:]])


def test_without_a_rule_the_error_says_what_the_researcher_can_do():
    with pytest.raises(ScoringUnknown, match=r"Register the pilot's own choice in the protocol, such as missing_items"):
        score("who5", [5, None, 5, 5, 5])


def test_a_choice_that_the_protocol_registers_is_followed_and_told_in_the_output():
    half = MissingItems(at_least=0.5)
    assert score("who5", [5, None, 4, 3, None], half) == {"total": 80.0}
    with pytest.raises(ScoringUnknown, match=r"needs 0.5 of its items answered \(registered in the protocol\); 3 of 5"):
        score("who5", [5, None, 4, None, None], half)
    assert scores("who5", [[5, None, 4, 3, 4], [None, None, None, 4, 4]], half) == [{"total": 80.0}, None]
    assert "registered in the protocol" in missing_rule("who5", half)
    assert "Schwarzer" in missing_rule("gse")


def test_a_subscale_with_too_few_answers_has_no_score_of_its_own():
    answers: list[float | None] = [1, 2, 3, None, None, 3, 4, 4, 4, 5, 5, 5]
    found = score("caas_sf", answers, MissingItems(at_least=0.5))
    assert found == {"total": 3.6, "concern": 2, "curiosity": 4, "confidence": 5}


def test_a_published_rule_is_not_replaced_by_a_registered_one():
    with pytest.raises(ScoringError, match="has a published rule"):
        score("gse", [4] * 10, MissingItems(at_least=0.5))
    with pytest.raises(ScoringError, match="above 0 and at most 1"):
        MissingItems(at_least=0)


def test_not_a_number_is_a_missing_answer_and_a_text_is_none():
    assert score("gse", [4] * 7 + [float("nan")] * 3) == {"total": 40.0}
    assert scores("who5", [[5, np.nan, 5, 5, 5], list(np.array([5, 4, 3, 4, 5]))]) == [None, {"total": 84.0}]
    with pytest.raises(ScoringError, match="item 2 of 'WHO-5 Well-Being Index' is '4'; a score needs numbers"):
        score("who5", [5, "4", 3, 4, 5])  # type: ignore[list-item]


def test_a_scale_whose_reversed_items_are_unknown_is_not_scored():
    with pytest.raises(ScoringUnknown, match="reversed"):
        score("spe", [3] * 5)
    with pytest.raises(ScoringUnknown, match="reversed"):
        scores("spe", [[3, None, 3, 3, 3]])


def test_an_unknown_scale_is_not_scored():
    with pytest.raises(ScoringUnknown, match="known are caas"):
        score("mood", [1])


@pytest.mark.parametrize("answers", [[6, 1, 1, 1, 1], [-1, 1, 1, 1, 1], [1, 1, 1, 1], [1] * 6])
def test_answers_outside_the_scale_are_an_error(answers: list[int]):
    with pytest.raises(ScoringError):
        score("who5", answers)
    with pytest.raises(ScoringError):
        scores("who5", [answers])


def test_reversed_items_are_turned_round():
    scale = Scale("test", 3, 1, 5, "mean", "made up for this test", reversed_items=(2,))
    assert score(scale, [5, 1, 5]) == {"total": 5.0}
    assert score(scale, [1, 2, 3]) == {"total": pytest.approx((1 + 4 + 3) / 3)}


def test_a_scale_that_contradicts_itself_is_refused():
    with pytest.raises(ScoringError, match="not consistent"):
        Scale("test", 3, 1, 5, "mean", "x", reversed_items=(4,))


@settings(derandomize=True, deadline=None)
@given(st.lists(st.lists(st.integers(1, 4), min_size=10, max_size=10), max_size=5))
def test_many_people_score_as_each_alone(rows: list[list[int]]):
    assert scores("gse", rows) == [score("gse", row) for row in rows]
    for row in rows:
        assert score("gse", row)["total"] == sum(row)


def one_factor(loadings: np.ndarray, unique: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Data whose sample covariance is exactly that of one factor."""
    k = len(loadings)
    raw = np.random.default_rng(seed).normal(size=(n, k))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    return white @ np.linalg.cholesky(np.outer(loadings, loadings) + np.diag(unique)).T


def test_reliability_is_that_of_r_on_its_own_data():
    """The seven ratings of `attitude`; the manual of psych prints an alpha of 0.84 for them."""
    wanted = json.loads((Path(__file__).parents[1] / "reference" / "surveys" / "reliability.json").read_text())
    assert alpha(wanted["answers"]) == pytest.approx(wanted["alpha"], abs=1e-10)
    assert round(alpha(wanted["answers"]), 2) == 0.84
    assert omega(wanted["answers"]) == pytest.approx(wanted["omega"], abs=1e-6)


PSYCH = json.loads((Path(__file__).parents[1] / "reference" / "surveys" / "items.json").read_text())


@pytest.mark.parametrize("name", PSYCH)
def test_what_each_item_does_is_what_the_package_psych_says(name: str):
    wanted = PSYCH[name]
    assert alpha(wanted["answers"]) == pytest.approx(wanted["alpha"], abs=1e-10)
    assert standardized_alpha(wanted["answers"]) == pytest.approx(wanted["standardized"], abs=1e-10)
    found = items(wanted["answers"])
    assert [item.rest for item in found] == pytest.approx(wanted["rest"], abs=1e-10)
    if wanted["without"] is None:
        assert [item.alpha_without for item in found] == [None, None]
    else:
        assert [item.alpha_without for item in found] == pytest.approx(wanted["without"], abs=1e-9)
    columns = np.array(wanted["answers"], dtype=float)
    assert [item.mean for item in found] == pytest.approx(columns.mean(axis=0))
    assert [item.sd for item in found] == pytest.approx(columns.std(axis=0, ddof=1))


def test_the_interval_of_alpha_is_that_of_the_package_psych():
    found = reliability(PSYCH["attitude"]["answers"])
    assert [found.low, found.high] == pytest.approx(PSYCH["attitude"]["interval"], abs=1e-10)
    assert found.standardized == pytest.approx(PSYCH["attitude"]["standardized"], abs=1e-10)
    assert found.remarks == ()


def test_yes_and_no_give_the_formula_of_kuder_and_richardson():
    answers = np.array(PSYCH["yes_no"]["answers"], dtype=float)
    k = answers.shape[1]
    share = answers.mean(axis=0)
    kr20 = k / (k - 1) * (1 - (share * (1 - share)).sum() / answers.sum(axis=1).var())
    assert alpha(answers) == pytest.approx(kr20)


def test_an_item_that_goes_against_the_others_is_pointed_out():
    rng = np.random.default_rng(4)
    data = 2 * rng.normal(size=(60, 1)) + rng.normal(size=(60, 6))
    assert reliability(data).remarks == ()
    data[:, 2] *= -1
    (only,) = reliability(data).remarks
    assert only.startswith("item 3 goes against the others")
    assert "reversed?" in only


def test_few_people_and_a_negative_alpha_are_remarked_on():
    r, k = -0.2, 3
    spread = np.linalg.cholesky(np.full((k, k), r) + np.eye(k) * (1 - r))
    raw = one_factor(np.zeros(k), np.ones(k), 40, 3)
    assert alpha(raw @ spread.T) == pytest.approx(k * r / (1 + (k - 1) * r))
    few = one_factor(np.full(5, 0.7), np.full(5, 0.5), 6, 1)[:, :5]
    assert reliability(few).remarks == ()
    assert "5 people for 5 items" in reliability(np.vstack([few[:5]]) + 0.0).remarks[-1]


def test_items_that_cancel_out_have_no_alpha():
    with pytest.raises(ScoringError, match="is one of them reversed"):
        alpha([[1, 5], [2, 4], [3, 3]])


def test_omega_recovers_the_factor_that_made_the_data():
    loadings, unique = np.array([0.9, 0.5, 1.3, 0.7, 0.4]), np.array([0.5, 0.8, 0.3, 1.1, 0.9])
    data = one_factor(loadings, unique, 60, 1)
    wanted = loadings.sum() ** 2 / (loadings.sum() ** 2 + unique.sum())
    assert omega(data) == pytest.approx(wanted, abs=1e-6)
    assert alpha(data) < omega(data)


@pytest.mark.parametrize(("r", "k"), [(0.3, 4), (0.5, 10), (0.2, 3)])
def test_for_parallel_items_alpha_and_omega_are_spearman_brown(r: float, k: int):
    data = one_factor(np.full(k, np.sqrt(r)), np.full(k, 1 - r), 80, k)
    wanted = k * r / (1 + (k - 1) * r)
    found = reliability(data)
    assert found.alpha == pytest.approx(wanted, abs=1e-9)
    assert found.omega == pytest.approx(wanted, abs=1e-6)
    assert found.low < found.alpha < found.high


def test_the_interval_of_alpha_covers_the_population_as_often_as_it_says():
    rng, r, k = np.random.default_rng(7), 0.4, 5
    truth = k * r / (1 + (k - 1) * r)
    covered = 0
    for _ in range(300):
        data = np.sqrt(r) * rng.normal(size=(60, 1)) + np.sqrt(1 - r) * rng.normal(size=(60, k))
        found = reliability(data)
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / 300 <= 0.985


def test_people_with_a_missing_answer_are_left_out_and_counted_out():
    data = np.random.default_rng(2).normal(size=(50, 1)) + np.random.default_rng(3).normal(size=(50, 4))
    holed = data.copy()
    holed[:10, 2] = np.nan
    assert reliability(holed).n == 40
    assert reliability(holed).alpha == reliability(data[10:]).alpha


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((10, 4)), "no variance"),
        (np.random.default_rng(1).normal(size=(2, 4)), "three people"),
        (np.random.default_rng(1).normal(size=(9, 2)), "at least 3 items"),
        (np.ones(5), "table of people by items"),
        ([[1, 2, 3], [1, 2]], "numbers, in a table"),
        ([["a", "b", "c"]] * 4, "numbers, in a table"),
        (np.full((9, 3), np.nan), "there are 0"),
        ([[1, 2, 3], [2, 3, np.inf], [3, 1, 2]], "infinite"),
    ],
)
def test_reliability_that_cannot_be_known_is_refused(data: np.ndarray, message: str):
    with pytest.raises(ScoringError, match=message):
        reliability(data)


@pytest.mark.parametrize(
    ("formal", "other", "found"), [(0, 0, 0.0), (1, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0), (None, 1, 1.0), (1, None, 1.0)]
)
def test_one_kind_of_training_is_enough(formal: int | None, other: int | None, found: float):
    assert score("lfs_training", [formal, other]) == {"total": found}


@pytest.mark.parametrize("answers", [[0, None], [None, 0], [None, None]])
def test_without_a_yes_a_missing_kind_of_training_leaves_it_unknown(answers: list[int | None]):
    with pytest.raises(ScoringUnknown):
        score("lfs_training", answers)
    assert scores("lfs_training", [answers]) == [None]


def test_a_single_question_is_its_own_score():
    assert score("nea_item", [4]) == {"total": 4.0}
    with pytest.raises(ScoringUnknown):
        score("nea_item", [None])
