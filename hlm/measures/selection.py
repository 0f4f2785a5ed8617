"""How often each model has the smallest AIC or BIC, and how often fits are singular or failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError
from hlm.measures.input_table import as_frame, group_rows, names, numbers, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


__all__ = ["counts_to_rates", "rates", "selection_rates"]


def selection_rates(
    fits: Any,
    *,
    by: str | Sequence[str] | None,
    criterion: str = "aic",
    model: str = "model",
    id: str = "replicate",  # noqa: A002 - the same word as in `performance`
) -> pd.DataFrame:
    """Return the share of data sets in which each model has the smallest criterion.

    A tie goes to the model with fewest parameters (column `npar`), then to the first by name. A
    data set counts only if every model that occurs in its group has a finite criterion on it.

    Parameters
    ----------
    fits : pandas frame, Arrow table or stream, or mapping of columns
        One row per fit, in any order.
    by : str or list of str, optional
        The columns that define a group of comparable fits, such as the scenario and the method.
    criterion, model, id : str
        The columns of the criterion, of the model's name, and of the data set within a group.

    Returns
    -------
    pandas frame
        The `by` columns, the model column, `rate`, `mcse` = sqrt(p(1 - p)/n) and `n`, the number
        of data sets that count. Rates are NaN where n is 0, and else add up to 1 in a group.

    Raises
    ------
    InputError
        If a column is missing, or a model occurs twice on a data set of a group.

    Examples
    --------
    >>> fits = {"replicate": [0, 0, 1, 1], "model": ["a", "b", "a", "b"], "npar": [4, 5, 4, 5],
    ...         "aic": [10.0, 9.0, 12.0, 12.0]}
    >>> print(selection_rates(fits, by=None).round(3).to_string(index=False))
    model  rate  mcse  n
        a   0.5 0.354  2
        b   0.5 0.354  2
    """
    frame, keys = as_frame(fits), names(by)
    require(frame, [("by", key) for key in keys])
    require(frame, [("criterion", criterion), ("model", model), ("id", id), ("npar", "npar")])
    candidates = group_rows(frame, [*keys, model])
    data_sets = group_rows(frame, [*keys, id])
    if frame.duplicated([*keys, id, model]).any():
        raise InputError(
            "a model occurs more than once on a data set", path="by", allowed="one fit each"
        )
    group_of_candidate = group_rows(candidates.labels, keys).codes
    value = numbers(frame, criterion)
    winner = _winners(value, numbers(frame, "npar"), candidates.codes, data_sets.codes)
    finite = np.bincount(data_sets.codes, np.isfinite(value), len(data_sets.labels))
    group_of_winner = group_of_candidate[winner]
    counts = finite == np.bincount(group_of_candidate)[group_of_winner]
    won = np.bincount(winner[counts], minlength=len(candidates.labels))
    n = np.bincount(group_of_winner[counts], minlength=len(group_of_candidate))[group_of_candidate]
    return counts_to_rates(candidates.labels.assign(hits=won, n=n), "rate")


def _winners(value: Any, npar: Any, candidate: Any, data_set: Any) -> Any:
    """Return the candidate of smallest value on each data set; candidates are sorted by name."""
    order = np.lexsort((candidate, npar, value, data_set))
    first = np.unique(data_set[order], return_index=True)[1]
    return candidate[order][first]


def rates(fits: Any, *, by: str | Sequence[str] | None) -> pd.DataFrame:
    """Return the shares of singular and of failed fits (status other than 'ok').

    Parameters
    ----------
    fits : pandas frame, Arrow table or stream, or mapping of columns
        One row per fit, with the columns `singular` and `status`.
    by : str or list of str, optional
        The columns that define a group.

    Returns
    -------
    pandas frame
        The `by` columns, `measure` ('singular' or 'failed'), `estimate`, `mcse` = sqrt(p(1-p)/n)
        and `n`: all fits for 'failed', those with a known answer for 'singular'.

    Examples
    --------
    >>> fits = {"singular": [True, False, None, False],
    ...         "status": ["ok", "ok", "unidentified", "ok"]}
    >>> print(rates(fits, by=None).round(3).to_string(index=False))
     measure  estimate  mcse  n
    singular     0.333 0.272  3
      failed     0.250 0.217  4
    """
    import pandas as pd

    frame, keys = as_frame(fits), names(by)
    require(frame, [*(("by", key) for key in keys), ("fits", "singular"), ("fits", "status")])
    singular = numbers(frame, "singular")
    groups = group_rows(frame, keys)
    known, failed = ~np.isnan(singular), frame["status"].to_numpy() != "ok"
    every = np.ones(len(frame), dtype=bool)
    tables = [
        groups.labels.assign(measure=measure, hits=groups.count(hits), n=groups.count(of))
        for measure, hits, of in (("singular", singular == 1, known), ("failed", failed, every))
    ]
    # Groups in their order, the two measures of each together.
    counts = pd.concat(tables).sort_index(kind="stable", ignore_index=True)
    return counts_to_rates(counts, "estimate")


def counts_to_rates(counts: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return rates p = hits/n under a name, `mcse` = sqrt(p(1 - p)/n) and `n`."""
    n = counts["n"].to_numpy()
    unknown = np.full(len(counts), np.nan)
    rate = np.divide(counts["hits"].to_numpy(), n, out=unknown.copy(), where=n > 0)
    mcse = np.sqrt(np.divide(rate * (1 - rate), n, out=unknown, where=n > 0))
    return counts.drop(columns=["hits", "n"]).assign(**{name: rate, "mcse": mcse, "n": n})
