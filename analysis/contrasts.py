"""One registered contrast of one outcome, estimated as the decision table says.

The two arms of a contrast are cut out of the trial and compared by the package's own estimators; this module only
lays the table for them: which rows, which strata after pooling the sparse ones, which clusters, weights, covariates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.adjusted import lm_lin
from analysis.binary import logit_margin, risk_ratio
from analysis.covariates import Covariates
from analysis.defaults import Decision
from analysis.differences import difference_in_means
from analysis.errors import DesignNotEstimable
from analysis.estimate import Estimate, Regression
from analysis.measured import Measured
from analysis.plan_schema import AnalysisPlan
from analysis.regression import lm_robust
from analysis.survival import rmst
from analysis.times import HAZARDS, hazard_effect
from analysis.trial import Trial, as_text, column_of, numeric


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows of one contrast: columns y, t (1 for the treated arm) and, as needed, s, c, p, w and x0, x1, …

    `rows` are the places of these people among the participants of the trial.
    """

    data: pd.DataFrame
    rows: np.ndarray
    strata: bool
    clusters: bool
    clusters_allocated: bool
    pairs: bool
    weights: bool
    covariates: tuple[str, ...]
    covariate_names: tuple[str, ...]
    uninformative: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    broken_pairs: int = 0
    left_out: int = 0
    convention: str = "HC2"
    summary: str = "mean_difference"
    horizon: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What all contrasts of a plan share.

    `clusters`, shape (n,), when people do not count one by one; `received`, shape (n,), the chance that each person
    had of the arm received, when the analysis weighs by it.
    """

    trial: Trial
    decision: Decision
    plan: AnalysisPlan
    covariates: Covariates
    clusters: np.ndarray | None = field(default=None)
    received: np.ndarray | None = field(default=None)


def lay_table(
    context: Context,
    measured: Measured,
    treated: str,
    comparison: str,
    weights: np.ndarray | None,
    *,
    within: np.ndarray | None = None,
) -> Table:
    """The rows and columns with which the estimators are called.

    `weights`, shape (n,) or None, multiply the weights of the design; `within`, boolean (n,), keeps one subgroup.
    Raises `DesignNotEstimable` when an arm of the contrast has fewer than two people with a known outcome.
    """
    trial, decision = context.trial, context.decision
    arm = trial.data[trial.arm].to_numpy()
    values, use = measured.completed(arm == treated, arm == comparison)
    use = use if within is None else use & within
    for name in (treated, comparison):
        count = int((use & (arm == name)).sum())
        if count < 2:
            raise DesignNotEstimable(
                f"arm '{name}' has {count} {'person' if count == 1 else 'people'} with a known "
                f"'{measured.outcome.name}'; at least two are needed"
            )
    if measured.times is not None:
        measured.times.require_horizon((treated, comparison))
    chosen = context.covariates.of(use, arm)
    x = chosen.values
    data = pd.DataFrame({"y": values[use], "t": (arm[use] == treated).astype(float)})
    if measured.times is not None:
        data = data.assign(time=measured.times.time[use], event=measured.times.event[use])
    for place in range(x.shape[1]):
        data[f"x{place}"] = x[:, place]
    if context.clusters is not None:
        data["c"] = context.clusters[use]
    pooled: tuple[str, ...] = ()
    if decision.strata:
        data["s"], pooled = pool_sparse(
            trial.stratum().to_numpy()[use], data["t"].to_numpy(), context.plan.sparse_strata.minimum, data.get("c")
        )
    weighted = weights is not None or decision.weighs
    if weighted:
        data["w"] = _weights(context, use, weights)
    rows, broken = np.flatnonzero(use), 0
    if decision.pairs is not None:
        data["p"] = as_text(column_of(trial.data, decision.pairs)).to_numpy()[use]
        if context.plan.broken_pairs == "drop_pair":
            members = data["p"].value_counts()
            whole = np.array([members[pair] == 2 for pair in data["p"]])
            rows, broken = rows[whole], int((~whole).sum())
            data = data.loc[whole].reset_index(drop=True)
    return Table(
        data=data,
        rows=rows,
        strata=decision.strata != () and len(set(data["s"])) > 1,
        clusters=context.clusters is not None,
        clusters_allocated=decision.clusters_allocated,
        pairs=decision.pairs is not None and context.plan.broken_pairs == "drop_pair",
        weights=weighted,
        covariates=tuple(f"x{place}" for place in range(x.shape[1])),
        covariate_names=chosen.names,
        uninformative=chosen.left_out,
        pooled=pooled,
        broken_pairs=broken,
        left_out=int(((arm == treated) | (arm == comparison)).sum() - len(data)),
        convention=decision.convention,
        summary=measured.outcome.effective_summary,
        horizon=measured.outcome.horizon,
    )


def unadjusted(table: Table) -> Estimate:
    """The comparison of the two arms as the design dictates it, without covariates."""
    if table.summary == "risk_ratio":
        return _risk_ratio(table, ())
    if table.summary in HAZARDS:
        return _hazards(table, ())
    if table.summary == "rmst_difference" and not (table.strata or table.clusters or table.pairs or table.weights):
        return rmst(table.data, "time", "event", "t", horizon=table.horizon)
    crossed = table.clusters and table.strata and not table.clusters_allocated
    if table.weights or crossed:
        if table.strata:
            return _lin(table, stratum_columns(table.data))
        return _regress(table, "y ~ t", table.data)["t"]
    data = table.data
    if table.pairs:
        return difference_in_means(data, "y", "t", pairs="p")
    return difference_in_means(
        data, "y", "t", blocks="s" if table.strata else None, clusters="c" if table.clusters else None
    )


def adjusted(table: Table, estimator: str) -> Estimate | None:
    """The comparison with covariates, or None when no covariate varies among these rows."""
    if not table.covariates:
        return None
    if table.summary == "risk_ratio":
        return _risk_ratio(table, table.covariates)
    if table.summary in HAZARDS:
        return None if table.summary == "log_rank" else _hazards(table, table.covariates)
    if table.pairs:
        return _paired_regression(table)
    data = table.data.loc[:, list(table.covariates)]
    if table.strata:
        data = pd.concat([data, stratum_columns(table.data)], axis=1)
    if estimator == "ancova":
        joined = pd.concat([table.data[["y", "t", *_present(table, "c", "w")]], data], axis=1)
        return _regress(table, f"y ~ t + {' + '.join(data.columns)}", joined)["t"]
    return _lin(table, data)


def pool_sparse(
    strata: np.ndarray, arms: np.ndarray, minimum: int, clusters: Sequence[str] | pd.Series | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Stratum labels, shape (n,), with those too thin to analyse put together, and the names of those.

    A stratum is thin when one of the arms has fewer than `minimum` people (or allocated clusters) in it. Thin strata
    become one; when even that one is thin it takes in the smallest of the others, until it is not.

    >>> labels, thin = pool_sparse(np.array(list("aaaabc")), np.array([0, 0, 1, 1, 0, 1.0]), 1)
    >>> labels.tolist(), thin
    (['a', 'a', 'a', 'a', 'b + c', 'b + c'], ('b', 'c'))
    """
    people = pd.DataFrame({"s": strata, "t": arms})
    units = people if clusters is None else people.assign(c=np.asarray(clusters)).drop_duplicates(["s", "t", "c"])
    counts = pd.DataFrame(
        {arm: units.loc[units["t"] == arm, "s"].value_counts() for arm in sorted(set(arms))}, index=sorted(set(strata))
    ).fillna(0)
    thin = sorted(counts.index[(counts < minimum).any(axis=1)])
    if not thin:
        return strata, ()
    rest = [str(name) for name in counts.drop(index=thin).sum(axis=1).sort_values(kind="stable").index]
    while (counts.loc[thin].sum() < minimum).any() and rest:
        thin.append(rest.pop(0))
    together = " + ".join(thin)
    return np.where(np.isin(strata, thin), together, strata).astype(object), tuple(thin)


