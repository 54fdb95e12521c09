"""What the library calls an estimator or an analysis is read in Dutch as well; a new phrase fails here until it is."""

from __future__ import annotations

import inspect
import re

from analysis.defaults import RULES
from analysis.measured import Measured
from analysis.outcome_results import METHODS
from dashboards.texts import in_language, of_the_library


def test_every_estimator_of_the_decision_table_has_a_name_in_dutch():
    methods = {method for rule in RULES.values() for method in (rule.unadjusted, rule.adjusted) if method}
    assert len(methods) > 8
    methods |= {*METHODS.values(), *(f"{method}, with covariates" for method in METHODS.values())}
    methods |= {"difference in means, on pseudo-values of the restricted mean time"}
    assert sorted(method for method in methods if of_the_library(method, "nl") == method) == []


def test_whatever_an_analysis_may_be_called_can_be_read_in_dutch():
    source = inspect.getsource(Measured.label)
    labels = re.findall(r'return f?"([^"{]+)', source)
    assert len(labels) == 5
    for label in (
        *labels,
        "complete cases, not intention to treat: the plan locks no assumption with bounds for missing outcomes",
    ):
        said = f"{label}the own words" if label.endswith(": ") else label
        assert of_the_library(said, "nl") != said
        assert said.endswith("the own words") == of_the_library(said, "nl").endswith("the own words")


def test_english_stays_and_unknown_words_stay():
    assert of_the_library("difference in means", "en") == "difference in means"
    assert of_the_library("something new: here", "nl") == "something new: here"
    assert in_language({"en": "came once"}, "nl") == "came once"
