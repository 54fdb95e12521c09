"""A three-arm trial as pilots have them: strata, permuted blocks, a yes/no outcome, and people who drop out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import randomization as rz
from analysis import PreAnalysisPlan

HERE = Path(__file__).resolve()
ROOT = HERE.parents[3]
ALLOCATION = {
    "method": "permuted_blocks",
    "ratio": {"portal": 1, "advice": 1, "voucher": 1},
    "strata": ["region", "schooling"],
    "multiples": [2, 3],
}


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    return json.loads((ROOT / "tests/reference/plan/values.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "examples"


def plan_sections() -> dict[str, Any]:
    return {
        "allocation": ALLOCATION,
        "outcomes": [
            {
                "name": "training_started_12m",
                "label": {"nl": "Is begonnen met scholing", "en": "Started training"},
                "kind": "binary",
                "family": "primary",
                "direction": "higher_is_better",
                "summary": "risk_difference",
                "population": "all_randomised",
                "timepoint": "12 months",
                "source": {"derive": "training_12m__started"},
                "missing": {"handling": "complete_cases", "assumption": "as good as random by arm", "bounds": "lee"},
            },
            {"name": "hours", "kind": "count", "family": "secondary", "source": {"column": "hours"}},
        ],
        "analysis_plan": {
            "control": "portal",
            "contrasts": [["advice", "portal"], ["voucher", "portal"], ["voucher", "advice"]],
            "estimator": "design_default",
            "covariates": ["age"],
            "alpha": 0.05,
            "correction": {"contrasts": "dunnett", "outcomes": "holm"},
            "subgroups": ["schooling"],
            "take_up": {"column": "advice_taken", "definition": "at least one talk", "component": "advice"},
            "components": {
                "portal": ["portal"], "advice": ["portal", "advice"], "voucher": ["portal", "advice", "voucher"],
            },
            "draws": 100,
            "seed": 20261122,
        },
    }  # fmt: skip


@pytest.fixture
def sections() -> dict[str, Any]:
    return plan_sections()


@pytest.fixture(scope="session")
def results(people):
    return PreAnalysisPlan.from_dict(plan_sections()).run(people)


@pytest.fixture(scope="session")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 360
    data = pd.DataFrame(
        {
            "region": rng.choice(["noord", "oost", "zuid"], n),
            "schooling": rng.choice(["vmbo", "mbo1", "mbo2"], n, p=[0.45, 0.1, 0.45]),
            "age": rng.integers(18, 66, n).astype(float),
        }
    )
    data["arm"] = rz.from_dict(ALLOCATION).draw(data, 9)
    chance = data["arm"].map({"portal": 0.25, "advice": 0.35, "voucher": 0.55})
    data["training_started_12m"] = (rng.random(n) < chance).astype(float)
    data.loc[rng.random(n) < 0.15 + 0.15 * (data["arm"] == "portal"), "training_started_12m"] = np.nan
    data["advice_taken"] = ((data["arm"] != "portal") & (rng.random(n) < 0.6)).astype(int)
    data["hours"] = rng.poisson(3, n)
    data["voucher_euros"] = np.where(data["arm"] == "voucher", 1000, 0)
    data["sessions"] = data["advice_taken"] * 3
    return data
