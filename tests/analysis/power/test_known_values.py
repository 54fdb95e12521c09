"""Every published or independently computed value, through the public functions."""

import json
from functools import reduce
from pathlib import Path

import pytest

from analysis import power

CASES = json.loads((Path(__file__).parents[2] / "reference/power/known_values.json").read_text())["cases"]


def read(result, field):
    """A field of a result by its path: 'n', 'upper.0', 'at_rounded.power'; empty is the result itself."""

    def step(value, name):
        if isinstance(value, (tuple, list)):
            return value[int(name)]
        return value[name] if hasattr(value, "keys") else getattr(value, name)

    return reduce(step, field.split(".") if field else [], result)


@pytest.mark.parametrize("case", CASES, ids=[f"{case['id']}-{i}" for i, case in enumerate(CASES)])
def test_a_known_value_is_reproduced(case):
    result = getattr(power, case["function"])(**case["arguments"])
    for want in case["fields"]:
        assert float(read(result, want["field"])) == pytest.approx(want["expected"], abs=want["tolerance"], rel=0), (
            f"{case['id']} ({case['source']}): {want['field']}"
        )


def test_every_case_names_its_source():
    assert all(case["source"] for case in CASES)
