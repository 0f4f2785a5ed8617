"""What share of a measure's variation over the scenarios each factor of the grid explains.

With y the measure at n scenarios and s its Monte Carlo standard errors, an effect E (a factor, or
two factors' interaction) has the projection P_E on what its columns add to those of all effects
that do not contain it (type II: where the grid is crossed and equally replicated, any type). As y
is its expectation mu plus independent errors,

    E[y' P_E y] = mu' P_E mu + sum_i s_i^2 (P_E)_ii,

so that the sum of squares less the last term, which chance adds, estimates that of mu. So it is
with the total, of which P = I - 11'/n. A share below 0 is shown as 0, and one above 1 as 1. Those
of type II add up to 1 only where the grid is balanced, and only on average.

The projections are found from the columns' cross-products, and that of what is left as the
complement of all others, so that ten thousand scenarios take seconds. Two factors with more than a
thousand combinations of levels have no interaction of their own: it is part of what is left.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hlm.errors import InputError
from hlm.measures.input_table import as_frame, group_rows, names, numbers, require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["REST", "TOTAL", "factor_effects"]

REST, TOTAL = "rest", "total"
"""What is called the variation that no factor and no interaction of two explains, and all of it."""

_SMALLEST = 1e-10  # eigenvalue, in units of the largest, of a direction that adds something

_MOST = 1000
"""Combinations of the levels of two factors whose interaction is an effect."""


class _Effect(NamedTuple):
    """An effect with an orthonormal basis of what it adds, (n, df), or of all but what it adds."""

    name: str
    basis: Floats
    is_complement: bool = False

    @property
    def df(self) -> int:
        """The dimensions that it adds."""
        n, spanned = self.basis.shape
        return n - spanned if self.is_complement else spanned


def factor_effects(
    measures: Any,
    factors: Sequence[str],
    *,
    by: str | Sequence[str] | None,
    estimate: str = "estimate",
    mcse: str = "mcse",
    interactions: bool = True,
) -> pd.DataFrame:
    """Split the variation of measures over the scenarios among the factors of the grid.

    Parameters
    ----------
    measures : pandas frame, Arrow table or stream, or mapping of columns
        A row for each scenario and group.
    factors : sequence of str
        The columns of the factors; each value is a level, numbers too.
    by : str or list of str, optional
        What makes a group, such as model, method, term and measure.
    estimate, mcse : str
        The columns of the measure and of its Monte Carlo standard error; rows that lack either are
        left out. The errors of scenarios must be independent.
    interactions : bool
        Whether two factors' interactions are effects, where the scenarios tell them from others.

    Returns
    -------
    pandas frame
        The `by` columns, `effect` (a factor, 'a:b', 'rest' or 'total'), `df`, `sum_of_squares`,
        `by_chance` (what of that Monte Carlo error adds on average), `share` of the total without
        what chance adds, NaN where the total is not above it, and `n`, the scenarios.

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> data = {"a": [1, 1, 2, 2], "b": [1, 2, 1, 2], "estimate": [0.0, 1.0, 3.0, 4.0], "mcse": 0.0}
    >>> table = factor_effects(data, ["a", "b"], by=None)
    >>> print(table[["effect", "df", "sum_of_squares", "share"]].round(6).to_string(index=False))
    effect  df  sum_of_squares  share
         a   1             9.0    0.9
         b   1             1.0    0.1
       a:b   1             0.0    0.0
     total   3            10.0    1.0
    """
    import pandas as pd

    frame, keys = as_frame(measures), names(by)
    required = [*(("by", key) for key in keys), *(("factors", name) for name in factors)]
    require(frame, [*required, ("estimate", estimate), ("mcse", mcse)])
    if not factors:
        raise InputError("no factor", path="factors", allowed="columns with levels")
    known = np.isfinite(numbers(frame, estimate)) & np.isfinite(numbers(frame, mcse))
    frame = frame[known]
    groups, points = group_rows(frame, keys), group_rows(frame, list(factors))
    y, s = numbers(frame, estimate), numbers(frame, mcse)
    found: dict[bytes, list[_Effect]] = {}
    rows: list[tuple[Any, ...]] = []
    for place, own in enumerate(groups.rows()):
        scenarios = points.codes[own]
        if scenarios.tobytes() not in found:
            levels = {name: _codes(points.labels[name], scenarios) for name in factors}
            found[scenarios.tobytes()] = _effects(levels, interactions=interactions)
        split = _split(y[own], s[own], found[scenarios.tobytes()])
        rows += [(place, *row, own.size) for row in split]
    columns = ["effect", "df", "sum_of_squares", "by_chance", "share", "n"]
    table = pd.DataFrame([row[1:] for row in rows], columns=columns)
    labels = groups.labels.iloc[[row[0] for row in rows]].reset_index(drop=True)
    return pd.concat([labels, table], axis=1)


def _split(
    y: Floats, s: Floats, effects: Sequence[_Effect]
) -> list[tuple[str, int, float, float, float]]:
    """Return name, df, sum of squares, what chance adds, and share of each effect and the total."""
    n, centred = y.size, y - y.mean()
    sums = {effect.name: (effect.df, *_sums(effect, centred, s)) for effect in effects}
    total = (n - 1, float(centred @ centred), float(s @ s) * (1.0 - 1.0 / n))
    left = total[1] - total[2]
    # Rounding is no variation.
    real = left > 1e-12 * float(y @ y)
    return [
        (name, df, square, chance, min(max(square - chance, 0.0) / left, 1.0) if real else np.nan)
        for name, (df, square, chance) in {**sums, TOTAL: total}.items()
    ]


def _sums(effect: _Effect, y: Floats, s: Floats) -> tuple[float, float]:
    """Return y' P y and sum_i s_i^2 P_ii, P = B B' or I - B B'."""
    along, heights = effect.basis.T @ y, (effect.basis**2).sum(axis=1)
    if effect.is_complement:
        left = y - effect.basis @ along
        return float(left @ left), float(s**2 @ (1.0 - heights))
    return float(along @ along), float(s**2 @ heights)


