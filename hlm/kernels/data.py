"""What the kernels read: cross-products of data sets, and where a model's columns are among them.

The one carrier of cross-products and the one map of columns: simulated stacks and their files, fits
of studies and `lmer` use them. Without Numba, so that whoever reads files can have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

__all__ = ["CrossProducts", "ModelColumns"]


class CrossProducts(NamedTuple):
    """Per-unit cross-products of n data sets: all that any Gaussian mixed model needs of them.

    They are those of k columns, such as x, with each other and with the response y. A column of X
    or Z is one of these columns times one of the multipliers, which are numbers for each unit.

    Attributes
    ----------
    gram : ndarray (n or 1, k (k + 1) / 2, n_units or 1)
        Of the columns with each other, pairs (0, 0), (1, 0), (1, 1), (2, 0), ...; a single one
        where all data sets, or all units, have the same columns.
    response : ndarray (n, k, n_units)
        Of the columns with y.
    sum_squares : ndarray (n,)
        Of y with itself, over all units.
    multipliers : ndarray (n or 1, n_multipliers, n_units)
        The numbers of the units, the same in all data sets where there is a single one.
    n_obs : ndarray of int (n,)
        The number of observations of each data set.
    """

    gram: np.ndarray
    response: np.ndarray
    sum_squares: np.ndarray
    multipliers: np.ndarray
    n_obs: np.ndarray


class ModelColumns(NamedTuple):
    """A model's columns among the cross-products: X = X* T_x, Z = Z* T_z.

    Where data are simulated, the truth's fixed part is X* offset + R rest_coef: its first part is
    not in the response, the second, which the model lacks, is to be added to it.

    Attributes
    ----------
    fixed, random : ndarray of int (p, 2), (q, 2)
        Column and multiplier of each column of X* and Z*.
    rest, rest_coef : ndarray of int (k, 2), ndarray (k,)
        Those of the columns R, and their coefficients.
    fixed_transform, random_transform : ndarray (p, p), (q, q)
        T_x and T_z.
    offset : ndarray (p,)
        To be added to the coefficients of X*.
    """

    fixed: np.ndarray
    random: np.ndarray
    rest: np.ndarray
    rest_coef: np.ndarray
    fixed_transform: np.ndarray
    random_transform: np.ndarray
    offset: np.ndarray
