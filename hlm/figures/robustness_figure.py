"""How far power and size move when an assumption is violated, over the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from hlm.figures.facets import Places, points_in
from hlm.figures.laid_out import laid_out
from hlm.figures.multiples import Look
from hlm.figures.style import blank
from hlm.plan.report import TABLES
from hlm.results.grid_columns import factors, levels
from hlm.results.shown import in_order
from hlm.results.violated import RATES, rejections_beside_nominal
from hlm.words.assumptions import ASSUMPTIONS
from hlm.words.inferences import INFERENCES, inference_words
from hlm.words.levels import MINUS, WORDS, level_words, said
from hlm.words.notes import not_shown, on_fewer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["robustness"]

_NUMBERS = ("true", "estimate", "mcse", "n", "n_total")

MOST_ROWS = 6
"""Rows of panels: a term, by its inferences where models have several, as power or size."""


def robustness(
    measures: pd.DataFrame,
    differences: pd.DataFrame,
    *,
    method: str | None = None,
    layout: str = "lines",
    **places: Unpack[Places],
) -> Figure:
    """Draw rates of rejection under each violation less the nominal ones, over the grid.

    A column of panels for each violation and a row for each term, or for its power and its size if
    the grid has both: a factor that decides which, such as the coefficient itself, has a row for
    each of its levels. The bars reach 1.96 Monte Carlo standard errors of pairs to either
    side, and a grey line is at no difference. Where terms have several inferences, each has its
    mark if the study has one model, and its row of panels if it has more.

    Parameters
    ----------
    measures, differences : DataFrame
        A study's `measures.parquet` and `differences.parquet`.
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
        If no rate is there with and without a violation.
    """
    found = rejections_beside_nominal(measures, differences)
    frame = found if method is None else found[found["method"] == method]
    if frame.empty:
        return blank("No rate of rejection with and without a violation by this method.")
    models = frame["model"].drop_duplicates().tolist()
    inferences = sorted(frame["inference"].unique(), key=_rank)
    several = frame.duplicated(["scenario", "model", "method", "kind", "term"]).any()
    by_inference = several and len(models) == 1
    keys = ["kind", "term", *(["inference"] if several and not by_inference else []), "rate"]
    grid = [name for name in factors(differences) if name != ASSUMPTIONS]
    deciding = [name for name in grid if _decides(frame, name, grid)]
    frame = frame.assign(row=frame[[*keys, *deciding]].astype(str).agg("\n".join, axis=1))
    words = {
        row: _words(own, keys, deciding)
        for row, own in sorted(frame.groupby("row"), key=_order(frame, keys, deciding))
    }
    names = list(words)[:MOST_ROWS]
    left = [text.replace("\n", ", ") for text in list(words.values())[MOST_ROWS:]]
    frame = frame[frame["row"].isin(names)]
    frame = frame.sort_values("row", key=lambda c: c.map(names.index), kind="stable")
    if by_inference:
        frame = frame.assign(model=frame["inference"].map(inference_words))
        models = [inference_words(name) for name in inferences]
    violations = levels(frame[ASSUMPTIONS])
    of = f" ({violations[0]})" if len(violations) == 1 else ""
    look = Look(
        label=f"Rejection rate under the violation{of} {MINUS} nominal rejection rate",
        reference=lambda _: [0.0],
        reference_label="no difference",
        words=words,
        series="Inference" if by_inference else "Model",
        notes=lambda shown: [
            *not_shown(left, f"the table '{TABLES['robustness']}'"),
            *on_fewer(shown, "rejection"),
        ],
    )
    # The violations before other factors, so that they have the panels.
    first = [ASSUMPTIONS, *(name for name in grid if name not in deciding)]
    beside = ["scenario", "kind", "model", "method", "row", *_NUMBERS]
    shown = frame[[*first, *beside]]
    places.setdefault("points", points_in(shown))
    return laid_out(shown, look, layout, row="row", models=models, **places)


def _decides(frame: pd.DataFrame, factor: str, grid: Sequence[str]) -> bool:
    """Tell whether a factor decides between power and size, all others being the same."""
    others = [name for name in grid if name != factor]
    rates = frame.groupby([*others, "kind", "term", "model"], dropna=False, observed=True)["rate"]
    return bool(rates.nunique().max() > 1)


def _rank(inference: str) -> int:
    known = list(INFERENCES)
    return known.index(inference) if inference in known else len(known)


def _order(
    frame: pd.DataFrame, keys: Sequence[str], deciding: Sequence[str]
) -> Callable[[tuple[Any, pd.DataFrame]], Any]:
    """Return the order of rows of panels: terms as in tables, inferences, power before size."""
    terms = in_order(frame)

    def place(row: tuple[Any, pd.DataFrame]) -> tuple[int, ...]:
        first = row[1].iloc[0]
        kind, term, *inference, rate = first[[*keys]]
        at = [levels(frame[name]).index(first[name]) for name in deciding]
        return (terms.index((kind, term)), *map(_rank, inference), RATES.index(rate), *at)

    return place


def _words(own: pd.DataFrame, keys: Sequence[str], deciding: Sequence[str]) -> str:
    """Name a row of panels: term, inference of several, power or size, and what decides that."""
    first, true = own.iloc[0], own["true"].dropna().unique()
    value = f", true: {level_words(float(true[0]))}" if len(true) == 1 else ""
    inference = [inference_words(first["inference"])] if "inference" in keys else []
    held = [said(name, first[name]) for name in deciding]
    return "\n".join([first[WORDS], *inference, f"{first['rate']}{value}", *held])
