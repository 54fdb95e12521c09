"""Checks of a draw: who is where, are the arms alike, are the numbers the design's, can everybody be treated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from randomization.design import Design
from randomization.errors import DesignError, UnitsError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Check:
    """A test of a draw: the statistic, its degrees of freedom (None for a randomization test), p and how it was found.

    `reference` is 'chi-square' or 'randomization'; `draws` counts the draws of the latter.
    """

    name: str
    statistic: float
    p: float
    df: float | None
    reference: str
    draws: int = 0


def _codes(drawn: pd.Series, names: Sequence[str]) -> np.ndarray:
    """Arm codes of a draw; `UnitsError` names a unit whose arm the design does not have."""
    import numpy as np

    table = {name: code for code, name in enumerate(names)}
    known = drawn.isin(list(names)).to_numpy()
    if not known.all():
        place = int((~known).argmax())
        raise UnitsError(
            f"unit {drawn.index[place]!r} has arm {drawn.iloc[place]!r}, which is not one of {', '.join(names)}",
            path=("arm",),
            remedy="correct the arm, or leave the unit out",
        )
    return np.array([table[name] for name in drawn], dtype=np.int64)


def _same_units(drawn: pd.Series, units: pd.DataFrame) -> None:
    if not drawn.index.equals(units.index):
        raise UnitsError("the draw and the units have different indexes", remedy="hand in the units that were drawn")


def assignment_table(drawn: pd.Series, units: pd.DataFrame, strata: Sequence[str] | str = ()) -> pd.DataFrame:
    """Numbers by stratum and arm, with totals; one row a stratum (one row 'all' without strata), last row 'total'.

    >>> import pandas as pd
    >>> units = pd.DataFrame({"region": ["n", "n", "z"]})
    >>> assignment_table(pd.Series(["a", "b", "a"]), units, ["region"]).to_dict("index")
    {'n': {'a': 1, 'b': 1, 'total': 2}, 'z': {'a': 1, 'b': 0, 'total': 1}, 'total': {'a': 2, 'b': 1, 'total': 3}}
    """
    import numpy as np
    import pandas as pd

    from randomization.design import read_columns
    from randomization.units import check_present, column_of, grouped

    _same_units(drawn, units)
    columns = read_columns(strata)
    values = [column_of(units, name) for name in columns]
    for name, column in zip(columns, values, strict=True):
        check_present(name, column)
    group, labels = grouped(values, len(units))
    table = pd.crosstab(np.array(labels, dtype=object)[group], drawn.to_numpy()).reindex(list(labels))
    table.index.name = table.columns.name = None
    table["total"] = table.sum(axis=1)
    table.loc["total"] = table.sum(axis=0)
    return table


def _matrix(units: pd.DataFrame, covariates: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Covariates as numbers: a category becomes one 0/1 column a level."""
    import numpy as np
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    from randomization.units import check_present, column_of

    columns: list[np.ndarray] = []
    names: list[str] = []
    for name in covariates:
        column = column_of(units, name)
        check_present(name, column)
        if is_numeric_dtype(column) or is_bool_dtype(column):
            columns.append(column.to_numpy(dtype=np.float64))
            names.append(name)
        else:
            text = column.astype(str)
            for level in sorted(set(text)):
                columns.append((text == level).to_numpy(dtype=np.float64))
                names.append(f"{name}={level}")
    if not columns:
        raise DesignError("no covariate is named", path=("covariates",), remedy="name the columns to compare")
    return np.column_stack(columns), names


