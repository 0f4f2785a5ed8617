"""What contestants are compared by: the rules of a term, their columns, and who counts."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from hlm.estimands.kinds import KINDS
from hlm.measures.arrays import P_VALUE
from hlm.measures.group import Rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hlm.measures.arrays import TermArrays

__all__ = ["both_count", "compared_columns", "rules_of"]


def rules_of(kind: str) -> Rules:
    """Return what is done with the estimates of a kind of terms of a study."""
    about = KINDS[kind]
    by_t = about.part == "fixed"
    return Rules(needs_se=False, tests_zero=about.tests_zero, by_t=by_t)


def compared_columns(
    arrays: TermArrays, place: int, alphas: Mapping[str, float]
) -> dict[str, NDArray[np.float64]]:
    """Return the columns of a contestant; of an F test, whether it rejects."""
    columns = arrays.columns(place)
    if arrays.names != P_VALUE:
        return columns
    p, alpha = columns["p_value"], alphas[arrays.contestants[place].model]
    return {"true": columns["true"], "rejected": np.where(np.isnan(p), nan, p < alpha)}


def both_count(
    one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """Return the replicates that count for both; None for all, if each has a mask or none has."""
    return None if one is None or other is None else one & other
