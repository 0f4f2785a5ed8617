"""Rates over the grid: which model is chosen, which fits are singular, what became of fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack

import numpy as np

from hlm.errors import InputError, nearest
from hlm.figures.facets import Places, points_in
from hlm.figures.laid_out import laid_out
from hlm.figures.multiples import Look
from hlm.figures.style import blank
from hlm.words.criteria_words import CRITERION_WORDS
from hlm.words.fitting import METHODS, OUTCOMES
from hlm.words.inferences import joined
from hlm.words.levels import span
from hlm.words.measures import RATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["failure_rates", "outcome_shares", "selection_rates"]


def selection_rates(
    selection: pd.DataFrame,
    criterion: str = "aic",
    *,
    replicates: int | Mapping[str, int] | None = None,
    remarks: Sequence[str] = (),
    layout: str = "lines",
    **places: Unpack[Places],
) -> Figure:
    """Draw how often a criterion prefers each model, over the grid, for each method.

    Parameters
    ----------
    selection : DataFrame
        A study's `selection.parquet`.
    criterion : str
        Such as 'aic'.
    replicates : int or mapping of str to int, optional
        The data sets of each scenario, or of each by its key: with it, the figure says where a rate
        rests on fewer.
    remarks : sequence of str
        Sentences for the figure.
    layout, **places
        As in `measure_against_units`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the table has no such criterion.
    """
    known = selection["criterion"].drop_duplicates().tolist()
    if criterion not in known:
        raise InputError(
            f"unknown criterion '{criterion}'",
            allowed=", ".join(known),
            suggestion=nearest(criterion, known),
        )
    places.setdefault("points", points_in(selection))
    by = CRITERION_WORDS.get(criterion, criterion)
    frame = selection[selection["criterion"] == criterion].rename(columns={"rate": "estimate"})
    frame = frame[frame["estimate"].notna()].sort_values("method", ascending=False, kind="stable")
    if frame.empty:
        return blank(f"No choice by {by} in this study: on every data set a fit fails.")
    look = Look(
        label=f"Share of data sets for which the model is chosen by {by}",
        ends=(0, 1),
        shares=True,
        whole=True,
        words={key: f"fitted by {word}" for key, word in METHODS.items()},
        notes=lambda shown: [*_on_fewer_data_sets(shown, replicates), *remarks],
    )
    return laid_out(frame, look, layout, row="method", models=_models(selection), **places)


def failure_rates(
    measures: pd.DataFrame,
    *,
    method: str | None = None,
    layout: str = "lines",
    **places: Unpack[Places],
) -> Figure:
    """Draw the shares of singular and of failed fits over the grid.

    A fit is singular if it ends on the boundary: a variance of 0, or a correlation of -1 or 1.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`.
    method, layout, **places
        As in `measure_against_units`.

    Returns
    -------
    Figure
    """
    places.setdefault("points", points_in(measures))
    frame = measures[measures["measure"].isin(list(RATES)) & measures["estimate"].notna()]
    if method is not None:
        frame = frame[frame["method"] == method]
    if frame.empty:
        return blank("No failure rates in this study.")
    frame = frame.sort_values("measure", ascending=False, kind="stable")
    look = Look(
        label="Share of fits",
        ends=(0, 1),
        shares=True,
        from_zero=True,
        words=RATES,
        notes=_on_fewer_fits,
    )
    return laid_out(frame, look, layout, row="measure", models=_models(measures), **places)


def outcome_shares(
    accounting: pd.DataFrame, *, layout: str = "lines", **places: Unpack[Places]
) -> Figure:
    """Draw what share of fits ended in each way, over the grid.

    Parameters
    ----------
    accounting : DataFrame
        A study's `accounting.parquet`.
    layout, **places
        As in `measure_against_units`.

    Returns
    -------
    Figure
        With a row of panels for each outcome but `ok` that some fit had, and for singular and
        converged fits.
    """
    places.setdefault("points", points_in(accounting))
    happened = accounting.loc[accounting["count"] > 0, "outcome"].unique()
    rows = [
        name
        for name in dict.fromkeys([*OUTCOMES, *happened])
        if name in ("converged", "singular") or (name in happened and name != "ok")
    ]
    frame = accounting[accounting["outcome"].isin(rows)]
    if frame.empty:
        return blank("No fits in this study.")
    frame = frame.assign(estimate=frame["count"] / frame["n"], mcse=np.nan)
    frame = frame.sort_values("outcome", key=lambda names: names.map(rows.index), kind="stable")
    never = [OUTCOMES[name] for name in OUTCOMES if name not in (*rows, "ok")]
    look = Look(
        label="Share of fits",
        ends=(0, 1),
        shares=True,
        from_zero=True,
        scale="outcome",
        words=OUTCOMES,
        notes=lambda _: [f"No fit: {joined(never)}."] if never else [],
    )
    return laid_out(frame, look, layout, row="outcome", models=_models(accounting), **places)


def _on_fewer_data_sets(
    shown: pd.DataFrame, replicates: int | Mapping[str, int] | None
) -> list[str]:
    if replicates is None:
        return []
    keys = shown["scenario"]
    total = keys.map(replicates if isinstance(replicates, Mapping) else lambda _: replicates)
    if not (shown["n"] < total).any():
        return []
    rest = f"{span(shown['n'])} of {span(total)}"
    return [f"The rates rest on {rest} data sets: on the others a fit fails."]


def _on_fewer_fits(shown: pd.DataFrame) -> list[str]:
    """Say on how many fits the share of singular ones rests: of a failed one it is unknown."""
    singular, failed = (shown[shown["measure"] == name]["n"] for name in ("singular", "failed"))
    if singular.empty or failed.empty or not singular.min() < failed.max():
        return []
    of = f"{span(singular)} of {span(failed)} fits"
    return [f"The share of singular fits rests on {of}: the others failed."]


def _models(frame: pd.DataFrame) -> list[str]:
    return frame["model"].drop_duplicates().tolist()
