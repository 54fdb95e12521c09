"""Inference by redrawing the design, for plans that locked it: few clusters, or because the plan says so."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.contrasts import Context
from analysis.measured import Measured
from analysis.outcome_results import Estimated


def with_permutation(context: Context, measured: Measured, estimated: Sequence[Estimated]) -> list[Estimated]:
    """The contrasts with p-value and interval by redrawing the design, when the plan locked that inference."""
    if context.decision.inference != "permutation":
        return list(estimated)
    raise NotImplementedError(measured.outcome.name)
