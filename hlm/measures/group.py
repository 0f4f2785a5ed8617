"""All measures of one group of replicates: which rows count, and the formulas over them."""

from __future__ import annotations

import numpy as np

from hlm.measures import formulas as f
from hlm.measures.formulas import Array, Value

__all__ = ["group_measures"]


def group_measures(
    estimate: Array,
    *,
    true: float | Array,
    se: Array | None = None,
    lower: Array | None = None,
    upper: Array | None = None,
    reference: Array | None = None,
) -> dict[str, Value]:
    """Return the measures that the arrays given allow.

    A replicate is used if its estimate, and its standard error where `se` is given, is finite.
    The measures of intervals leave out the used replicates that lack a limit, relative precision
    those that lack a reference; their n says how many remain. The order of the replicates does
    not matter, to the last bit.

    Parameters
    ----------
    estimate : ndarray, (n,)
    true : float or ndarray, (n,)
    se, lower, upper : ndarray, (n,), optional
        Limits may be infinite; both or none are given.
    reference : ndarray, (n,), optional
        The estimate of the reference method on the same data set.

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
    rows = _used_in_order(columns)
    total, used = estimate.size, rows["estimate"].size
    with np.errstate(all="ignore"):
        return {
            "n_total": Value(float(total), np.nan, total),
            "n_used": Value(float(used), np.nan, used),
            **_point_measures(rows),
            **_se_measures(rows),
            **_interval_measures(rows),
        }


def _used_in_order(columns: dict[str, Array]) -> dict[str, Array]:
    used = np.isfinite(columns["estimate"])
    if "se" in columns:
        used &= np.isfinite(columns["se"])
    rows = np.flatnonzero(used)
    # Sums of floats depend on their order: sort, so that they do not depend on the caller's.
    order = np.argsort(columns["estimate"][rows], kind="stable")
    if not (np.diff(columns["estimate"][rows[order]]) > 0).all():
        order = np.lexsort([values[rows] for values in reversed(columns.values())])
    rows = rows[order]
    return {name: values[rows] for name, values in columns.items()}


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


def _interval_measures(rows: dict[str, Array]) -> dict[str, Value]:
    if "lower" not in rows:
        return {}
    known = ~(np.isnan(rows["lower"]) | np.isnan(rows["upper"]))
    lower, upper = rows["lower"][known], rows["upper"][known]
    centre = f.mean(rows["estimate"]).estimate
    return {
        "coverage": f.coverage(lower, upper, rows["true"][known]),
        "bias_eliminated_coverage": f.bias_eliminated_coverage(lower, upper, centre),
        "rejection": f.rejection(lower, upper),
        "ci_width": f.ci_width(lower, upper),
        "median_ci_width": f.median(upper - lower),
        "unbounded": f.proportion(~(upper - lower <= 1000 * f.median(upper - lower).estimate)),
    }
