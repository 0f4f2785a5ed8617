"""Likelihood ratio tests of a stack of data sets: the smaller models are fitted beside the model.

The statistic is what the criterion rises by when terms leave the model. Where coefficients are
among them it is that of the ML fits, whatever the method of the row: REML criteria of models with
different fixed parts cannot be compared. Else it is that of the method's own fits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.formula import terms_of
from hlm.inference import RATIO_TESTS
from hlm.kernels.limits import chi_square_p
from hlm.scenario import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hlm.kernels.data import ModelColumns

__all__ = ["RatioTests", "excess", "ratio_tests"]

Floats = NDArray[np.float64]

NOTHING = 1e-8
"""A smaller rise is none: the search leaves criteria as near to their minimum ..."""

ROUNDING = 1e-12
"""... and this is the share of a criterion that is rounding error."""


class RatioTests(NamedTuple):
    """The rows of some fits' likelihood ratio tests: of each test one by each of its p-values.

    Attributes
    ----------
    tests, inferences : list of int (rows,)
        Which test of the model's, and which of `RATIO_TESTS`.
    df : ndarray of int (rows,)
    statistic, p_value : ndarray (n, methods, rows)
    """

    tests: list[int]
    inferences: list[int]
    df: NDArray[np.int64]
    statistic: Floats
    p_value: Floats


def ratio_tests(
    model: Model,
    columns: Sequence[ModelColumns],
    own: Floats,
    criteria: Callable[[Model, ModelColumns], Floats],
) -> RatioTests:
    """Return the likelihood ratio tests of a model's fits to n data sets.

    Parameters
    ----------
    model : Model
    columns : sequence of ModelColumns
        Of the model, then of the smaller model of each of its tests.
    own : ndarray (n, methods)
        The criteria of its fits.
    criteria : callable
        From a model and its columns to the criteria of its fits, (n, methods).
    """
    terms, by_ml = terms_of(model), own[:, [k for k, m in enumerate(model.methods) if m == "ml"]]
    of_coefficients = [len(test.fixed) < len(terms.fixed) for test in model.lrt]
    if any(of_coefficients) and not by_ml.shape[1]:
        by_ml = criteria(_bare(model, ("ml",)), columns[0])
    tests: list[int] = []
    inferences: list[int] = []
    df, statistics, p_values = [], [], []
    for k, test in enumerate(model.lrt):
        less, large = terms.smaller(test), by_ml if of_coefficients[k] else own
        methods = ("ml",) if of_coefficients[k] else model.methods
        found = criteria(replace(_bare(model, methods), terms=less), columns[1 + k])
        statistic = np.broadcast_to(excess(found, large), own.shape)
        freedom = terms.n_parameters - less.n_parameters
        for place, one in enumerate(RATIO_TESTS.values()):
            if one.applies(len(terms.effects) - len(less.effects)):
                tests.append(k)
                inferences.append(place)
                df.append(freedom)
                statistics.append(statistic)
                p_values.append(chi_square_p(statistic, freedom, boundary=one.boundary))
    shape = (*own.shape, 0)
    return RatioTests(
        tests,
        inferences,
        np.array(df, dtype=np.int64),
        np.stack(statistics, axis=-1) if tests else np.zeros(shape),
        np.stack(p_values, axis=-1) if tests else np.zeros(shape),
    )


def excess(small: Floats, large: Floats) -> Floats:
    """Return how much larger the criterion of a smaller model is; 0 where that is rounding error.

    The smaller model is one of the larger, so it is never less.

    Examples
    --------
    >>> excess(np.array([12.0, 10.0 + 1e-10]), np.array([10.0, 10.0])).tolist()
    [2.0, 0.0]
    """
    rise = small - large
    return np.where(rise <= NOTHING + ROUNDING * np.abs(large), 0.0, rise)


def _bare(model: Model, methods: tuple[str, ...]) -> Model:
    """Return a model with the terms of another, without inference of its own."""
    return Model(model.name, model.formula, methods, terms=terms_of(model))  # type: ignore[arg-type]
