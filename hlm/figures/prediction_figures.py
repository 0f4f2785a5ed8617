"""How far predicted coefficients of units are from the true ones, over the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from hlm.errors import InputError, nearest
from hlm.estimands.kinds import PARTS
from hlm.figures.facets import Places, points_in
from hlm.figures.laid_out import laid_out
from hlm.figures.multiples import Look
from hlm.figures.style import blank
from hlm.results.shown import in_order, of_first_policy, with_words
from hlm.words.levels import WORDS, span
from hlm.words.measures import OF_PREDICTIONS
from hlm.words.notes import not_shown
from hlm.words.predictors import PREDICTORS, predictor_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["prediction_errors"]

MOST_ROWS = 8
"""Rows of panels: a coefficient by a model."""


def prediction_errors(
    measures: pd.DataFrame,
    measure: str = "prediction_rmse",
    *,
    method: str | None = None,
    layout: str = "lines",
    **places: Unpack[Places],
) -> Figure:
    """Draw the error of each predictor of units' coefficients over the grid.

    A row of panels for each coefficient, and for each model if there are several; colour and marker
    tell the predictor, filled marks fits by REML and hollow ones fits by ML.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    measure : str
        ``'prediction_rmse'``, or another measure of predictions.
    method : {'reml', 'ml'}, optional
        By default all methods of the study.
    layout : str
        As for `hlm.figures.laid_out.laid_out`.
    **places
        Where factors go, and which page is drawn: see `hlm.figures.facets.Places`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such measure of predictions.
    """
    if measure not in OF_PREDICTIONS:
        raise InputError(
            f"'{measure}' is no measure of predictions",
            allowed=", ".join(OF_PREDICTIONS),
            suggestion=nearest(measure, OF_PREDICTIONS),
        )
    places.setdefault("points", points_in(measures))
    measures = with_words(of_first_policy(measures))
    own = measures[measures["kind"].isin(PARTS["predictions"])]
    if method is not None:
        own = own[own["method"] == method]
    frame = own[(own["measure"] == measure) & own["estimate"].notna()]
    if frame.empty:
        return blank(f"No value of {measure} in this study.")
    rows = [
        (term, model)
        for _, term in in_order(frame)
        for model in frame["model"].drop_duplicates()
        if ((frame["term"] == term) & (frame["model"] == model)).any()
    ]
    words = _words(frame, rows)
    left = not_shown([words[row].replace("\n", ", ") for row in rows[MOST_ROWS:]], "the table")
    frame = frame.assign(row=frame["term"] + "\n" + frame["model"])
    order = ["\n".join(row) for row in rows]
    frame = frame[frame["row"].isin(order[:MOST_ROWS])]
    keys = ["scenario", "model", "method", "term"]
    total = own[own["measure"] == "n_total"].set_index(keys)["estimate"].rename("n_total")
    frame = frame.join(total, on=keys).sort_values("row", key=lambda c: c.map(order.index))
    frame = frame.assign(model=frame["inference"].map(predictor_words))
    about = OF_PREDICTIONS[measure]
    look = Look(
        label=about.label,
        reference=lambda _: [0.0] if about.nominal == "zero" else [],
        from_zero=about.kind == "size",
        words={"\n".join(row): text for row, text in words.items()},
        series="Predictor",
        notes=lambda shown: [*left, *_on_fewer(shown)],
    )
    predictors = [words for words in PREDICTORS.values() if words in set(frame["model"])]
    return laid_out(
        frame.drop(columns="term"), look, layout, row="row", models=predictors, **places
    )


def _words(frame: pd.DataFrame, rows: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return what to call each row of panels: the coefficient, and the model of several."""
    called = dict(zip(frame["term"], frame[WORDS], strict=True))
    several = len({model for _, model in rows}) > 1
    return {
        (term, model): f"{called[term]}\n{model}" if several else called[term]
        for term, model in rows
    }


def _on_fewer(shown: pd.DataFrame) -> list[str]:
    """Say on how many data sets the errors rest, if not on all."""
    if not (shown["n"] < shown["n_total"]).any():
        return []
    of = f"{span(shown['n'])} of {span(shown['n_total'])} replicates"
    return [f"The errors rest on {of}: in the others a fit fails, or no unit has its own."]
