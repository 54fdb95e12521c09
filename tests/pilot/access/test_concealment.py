"""Whoever knows everything but the key cannot foresee an arm: ids, codes, order, times and strata say nothing of it."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from small_pilot import START, STRATA, shipped

from pilot.access import link_token
from pilot.journey import enrolment
from randomization import live

PEOPLE = 10_000
SECRET = b"only for tests: thirty-two characters or more"
KEY = bytes(range(32))


def arms_drawn(strata: list[str], *, foreseeable: bool = False) -> list[str]:
    """The arm of each arrival, as the pilot draws them; `foreseeable`: from a key that is the position itself."""
    design, context = shipped().allocation, live.Context(pilot="p", mode="live", epoch=0)
    states: dict[str, object] = {}
    places: Counter[str] = Counter()
    arms = []
    for stratum in strata:
        places[stratum] += 1
        if foreseeable:
            arms.append(("portal", "advice", "voucher")[places[stratum] % 3])
            continue
        drawn = live.next_draw(
            design, key=KEY, context=context, stratum=stratum, position=places[stratum], state=states.get(stratum)
        )  # type: ignore[arg-type]
        states[stratum] = drawn.state
        arms.append(drawn.arm)
    return arms


def seen(strata: list[str]) -> np.ndarray:
    """What anybody could know of each person before the draw, as numbers: (people, features)."""
    rng, places, rows = random.Random(3), Counter[str](), []
    numbers = {stratum: number for number, stratum in enumerate(sorted(set(strata)))}
    for order, stratum in enumerate(strata):
        places[stratum] += 1
        study_id = enrolment.study_id(SECRET, "p", f"person-{order}")
        known = SimpleNamespace(study_id=study_id, link_generation=1)
        code = enrolment.resume_code(SECRET, known)  # type: ignore[arg-type]
        moment = START + timedelta(seconds=60 * order + rng.randrange(60))
        link = link_token(SECRET.decode(), known, "enrol", now=moment)  # type: ignore[arg-type]
        here, letters = places[stratum], [ord(letter) for letter in study_id + code + link[-12:]]
        rows.append([order, here, *(here % size for size in (2, 3, 6, 9)), numbers[stratum], moment.second,
                     moment.minute, moment.hour, len(link), *letters])  # fmt: skip
    return np.array(rows, dtype=float)


def best_auc(foreseeable: bool = False) -> float:
    """How well a learner that saw half of the people tells each arm from the others among the other half."""
    rng = random.Random(5)
    strata = [_stratum(*rng.choice(STRATA)) for _person in range(PEOPLE)]
    features, arms = seen(strata), np.array(arms_drawn(strata, foreseeable=foreseeable))
    chosen = np.random.default_rng(7).permutation(PEOPLE)
    learn, judge = chosen[: PEOPLE // 2], chosen[PEOPLE // 2 :]
    learner = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(features[learn], arms[learn])
    chances = learner.predict_proba(features[judge])
    return max(
        roc_auc_score(arms[judge] == arm, chances[:, column]) for column, arm in enumerate(learner.classes_.tolist())
    )


def _stratum(region: str, schooling: str) -> str:
    return live.stratum_label(shipped().allocation, {"region": region, "schooling": schooling})


@pytest.mark.heavy
def test_nobody_foresees_an_arm_from_what_can_be_seen():
    assert best_auc() <= 0.52


@pytest.mark.heavy
def test_the_learner_would_see_arms_that_follow_the_order():
    assert best_auc(foreseeable=True) > 0.9
