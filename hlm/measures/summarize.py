"""A study's estimates, fits and tests, as tables -> its measures and its selection rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hlm.errors import InputError
from hlm.measures.arrays import ERRORS, P_VALUE, VALUES
from hlm.measures.dense import fit_arrays, name_of_test, scattered, term_arrays, terms_of
from hlm.measures.input_table import as_frame, group_rows, numbers, require
from hlm.measures.intervals import with_limits
from hlm.measures.scenario_summary import (
    ACCOUNTING,
    DIFFERENCES,
    MEASURES,
    SELECTION,
    Summary,
    summarize_scenario,
)
from hlm.words.fitting import METHODS
from hlm.words.inferences import INFERENCES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from hlm.measures.arrays import FitArrays, TermArrays
    from hlm.measures.dense import Targets

__all__ = ["Summaries", "summarize", "summarize_all", "summarize_estimates"]

FIT = ["model", "method"]
ALL = ("all",)


class Summaries(NamedTuple):
    """The tables of a study, as those of the same names in its folder of results."""

    measures: pd.DataFrame
    differences: pd.DataFrame
    accounting: pd.DataFrame
    selection: pd.DataFrame


def summarize(
    estimates: Any,
    fits: Any,
    *,
    truth: Any,
    tests: Any = None,
    predictions: Any = None,
    level: float | Mapping[str, float] = 0.95,
    policies: Sequence[str] = ALL,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarize a study's replicates, whatever the order of their rows.

    Every finite estimate counts, whatever the status of its fit, unless a policy says otherwise:
    at the boundary an sd is 0 and has no standard error, and to leave it out would bias the rest
    upwards. Measures that need a standard error or limits rest on the replicates that have them;
    their `n` says how many. Where there is no true value, the measures that need one are left out;
    `rejection` is for sds and sigma, whose intervals can never hold 0.

    Parameters
    ----------
    estimates, fits : pandas frame, Arrow table or stream
        The columns of `estimates.parquet` and `fits.parquet`. Without the column `inference` the
        estimates have a single one, which has no name.
    truth : pandas frame, Arrow table or stream, or mapping of columns
        `scenario`, `model`, `term`, its `kind` and its `true` value, NaN where there is none: a row
        for each term of each model in each scenario, tests among them.
    tests : pandas frame, Arrow table or stream, optional
        The columns of `tests.parquet`.
    predictions : pandas frame, Arrow table or stream, optional
        The columns of `predictions.parquet`.
    level : float or mapping of str to float
        Confidence level of limits made from `se` and `df` if the estimates come without limits, for
        which it must be one number; tests reject at 1 - level, of their model.
    policies : sequence of str
        Which replicates count: names of `hlm.words.policies.POLICIES`.

    Returns
    -------
    measures : pandas frame
        scenario, model, method, term, kind, true, inference, policy, measure, estimate, mcse,
        mcse_robust, n; the rates of singular and of failed fits have the term, the kind and the
        policy '', the rejection rates of F tests the term 'F(name)', those of likelihood ratio
        tests 'LRT(name)'. A measure that rests on no
        inference has the inference ''; the one of a measure of predictions is the predictor.
    selection : pandas frame
        scenario, criterion, method, model, rate, mcse, n.

    Raises
    ------
    InputError
        If a column is missing, `truth` lacks a term, or a replicate occurs twice.
    """
    found = summarize_all(
        *(estimates, fits),
        truth=truth,
        tests=tests,
        predictions=predictions,
        level=level,
        policies=policies,
    )
    return found.measures, found.selection


def summarize_estimates(
    estimates: Any, *, truth: Any, level: float | Mapping[str, float] = 0.95
) -> pd.DataFrame:
    """Return the measures of estimates alone; see `summarize`."""
    return summarize_all(estimates, None, truth=truth, level=level).measures


def summarize_all(
    estimates: Any,
    fits: Any,
    *,
    truth: Any,
    tests: Any = None,
    predictions: Any = None,
    level: float | Mapping[str, float] = 0.95,
    policies: Sequence[str] = ALL,
) -> Summaries:
    """Return all tables of a study; see `summarize`."""
    import pandas as pd

    frame = _without_categories(as_frame(estimates))
    require(
        frame, [("estimates", column) for column in ["scenario", *FIT, "term", "estimate", "se"]]
    )
    tables = {"estimates": frame}
    if fits is not None:
        tables["fits"] = _without_categories(as_frame(fits))
    if tests is not None:
        tested = _without_categories(as_frame(tests))
        ways = tested["inference"] if "inference" in tested else [""] * len(tested)
        tables["tests"] = tested.assign(term=list(map(name_of_test, tested["test"], ways)))
    if predictions is not None:
        predicted = _without_categories(as_frame(predictions))
        require(predicted, [("predictions", name) for name in ["predictor", *ERRORS]])
        tables["predictions"] = predicted.rename(columns={"predictor": "inference"})
    known = _targets(truth)
    by_scenario = {
        kind: {str(scenario): own for scenario, own in table.groupby("scenario", sort=True)}
        for kind, table in tables.items()
    }
    summary = Summary()
    for scenario, own in by_scenario["estimates"].items():
        summary.add(_of_scenario(scenario, own, by_scenario, known, level, policies))
    return Summaries(
        _sorted(pd.DataFrame(summary.measures, columns=MEASURES), ["scenario", *FIT, "term"]),
        pd.DataFrame(summary.differences, columns=DIFFERENCES),
        pd.DataFrame(summary.accounting, columns=ACCOUNTING),
        _sorted(pd.DataFrame(summary.selection, columns=SELECTION), list(SELECTION[:4])),
    )


