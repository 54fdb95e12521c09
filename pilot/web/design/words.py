"""What a refused sample size is told, in the reader's language; what it consists of is called by `dashboards`."""

from __future__ import annotations

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from analysis.errors import AnalysisError

CORRECTIONS: dict[str, object] = {
    "dunnett": _("Dunnett: all groups against one"),
    "holm": _("Holm: step by step"),
    "bonferroni": _("Bonferroni: shared evenly"),
    "none": _("None: each comparison by itself"),
}
TOPICS: dict[str, object] = {
    "risk": _("What if an assumption is wrong?"),
    "time": _("Will there be enough people in time?"),
    "trial": _("Does the analysis find it?"),
}
"""The further questions about the numbers, by the last part of their address, in the order of the pages."""
REFUSED: dict[str, object] = {
    "power": _("Power must lie above alpha and below 100%."),
    "alpha": _("Alpha must lie between 0 and 100%, and below the power."),
    "effect": _("This effect cannot be: it is zero, or it would bring a group below 0% or above 100%."),
    "control": _("The level without the offer must lie between 0% and 100%."),
    "sd": _("The standard deviation must be above zero."),
    "r2": _("The share that is known beforehand must be at least 0% and below 100%."),
    "take_up": _("Take-up must differ between the groups: as it is, they would come out the same."),
    "take_up_control": _("This must lie between 0% and 100%, and differ from take-up of the offer."),
    "attrition": _("Loss must be at least 0% and below 100%."),
    "icc": _("The likeness (ICC) must be at least 0 and below 1."),
    "size": _("At least one person shares an advisor or place."),
    "cv": _("The unevenness (CV) must be zero or more."),
    "per_week": _("The number of people each week must be above zero."),
    "enrolment": _("Enrolment must lie between 0% and 100%."),
    "correction": _("Dunnett needs one comparison group for all; choose Holm or Bonferroni."),
    "budget": _("This budget does not pay for two people in every group."),
    "cost": _("A person in one of the groups costs nothing, so that no cheapest division exists. Fill in the costs."),
    "n": _("There must be at least two people in each group."),
    "capacity": _("There must be at least two places, and at least two applicants more than places."),
    "arms": _("A draw for places has two groups; this pilot has more."),
    "power_of": _("Power of this kind is not computed for these comparisons; choose the power of each comparison."),
}


def refusal(error: AnalysisError) -> tuple[str, str]:
    """The binding parameter of a refused request, and what must hold for it in the reader's language."""
    for part in reversed([str(part) for part in error.path]):
        name = "attrition" if part in ("survey", "register") else part
        if name in REFUSED:
            return name, str(REFUSED[name])
    said = gettext("With these numbers no number of people is enough.")
    return (str(error.path[-1]) if error.path else ""), said
