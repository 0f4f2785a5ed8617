"""A study's estimates, fits and F tests -> its measures and its selection rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hlm.errors import InputError
from hlm.estimands.kinds import KINDS, UnitCoefficient
from hlm.estimands.names import of_test
from hlm.measures.f_tests import rejection_counts
from hlm.measures.input_table import as_frame, group_rows, numbers, require
from hlm.measures.performance import measures_of_groups, tidy, with_limits
from hlm.measures.predictions import prediction_measures, sum_predictions
from hlm.measures.selection import (
    add_counts,
    counts_to_rates,
    failure_counts,
    selection_counts,
)
from hlm.words.measures import NEED_TRUE, OF_INFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

__all__ = [
    "FitCounts",
    "count_fits",
    "count_tests",
    "join_summaries",
    "summarize",
    "summarize_estimates",
]

KEYS = ["scenario", "model", "method", "term"]
RESULTS = ["inference", "measure", "estimate", "mcse", "n"]
SELECTION = ["scenario", "criterion", "method", "model"]

WITHOUT_ZERO = tuple(kind for kind, one in KINDS.items() if not one.tests_zero)
"""Kinds of terms whose intervals never hold 0, so that none is rejected."""


class FitCounts(NamedTuple):
    """Singular and failed fits, and choices by AIC and BIC, as counts that add up."""

    failures: pd.DataFrame
    selection: pd.DataFrame


def summarize(
    estimates: Any,
    fits: Any,
    *,
    truth: Any,
    tests: Any = None,
    predictions: Any = None,
    level: float | Mapping[str, float] = 0.95,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarize a study's replicates, whatever the order of their rows.

    Every finite estimate counts, whatever the status of its fit: at the boundary an sd is 0 and
    has no standard error, and to leave it out would bias the rest upwards. Measures that need a
    standard error or limits rest on the replicates that have them; their `n` says how many. Where
    there is no true value, the measures that need one are left out; `rejection` is for sds and
    sigma, whose intervals can never hold 0.

    Parameters
    ----------
    estimates, fits : pandas frame, Arrow table or stream
        The columns of `estimates.parquet` and `fits.parquet`. Without the column `inference` the
        estimates have a single one, which has no name.
    truth : pandas frame, Arrow table or stream, or mapping of columns
        `scenario`, `model`, `term`, its `kind` and its `true` value, NaN where there is none: a row
        for each term of each model in each scenario, F tests among them.
    tests : pandas frame, Arrow table or stream, optional
        The columns of `tests.parquet`.
    predictions : pandas frame, Arrow table or stream, optional
        The columns of `predictions.parquet`.
    level : float or mapping of str to float
        Confidence level of limits made from `se` and `df` if the estimates come without limits, for
        which it must be one number; F tests reject at 1 - level, of their model.

    Returns
    -------
    measures : pandas frame
        scenario, model, method, term, kind, true, inference, measure, estimate, mcse, n; the rates
        of singular and of failed fits have the term and the kind '', the rejection rates of F tests
        the term 'F(name)'. A measure that rests on no inference has the inference '', and one of
        coefficients of units the name of the predictor.
    selection : pandas frame
        scenario, criterion, method, model, rate, mcse, n.

    Raises
    ------
    InputError
        If a column is missing, or `truth` lacks a term.
    """
    of_estimates = summarize_estimates(estimates, truth=truth, level=level)
    of_tests = [] if tests is None else [count_tests(tests, truth=truth, level=level)]
    of_units = [] if predictions is None else [sum_predictions(predictions)]
    return join_summaries([of_estimates], [count_fits(fits)], of_tests, of_units)


def summarize_estimates(
    estimates: Any, *, truth: Any, level: float | Mapping[str, float] = 0.95
) -> pd.DataFrame:
    """Return the measures of some terms, whose replicates must all be there; see `summarize`."""
    frame = as_frame(estimates)
    require(frame, [("estimates", column) for column in [*KEYS, "estimate", "se"]])
    by = [*KEYS, "inference"] if "inference" in frame else KEYS
    groups = group_rows(frame, by)
    labels = _with_truth(groups.labels, truth)
    given = [name for name in ("estimate", "se", "df", "lower", "upper") if name in frame]
    columns = {name: numbers(frame, name) for name in given}
    if isinstance(level, float):
        columns = with_limits(columns, level)
    columns.pop("df", None)
    columns["true"] = labels["true"].to_numpy()[groups.codes]
    table = tidy(labels, measures_of_groups(groups, columns, needs_se=False))
    lacking = table["true"].isna() & table["measure"].isin(NEED_TRUE)
    needless = table["kind"].isin(WITHOUT_ZERO) & (table["measure"] == "rejection")
    return _each_once(table[~(lacking | needless)], table["measure"].isin(OF_INFERENCE))


