"""The units of a batch draw, checked once: no missing stratum, no unit twice, grouped without sorting strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from randomization.errors import UnitsError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from randomization.design import Design

LEFT_OUT = 255


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Units in strata: `group` is each unit's stratum, `order` the units by stratum (None when they lie so already)."""

    n: int
    index: pd.Index | None
    group: np.ndarray
    labels: tuple[str, ...]
    sizes: np.ndarray
    order: np.ndarray | None
    columns: dict[str, pd.Series] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def in_groups(self) -> list[np.ndarray]:
        """Rows of the units of each stratum, in the order they came."""
        import numpy as np

        order = np.arange(self.n) if self.order is None else self.order
        return np.split(order, np.cumsum(self.sizes)[:-1])


def layout_of(design: Design, units: pd.DataFrame | int) -> Layout:
    """Check `units` against the columns the design names; reuse the last layout while the values are the same."""
    import numpy as np
    import pandas as pd

    wanted = tuple(dict.fromkeys(design.columns))
    if not isinstance(units, pd.DataFrame):
        n = _count(units)
        if wanted:
            raise UnitsError(
                f"column {wanted[0]!r} is needed, but only a number of units was given",
                path=(wanted[0],),
                remedy="hand in a data frame with one row a unit",
            )
        return _whole(n)
    given = {name: column_of(units, name) for name in wanted}
    kept = design.cache.get("layout")
    if kept is not None and _same(kept, units, wanted):
        return kept
    index = units.index
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise UnitsError(f"unit {twice!r} occurs twice", path=("index",), remedy="keep one row for each unit")
    columns = {name: column.copy() for name, column in given.items()}
    for name, column in columns.items():
        check_present(name, column)
    group, labels = grouped([columns[name] for name in design.strata], len(units))
    sizes = np.bincount(group, minlength=len(labels)).astype(np.int64)
    layout = Layout(len(units), index, group, labels, sizes, sort_order(group, len(labels)), columns)
    design.cache["layout"] = layout
    return layout


def column_of(frame: pd.DataFrame, name: str) -> pd.Series:
    """One column; `UnitsError` names it when it is not there, or there twice."""
    import pandas as pd

    found = frame[name] if name in frame.columns else None
    if not isinstance(found, pd.Series):
        known = ", ".join(repr(str(column)) for column in frame.columns[:12])
        fault = "is not among" if found is None else "occurs twice among"
        raise UnitsError(
            f"column {name!r} {fault} the columns of the units ({known})",
            path=(name,),
            remedy="add it, or correct its name",
        )
    return found


def first_unit(units: pd.Series, wrong: Any) -> tuple[Any, Any]:
    """Name and value of the first unit of a column for which `wrong` holds."""
    import numpy as np

    place = int(np.flatnonzero(np.asarray(wrong, dtype=bool))[0])
    return units.index[place], units.iloc[place]


def _count(units: Any) -> int:
    if isinstance(units, bool) or not hasattr(units, "__index__") or int(units) < 1:
        raise UnitsError(
            f"the units are given as {units!r}", remedy="hand in a data frame, or a whole number of at least one"
        )
    return int(units)


def _whole(n: int) -> Layout:
    import numpy as np

    return Layout(n, None, np.broadcast_to(np.int32(0), (n,)), ("all",), np.array([n]), None)


def _same(kept: Layout, units: pd.DataFrame, wanted: Sequence[str]) -> bool:
    return (
        kept.n == len(units)
        and kept.index is not None
        and kept.index.equals(units.index)
        and all(kept.columns[name].equals(units[name]) for name in wanted)
    )


def check_present(name: str, column: pd.Series) -> None:
    """Raise `UnitsError`, naming the first unit, when a value of the column is missing."""
    missing = column.isna()
    if missing.any():
        unit, _ = first_unit(column, missing)
        raise UnitsError(
            f"column {name!r} is missing for unit {unit!r} ({int(missing.sum())} in all)",
            path=(name,),
            remedy="fill it in, or leave the unit out",
        )


def grouped(columns: Sequence[pd.Series], n: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Stratum number of each unit and the strata's labels, strata in the order of their sorted values."""
    import numpy as np
    import pandas as pd

    if not columns:
        return np.broadcast_to(np.int32(0), (n,)), ("all",)
    code = np.zeros(n, dtype=np.int64)
    levels: list[list[str]] = []
    for column in columns:
        part, values = pd.factorize(column, sort=False)
        names = [str(value) for value in values]
        rank = np.empty(len(names), dtype=np.int64)
        rank[sorted(range(len(names)), key=lambda place: _natural(values[place]))] = np.arange(len(names))
        code = code * len(names) + rank[part]
        levels.append([name for _, name in sorted(zip(rank, names, strict=True))])
    product = int(np.prod([len(names) for names in levels]))
    if product <= max(4 * n, 1024):
        used = np.bincount(code, minlength=product) > 0
        places = np.flatnonzero(used)
        group = (np.cumsum(used) - 1)[code]
    else:
        places, group = np.unique(code, return_inverse=True)
    return group.astype(np.int32), tuple(_label(int(place), levels) for place in places)


def _natural(value: Any) -> tuple[int, float, str]:
    try:
        return 0, float(value), str(value)
    except (TypeError, ValueError):
        return 1, 0.0, str(value)


def _label(place: int, levels: Sequence[Sequence[str]]) -> str:
    values: list[str] = []
    for names in reversed(levels):
        place, digit = divmod(place, len(names))
        values.append(names[digit])
    return join_label(values[::-1])


def join_label(values: Sequence[str]) -> str:
    """Values of the strata in one label; a bar or backslash inside a value is escaped, so labels never collide.

    >>> join_label(["noord", "mbo2"]), join_label(["a|b", "c"]), join_label([])
    ('noord|mbo2', 'a\\\\|b|c', 'all')
    """
    return "|".join(value.replace("\\", "\\\\").replace("|", "\\|") for value in values) if values else "all"


def sort_order(group: np.ndarray, groups: int) -> np.ndarray | None:
    """Stable order of the units by stratum (a radix sort of small numbers), or None when they are sorted."""
    import numpy as np

    if groups == 1 or bool(np.all(group[:-1] <= group[1:])):
        return None
    small = group.astype(np.uint16) if groups <= 1 << 16 else group
    return np.argsort(small, kind="stable")


def tally(codes: np.ndarray, group: np.ndarray, groups: int, arms: int) -> np.ndarray:
    """Numbers by draw, stratum and arm; units left out are in no arm."""
    import numpy as np

    cell = group.astype(np.int64)[None, :] * (arms + 1) + np.minimum(codes, arms)
    offset = np.arange(len(codes))[:, None] * (groups * (arms + 1))
    flat = np.bincount((cell + offset).reshape(-1), minlength=len(codes) * groups * (arms + 1))
    return flat.reshape(len(codes), groups, arms + 1)[:, :, :arms]


def named(codes: np.ndarray, names: Sequence[str], index: pd.Index | None) -> pd.Series:
    """Arm names as a Series; a unit left out has no arm (missing)."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    # Taking from a dictionary of names is ten times faster than from an array of Python strings.
    places = pa.array(codes, mask=codes == LEFT_OUT)
    text = pa.array(list(names), type=pa.large_string()).take(places)
    dtype = pd.StringDtype("pyarrow", na_value=np.nan)
    return pd.Series(pd.arrays.ArrowStringArray(text, dtype=dtype), index=index, name="arm")