def _of_scenario(
    scenario: str,
    own: pd.DataFrame,
    by_scenario: Mapping[str, Mapping[str, pd.DataFrame]],
    known: Mapping[tuple[str, str, str], tuple[str, float]],
    level: float | Mapping[str, float],
    policies: Sequence[str],
) -> Summary:
    fits, tests, predictions = (
        by_scenario.get(kind, {}).get(scenario) for kind in ("fits", "tests", "predictions")
    )
    given = [table for table in (own, fits, tests, predictions) if table is not None]
    replicates = np.unique(np.concatenate([_numbers_of(table) for table in given]))
    targets = _targets_in(scenario, known)
    terms = [*_terms(own, VALUES, replicates, targets, level)]
    if tests is not None:
        terms += _terms(tests, P_VALUE, replicates, targets, level)
    if predictions is not None:
        terms += _terms(predictions, ERRORS, replicates, targets, level)
    models = dict.fromkeys(model for one in terms for model, *_ in one.contestants)
    levels = dict.fromkeys(models, level) if isinstance(level, float) else level
    return summarize_scenario(
        scenario,
        terms,
        None if fits is None else _fits(fits, replicates),
        alphas={model: 1.0 - levels[model] for model in models},
        policies=policies,
    )


def _targets_in(scenario: str, known: Mapping[tuple[str, str, str], tuple[str, float]]) -> Targets:
    """Return what gives a term's kind and true value in a scenario."""

    def target(model: str, term: str) -> tuple[str, float]:
        labels = (scenario, model, term)
        if labels not in known:
            keys = zip(("scenario", "model", "term"), labels, strict=True)
            raise InputError(
                "no true value, nor that there is none, of "
                + ", ".join(f"{key} {value!r}" for key, value in keys),
                path="truth",
                allowed="a row for each term of each model in each scenario; NaN if it is unknown",
            )
        return known[labels]

    return target


def _targets(truth: Any) -> dict[tuple[str, str, str], tuple[str, float]]:
    table = _without_categories(as_frame(truth))
    keys = ["scenario", "model", "term"]
    require(table, [("truth", column) for column in [*keys, "kind", "true"]])
    places = zip(*(table[key] for key in keys), strict=True)
    return dict(zip(places, zip(table["kind"], numbers(table, "true"), strict=True), strict=True))


def _without_categories(table: pd.DataFrame) -> pd.DataFrame:
    """Return the labels as strings: rows are sorted by names, not by when these came first."""
    categories = [str(name) for name in table.select_dtypes("category")]
    return table.astype(dict.fromkeys(categories, object)) if categories else table


def _numbers_of(table: pd.DataFrame) -> NDArray[Any]:
    """Return the replicate of each row; without numbers, by the order of the rows."""
    if "replicate" in table:
        return table["replicate"].to_numpy()
    keys = [name for name in (*FIT, "term", "inference") if name in table]
    return table.groupby(keys).cumcount().to_numpy()


def _terms(
    table: pd.DataFrame,
    names: tuple[str, ...],
    replicates: NDArray[Any],
    targets: Targets,
    level: float | Mapping[str, float],
) -> Iterator[TermArrays]:
    table = table if "inference" in table else table.assign(inference="")
    groups = group_rows(table, [*FIT, "term", "inference"])
    labels = list(groups.labels.itertuples(index=False, name=None))
    columns = {name: numbers(table, name) for name in names if name in table}
    if isinstance(level, float):
        columns = with_limits(columns, level)
    places = np.searchsorted(replicates, _numbers_of(table))
    values = scattered(list(columns.values()), groups.codes, places, (len(labels), len(replicates)))
    for (kind, term), found in terms_of(labels, targets).items():
        rows = sorted(found, key=lambda row: _place(*labels[row]))
        own = [labels[row] for row in rows]
        yield term_arrays(kind, term, own, targets, tuple(columns), values[rows])


def _place(model: str, method: str, _: str, inference: str) -> tuple[str, int, int]:
    """Sort contestants as in the files of a study; its order of models is not known."""
    return model, _rank(METHODS, method), _rank(INFERENCES, inference)


def _rank(catalogue: Collection[str], name: str) -> int:
    known = list(catalogue)
    return known.index(name) if name in known else len(known)


def _fits(table: pd.DataFrame, replicates: NDArray[Any]) -> FitArrays:
    require(
        table, [("fits", column) for column in [*FIT, "aic", "bic", "npar", "singular", "status"]]
    )
    groups = group_rows(table, FIT)
    statuses = tuple(dict.fromkeys(["ok", *sorted(table["status"].unique())]))
    numeric = ("aic", "bic", "npar", "singular")
    columns = {name: numbers(table, name) for name in numeric}
    columns["status"] = table["status"].map(statuses.index).to_numpy(float)
    places = np.searchsorted(replicates, _numbers_of(table))
    shape = len(groups.labels), len(replicates)
    values = scattered(list(columns.values()), groups.codes, places, shape)
    arrays = {name: values[:, number] for number, name in enumerate(columns)}
    return fit_arrays(list(groups.labels.itertuples(index=False, name=None)), arrays, statuses)


def _sorted(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return table.sort_values(keys, kind="stable", ignore_index=True)
