"""Planning: from a budget and assumptions with their ranges to the number of people to recruit, and how sure that is.

>>> from analysis.planning import EXAMPLE, Plan
>>> [(step.name, round(step.factor, 3)) for step in Plan.from_dict(EXAMPLE).n().chain][:2]
[('textbook', 1.0), ('take_up', 3.112)]
"""

from analysis.planning.assumptions import Named
from analysis.planning.model import Comparison, Model, Stage
from analysis.planning.money import Allocation, Bill, Lottery
from analysis.planning.plan import EXAMPLE, Detectable, Plan, Size, Step
from analysis.planning.recruitment import Forecast
from analysis.planning.rivals import Convention
from analysis.planning.section import Assumption, SampleSize
from analysis.planning.uncertainty import Assurance, Bar, Grid

__all__ = [
    "EXAMPLE",
    "Allocation",
    "Assumption",
    "Assurance",
    "Bar",
    "Bill",
    "Comparison",
    "Convention",
    "Detectable",
    "Forecast",
    "Grid",
    "Lottery",
    "Model",
    "Named",
    "Plan",
    "SampleSize",
    "Size",
    "Stage",
    "Step",
]
