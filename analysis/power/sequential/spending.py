"""How much of the error may be spent by a given share of the information."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import special

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest

__all__ = ["SPENDING", "named", "spent"]


def _obrien_fleming(alpha: float, t: float, _: float | None) -> float:
    return 2 * float(special.ndtr(special.ndtri(alpha / 2) / math.sqrt(t)))


def _pocock(alpha: float, t: float, _: float | None) -> float:
    return alpha * math.log1p((math.e - 1) * t)


def _hwang(alpha: float, t: float, gamma: float | None) -> float:
    g = -4.0 if gamma is None else gamma
    return alpha * t if g == 0 else alpha * math.expm1(-g * t) / math.expm1(-g)


def _power(alpha: float, t: float, rho: float | None) -> float:
    r = 3.0 if rho is None else rho
    if r <= 0:
        raise ImpossibleRequest("parameter", "the power of Kim and DeMets' spending must be above zero")
    return alpha * t**r


# name: (cumulative one-sided error at information t, source)
SPENDING: dict[str, tuple[Callable[[float, float, float | None], float], str]] = {
    "lan_demets_obf": (_obrien_fleming, "Lan & DeMets (1983), O'Brien-Fleming type"),
    "lan_demets_pocock": (_pocock, "Lan & DeMets (1983), Pocock type"),
    "hwang_shih_decani": (_hwang, "Hwang, Shih & DeCani (1990)"),
    "kim_demets": (_power, "Kim & DeMets (1987)"),
}


# How gsDesign, rpact and books call the same, in small letters without separators.
_OTHER_NAMES = {
    **dict.fromkeys(("of", "obrienfleming", "obf"), "obf"),
    **dict.fromkeys(("p",), "pocock"),
    **dict.fromkeys(("wt",), "wang_tsiatis"),
    **dict.fromkeys(("hp", "peto"), "haybittle_peto"),
    **dict.fromkeys(("pt",), "pampallona_tsiatis"),
    **dict.fromkeys(("asof", "bsof", "sfldof", "ldof"), "lan_demets_obf"),
    **dict.fromkeys(("asp", "bsp", "sfldpocock", "ldpocock"), "lan_demets_pocock"),
    **dict.fromkeys(("ashsd", "bshsd", "sfhsd", "hsd", "gammafamily"), "hwang_shih_decani"),
    **dict.fromkeys(("askd", "bskd", "sfpower", "kd"), "kim_demets"),
}


def named(word: str) -> str:
    """A bound or spending function by our name, also when asked for as gsDesign or rpact call it.

    >>> named("asOF"), named("O'Brien-Fleming"), named("pocock")
    ('lan_demets_obf', 'obf', 'pocock')
    """
    plain = "".join(letter for letter in word.lower() if letter.isalnum())
    ours = {
        name.replace("_", ""): name
        for name in (*SPENDING, "pocock", "obf", "wang_tsiatis", "haybittle_peto", "pampallona_tsiatis")
    }
    return _OTHER_NAMES.get(plain, ours.get(plain, word))


def spent(kind: str, alpha: float, t: float, parameter: float | None = None) -> float:
    """Error of one side spent by information fraction `t`; `parameter` is gamma or rho where the family has one.

    >>> round(spent("lan_demets_obf", 0.025, 0.5), 6)
    0.001525
    """
    checks.choice("spending", kind, SPENDING)
    return SPENDING[kind][0](alpha, min(t, 1.0), parameter) if t > 0 else 0.0