def _each_once(table: pd.DataFrame, of_inference: pd.Series) -> pd.DataFrame:
    """Keep one row of a measure that rests on no inference, which has the inference ''.

    Rows of a term stay in their order: what rests on none, then what rests on one after another.
    """
    names = table["inference"].astype(object) if "inference" in table else ""
    table = table.assign(inference=names)
    table.loc[~of_inference.reindex(table.index), "inference"] = ""
    return table.drop_duplicates([*KEYS, "inference", "measure"])


def count_fits(fits: Any) -> FitCounts:
    """Count the fits of some replicates; every replicate must have all its fits."""
    import pandas as pd

    frame = as_frame(fits)
    chosen = [
        selection_counts(frame, by=["scenario", "method"], criterion=criterion).assign(
            criterion=criterion
        )
        for criterion in ("aic", "bic")
    ]
    return FitCounts(failure_counts(frame, by=KEYS[:3]), pd.concat(chosen))


def count_tests(
    tests: Any, *, truth: Any, level: float | Mapping[str, float] = 0.95
) -> pd.DataFrame:
    """Count the rejections of some replicates; see `summarize`."""
    frame = as_frame(tests)
    by = [*KEYS[:3], "test", *(["inference"] if "inference" in frame else [])]
    counts = rejection_counts(frame, by=by, level=level).reset_index(drop=True)
    terms = counts["test"].map(of_test).astype(object)
    counts = _each_once(
        counts.drop(columns="test").assign(term=terms), counts["measure"] != "n_total"
    )
    return _with_truth(counts, truth)


def join_summaries(
    measures: Iterable[pd.DataFrame],
    counts: Iterable[FitCounts],
    tests: Iterable[pd.DataFrame] = (),
    predictions: Iterable[pd.DataFrame] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the summaries of different terms and of different replicates; see `summarize`."""
    import pandas as pd

    failures, selection = (add_counts(tables) for tables in zip(*counts, strict=True))
    of_fits = counts_to_rates(failures, "estimate").assign(
        term="", kind="", true=np.nan, inference=""
    )
    tables = [*measures, of_fits]
    if found := list(tests):
        counted = add_counts(found)
        of_all = counted["measure"] == "n_total"
        tables.append(counts_to_rates(counted[~of_all], "estimate"))
        tables.append(counted[of_all].assign(estimate=counted["n"].astype(float), mcse=np.nan))
    if sums := list(predictions):
        of_units = prediction_measures(sums)
        tables.append(of_units.assign(kind=UnitCoefficient.kind, true=np.nan))
    table = pd.concat([rows[[*KEYS, "kind", "true", *RESULTS]] for rows in tables])
    rates = counts_to_rates(selection, "rate")[[*SELECTION, "rate", "mcse", "n"]]
    return (
        table.sort_values(KEYS, kind="stable", ignore_index=True),
        rates.sort_values(SELECTION, ignore_index=True),
    )


def _with_truth(labels: pd.DataFrame, truth: Any) -> pd.DataFrame:
    """Return labels with the kind and the true value of each term."""
    known = as_frame(truth)
    keys = ["scenario", "model", "term"]
    require(known, [("truth", column) for column in [*keys, "kind", "true"]])
    names = labels.astype(dict.fromkeys(keys, object))
    found = names.merge(known[[*keys, "kind", "true"]], on=keys, how="left", validate="many_to_one")
    if found["kind"].isna().any():
        lacking = ", ".join(f"{key} {found.loc[found.kind.isna(), key].iloc[0]!r}" for key in keys)
        raise InputError(
            f"no true value, nor that there is none, of {lacking}",
            path="truth",
            allowed="a row for each term of each model in each scenario; true is NaN if unknown",
        )
    return labels.assign(kind=found["kind"].to_numpy(), true=found["true"].to_numpy(float))
