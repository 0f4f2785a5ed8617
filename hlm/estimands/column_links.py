r"""Whether columns of a model are, as functions of the covariates, those of the truth.

Functions are compared at some hundred points: all combinations of the values of grids and of 0 and
1, and spread values of what is drawn; of covariates that are factors all values. Functions of the
formula language that agree there agree everywhere, so that no verdict depends on a data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.covariates import example
from hlm.distributions import GeneratedRows, UnitValues
from hlm.formula import model_columns
from hlm.formula.syntax import Indicator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hlm.formula import Term
    from hlm.scenario import Covariate

__all__ = ["Link", "link_columns"]

Floats = NDArray[np.float64]

POINTS = 480
"""At least so many points at which functions are compared."""

UNITS = 24
"""Of so many units, where covariates come from others."""

MOST_VALUES = 24
"""Of the grids of a level so many values, evenly spread, are looked at, and the ends of each."""

SAME = 1e-9
"""A column whose distance from a space is below this share of its length lies in it."""

SIMPLE = (3, 6, 9, 12)
"""A coefficient that is within rounding of a number of so many digits is that number."""


@dataclass(frozen=True)
class Link:
    """How the columns of a model, p, are linked with those of the truth, k.

    Attributes
    ----------
    change : ndarray (p, k)
        C with X = X* C, in the columns that are `spanned`.
    spanned : ndarray of bool (k,)
    place, factor : ndarray (p,)
        Column j of the model is `factor[j]` times column `place[j]` of the truth; -1 if of none.
    """

    change: Floats
    spanned: NDArray[np.bool_]
    place: NDArray[np.int64]
    factor: Floats

    def holds(self, there: NDArray[np.bool_]) -> bool:
        """Tell whether all columns that are there are combinations of the model's."""
        return bool((self.spanned | ~there).all())

    @property
    def is_part(self) -> bool:
        """Whether each column of the model is one of the truth's, but for a factor."""
        return bool((self.place >= 0).all())


@lru_cache(maxsize=4096)
def link_columns(
    covariates: tuple[Covariate, ...], terms: tuple[Term, ...], truth: tuple[Term, ...]
) -> Link:
    """Compare the columns of a model with those of the truth.

    Parameters
    ----------
    covariates : tuple of Covariate
    terms, truth : tuple of Term
        Numeric terms, as those of studies are.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> from hlm.scenario import Covariate
    >>> own, truth = (parse(text + " + (1 | g)").fixed for text in ("y ~ I(x - 5)", "y ~ x"))
    >>> link = link_columns((Covariate("x", "row"),), own, truth)
    >>> link.spanned, link.change.tolist()
    (array([ True,  True]), [[1.0, 5.0], [0.0, 1.0]])
    """
    data = _points(covariates, _coded((*terms, *truth)))
    own, others = (_columns(some, data) for some in (terms, truth))
    finite = np.isfinite(own).all(axis=1) & np.isfinite(others).all(axis=1)
    own, others = own[finite], others[finite]
    change = np.zeros((len(terms), len(truth)))
    spanned = np.zeros(len(truth), dtype=bool)
    place, factor = np.full(len(terms), -1), np.ones(len(terms))
    for k, column in enumerate(others.T):
        for j, candidate in enumerate(own.T):
            multiple, same = _combination(column[:, None], candidate)
            if same and multiple[0] != 0.0 and place[j] < 0:
                place[j], factor[j] = k, multiple[0]
        alike = np.flatnonzero(place == k)[:1]
        among = alike if len(alike) else np.arange(len(terms))
        change[among, k], spanned[k] = _combination(own[:, among], column)
    return Link(change, spanned, place, factor)


def _combination(X: Floats, column: Floats) -> tuple[Floats, bool]:
    """Return c with X c = column, and whether there is one.

    What it can be without is left out, one column after the other, and the rest solved again: so a
    coefficient of 0 is 0 where columns are nearly dependent too, as powers of a year are.
    """
    c = _solved(X, column)
    if not np.linalg.norm(column - X @ c) <= _allowed(X, c, column):
        return c, False
    there = np.ones(len(c), dtype=bool)
    for j in np.argsort(np.abs(c) * np.linalg.norm(X, axis=0)):
        there[j] = False
        less = np.zeros(len(c))
        less[there] = _solved(X[:, there], column)
        there[j] = not _agrees(X, less, column)
        c = c if there[j] else less
    for digits in SIMPLE:
        simple = np.array([float(f"{value:.{digits}g}") for value in c])
        if _agrees(X, simple, column):
            return simple, True
    return c, True


