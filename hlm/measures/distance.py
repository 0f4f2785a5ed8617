"""How far the Monte Carlo standard errors of measures are from those that a study asks for."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.precision import SHARES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from hlm.precision import Precision, Target

__all__ = ["judged_mcse", "ratios", "rows_of_target"]


def judged_mcse(
    measure: ArrayLike, estimate: ArrayLike, mcse: ArrayLike, n: ArrayLike
) -> NDArray[np.float64]:
    """Return the MCSE by which a study goes: of a share p, that of (n p + 2)/(n + 4).

    A share of 0 or 1 has the MCSE 0 however few its replicates; to stop there would be to stop by
    luck. With two successes and two failures more (Agresti and Coull, 1998) it is never 0, and
    never below the share's own.

    Parameters
    ----------
    measure : array of str, (n_rows,)
    estimate, mcse, n : array of float, (n_rows,)

    Examples
    --------
    >>> names = ["coverage", "coverage", "bias"]
    >>> judged_mcse(names, [1.0, 0.95, 1.0], [0.0, 0.00689, 0.2], [100, 1000, 100]).round(4)
    array([0.0137, 0.007 , 0.2   ])
    """
    own, count = np.asarray(mcse, float), np.asarray(n, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (count * np.asarray(estimate, float) + 2.0) / (count + 4.0)
        more = np.sqrt(np.clip(share * (1.0 - share), 0.0, None) / count)
    return np.where(np.isin(measure, SHARES), np.fmax(own, more), own)


def rows_of_target(target: Target, columns: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Mark the rows of a table of measures that a target is about: those with an estimate."""
    its = (np.asarray(columns["measure"]) == target.measure) & np.isfinite(columns["estimate"])
    return its if target.term is None else its & (np.asarray(columns["term"]) == target.term)


def ratios(precision: Precision, columns: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest MCSE of each scenario, in units of its target.

    A measure that no replicate gives has no say; one whose MCSE is not known, that of a single
    value for instance, is infinitely far from its target.

    Parameters
    ----------
    precision : Precision
    columns : mapping of str to array
        `scenario`, `measure`, `term`, `estimate`, `mcse` and `n` of a table of measures.

    Returns
    -------
    dict of str to float
        By scenario, those that have a row; 0 where no measure has a target.

    Examples
    --------
    >>> from hlm.precision import Precision, Target
    >>> rule = Precision((Target("bias", None, 0.1),), at_least=100, at_most=1000)
    >>> names = {"scenario": ["s", "s"], "measure": ["bias", "mse"], "term": ["x", "x"]}
    >>> ratios(rule, names | {"estimate": [0.5, 2.0], "mcse": [0.2, 3.0], "n": [100, 100]})
    {'s': 2.0}
    """
    values = [columns[name] for name in ("measure", "estimate", "mcse", "n")]
    judged = judged_mcse(*values)
    judged = np.where(np.isnan(judged), inf, judged)
    ratio = np.zeros(len(judged))
    for target in precision.targets:
        its = rows_of_target(target, columns)
        ratio[its] = np.maximum(ratio[its], judged[its] / target.mcse)
    names, place = np.unique(np.asarray(columns["scenario"]).astype(str), return_inverse=True)
    largest = np.zeros(len(names))
    np.maximum.at(largest, place, ratio)
    return dict(zip(names.tolist(), largest.tolist(), strict=True))
