r"""How well coefficients of units are predicted, over the data sets of a study.

Of each data set there is the mean over units of the squared error, s of a predictor and l of least
squares. Over n data sets, with bars for means and sd with divisor n - 1,

    prediction_mse         s-                        MCSE sd(s) / sqrt(n)
    prediction_rmse        sqrt(s-)                  MCSE that of s- / (2 sqrt(s-))
    prediction_ratio       R = s- / l-               MCSE sd(s - R l) / (l- sqrt(n))
    prediction_difference  s- - l-                   MCSE sd(s - l) / sqrt(n)

The last two are of the same units of the same data sets: those whose rows determine their own
least squares. Sums of s, s^2, l, l^2 and s l are all that is needed of the data sets, and they add
up; squared errors are of the size of their sd, so that the sums have the digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.measures.input_table import as_frame, group_rows, numbers, require
from hlm.words.predictors import LEAST_SQUARES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

__all__ = ["prediction_measures", "sum_predictions"]

KEYS = ["scenario", "model", "method", "term", "predictor"]
REPLICATE = [*KEYS[:-1], "replicate"]
SUMS = ["n", "s", "ss", "n_total", "n_paired", "a", "aa", "b", "bb", "ab"]


def sum_predictions(predictions: Any) -> pd.DataFrame:
    """Return the sums over some data sets, all of whose rows are there.

    Parameters
    ----------
    predictions : pandas frame, Arrow table or stream
        The columns of `predictions.parquet`.

    Returns
    -------
    pandas frame
        Scenario, model, method, term and predictor, then `SUMS`: of the data sets that have a
        prediction their number, the sum of s and of s^2; the number of all; of those that have it
        and least squares too their number and the sums of s, s^2, l, l^2, s l.
    """
    frame = as_frame(predictions)
    require(frame, [("predictions", name) for name in [*REPLICATE, "predictor", "mse"]])
    s, paired = numbers(frame, "mse"), numbers(frame, "mse_paired")
    apart = _of_data_set(frame, paired)
    known, both = np.isfinite(s), np.isfinite(paired) & np.isfinite(apart)
    s, a, b = np.where(known, s, 0.0), np.where(both, paired, 0.0), np.where(both, apart, 0.0)
    columns = [known, s, s * s, np.ones(len(s)), both, a, a * a, b, b * b, a * b]
    groups = group_rows(frame, KEYS)
    n_groups = len(groups.labels)
    sums = {
        name: np.bincount(groups.codes, weights=column, minlength=n_groups)
        for name, column in zip(SUMS, columns, strict=True)
    }
    return groups.labels.astype(object).assign(**sums)


def prediction_measures(sums: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the measures from the sums of different data sets.

    Returns
    -------
    pandas frame
        Scenario, model, method, term, `inference` (the predictor), `measure`, `estimate`, `mcse`
        and `n`; least squares have no ratio to themselves. `n_total` counts all data sets.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"scenario": "s", "model": "m", "method": "ml", "term": "coef_x|g",
    ...                      "replicate": [0, 0, 1, 1], "predictor": ["blup", "least_squares"] * 2,
    ...                      "mse": [1.0, 2.0, 2.0, 4.0], "mse_paired": [1.0, 2.0, 2.0, 4.0]})
    >>> found = prediction_measures([sum_predictions(rows)]).set_index(["inference", "measure"])
    >>> found.loc["blup", ["estimate", "mcse"]].round(3).to_dict("index")
    ... # doctest: +NORMALIZE_WHITESPACE
    {'prediction_rmse': {'estimate': 1.225, 'mcse': 0.204},
     'prediction_mse': {'estimate': 1.5, 'mcse': 0.5},
     'prediction_ratio': {'estimate': 0.5, 'mcse': 0.0},
     'prediction_difference': {'estimate': -1.5, 'mcse': 0.5}}
    """
    import pandas as pd

    parts = pd.concat(sums)
    total = parts.groupby(KEYS, sort=False, dropna=False)[SUMS].sum().reset_index()
    labels = total[KEYS].rename(columns={"predictor": "inference"})
    v = {name: total[name].to_numpy(float) for name in SUMS}
    paired = (total["predictor"] != LEAST_SQUARES).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        n, m = v["n"], v["n_paired"]
        mse, a, b = v["s"] / n, v["a"] / m, v["b"] / m
        error = _error(n, v["ss"] - n * mse**2)
        aa, bb, ab = (
            v[key] - m * mean for key, mean in (("aa", a * a), ("bb", b * b), ("ab", a * b))
        )
        ratio = a / b
        found = {
            "n_total": (v["n_total"], np.full(len(n), np.nan), v["n_total"]),
            "prediction_rmse": (np.sqrt(mse), error / (2.0 * np.sqrt(mse)), n),
            "prediction_mse": (mse, error, n),
            "prediction_ratio": (ratio, _error(m, aa - 2.0 * ratio * ab + ratio**2 * bb) / b, m),
            "prediction_difference": (a - b, _error(m, aa - 2.0 * ab + bb), m),
        }
    tables = []
    for measure, (estimate, mcse, count) in found.items():
        table = labels.assign(measure=measure, estimate=estimate, mcse=mcse, n=count.astype(int))
        of_pairs = measure in ("prediction_ratio", "prediction_difference")
        tables.append(table[paired] if of_pairs else table)
    whole = pd.concat(tables)
    whole.loc[whole["measure"] == "n_total", "inference"] = ""
    order = [*KEYS[:-1], "inference", "measure"]
    return whole.drop_duplicates(order).sort_index(kind="stable").reset_index(drop=True)


def _of_data_set(frame: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Return beside each row the value of least squares on the same data set."""
    codes = group_rows(frame, REPLICATE).codes
    own = (frame["predictor"] == LEAST_SQUARES).to_numpy()
    found = np.full(len(frame), np.nan)
    found[codes[own]] = values[own]
    return found[codes]


def _error(n: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return sd / sqrt(n) from the sum of squares about the mean; NaN of one value."""
    variance = np.maximum(squares, 0.0) / np.where(n > 1, n - 1, np.nan)
    return np.sqrt(variance / n)
