"""A study's estimates and fits -> its table of measures and its table of selection rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError
from hlm.measures.columns import as_frame, group_rows, require
from hlm.measures.performance import performance
from hlm.measures.selection import rates, selection_rates

if TYPE_CHECKING:
    import pandas as pd

    from hlm.measures.formulas import Array

__all__ = ["summarize"]

KEYS = ["scenario", "model", "method", "term"]
RESULTS = ["measure", "estimate", "mcse", "n"]


def summarize(
    estimates: Any,
    fits: Any,
    *,
    truth: Mapping[tuple[str, str], float] | pd.DataFrame,
    level: float = 0.95,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarize a study's replicates, whatever the order of their rows.

    Every finite estimate counts, whatever the status of its fit: at the boundary an sd is 0 and
    has no standard error, and to leave it out would bias the rest upwards. Measures that need a
    standard error or limits rest on the replicates that have them; their `n` says how many.
    `rejection` is left out for sds, whose intervals on the log scale can never hold 0.

    Parameters
    ----------
    estimates, fits : pandas frame, Arrow table or stream
        The columns of `estimates.parquet` and `fits.parquet`.
    truth : mapping of (scenario, term) to float, or frame with scenario, term, true
        A term that a scenario's truth does not have is 0, a correlation NaN.
    level : float
        Confidence level of limits made from `se` and `df` if the estimates come without limits.

    Returns
    -------
    measures : pandas frame
        scenario, model, method, term, true, measure, estimate, mcse, n; the rates of singular and
        of failed fits have the term ''.
    selection : pandas frame
        scenario, criterion, method, model, rate, mcse, n.

    Raises
    ------
    InputError
        If a column is missing, or a scenario has no truth at all.
    """
    import pandas as pd

    frame = as_frame(estimates)
    require(frame, [("estimates", column) for column in [*KEYS, "estimate", "se"]])
    frame = frame.assign(true=_true_values(frame, truth))
    fit_rates = rates(fits, by=KEYS[:3]).assign(term="", true=np.nan)
    measures = pd.concat([*_measures(frame, level), fit_rates[[*KEYS, "true", *RESULTS]]])
    return measures.sort_values(KEYS, kind="stable", ignore_index=True), _selection(fits)


def _true_values(frame: pd.DataFrame, truth: Mapping[tuple[str, str], float] | Any) -> Array:
    if not isinstance(truth, Mapping):
        pairs = zip(truth["scenario"], truth["term"], strict=True)
        truth = dict(zip(pairs, truth["true"], strict=True))
    known = {scenario for scenario, _ in truth}
    groups = group_rows(frame, ["scenario", "term"])
    unknown = set(groups.labels["scenario"]) - known
    if unknown:
        raise InputError(f"scenario {min(unknown)!r} has no true values", path="truth")
    pairs = zip(groups.labels["scenario"], groups.labels["term"], strict=True)
    values = [truth.get(pair, np.nan if _is("cor_", pair[1]) else 0.0) for pair in pairs]
    return np.array(values, dtype=float)[groups.codes]


def _measures(frame: pd.DataFrame, level: float) -> list[pd.DataFrame]:
    """Return the measures of the estimates alone, then those that also need se or limits."""
    by = [*KEYS, "true"]
    of_estimates = performance(frame, estimate="estimate", true="true", by=by)
    limits = {name: name for name in ("df", "lower", "upper") if name in frame}
    of_pairs = performance(
        frame, estimate="estimate", se="se", true="true", by=by, level=level, **limits
    )
    of_pairs = of_pairs[~of_pairs["measure"].isin(of_estimates["measure"])]
    is_sd = of_pairs["term"].map(lambda term: term == "sigma" or _is("sd_", term)).astype(bool)
    return [of_estimates, of_pairs[~(is_sd & (of_pairs["measure"] == "rejection"))]]


def _is(kind: str, term: str) -> bool:
    """Tell a term of the random part (`sd_x|unit`) from a covariate that is called `sd_x`."""
    return term.startswith(kind) and "|" in term


def _selection(fits: Any) -> pd.DataFrame:
    import pandas as pd

    tables = [
        selection_rates(fits, by=["scenario", "method"], criterion=criterion).assign(
            criterion=criterion
        )
        for criterion in ("aic", "bic")
    ]
    columns = ["scenario", "criterion", "method", "model", "rate", "mcse", "n"]
    return pd.concat(tables)[columns].sort_values(columns[:4], ignore_index=True)
