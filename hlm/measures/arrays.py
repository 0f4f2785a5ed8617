"""The replicates of a scenario as dense arrays: what all its summaries are functions of.

An axis of replicates is in the order of their numbers, whatever the order of the rows that they
came from, so that element i of any two arrays is of the same data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.words.policies import CONVERGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["ERRORS", "P_VALUE", "VALUES", "Contestant", "FitArrays", "TermArrays"]

VALUES = ("estimate", "se", "df", "lower", "upper")
"""The values of a term of a model."""

P_VALUE = ("p_value",)
"""Those of an F test."""

ERRORS = ("mse", "mse_paired")
"""Those of predicted coefficients of units: mean squares over units, all or those with both."""


class Contestant(NamedTuple):
    """A way to estimates: what is compared."""

    model: str
    method: str
    inference: str

    @property
    def fit(self) -> tuple[str, str]:
        """Model and method."""
        return self.model, self.method


@dataclass(frozen=True)
class TermArrays:
    """All replicates of a term, by all contestants that have it.

    Further contestants, such as a model that is chosen for each data set, are further rows of
    `values` and `true`, with rows of `FitArrays` for their fits.

    Attributes
    ----------
    kind, term : str
    contestants : tuple of Contestant
    true : ndarray, (n_contestants,)
        NaN where there is none.
    names : tuple of str
        What the values are, `VALUES` or some of them, `P_VALUE` or `ERRORS`.
    values : ndarray, (n_contestants, n_names, n_replicates)
        NaN where there is none.
    """

    kind: str
    term: str
    contestants: tuple[Contestant, ...]
    true: NDArray[np.float64]
    names: tuple[str, ...]
    values: NDArray[np.float64]

    def columns(self, place: int) -> dict[str, NDArray[np.float64]]:
        """Return the values of a contestant by name, with its true value as `true`."""
        n = self.values.shape[-1]
        true = np.broadcast_to(self.true[place], n)
        return dict(zip(self.names, self.values[place], strict=True)) | {"true": true}


@dataclass(frozen=True)
class FitArrays:
    """All fits of a scenario.

    Attributes
    ----------
    fits : tuple of (str, str)
        Model and method of each row.
    columns : mapping of str to ndarray, (n_fits, n_replicates)
        `aic`, `bic` and `npar`, and perhaps `criterion`.
    singular : ndarray of int8, (n_fits, n_replicates)
        1, 0, or -1 where it is not known.
    statuses : tuple of str
    status : ndarray of int8, (n_fits, n_replicates)
        Positions in `statuses`.
    """

    fits: tuple[tuple[str, str], ...]
    columns: Mapping[str, NDArray[np.float64]]
    singular: NDArray[np.int8]
    statuses: tuple[str, ...]
    status: NDArray[np.int8]

    @cached_property
    def converged(self) -> NDArray[np.bool_]:
        """Which fits ended at a minimum, (n_fits, n_replicates)."""
        return np.isin(
            self.status, [self.statuses.index(s) for s in CONVERGED if s in self.statuses]
        )

    def policies(
        self, names: Sequence[str], fit: tuple[str, str]
    ) -> dict[str, NDArray[np.bool_] | None]:
        """Return which replicates of a fit count under each policy; None for all."""
        row = self.fits.index(fit)
        converged = self.converged[row]
        masks = {"converged": converged, "nonsingular": converged & (self.singular[row] == 0)}
        return {name: masks.get(name) for name in names}
