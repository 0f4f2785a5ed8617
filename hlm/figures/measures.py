"""The measures of a study over its grid: bias, coverage, selection, failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError, nearest
from hlm.figures.multiples import Look, small_multiples
from hlm.figures.style import blank
from hlm.figures.words import MINUS, PARTS, part_of, rank, term_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["failure_rates", "measure_against_units", "selection_rates"]

MOST_TERMS = 6
_FIT_MEASURES = {"singular": "Singular fits", "failed": "Failed fits"}
_METHODS = {"reml": "REML", "ml": "ML"}
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
    "coverage": "Coverage of the {level:g}% interval",
    "bias_eliminated_coverage": "Bias-eliminated coverage of the {level:g}% interval",
    "rejection": "Rejection rate of the test at {alpha:g}%",
    "ci_width": "Mean width of the {level:g}% interval",
}
_NO_ERROR = {"bias", "relative_bias", "median_bias", "relative_precision", "relative_error_se"}
_SHARES = {"coverage", "bias_eliminated_coverage", "rejection"}
_FROM_ZERO = {"empirical_se", "mse", "rmse", "model_se", "ci_width"}


def measure_against_units(
    measures: pd.DataFrame,
    measure: str = "bias",
    *,
    term: str | Sequence[str] = "fixed",
    method: str = "reml",
    level: float = 0.95,
    at: Mapping[str, Any] | None = None,
) -> Figure:
    """Draw one measure against the number of units.

    The panels are the next factors of the study's grid and, where there are several, the terms;
    each model has its mark. The bars reach 1.96 Monte Carlo standard errors to either side. A
    grey line marks no error or, for coverage and for the rejection of a true null hypothesis,
    the nominal level.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    measure : str
        One of the measures in it, such as ``'bias'`` or ``'coverage'``.
    term : str or sequence of str
        Terms by name, or ``'fixed'``, ``'random'`` or ``'tests'`` for all of one part, at most the
        first six.
    method : {'reml', 'ml'}
        If the study has one method only, that one is taken.
    level : float
        The confidence level of the study's intervals.
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
    _check(measure, [*_LABELS, *_FIT_MEASURES], "measure")
    terms = _terms(measures, term)
    method = _method(measures, method)
    kept = (measures["measure"] == measure) & (measures["method"] == method)
    frame = measures[kept & measures["term"].isin(terms) & measures["estimate"].notna()]
    if frame.empty:
        return blank(f"No value of {measure} in this study.")
    frame = frame.sort_values("term", key=lambda t: t.map(terms.index), kind="stable")
    look = _look(measure, method, level, _true_words(frame))
    return small_multiples(frame, look, row="term", at=at, models=_models(measures))


def selection_rates(
    selection: pd.DataFrame,
    criterion: str = "aic",
    *,
    at: Mapping[str, Any] | None = None,
) -> Figure:
    """Draw how often a criterion prefers each model, over the grid, for each method.

    Parameters
    ----------
    selection : DataFrame
        A study's `selection.parquet`.
    criterion : {'aic', 'bic'}
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
        return blank(f"No value of {criterion.upper()} in this study.")
    look = Look(
        label=f"Share of data sets where {criterion.upper()} chooses the model",
        legend=f"Model{_by_method(frame)}; bars: ±1.96 Monte Carlo SE",
        ends=(0, 1),
        whole=True,
        words={key: f"fitted by {word}" for key, word in _METHODS.items()},
    )
    return small_multiples(frame, look, row="method", at=at, models=_models(selection))


def failure_rates(
    measures: pd.DataFrame, *, method: str = "reml", at: Mapping[str, Any] | None = None
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
    method = _method(measures, method)
    kept = measures["measure"].isin(list(_FIT_MEASURES)) & (measures["method"] == method)
    frame = measures[kept & measures["estimate"].notna()]
    if frame.empty:
        return blank("No failure rates in this study.")
    frame = frame.sort_values("measure", ascending=False, kind="stable")
    look = Look(
        label="Share of fits",
        legend=f"Model ({_METHODS[method]}); bars: ±1.96 Monte Carlo SE",
        ends=(0, 1),
        from_zero=True,
        words=_FIT_MEASURES,
    )
    return small_multiples(frame, look, row="measure", at=at, models=_models(measures))


def _look(measure: str, method: str, level: float, words: Mapping[str, str]) -> Look:
    percent = {"level": 100 * level, "alpha": 100 * (1 - level)}
    nominal = percent["alpha"] if measure == "rejection" else percent["level"]
    return Look(
        label=_LABELS[measure].format(**percent),
        legend=f"Model ({_METHODS.get(method, method)}); bars: ±1.96 Monte Carlo SE",
        reference=lambda frame: _reference(measure, level, frame),
        reference_label=f"nominal level, {nominal:g}%" if measure in _SHARES else "",
        percent=measure.startswith("relative_"),
        ends=(0, 1) if measure in _SHARES else (-np.inf, np.inf),
        whole=measure == "rejection",
        from_zero=measure in _FROM_ZERO,
        words=words,
    )


def _reference(measure: str, level: float, frame: pd.DataFrame) -> float | None:
    if measure in _NO_ERROR:
        return 0.0
    if measure == "rejection":  # a test of a false hypothesis has no level to keep
        return 1 - level if (frame["true"] == 0).any() else None
    return level if measure in _SHARES else None


def _terms(measures: pd.DataFrame, term: str | Sequence[str]) -> list[str]:
    found = [name for name in measures["term"].drop_duplicates() if name]
    if term in PARTS:
        part = [name for name in found if part_of(name) == term]
        return sorted(part, key=rank)[:MOST_TERMS]
    names = [term] if isinstance(term, str) else list(term)
    for name in names:
        _check(name, found, "term")
    return names


def _method(measures: pd.DataFrame, method: str) -> str:
    found = measures["method"].drop_duplicates().tolist()
    return found[0] if len(found) == 1 else method


def _models(frame: pd.DataFrame) -> list[str]:
    return frame["model"].drop_duplicates().tolist()


def _by_method(selection: pd.DataFrame) -> str:
    found = selection["method"].drop_duplicates().tolist()
    return f" (fitted by {_METHODS.get(found[0], found[0])})" if len(found) == 1 else ""


def _true_words(frame: pd.DataFrame) -> dict[str, str]:
    words = {}
    for term, true in frame.groupby("term")["true"]:
        values = np.unique(true.to_numpy())
        known = len(values) == 1 and np.isfinite(values[0])
        words[str(term)] = term_words(str(term)) + (
            f"\ntrue: {values[0]:g}".replace("-", MINUS) if known else ""
        )
    return words


def _check(name: str, allowed: Sequence[str], what: str) -> None:
    if name not in allowed:
        raise InputError(
            f"unknown {what} '{name}'",
            allowed=", ".join(map(str, allowed)),
            suggestion=nearest(name, allowed),
        )
