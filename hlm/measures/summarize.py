"""A study's estimates, fits and F tests -> its measures and its selection rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hlm.errors import InputError
from hlm.measures.columns import as_frame, group_rows, numbers, require
from hlm.measures.f_tests import is_f_test, rejection_counts, term_of
from hlm.measures.group import group_measures
from hlm.measures.performance import tidy, with_limits
from hlm.measures.selection import (
    add_counts,
    counts_to_rates,
    failure_counts,
    selection_counts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from hlm.measures.formulas import Array, Value

__all__ = [
    "FitCounts",
    "count_fits",
    "count_tests",
    "join_summaries",
    "summarize",
    "summarize_estimates",
]

KEYS = ["scenario", "model", "method", "term"]
RESULTS = ["measure", "estimate", "mcse", "n"]
SELECTION = ["scenario", "criterion", "method", "model"]


class FitCounts(NamedTuple):
    """Singular and failed fits, and choices by AIC and BIC, as counts that add up."""

    failures: pd.DataFrame
    selection: pd.DataFrame


def summarize(
    estimates: Any,
    fits: Any,
    *,
    truth: Mapping[tuple[str, str], float] | pd.DataFrame,
    tests: Any = None,
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
        A term that a scenario's truth does not have is 0, a correlation or an F test NaN.
    tests : pandas frame, Arrow table or stream, optional
        The columns of `tests.parquet`.
    level : float
        Confidence level of limits made from `se` and `df` if the estimates come without limits;
        F tests reject at 1 - level.

    Returns
    -------
    measures : pandas frame
        scenario, model, method, term, true, measure, estimate, mcse, n; the rates of singular and
        of failed fits have the term '', the rejection rates of F tests the term 'F(name)'.
    selection : pandas frame
        scenario, criterion, method, model, rate, mcse, n.

    Raises
    ------
    InputError
        If a column is missing, or a scenario has no truth at all.
    """
    of_estimates = summarize_estimates(estimates, truth=truth, level=level)
    of_tests = [] if tests is None else [count_tests(tests, truth=truth, level=level)]
    return join_summaries([of_estimates], [count_fits(fits)], of_tests)


def summarize_estimates(
    estimates: Any,
    *,
    truth: Mapping[tuple[str, str], float] | pd.DataFrame,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the measures of some terms, whose replicates must all be there; see `summarize`."""
    frame = as_frame(estimates)
    require(frame, [("estimates", column) for column in [*KEYS, "estimate", "se"]])
    groups = group_rows(frame, KEYS)
    true = _true_values(groups.labels, truth)
    given = [name for name in ("estimate", "se", "df", "lower", "upper") if name in frame]
    columns = with_limits({name: numbers(frame, name) for name in given}, level)
    values = [
        _measures({name: column[rows] for name, column in columns.items()}, value)
        for rows, value in zip(groups.rows(), true, strict=True)
    ]
    table = tidy(groups.labels.assign(true=true), values)
    is_sd = table["term"].map(lambda term: term == "sigma" or _is("sd_", term)).astype(bool)
    targeted = table["measure"].isin(
        ["bias", "relative_bias", "median_bias", "mse", "rmse", "coverage"]
    )
    return table[~(is_sd & (table["measure"] == "rejection")) & ~(targeted & table["true"].isna())]


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
    tests: Any, *, truth: Mapping[tuple[str, str], float] | pd.DataFrame, level: float = 0.95
) -> pd.DataFrame:
    """Count the rejections of some replicates; see `summarize`."""
    counts = rejection_counts(tests, by=[*KEYS[:3], "test"], level=level)
    terms = counts["test"].map(term_of).astype(object)
    counts = counts.drop(columns="test").assign(term=terms)
    return counts.assign(true=_true_values(counts, truth))


def join_summaries(
    measures: Iterable[pd.DataFrame],
    counts: Iterable[FitCounts],
    tests: Iterable[pd.DataFrame] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the summaries of different terms and of different replicates; see `summarize`."""
    import pandas as pd

    failures, selection = (add_counts(tables) for tables in zip(*counts, strict=True))
    of_fits = counts_to_rates(failures, "estimate").assign(term="", true=np.nan)
    tables = [*measures, of_fits]
    if found := list(tests):
        tables.append(counts_to_rates(add_counts(found), "estimate"))
    table = pd.concat([rows[[*KEYS, "true", *RESULTS]] for rows in tables])
    table.insert(4, "kind", table["term"].map(_kind))
    rates = counts_to_rates(selection, "rate")[[*SELECTION, "rate", "mcse", "n"]]
    return (
        table.sort_values(KEYS, kind="stable", ignore_index=True),
        rates.sort_values(SELECTION, ignore_index=True),
    )


def _true_values(labels: pd.DataFrame, truth: Mapping[tuple[str, str], float] | Any) -> Array:
    if not isinstance(truth, Mapping):
        pairs = zip(truth["scenario"], truth["term"], strict=True)
        truth = dict(zip(pairs, truth["true"], strict=True))
    unknown = set(labels["scenario"]) - {scenario for scenario, _ in truth}
    if unknown:
        raise InputError(f"scenario {min(unknown)!r} has no true values", path="truth")
    pairs = zip(labels["scenario"], labels["term"], strict=True)
    values = [truth.get(pair, np.nan) for pair in pairs]
    return np.array(values, dtype=float)


def _measures(columns: dict[str, Array], true: float) -> dict[str, Value]:
    """Return the measures of the estimates alone, then those that also need se or limits."""
    return group_measures(**columns, true=true) | group_measures(columns["estimate"], true=true)


def _kind(term: str) -> str:
    """Return the kind of a term."""
    if term in ("", "sigma"):
        return term
    if is_f_test(term):
        return "test"
    return "sd" if _is("sd_", term) else "cor" if _is("cor_", term) else "coefficient"


def _is(kind: str, term: str) -> bool:
    """Tell a term of the random part (`sd_x|unit`) from a covariate that is called `sd_x`."""
    return term.startswith(kind) and "|" in term