def balance_table(
    drawn: pd.Series, units: pd.DataFrame, covariates: Sequence[str], *, control: str | None = None
) -> pd.DataFrame:
    """Means by arm and standardised differences from the control arm; a category gives one row a level.

    Columns: 'mean <arm>' for every arm, 'difference <arm>' for every arm but the control (the first in sorted order
    when not named). A difference is (mean - control mean) / sqrt of the mean of the two arms' variances; 0 where the
    means agree and nothing varies. Source: Austin, Commun Stat Simul Comput 2009, 38:1228-1234. Raises `UnitsError`
    when means differ although neither arm varies, or an arm has fewer than two units.

    >>> import pandas as pd
    >>> units = pd.DataFrame({"age": [20.0, 30.0, 30.0, 40.0]})
    >>> balance_table(pd.Series(["a", "a", "b", "b"]), units, ["age"]).round(3).to_dict("records")
    [{'mean a': 25.0, 'mean b': 35.0, 'difference b': 1.414}]
    """
    import pandas as pd

    _same_units(drawn, units)
    x, names = _matrix(units, covariates)
    arms = sorted(drawn.dropna().unique())
    reference = arms[0] if control is None else control
    if reference not in arms:
        raise DesignError(f"nobody is in control arm {reference!r}", path=("control",), remedy="name one that is drawn")
    means, variances = {}, {}
    for arm in arms:
        part = x[(drawn == arm).to_numpy()]
        if len(part) < 2:
            raise UnitsError(f"arm {arm!r} has one unit", path=("arm",), remedy="a spread needs at least two")
        means[arm], variances[arm] = part.mean(axis=0), part.var(axis=0, ddof=1)
    table = pd.DataFrame({f"mean {arm}": means[arm] for arm in arms}, index=names)
    for arm in arms:
        if arm != reference:
            gap = means[arm] - means[reference]
            spread = ((variances[arm] + variances[reference]) / 2) ** 0.5
            for place in range(len(names)):
                if spread[place] == 0 and gap[place] != 0:
                    raise UnitsError(
                        f"{names[place]!r} differs between arms but varies within neither",
                        path=(names[place],),
                        remedy="leave it out of the table",
                    )
            table[f"difference {arm}"] = [g / s if s else 0.0 for g, s in zip(gap, spread, strict=True)]
    return table


def omnibus_test(
    drawn: pd.Series,
    units: pd.DataFrame,
    covariates: Sequence[str],
    *,
    design: Design | None = None,
    draws: int = 2_000,
    seed: int = 0,
) -> Check:
    """Whether the arms are alike in all covariates together.

    The statistic is the sum over arms of n_a (mean_a - mean)' S^-1 (mean_a - mean), with S the sample covariance of all
    units. Without a design it is referred to chi-square with (arms - 1) x rank degrees of freedom (Hansen and Bowers,
    Stat Sci 2008, 23:219-236, for two arms and complete randomization). With the design that drew it, p is the share
    of `draws` redraws at least as far apart, (1 + number) / (1 + draws): right for every design.
    """
    import numpy as np

    _same_units(drawn, units)
    x, _ = _matrix(units, covariates)
    white = _whiten(x)
    names = list(design.names) if design is not None else sorted(drawn.unique())
    codes = _codes(drawn, names)
    observed = float(_distance(white, codes[None, :], len(names))[0])
    if design is None:
        from scipy.special import chdtrc

        df = (len(names) - 1) * white.shape[1]
        return Check("omnibus balance", observed, float(chdtrc(df, observed)), float(df), "chi-square")
    again = _distance(white, design.draws(units, draws, seed), len(names))
    p = (1 + int((again >= observed * (1 - 1e-12)).sum())) / (1 + draws)
    return Check("omnibus balance", observed, float(np.float64(p)), None, "randomization", draws)


def _whiten(x: np.ndarray) -> np.ndarray:
    import numpy as np

    centred = x - x.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    u, s, _ = np.linalg.svd(centred[:, scale > 0] / scale[scale > 0], full_matrices=False)
    keep = s > 1e-10 * (s.max() if len(s) else 1.0)
    if not keep.any():
        raise UnitsError("no covariate varies between units", path=("covariates",), remedy="name others")
    return u[:, keep] * np.sqrt(len(x) - 1)


def _distance(white: np.ndarray, codes: np.ndarray, arms: int) -> np.ndarray:
    import numpy as np

    total = np.zeros(len(codes))
    for arm in range(arms):
        here = (codes == arm).astype(np.float64)
        size = here.sum(axis=1)
        sums = here @ white
        total += np.divide((sums**2).sum(axis=1), size, out=np.zeros(len(codes)), where=size > 0)
    return total


