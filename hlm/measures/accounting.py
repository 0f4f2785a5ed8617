"""What became of the fits of a scenario: every outcome, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.words.fitting import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from hlm.measures.arrays import FitArrays

__all__ = ["accounts"]


def accounts(
    fits: FitArrays, at_boundary: Mapping[tuple[str, str], NDArray[np.bool_]]
) -> Iterator[tuple[str, str, str, int, int]]:
    """Yield model, method, outcome, its count and the number of fits, the outcomes of none too.

    Parameters
    ----------
    fits : FitArrays
    at_boundary : mapping of (str, str) to ndarray of bool, (n_replicates,)
        Model and method -> the fits with a correlation of -1 or 1.
    """
    for place, fit in enumerate(fits.fits):
        status, n = fits.status[place], fits.status.shape[-1]
        none = np.zeros(n, dtype=bool)
        marked = {
            "converged": fits.converged[place],
            "singular": fits.singular[place] == 1,
            "cor_boundary": at_boundary.get(fit, none),
            **{name: status == code for code, name in enumerate(fits.statuses)},
        }
        others = sorted(set(fits.statuses) - set(OUTCOMES))
        for outcome in (*OUTCOMES, *others):
            yield (*fit, outcome, int(np.count_nonzero(marked.get(outcome, none))), n)
