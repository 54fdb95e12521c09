"""Designs with interim looks: exact boundaries, power, expected size and conditional power."""

from analysis.power.sequential.boundaries import SHAPES, Boundaries, boundaries
from analysis.power.sequential.conditional import conditional_power, predictive_power
from analysis.power.sequential.crossing import Crossing, crossing
from analysis.power.sequential.design import group_sequential
from analysis.power.sequential.spending import SPENDING, spent

__all__ = [
    "SHAPES",
    "SPENDING",
    "Boundaries",
    "Crossing",
    "boundaries",
    "conditional_power",
    "crossing",
    "group_sequential",
    "predictive_power",
    "spent",
]