def _solved(X: Floats, column: Floats) -> Floats:
    scale = np.linalg.norm(X, axis=0)
    scale[scale == 0.0] = 1.0
    return np.linalg.lstsq(X / scale, column, rcond=None)[0] / scale


def _agrees(X: Floats, c: Floats, column: Floats) -> bool:
    """Tell whether X c is the column but for rounding."""
    return bool((np.abs(column - X @ c) <= _rounding(X, c, column)).all())


def _allowed(X: Floats, c: Floats, column: Floats) -> float:
    """Return the distance at which a column still lies in a space: a share of its length.

    It is that about its mean where the space has the constants, so that a share of what varies.
    """
    constants = (np.ptp(X, axis=0) == 0.0) & (X[0] != 0.0)
    varying = column - column.mean() if constants.any() else column
    rounding = np.linalg.norm(_rounding(X, c, column))
    return max(SAME * float(np.linalg.norm(varying)), float(rounding))


def _rounding(X: Floats, c: Floats, column: Floats) -> Floats:
    return 8.0 * np.finfo(float).eps * (np.abs(X) @ np.abs(c) + np.abs(column))


def _coded(terms: tuple[Term, ...]) -> frozenset[str]:
    """Name the covariates that are factors in some terms."""
    factors = (factor for term in terms for factor in term.factors)
    return frozenset(f.variables[0] for f in factors if isinstance(f.expr, Indicator))


@lru_cache(maxsize=1024)
def _points(covariates: tuple[Covariate, ...], coded: frozenset[str]) -> Mapping[str, Floats]:
    """Return points spread over all values that a design gives the covariates, (n,) each.

    Grids of one level are run through together, those of units against those of rows. All
    combinations of the values of those that are `coded` are there. Where some covariates come from
    others, or a generator draws them together, the points are rows of a data set, in which they do.
    """
    joint = (UnitValues, GeneratedRows)
    if any(c.origin or isinstance(c.distribution, joint) for c in covariates):
        return example(covariates, (), (UNITS, POINTS // UNITS))
    rng = np.random.default_rng(0)
    of_units, of_rows = (_grid_values(covariates, level, coded) for level in ("unit", "row"))
    n_units, n_rows = len(of_units[0]), len(of_rows[0])
    drawn = [c for c in covariates if c.name in coded and not c.distribution.values]
    combinations = prod(len(c.distribution.levels) for c in drawn)
    n_each = max(-(-POINTS // (n_units * n_rows)), combinations)
    unit = np.repeat(np.arange(n_units), n_rows * n_each)
    row = np.tile(np.repeat(np.arange(n_rows), n_each), n_units)
    each = np.tile(np.arange(n_each), n_units * n_rows)
    values = {"unit": iter(of_units[1:, unit]), "row": iter(of_rows[1:, row])}
    data = {"": np.ones(len(unit))}  # so that there are rows where there are no covariates
    for c in covariates:
        if c.distribution.values:
            data[c.name] = next(values[c.level])
        elif c in drawn:
            levels = np.array(c.distribution.levels)
            data[c.name] = levels[each % len(levels)]
            each = each // len(levels)
        else:
            data[c.name] = c.distribution.example(rng, (len(unit),))
    return data


def _grid_values(covariates: tuple[Covariate, ...], level: str, coded: frozenset[str]) -> Floats:
    """Return the distinct values of the grids of a level together, below a row of ones."""
    of_level = [c for c in covariates if c.level == level and c.distribution.values]
    grids = [c.distribution.values for c in of_level]
    together = np.array([(1.0,) * len(grids[0]), *grids]) if grids else np.ones((1, 1))
    distinct = np.unique(together, axis=1)
    n = distinct.shape[1]
    spread = np.linspace(0, n - 1, min(n, MOST_VALUES)).round().astype(int)
    # With the ends of each: a grid of zeros and a single one has that one.
    ends = np.concatenate([distinct.argmin(axis=1), distinct.argmax(axis=1)])
    levels = distinct[1:][[c.name in coded for c in of_level]] if grids else distinct[:0]
    firsts = np.unique(levels, axis=1, return_index=True)[1] if len(levels) else ends
    return distinct[:, np.unique([*spread, *ends, *firsts])]


def _columns(terms: tuple[Term, ...], data: Mapping[str, Floats]) -> Floats:
    with np.errstate(all="ignore"):
        return model_columns(terms, data)[1]
