"""Rows of a scenario in any order -> its dense arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hlm.errors import InputError
from hlm.estimands.names import of_ratio_test, of_test
from hlm.inference import RATIO_TESTS
from hlm.measures.arrays import Contestant, FitArrays, TermArrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Label", "Targets", "fit_arrays", "name_of_test", "scattered", "term_arrays", "terms_of"]

Targets: TypeAlias = Callable[[str, str], tuple[str, float]]
"""Model and term -> the term's kind and its true value."""

Label: TypeAlias = tuple[str, str, str, str]
"""Model, method, term and inference of a row of values."""


def name_of_test(test: str, inference: str) -> str:
    """Return the name of a test among the terms of a table: of an F test, or of a ratio test.

    Examples
    --------
    >>> name_of_test("a", "satterthwaite"), name_of_test("a", "mixture")
    ('F(a)', 'LRT(a)')
    """
    return of_ratio_test(test) if inference in RATIO_TESTS else of_test(test)


def scattered(
    columns: Sequence[NDArray[Any]],
    rows: NDArray[np.integer[Any]],
    places: NDArray[np.integer[Any]],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """Put values where they belong.

    Parameters
    ----------
    columns : sequence of ndarray, (n,)
    rows, places : ndarray of int, (n,)
        The row of each value, and its place along the last axis: that of its replicate.
    shape : (int, int)
        How many rows and places there are.

    Returns
    -------
    ndarray, (n_rows, n_columns, n_places)
        NaN where there is no value.

    Raises
    ------
    InputError
        If two values have one place.

    Examples
    --------
    >>> scattered([np.array([1.0, 2.0])], np.array([0, 1]), np.array([1, 0]), (2, 2))
    array([[[nan,  1.]],
    <BLANKLINE>
           [[ 2., nan]]])
    """
    at = rows.astype(np.int64) * shape[1] + places
    if np.bincount(at, minlength=1).max(initial=0) > 1:
        raise InputError("more than one estimate or fit of a replicate", allowed="one each")
    found = np.full((shape[0], len(columns), shape[1]), np.nan)
    for number, column in enumerate(columns):
        found[rows, number, places] = column
    return found


def terms_of(labels: Sequence[Label], targets: Targets) -> dict[tuple[str, str], list[int]]:
    """Return the rows of each term, (kind, term) in the order of a table -> positions in labels.

    Parameters
    ----------
    labels : sequence of Label
    targets : function
    """
    found: dict[tuple[str, str], list[int]] = {}
    for place, (model, _, term, _) in enumerate(labels):
        found.setdefault((term, targets(model, term)[0]), []).append(place)
    return {(kind, term): found[term, kind] for term, kind in sorted(found)}


def term_arrays(
    kind: str,
    term: str,
    labels: Sequence[Label],
    targets: Targets,
    names: tuple[str, ...],
    values: NDArray[np.float64],
) -> TermArrays:
    """Return the arrays of a term from the labels of its rows, which are those of `values`."""
    contestants = tuple(
        Contestant(model, method, inference) for model, method, _, inference in labels
    )
    true = np.array([targets(one.model, term)[1] for one in contestants], dtype=float)
    return TermArrays(kind, term, contestants, true, names, values)


def fit_arrays(
    fits: Sequence[tuple[str, str]],
    columns: Mapping[str, NDArray[np.float64]],
    statuses: tuple[str, ...],
) -> FitArrays:
    """Return the arrays of fits: `columns` has `singular`, NaN if not known, and `status` codes."""
    others = {k: v for k, v in columns.items() if k not in ("singular", "status")}
    singular = np.where(np.isnan(columns["singular"]), -1, columns["singular"]).astype(np.int8)
    return FitArrays(tuple(fits), others, singular, statuses, columns["status"].astype(np.int8))
