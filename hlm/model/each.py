"""`lmer_each`: one model fitted to every data set of a stacked frame.

The formula is read and the columns are built once, for all data sets together; each then takes
little more than its own fit. A column of the result means the same in every row: in a data set
without the first level of a factor, with which the others are compared, nothing is identified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.engine.batch import free_elements
from hlm.engine.fit import CRITERION, SINGULAR
from hlm.errors import InputError
from hlm.formula import Term, model_columns, parse
from hlm.model.columns import missing_rows, read_columns
from hlm.model.frame import (
    Frame,
    build_frame,
    check_size,
    has_full_rank,
    independent_columns,
    used_columns,
)
from hlm.model.moments import Rows, fit_rows
from hlm.model.undetermined import open_elements, open_theta

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["lmer_each"]

Floats = NDArray[np.float64]


def lmer_each(formula: str, data: Any, by: str = "rep", reml: bool = True) -> pd.DataFrame:
    """Fit every data set of a stacked frame.

    Parameters
    ----------
    formula : str
    data : pandas.DataFrame or mapping of str to array_like
        Data sets below each other. Rows with missing values are left out.
    by : str
        The column that tells them apart.
    reml : bool

    Returns
    -------
    pandas.DataFrame
        One row per data set, in order of appearance: `by`, criterion, sigma, theta_1, ..., each
        coefficient, its se_<coefficient>, singular, status. What a data set does not determine is
        NaN; a data set that cannot be fitted has a status that says why: 'unidentified' if it has
        too few rows, units or levels, 'not_finite', or as `LmerFit`; 'partly_identified' leaves NaN
        only what it does not determine of theta.

    Raises
    ------
    InputError
        If the formula or a column cannot be used at all.

    Examples
    --------
    >>> import pandas as pd
    >>> from hlm.datasets import load_sleepstudy
    >>> two = pd.concat([load_sleepstudy().assign(rep=k) for k in (1, 2)])
    >>> lmer_each("Reaction ~ Days + (1 | Subject)", two)[["rep", "Days", "status"]].round(3)
       rep    Days status
    0    1  10.467     ok
    1    2  10.467     ok
    """
    import pandas as pd

    parsed = parse(formula)
    key = read_columns([by], data)
    if missing_rows(key).any():
        raise InputError(f"the column '{by}' has missing values")
    columns, kept = used_columns(parsed, data)
    if len(kept) != len(key[by]):
        raise InputError(f"'{by}' has {len(key[by])} rows, the other columns have {len(kept)}")
    part, names = pd.factorize(key[by])
    stack = _sort(build_frame(parsed, columns, kept), columns, part[kept], len(names))
    p, n_theta = len(stack.frame.names), len(free_elements(stack.frame.blocks)[0])
    out = _allocate(len(names), p, n_theta)
    for k in range(len(names)):
        _fit_part(stack, k, out, reml=reml)
    return pd.DataFrame({by: names, **_as_columns(out, stack.frame.names)})


class _Stack(NamedTuple):
    """All data sets, sorted by data set and unit; data set k has rows bounds[k] to bounds[k + 1].

    `first_levels` (n_factors, n) tells the rows that have the first level of each fixed factor.
    """

    frame: Frame
    X: Floats
    Z: Floats
    y: Floats
    starts: NDArray[np.int64]
    bounds: NDArray[np.int64]
    first_levels: NDArray[np.bool_]


class _Results(NamedTuple):
    """One row per data set."""

    criterion: Floats
    sigma: Floats
    theta: Floats
    beta: Floats
    se: Floats
    singular: NDArray[np.bool_]
    status: NDArray[np.object_]


def _sort(frame: Frame, columns: dict[str, Any], part: NDArray[np.int64], n_parts: int) -> _Stack:
    unit = part * len(frame.unit_names) + frame.units
    order = np.argsort(unit, kind="stable")
    unit = unit[order]
    return _Stack(
        frame=frame,
        X=frame.X[order],
        Z=frame.Z[order],
        y=frame.y[order],
        starts=np.flatnonzero(np.diff(unit, prepend=-1)),
        bounds=np.searchsorted(part[order], np.arange(n_parts + 1)),
        first_levels=_first_levels(frame, columns)[:, order],
    )


def _first_levels(frame: Frame, columns: dict[str, Any]) -> NDArray[np.bool_]:
    """Tell the rows that have the first level of each factor coded by contrasts with it."""
    factors = {factor for term in frame.formula.fixed for factor in term.factors}
    rows = np.zeros((0, len(frame.y)), dtype=bool)
    for factor in factors:
        levels = frame.levels.get(factor.name)
        if levels and factor.name + levels[0] not in frame.names:
            _, dummies = model_columns((Term(()), Term((factor,))), columns, levels=frame.levels)
            rows = np.vstack([rows, ~dummies[:, 1:].any(axis=1)])
    return rows


def _allocate(n: int, p: int, n_theta: int) -> _Results:
    return _Results(
        criterion=np.full(n, np.nan),
        sigma=np.full(n, np.nan),
        theta=np.full((n, n_theta), np.nan),
        beta=np.full((n, p), np.nan),
        se=np.full((n, p), np.nan),
        singular=np.zeros(n, dtype=bool),
        status=np.full(n, "unidentified", dtype=object),
    )


def _fit_part(stack: _Stack, k: int, out: _Results, *, reml: bool) -> None:
    """Fit data set k and write its row; what cannot be fitted keeps NaN and a status."""
    begin, end = stack.bounds[k], stack.bounds[k + 1]
    X, Z, y = stack.X[begin:end], stack.Z[begin:end], stack.y[begin:end]
    first, last = np.searchsorted(stack.starts, (begin, end))
    starts = stack.starts[first:last] - begin
    if not stack.first_levels[:, begin:end].any(axis=1).all():
        return
    if not (np.isfinite(X).all() and np.isfinite(Z).all() and np.isfinite(y).all()):
        out.status[k] = "not_finite"
        return
    try:
        check_size(stack.frame.formula.random[0].group, len(y), len(starts), stack.frame.blocks)
    except InputError:
        return
    basis, transform = np.linalg.qr(X)
    keep = np.ones(X.shape[1], dtype=bool)
    if not has_full_rank(transform):
        keep = independent_columns(X)
        basis, transform = np.linalg.qr(X[:, keep])
    rows = Rows(basis, transform, Z, y, None, starts, stack.frame.blocks)
    fit = fit_rows(rows, reml=reml)
    out.status[k], room = fit.status, fit.room
    estimates, p = room.estimates, len(transform)
    out.criterion[k], out.singular[k] = room.summary[CRITERION], room.summary[SINGULAR]
    out.theta[k], out.sigma[k] = estimates.theta, estimates.estimate[-1]
    if fit.status == "partly_identified":
        is_open = open_elements(estimates.estimate[p:-1], stack.frame.blocks)
        out.theta[k, open_theta(is_open, stack.frame.blocks)] = np.nan
    out.beta[k, keep], out.se[k, keep] = estimates.estimate[:p], estimates.se[:p]


def _as_columns(out: _Results, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "criterion": out.criterion,
        "sigma": out.sigma,
        **{f"theta_{j}": column for j, column in enumerate(out.theta.T, start=1)},
        **dict(zip(names, out.beta.T, strict=True)),
        **{f"se_{name}": column for name, column in zip(names, out.se.T, strict=True)},
        "singular": out.singular,
        "status": out.status,
    }
