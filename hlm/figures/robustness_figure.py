"""How far power and size move when an assumption is violated, over the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.figures.multiples import Look, small_multiples
from hlm.figures.style import blank
from hlm.results.grid_columns import factors, levels
from hlm.results.shown import in_order
from hlm.results.violated import POWER, SIZE, rejections_beside_nominal
from hlm.words.assumptions import ASSUMPTIONS
from hlm.words.inferences import INFERENCES, inference_words
from hlm.words.levels import MINUS, WORDS, level_words
from hlm.words.notes import not_shown, on_fewer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["robustness"]

MOST_ROWS = 6
"""Rows of panels: a term, by an inference where models have several."""


def robustness(
    measures: pd.DataFrame,
    differences: pd.DataFrame,
    *,
    method: str | None = None,
    at: Mapping[str, Any] | None = None,
) -> Figure:
    """Draw rates of rejection under each violation less the nominal ones, over the grid.

    A column of panels for each violation and a row for each term, named as power, size or both; the
    bars reach 1.96 Monte Carlo standard errors of pairs to either side, and a grey line is at no
    difference. Where terms have several inferences, each has its mark if the study has one model,
    and its row of panels if it has more.

    Parameters
    ----------
    measures, differences : DataFrame
        A study's `measures.parquet` and `differences.parquet`.
    method : {'reml', 'ml'}, optional
        By default all methods of the study.
    at : dict, optional
        Levels at which to hold factors of the grid that have no place among the panels.

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
    by_inference = len(inferences) > 1 and len(models) == 1
    keys = ["kind", "term", *(["inference"] if len(inferences) > 1 and not by_inference else [])]
    rows = sorted(
        frame[keys].drop_duplicates().itertuples(index=False, name=None), key=_order(frame)
    )
    words = {_name(row): _words(frame, keys, row) for row in rows}
    left = [words[_name(row)].replace("\n", ", ") for row in rows[MOST_ROWS:]]
    names = [_name(row) for row in rows[:MOST_ROWS]]
    frame = frame.assign(row=frame[keys].agg("\n".join, axis=1))
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
            *not_shown(left, "the table 'Robustness'"),
            *on_fewer(shown, "rejection"),
        ],
    )
    # The violations before other factors, so that they have the panels.
    grid = [ASSUMPTIONS, *(name for name in factors(differences) if name != ASSUMPTIONS)]
    beside = [
        "scenario",
        "kind",
        "model",
        "method",
        "row",
        "true",
        "estimate",
        "mcse",
        "n",
        "n_total",
    ]
    return small_multiples(frame[[*grid, *beside]], look, row="row", at=at, models=models)


def _rank(inference: str) -> int:
    known = list(INFERENCES)
    return known.index(inference) if inference in known else len(known)


def _order(frame: pd.DataFrame) -> Any:
    """Return the order of rows of panels: of terms as in tables, of inferences as in words."""
    terms = in_order(frame)
    return lambda row: (terms.index(row[:2]), *map(_rank, row[2:]))


def _name(row: Sequence[str]) -> str:
    return "\n".join(row)


def _words(frame: pd.DataFrame, keys: Sequence[str], row: Sequence[str]) -> str:
    """Name a row of panels: the term, the inference of several, power or size, the true value."""
    own = frame[(frame[[*keys]] == list(row)).all(axis=1)]
    rates, true = set(own["rate"]) & {POWER, SIZE}, own["true"].dropna().unique()
    what = f"{POWER} and {SIZE}" if len(rates) > 1 else next(iter(rates), "rejection")
    value = f", true: {level_words(float(true[0]))}" if len(true) == 1 and true[0] else ""
    return "\n".join([own[WORDS].iloc[0], *map(inference_words, row[2:]), f"{what}{value}"])
