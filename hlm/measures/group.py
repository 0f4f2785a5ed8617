"""All measures of one group of replicates: which rows count, and the formulas over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.measures import formulas as f
from hlm.measures.formulas import Array, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["group_measures"]


def group_measures(
    estimate: Array,
    *,
    true: float | Array,
    se: Array | None = None,
    lower: Array | None = None,
    upper: Array | None = None,
    reference: Array | None = None,
    needs_se: bool = True,
) -> dict[str, Value]:
    """Return the measures that the arrays given allow.

    A replicate is used if its estimate is finite and, where `se` is given and needed, its standard
    error. Limits count wherever there are two, whatever else there is: a profile has limits where
    an sd is 0 and has no standard error. The n of a measure says how many replicates it rests on.
    The order of the replicates does not matter, to the last bit.

    Parameters
    ----------
    estimate : ndarray, (n,)
    true : float or ndarray, (n,)
    se, lower, upper : ndarray, (n,), optional
        Limits may be infinite; both or none are given.
    reference : ndarray, (n,), optional
        The estimate of the reference method on the same data set.
    needs_se : bool
        Whether the measures of the estimates alone leave out those without a standard error.

    Returns
    -------
    dict of str to Value
        In a fixed order. The MCSE of `n_total` and `n_used` is NaN: they are counts.

    Examples
    --------
    >>> values = group_measures(np.array([1.0, 2.0, 3.0, np.nan]), true=2.5)
    >>> values["bias"]
    Value(estimate=-0.5, mcse=0.5773502691896258, n=3)
    >>> values["n_total"].estimate, values["n_used"].estimate
    (4.0, 3.0)
    """
    given = {"se": se, "lower": lower, "upper": upper, "reference": reference}
    columns = {
        "estimate": estimate,
        "true": np.broadcast_to(np.asarray(true, dtype=float), estimate.shape),
        **{name: values for name, values in given.items() if values is not None},
    }
    rows = _in_order(columns)
    known = np.isfinite(rows["estimate"])
    with_se = known & np.isfinite(rows["se"]) if "se" in rows else known
    used = with_se if needs_se else known
    n_used = int(np.count_nonzero(used))
    with np.errstate(all="ignore"):
        return {
            "n_total": Value(float(estimate.size), np.nan, estimate.size),
            "n_used": Value(float(n_used), np.nan, n_used),
            **_point_measures(_some(rows, used)),
            **_se_measures(_some(rows, with_se)),
            **_interval_measures(rows, f.mean(rows["estimate"][used]).estimate),
        }


def _in_order(columns: dict[str, Array]) -> dict[str, Array]:
    """Sort the replicates: sums of floats depend on their order, and not on the caller's here."""
    order = np.argsort(columns["estimate"], kind="stable")
    if not (np.diff(columns["estimate"][order]) > 0).all():
        order = np.lexsort(list(reversed(columns.values())))
    return {name: values[order] for name, values in columns.items()}


def _some(rows: dict[str, Array], which: NDArray[np.bool_]) -> dict[str, Array]:
    return rows if which.all() else {name: values[which] for name, values in rows.items()}


def _point_measures(rows: dict[str, Array]) -> dict[str, Value]:
    b, t = rows["estimate"], rows["true"]
    measures = {
        "mean": f.mean(b),
        "median": f.median(b),
        "bias": f.bias(b, t),
        "relative_bias": f.relative_bias(b, t),
        "median_bias": f.median_bias(b, t),
        "empirical_se": f.empirical_se(b),
        "mse": f.mse(b, t),
        "rmse": f.rmse(b, t),
    }
    if "reference" in rows:
        paired = np.isfinite(rows["reference"])
        measures["relative_precision"] = f.relative_precision(b[paired], rows["reference"][paired])
    return measures


def _se_measures(rows: dict[str, Array]) -> dict[str, Value]:
    if "se" not in rows:
        return {}
    return {
        "model_se": f.model_se(rows["se"]),
        "relative_error_se": f.relative_error_se(rows["estimate"], rows["se"]),
    }


def _interval_measures(rows: dict[str, Array], centre: float) -> dict[str, Value]:
    if "lower" not in rows:
        return {}
    known = ~(np.isnan(rows["lower"]) | np.isnan(rows["upper"]))
    lower, upper = rows["lower"][known], rows["upper"][known]
    width = upper - lower
    unbounded = f.is_unbounded(width)
    return {
        "coverage": f.coverage(lower, upper, rows["true"][known]),
        "bias_eliminated_coverage": f.bias_eliminated_coverage(lower, upper, centre),
        "rejection": f.rejection(lower, upper),
        "ci_width": f.ci_width(width, unbounded),
        "median_ci_width": f.median(width),
        "unbounded": f.proportion(unbounded),
    }
