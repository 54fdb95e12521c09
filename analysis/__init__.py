"""What works, estimated: effects, power and monitoring of randomised pilots.

The package stays light to import: a public name loads its module when it is first asked for. `pilot` imports this
package at start-up, and a web process has no use for the libraries that some estimators need.

To add a public name, append a line to `_HOMES`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {
    # what every estimator gives back
    "Estimate": "estimate", "Interval": "estimate", "JointTest": "estimate", "Regression": "estimate",
    "AnalysisError": "errors",
    # a trial, its plan, and what carrying the plan out gives
    "Trial": "trial", "read_data": "reading", "PreAnalysisPlan": "plan", "Results": "results",
}  # fmt: skip

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'analysis' has no attribute '{name}'")
    value = getattr(import_module(f"analysis.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