def sample_ratio_test(
    observed: pd.Series | Mapping[str, int],
    design: Design,
    units: pd.DataFrame | int | None = None,
    *,
    draws: int = 10_000,
    seed: int = 0,
) -> Check:
    """Sample-ratio mismatch: whether the numbers in the arms are what the design gives.

    `observed` is a Series of arms indexed like `units`, or a mapping arm -> number. Simple randomization is referred to
    chi-square, statistic sum (observed - expected)^2 / expected, arms - 1 degrees of freedom (Fabijan et al., KDD 2019,
    2156-2164). Every other design fixes numbers more tightly, and chi-square would see too little: the same statistic,
    summed over strata when `observed` says who is where, is referred to `draws` redraws of the design, p = (1 + number
    at least as large) / (1 + draws). A p of 1/(1 + draws) with a design that fixes its numbers means that the observed
    ones cannot have come from it.

    >>> import randomization as rz
    >>> found = sample_ratio_test({"control": 821_588, "treatment": 815_482}, rz.simple(["control", "treatment"]))
    >>> round(found.statistic, 2), f"{found.p:.1e}"
    (22.77, '1.8e-06')
    """
    import numpy as np

    from randomization.units import tally

    counted = isinstance(observed, Mapping)
    if counted:
        counts = _counts(observed, design)
        layout = design.layout(int(counts.sum()) if units is None else units)
        if layout.n != int(counts.sum()):
            raise UnitsError(
                f"the arms hold {int(counts.sum())} units, but {layout.n} were randomized",
                remedy="count every unit once",
            )
        table = counts[None, :]
    else:
        layout = design.layout(units if units is not None else len(observed))
        if layout.n != len(observed):
            raise UnitsError("the arms and the units differ in number", remedy="hand in the units that were randomized")
        table = tally(_codes(observed, design.names)[None, :], layout.group, len(layout.labels), len(design.arms))[0]
    if design.method == "simple":
        from scipy.special import chdtrc

        totals = table.sum(axis=0)
        expected = np.array([float(share) for share in design.shares]) * totals.sum()
        statistic = float(((totals - expected) ** 2 / expected).sum())
        df = len(totals) - 1
        return Check("sample ratio", statistic, float(chdtrc(df, statistic)), float(df), "chi-square")
    chances = design.probabilities(layout.n if units is None else units).to_numpy()
    expected = np.zeros((len(layout.labels), len(design.arms)))
    np.add.at(expected, layout.group, chances)
    expected = expected.sum(axis=0, keepdims=True) if counted else expected
    statistic = float(_gap(table[None], expected)[0])
    hits, step = 0, max(1, 8_000_000 // layout.n)
    for part, start in enumerate(range(0, draws, step)):
        again = design.tallies(layout, min(step, draws - start), seed + part)
        again = again.sum(axis=1, keepdims=True) if counted else again
        hits += int((_gap(again, expected) >= statistic * (1 - 1e-12)).sum())
    return Check("sample ratio", statistic, (1 + hits) / (1 + draws), None, "randomization", draws)


def _counts(observed: Mapping[str, int], design: Design) -> np.ndarray:
    import numpy as np

    for name, number in observed.items():
        if name not in design.names:
            raise UnitsError(f"{name!r} is not an arm of the design", path=(name,), remedy=", ".join(design.names))
        if isinstance(number, bool) or int(number) != number or number < 0:
            raise UnitsError(f"arm {name!r} holds {number!r} units", path=(name,), remedy="give a whole number")
    return np.array([int(observed.get(name, 0)) for name in design.names], dtype=np.int64)


def _gap(tables: np.ndarray, expected: np.ndarray) -> np.ndarray:
    import numpy as np

    share = np.divide((tables - expected) ** 2, expected, out=np.zeros(tables.shape), where=expected > 0)
    return share.sum(axis=(1, 2))


def never_treatable(design: Design, units: pd.DataFrame | int, *, draws: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Units that cannot, or all but cannot, reach an arm under the design (a rerandomization rule can do that).

    One row a unit and arm with chance zero: columns unit, arm, exact (True when listed or known in closed form) and
    upper, the largest chance still compatible with never being drawn (0 when exact, else the 95% bound 1 - 0.05^(1/n)).

    >>> import pandas as pd, randomization as rz
    >>> units = pd.DataFrame({"x": [0, 0, 0, 0, 10]}, index=list("abcde"))
    >>> d = rz.rerandomized(rz.complete({"control": 3, "advice": 2}), ["x"], threshold=0.7)
    >>> never_treatable(d, units).to_dict("records")
    [{'unit': 'e', 'arm': 'advice', 'exact': True, 'upper': 0.0}]
    """
    import pandas as pd

    chances = design.probabilities(units, n=draws, seed=seed)
    exact = bool(chances.attrs["exact"])
    upper = 0.0 if exact else 1 - 0.05 ** (1 / draws)
    rows = [
        {"unit": unit, "arm": arm, "exact": exact, "upper": upper}
        for arm in chances.columns
        for unit in chances.index[chances[arm].to_numpy() == 0]
    ]
    return pd.DataFrame(rows, columns=["unit", "arm", "exact", "upper"])