def _effects(levels: Mapping[str, NDArray[np.intp]], *, interactions: bool) -> list[_Effect]:
    """Return the effects that the scenarios can tell from others, then what is left."""
    single = {name: _indicators(codes) for name, codes in levels.items()}
    columns: dict[tuple[str, ...], Floats] = {(name,): own for name, own in single.items()}
    if interactions:
        for pair in combinations(levels, 2):
            first, second = (levels[name] for name in pair)
            combined = np.unique(first * (second.max(initial=0) + 1) + second, return_inverse=True)
            if len(combined[0]) <= _MOST:
                columns[pair] = _indicators(combined[1])
    n = len(next(iter(columns.values())))
    one = np.full((n, 1), 1.0 / np.sqrt(n))
    effects = []
    for name, own in columns.items():
        others = [c for other, c in columns.items() if not {*name} <= {*other}]
        basis = _added(own, _added(np.hstack([one, *others]), None))
        if basis.shape[1]:
            effects.append(_Effect(":".join(name), basis))
    rest = _Effect(REST, _added(np.hstack([one, *columns.values()]), None), is_complement=True)
    return [*effects, *([rest] if rest.df else [])]


def _added(columns: Floats, basis: Floats | None) -> Floats:
    """Return an orthonormal basis of what columns add to the span of another one."""
    if basis is not None:
        columns = columns - basis @ (basis.T @ columns)
    size, directions = np.linalg.eigh(columns.T @ columns)
    adds = size > _SMALLEST * max(1.0, size.max(initial=0.0))
    added: Floats = columns @ (directions[:, adds] / np.sqrt(size[adds]))
    return added


def _indicators(codes: NDArray[np.intp]) -> Floats:
    return np.eye(codes.max(initial=0) + 1)[codes]


def _codes(labels: pd.Series, scenarios: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Return the level of each scenario as a number, those that occur counted from 0."""
    import pandas as pd

    return pd.factorize(labels.iloc[scenarios])[0]