def clusters_of(trial: Trial, decision: Decision, plan: AnalysisPlan) -> np.ndarray | None:
    """The cluster of every participant, shape (n,), or None when people count one by one.

    With advisors declared random, the people of one advisor are a cluster and everybody without an advisor is a
    cluster of one: the design is partially nested, because advisors exist in the advised arms only.
    """
    if decision.clusters is not None:
        return as_text(column_of(trial.data, decision.clusters)).to_numpy()
    if plan.advisors is None or plan.advisors.treat_as == "fixed":
        return None
    advisor = trial.data[plan.advisors.column]
    advised = trial.data[trial.arm].isin(plan.advisors.arms) & advisor.notna()
    alone = np.array([f"alone {place}" for place in range(trial.n)], dtype=object)
    return np.where(advised, "advisor " + advisor.astype(str), alone)


def received_chances(trial: Trial, decision: Decision, plan: AnalysisPlan) -> np.ndarray | None:
    """The chance that each person had of the arm received, shape (n,), or None when nobody is weighed.

    From the column that the plan names, else from the design, simulated with the draws and seed of the plan where it
    has no closed form. Raises `DesignNotEstimable` for an arm that the design could never give to a person.
    """
    if decision.probability is not None:
        return numeric(trial.data, decision.probability).to_numpy()
    if not decision.weighs or trial.design is None:
        return None
    chances = trial.design.probabilities(trial.data, n=plan.draws, seed=plan.seed)
    place = chances.columns.get_indexer(pd.Index(trial.data[trial.arm]))
    received = chances.to_numpy()[np.arange(trial.n), place]
    if (received <= 0).any():
        row = trial.data.index[received <= 0][0]
        raise DesignNotEstimable(f"row {row}: the design could never give this person the arm that was allocated")
    return received


