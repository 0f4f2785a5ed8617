"""The measures of a study over its grid: bias, coverage, selection, failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError, nearest
from hlm.estimands.kinds import PARTS
from hlm.figures.multiples import Look, small_multiples
from hlm.figures.notes import beside, on_fewer, unbounded, without_true_value
from hlm.figures.results import WORDS, in_order, with_words
from hlm.figures.style import blank
from hlm.words.terms import METHODS, MINUS, level_words, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["failure_rates", "measure_against_units", "selection_rates"]

MOST_TERMS = 6
_FIT_MEASURES = {"singular": "Singular fits", "failed": "Failed fits"}
_LABELS = {
    "mean": "Mean of the estimates",
    "median": "Median of the estimates",
    "bias": f"Bias (mean estimate {MINUS} true value)",
    "relative_bias": "Relative bias (% of the true value)",
    "median_bias": f"Bias (median estimate {MINUS} true value)",
    "empirical_se": "Empirical standard error",
    "mse": "Mean squared error",
    "rmse": "Root mean squared error",
    "relative_precision": "Gain in precision (%)",
    "model_se": "Mean model standard error",
    "relative_error_se": "Error of the model standard error (%)",
    "coverage": "Coverage of the {level} interval",
    "bias_eliminated_coverage": "Bias-eliminated coverage of the {level} interval",
    "rejection": "Rejection rate of the test at {alpha}",
    "ci_width": "Mean width of the {level} interval",
    "median_ci_width": "Median width of the {level} interval",
}
_NO_ERROR = {"bias", "relative_bias", "median_bias", "relative_precision", "relative_error_se"}
_SHARES = {"coverage", "bias_eliminated_coverage", "rejection"}
_FROM_ZERO = {"empirical_se", "mse", "rmse", "model_se", "ci_width", "median_ci_width"}


def measure_against_units(
    measures: pd.DataFrame,
    measure: str = "bias",
    *,
    term: str | Sequence[str] = "fixed",
    method: str | None = None,
    level: float | Mapping[str, float] = 0.95,
    at: Mapping[str, Any] | None = None,
) -> Figure:
    """Draw one measure against the number of units.

    The panels are the next factors of the study's grid and, where there are several, the terms;
    each model has its mark, filled for fits by REML and hollow for fits by ML. The bars reach
    1.96 Monte Carlo standard errors to either side. A grey line marks no error or, for coverage
    and for the rejection of a true null hypothesis, the nominal level. Lines of text below say
    which terms have no true value and where a measure does not rest on all replicates.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    measure : str
        One of the measures in it, such as ``'bias'`` or ``'coverage'``.
    term : str or sequence of str
        Terms by name, or ``'fixed'``, ``'random'`` or ``'tests'`` for all of one part. The first
        six are drawn.
    method : {'reml', 'ml'}, optional
        By default all methods of the study.
    level : float or mapping of str to float
        The confidence level of the study's intervals, or that of each model.
    at : dict, optional
        The level at which to hold a factor of the grid that has no place among the panels.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the table has no such measure or term.
    """
    _check(measure, list(_LABELS), "measure")
    measures = with_words(measures)
    every = _terms(measures, term)
    found = every[:MOST_TERMS]
    asked = measures.assign(key=measures["kind"] + " " + measures["term"])
    asked = asked[asked["key"].isin(found)]
    if method is not None:
        asked = asked[asked["method"] == method]
    frame = asked[(asked["measure"] == measure) & asked["estimate"].notna()]
    missing = without_true_value(frame, asked, measure)
    if len(every) > len(found):
        missing.append(f"Shown are {len(found)} of {len(every)} terms; the tables have all.")
    if frame.empty:
        return blank(" ".join([f"No value of {measure} in this study.", *missing]))
    frame = beside(frame, asked, "n_total", "unbounded")
    frame = frame.sort_values("key", key=lambda keys: keys.map(found.index), kind="stable")
    frame = frame.drop(columns="term").rename(columns={"key": "term"})
    models = frame["model"].drop_duplicates()
    levels = {m: level[m] if isinstance(level, Mapping) else level for m in models}
    look = _look(measure, levels, _true_words(frame), missing)
    return small_multiples(frame, look, row="term", at=at, models=_models(measures))


def selection_rates(
    selection: pd.DataFrame,
    criterion: str = "aic",
    *,
    replicates: int | None = None,
    at: Mapping[str, Any] | None = None,
) -> Figure:
    """Draw how often a criterion prefers each model, over the grid, for each method.

    Parameters
    ----------
    selection : DataFrame
        A study's `selection.parquet`.
    criterion : {'aic', 'bic'}
    replicates : int, optional
        The data sets of each scenario: with it, the figure says where a rate rests on fewer.
    at : dict, optional
        As in `measure_against_units`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the table has no such criterion.
    """
    _check(criterion, selection["criterion"].drop_duplicates().tolist(), "criterion")
    frame = selection[selection["criterion"] == criterion].rename(columns={"rate": "estimate"})
    frame = frame[frame["estimate"].notna()].sort_values("method", ascending=False, kind="stable")
    if frame.empty:
        return blank(
            f"No value of {criterion.upper()} in this study: on every data set a fit fails."
        )
    look = Look(
        label=f"Share of data sets where {criterion.upper()} chooses the model",
        ends=(0, 1),
        whole=True,
        words={key: f"fitted by {word}" for key, word in METHODS.items()},
        notes=lambda shown: _on_fewer_data_sets(shown["n"], replicates),
    )
    return small_multiples(frame, look, row="method", at=at, models=_models(selection))


def failure_rates(
    measures: pd.DataFrame, *, method: str | None = None, at: Mapping[str, Any] | None = None
) -> Figure:
    """Draw the shares of singular and of failed fits over the grid.

    A fit is singular if it ends on the boundary: a variance of 0, or a correlation of -1 or 1.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    method, at
        As in `measure_against_units`.

    Returns
    -------
    Figure
    """
    frame = measures[measures["measure"].isin(list(_FIT_MEASURES)) & measures["estimate"].notna()]
    if method is not None:
        frame = frame[frame["method"] == method]
    if frame.empty:
        return blank("No failure rates in this study.")
    frame = frame.sort_values("measure", ascending=False, kind="stable")
    look = Look(
        label="Share of fits",
        ends=(0, 1),
        from_zero=True,
        words=_FIT_MEASURES,
        notes=_on_fewer_fits,
    )
    return small_multiples(frame, look, row="measure", at=at, models=_models(measures))


def _look(
    measure: str, levels: Mapping[str, float], words: Mapping[str, str], missing: Sequence[str]
) -> Look:
    shares = {
        name: 1 - level if measure == "rejection" else level for name, level in levels.items()
    }
    texts = {name: f"{100 * share:g}%" for name, share in shares.items()}
    several = " or ".join(dict.fromkeys(texts.values()))
    apart = len(set(texts.values())) > 1 and "{" in _LABELS[measure]

    def notes(shown: pd.DataFrame) -> list[str]:
        ends = unbounded(shown["unbounded"]) if measure == "coverage" else []
        return [*missing, *on_fewer(shown, measure), *ends]

    return Look(
        label=_LABELS[measure].format(level=several, alpha=several),
        reference=lambda frame: _reference(measure, shares, frame),
        reference_label=f"nominal level, {several}" if measure in _SHARES else "",
        percent=measure.startswith("relative_"),
        ends=(0, 1) if measure in _SHARES else (-np.inf, np.inf),
        whole=measure == "rejection",
        from_zero=measure in _FROM_ZERO,
        words=words,
        models={name: f"{name} ({text})" for name, text in texts.items()} if apart else {},
        notes=notes,
    )


def _reference(measure: str, shares: Mapping[str, float], frame: pd.DataFrame) -> list[float]:
    """Return the heights to compare the rows of a panel with: no error, or nominal levels."""
    if measure in _NO_ERROR:
        return [0.0]
    if measure not in _SHARES:
        return []
    if measure == "rejection":  # a test of a false hypothesis has no level to keep
        frame = frame[frame["true"] == 0]
    return list(dict.fromkeys(shares[model] for model in frame["model"].drop_duplicates()))


def _on_fewer_data_sets(n: pd.Series, replicates: int | None) -> list[str]:
    if replicates is None or not (n < replicates).any():
        return []
    return [f"The rates rest on {span(n)} of {replicates:,} data sets: on the others a fit fails."]


def _on_fewer_fits(shown: pd.DataFrame) -> list[str]:
    """Say on how many fits the share of singular ones rests: of a failed one it is unknown."""
    singular, failed = (shown[shown["measure"] == name]["n"] for name in ("singular", "failed"))
    if singular.empty or failed.empty or not singular.min() < failed.max():
        return []
    of = f"{span(singular)} of {span(failed)} fits"
    return [f"The share of singular fits rests on {of}: the others failed."]


def _terms(measures: pd.DataFrame, term: str | Sequence[str]) -> list[str]:
    """Return the terms asked for, each as its kind and its name."""
    if isinstance(term, str) and term in PARTS:
        part = measures[measures["kind"].isin(PARTS[term])]
        return [f"{kind} {name}" for kind, name in in_order(part)]
    found = list(measures[["kind", "term"]].drop_duplicates().itertuples(index=False, name=None))
    names = [term] if isinstance(term, str) else list(term)
    for name in names:
        _check(name, [known for _, known in found if known], "term")
    return [f"{kind} {known}" for name in names for kind, known in found if known == name]


def _models(frame: pd.DataFrame) -> list[str]:
    return frame["model"].drop_duplicates().tolist()


def _true_words(frame: pd.DataFrame) -> dict[str, str]:
    words = {}
    for key, rows in frame.groupby("term"):
        values = np.unique(rows["true"].to_numpy())
        known = len(values) == 1 and np.isfinite(values[0])
        true = f"\ntrue: {level_words(float(values[0]))}" if known else ""
        words[str(key)] = rows[WORDS].iloc[0] + true
    return words


def _check(name: str, allowed: Sequence[str], what: str) -> None:
    if name not in allowed:
        raise InputError(
            f"unknown {what} '{name}'",
            allowed=", ".join(map(str, allowed)),
            suggestion=nearest(name, allowed),
        )
