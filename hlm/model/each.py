"""`lmer_each`: one model fitted to every data set of a stacked frame.

The formula is read and the columns are built once, for all data sets together; each then takes
little more than its own fit. A data set that lacks a level which the coding of the columns rests on
gets columns of its own, as if it were alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError
from hlm.formula import Term, model_columns, parse
from hlm.kernels.elements import free_elements, open_elements, open_theta
from hlm.kernels.fit import CRITERION, SINGULAR
from hlm.model.frame import Frame, build_frame, check_size, has_full_rank, independent_columns
from hlm.model.moments import EngineFit, Rows, fit_rows
from hlm.model.used import used_columns
from hlm.model.variables import missing_rows, read_columns, take_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        coefficient, its se_<coefficient>, singular, status. Each row is what `lmer` gives for the
        data set alone: where that lacks the first level of a factor, the coefficients are
        differences from its own first level, and what it does not have or determine is NaN. A data
        set that cannot be fitted has a status that says why: 'unidentified' if it has too few
        rows, units or levels, 'not_finite', or as `LmerFit`; `singular` is missing there.
        'partly_identified' leaves NaN only what the data set does not determine of theta.

    Raises
    ------
    InputError
        If the formula or a column cannot be used at all, or two columns of the result would have
        one name, such as that of a covariate 'sigma'.

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
    _check_names(by, _as_columns(out, stack.frame.names))
    for k in range(len(names)):
        _fit_part(stack, k, out, reml=reml)
    return pd.DataFrame({by: names, **dict(_as_columns(out, stack.frame.names))})


def _check_names(by: str, columns: Sequence[tuple[str, Any]]) -> None:
    """Refuse two columns of one name, which a table by name cannot hold."""
    names = [by, *(name for name, _ in columns)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"two columns of the table would be named '{twice}'",
            allowed="other names for the columns of the data",
        )


class _Stack(NamedTuple):
    """All data sets, sorted by data set and unit; data set k has rows bounds[k] to bounds[k + 1].

    `columns` are those of the formula. `needed` (k, n) tells the rows that have what the coding of
    the factors rests on, which a data set must have some of.
    """

    frame: Frame
    X: Floats
    Z: Floats
    y: Floats
    starts: NDArray[np.int64]
    bounds: NDArray[np.int64]
    columns: dict[str, Any]
    needed: NDArray[np.bool_]


class _Part(NamedTuple):
    """One data set, sorted by unit, and the places of its columns among those of all."""

    X: Floats
    Z: Floats
    y: Floats
    starts: NDArray[np.int64]
    blocks: tuple[int, ...]
    fixed: NDArray[np.int64]
    theta: NDArray[np.int64]


class _Results(NamedTuple):
    """One row per data set."""

    criterion: Floats
    sigma: Floats
    theta: Floats
    beta: Floats
    se: Floats
    singular: NDArray[np.object_]
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
        columns={name: take_rows(column, order) for name, column in columns.items()},
        needed=_needed_levels(frame, columns)[:, order],
    )


def _needed_levels(frame: Frame, columns: dict[str, Any]) -> NDArray[np.bool_]:
    """Tell the rows that have what the coding rests on.

    Of each fixed factor that is the first level, and any other; of each random one all levels.
    """
    fixed = {factor for term in frame.formula.fixed for factor in term.factors}
    blocks = frame.formula.random
    random = {factor for b in blocks for term in b.terms for factor in term.factors}
    rows = [np.zeros((0, len(frame.y)), dtype=bool)]
    for factor in fixed | random:
        if factor.name in frame.levels:
            alone = (Term((factor,)),)  # which makes a column of each level
            has = model_columns(alone, columns, levels=frame.levels)[1].T > 0.0
            rows.append(has if factor in random else np.array([has[0], ~has[0]]))
    return np.concatenate(rows)


def _allocate(n: int, p: int, n_theta: int) -> _Results:
    return _Results(
        criterion=np.full(n, np.nan),
        sigma=np.full(n, np.nan),
        theta=np.full((n, n_theta), np.nan),
        beta=np.full((n, p), np.nan),
        se=np.full((n, p), np.nan),
        singular=np.full(n, None, dtype=object),
        status=np.full(n, "unidentified", dtype=object),
    )


def _fit_part(stack: _Stack, k: int, out: _Results, *, reml: bool) -> None:
    """Fit data set k and write its row; what cannot be fitted keeps NaN and a status."""
    part = _part(stack, k)
    if part is None:
        return
    X, Z, y = part.X, part.Z, part.y
    if not (np.isfinite(X).all() and np.isfinite(Z).all() and np.isfinite(y).all()):
        out.status[k] = "not_finite"
        return
    try:
        check_size(stack.frame.formula.random[0].group, len(y), len(part.starts), part.blocks)
    except InputError:
        return
    basis, transform = np.linalg.qr(X)
    keep = np.ones(X.shape[1], dtype=bool)
    if not has_full_rank(transform):
        keep = independent_columns(X)
        basis, transform = np.linalg.qr(X[:, keep])
    rows = Rows(basis, transform, Z, y, None, part.starts, part.blocks)
    _write(fit_rows(rows, reml=reml), out, k, part, keep)


def _write(fit: EngineFit, out: _Results, k: int, part: _Part, keep: NDArray[np.bool_]) -> None:
    """Write a fit to row k, its columns at their places."""
    fixed, theta, blocks = part.fixed[keep], part.theta, part.blocks
    out.status[k], workspace = fit.status, fit.workspace
    estimates, p = workspace.fit.estimates, len(fixed)
    out.criterion[k], out.sigma[k] = workspace.fit.summary[CRITERION], estimates.estimate[-1]
    out.singular[k] = bool(workspace.fit.summary[SINGULAR]) if np.isfinite(out.sigma[k]) else None
    out.theta[k, theta] = estimates.theta
    if fit.status == "partly_identified":
        is_open = open_elements(estimates.estimate[p:-1], blocks)
        out.theta[k, theta[open_theta(is_open, blocks)]] = np.nan
    out.beta[k, fixed], out.se[k, fixed] = estimates.estimate[:p], estimates.se[:p]


def _part(stack: _Stack, k: int) -> _Part | None:
    """Return data set k; nothing if it has no columns of the model."""
    begin, end = stack.bounds[k], stack.bounds[k + 1]
    if begin == end:
        return None
    if not stack.needed[:, begin:end].any(axis=1).all():
        return _alone(stack.frame, stack.columns, np.arange(begin, end))
    first, last = np.searchsorted(stack.starts, (begin, end))
    return _Part(
        X=stack.X[begin:end],
        Z=stack.Z[begin:end],
        y=stack.y[begin:end],
        starts=stack.starts[first:last] - begin,
        blocks=stack.frame.blocks,
        fixed=np.arange(stack.X.shape[1]),
        theta=np.arange(len(free_elements(stack.frame.blocks)[0])),
    )


def _alone(whole: Frame, columns: dict[str, Any], rows: NDArray[np.int64]) -> _Part | None:
    """Return a data set with the columns that it has if nothing is known of the others."""
    own = {name: take_rows(column, rows) for name, column in columns.items()}
    try:
        frame = build_frame(whole.formula, own, np.ones(len(rows), dtype=bool))
    except InputError:  # a factor has one level only
        return None
    order = np.argsort(frame.units, kind="stable")
    random = _places(
        [name for names in frame.random_names for name in names],
        [name for names in whole.random_names for name in names],
    )
    places = {pair: j for j, pair in enumerate(zip(*free_elements(whole.blocks), strict=True))}
    row, col = free_elements(frame.blocks)
    return _Part(
        X=frame.X[order],
        Z=frame.Z[order],
        y=frame.y[order],
        starts=np.searchsorted(frame.units[order], np.arange(len(frame.unit_names))),
        blocks=frame.blocks,
        fixed=_places(frame.names, whole.names),
        theta=np.array([places[i, j] for i, j in zip(random[row], random[col], strict=True)]),
    )


def _places(some: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Find names among others that have the same order, also where names occur twice."""
    places, start = [], 0
    for name in some:
        start = names.index(name, start) + 1
        places.append(start - 1)
    return np.array(places, dtype=np.int64)


def _as_columns(out: _Results, names: tuple[str, ...]) -> list[tuple[str, Any]]:
    import pandas as pd

    return [
        ("criterion", out.criterion),
        ("sigma", out.sigma),
        *((f"theta_{j}", column) for j, column in enumerate(out.theta.T, start=1)),
        *zip(names, out.beta.T, strict=True),
        *((f"se_{name}", column) for name, column in zip(names, out.se.T, strict=True)),
        ("singular", pd.array(out.singular.tolist(), dtype="boolean")),
        ("status", out.status),
    ]