def _weights(context: Context, use: np.ndarray, extra: np.ndarray | None) -> np.ndarray:
    weights = np.ones(context.trial.n) if extra is None else extra
    return (weights if context.received is None else weights / context.received)[use]


def stratum_columns(data: pd.DataFrame) -> pd.DataFrame:
    """Indicators of the strata in column s, the first left out: columns s0, s1, …"""
    dummies = pd.get_dummies(data["s"], drop_first=True, dtype=float)
    return dummies.set_axis([f"s{place}" for place in range(dummies.shape[1])], axis=1)


def _present(table: Table, *columns: str) -> list[str]:
    return [column for column in columns if column in table.data.columns]


def _lin(table: Table, covariates: pd.DataFrame) -> Estimate:
    data = pd.concat([table.data[["y", "t", *_present(table, "c", "w")]], covariates], axis=1)
    fit = lm_lin(
        "y ~ t",
        f"~ {' + '.join(covariates.columns)}",
        data,
        se_type=table.convention,
        clusters="c" if table.clusters else None,
        weights="w" if table.weights else None,
    )
    return fit["t"]


def _regress(table: Table, formula: str, data: pd.DataFrame) -> Regression:
    return lm_robust(
        formula,
        data,
        se_type=table.convention,
        clusters="c" if table.clusters else None,
        weights="w" if table.weights else None,
    )


def _hazards(table: Table, covariates: tuple[str, ...]) -> Estimate:
    """A ratio of hazards; the strata or pairs of the design have baseline hazards of their own."""
    strata = "p" if table.pairs else "s" if table.strata else None
    clusters = "c" if table.clusters else None
    return hazard_effect(table.data, table.summary, covariates, strata=strata, clusters=clusters)


def _risk_ratio(table: Table, covariates: tuple[str, ...]) -> Estimate:
    """Katz's ratio when only the arm counts, else the ratio of risks standardised over strata and covariates."""
    if table.weights or table.pairs:
        raise DesignNotEstimable(
            "a ratio of risks has no standard error here for weighted people or pairs",
            remedy="register the risk difference",
        )
    if not (covariates or table.strata or table.clusters):
        return risk_ratio(table.data, "y", "t")
    data, terms = table.data, ["t", *covariates]
    if table.strata:
        dummies = stratum_columns(data)
        data, terms = pd.concat([data, dummies], axis=1), [*terms, *dummies.columns]
    return logit_margin(
        f"y ~ {' + '.join(terms)}", data, "t", summary="ratio", clusters="c" if table.clusters else None
    )


def _paired_regression(table: Table) -> Estimate:
    """Fogarty (2018): within-pair differences on differences and centred pair means of the covariates."""
    columns = ["y", *table.covariates]
    treated = table.data[table.data["t"] == 1].set_index("p")[columns]
    control = table.data[table.data["t"] == 0].set_index("p").loc[treated.index, columns]
    difference = (treated - control).add_prefix("d_")
    means = ((treated + control) / 2)[list(table.covariates)].add_prefix("m_")
    parts = [difference, means - means.mean()]
    data = pd.concat(parts, axis=1).reset_index(drop=True)
    varying = [c for c in data.columns if c != "d_y" and np.ptp(data[c].to_numpy()) > 1e-12]
    if not varying:
        return unadjusted(table)
    return lm_robust(f"d_y ~ {' + '.join(varying)}", data, se_type="HC2")["Intercept"]
