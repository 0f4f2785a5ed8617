"""Estimates after a selection: those of the model that is chosen for each data set.

A coefficient, a standard deviation or a variance that the chosen model lacks is 0 by it: the
estimate is 0, and so are both limits; there is no standard error. A correlation, or a function of
several parameters, that it lacks has no estimate.

References
----------
H. Leeb, B. M. Poetscher (2005). Model selection and inference: facts and fiction. Econometric
Theory 21, 21-59.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from hlm.measures.arrays import Contestant
from hlm.words.criteria_words import selected_by
from hlm.words.measures import TEST_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hlm.measures.arrays import FitArrays, TermArrays
    from hlm.measures.chosen import Chosen

Number = TypeVar("Number", np.float64, np.int8)

__all__ = ["NO_CHOICE", "fits_with_selected", "with_selected"]

ZERO_WITHOUT = ("coefficient", "sd", "variance")
"""Kinds of terms that are 0 by a model without them."""

OF_ZERO = ("estimate", "lower", "upper")

OF_TRUTH = TEST_KINDS
"""Kinds of tests, whose hypotheses are true by a model that lacks one of the terms: p is 1."""

NO_CHOICE = "no_choice"
"""The status where no model is chosen, since one of the fits failed."""


def with_selected(arrays: TermArrays, chosen: Sequence[Chosen]) -> TermArrays:
    """Return the arrays of a term with a further contestant for each criterion.

    It has a true value if all models that have the term agree on it.

    Parameters
    ----------
    arrays : TermArrays
    chosen : sequence of Chosen
    """
    if not chosen:
        return arrays  # and no copy of its values
    contestants, true, values = list(arrays.contestants), [*arrays.true], [*arrays.values]
    for one in chosen:
        rows: dict[str, dict[str, int]] = {
            row.inference: {} for row in arrays.contestants if row.method == one.method
        }
        for place, row in enumerate(arrays.contestants):
            if row.method == one.method and row.model in one.models:
                rows[row.inference][row.model] = place
        for inference, by_model in rows.items():
            if not by_model:
                continue
            places = [by_model.get(model) for model in one.models]
            contestants.append(Contestant(selected_by(one.criterion), one.method, inference))
            true.append(_agreed(arrays.true[[*by_model.values()]]))
            values.append(_picked(arrays, places, one.place))
    return replace(
        arrays, contestants=tuple(contestants), true=np.array(true), values=np.stack(values)
    )


def fits_with_selected(fits: FitArrays, chosen: Sequence[Chosen]) -> FitArrays:
    """Return the arrays of fits with those of the models that each criterion chooses."""
    rows = [
        np.array([fits.fits.index((model, one.method)) for model in one.models])[one.place]
        for one in chosen
    ]
    replicates = np.arange(fits.status.shape[-1])
    unchosen = [one.place < 0 for one in chosen]
    statuses = (*fits.statuses, NO_CHOICE)

    def extended(values: NDArray[Number], missing: float) -> NDArray[Number]:
        found = [*values]
        for row, none in zip(rows, unchosen, strict=True):
            found.append(np.where(none, missing, values[row, replicates]).astype(values.dtype))
        return np.stack(found)

    return replace(
        fits,
        fits=(*fits.fits, *((selected_by(one.criterion), one.method) for one in chosen)),
        columns={name: extended(column, np.nan) for name, column in fits.columns.items()},
        singular=extended(fits.singular, -1),
        statuses=statuses,
        status=extended(fits.status, len(fits.statuses)),
    )


def _agreed(true: NDArray[np.float64]) -> float:
    return float(true[0]) if (true == true[0]).all() else float("nan")


def _picked(
    arrays: TermArrays, places: Sequence[int | None], chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the values, (n_names, n_replicates), of the model that is chosen."""
    found = np.full(arrays.values.shape[1:], np.nan)
    without = np.full(len(arrays.names), np.nan)
    if arrays.kind in ZERO_WITHOUT:
        without[[name in OF_ZERO for name in arrays.names]] = 0.0
    elif arrays.kind in OF_TRUTH:
        without[:] = 1.0
    for model, place in enumerate(places):
        here = chosen == model
        found[:, here] = without[:, None] if place is None else arrays.values[place][:, here]
    return found
