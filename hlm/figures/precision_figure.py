"""The precision that a study asks for: which scenarios have it, and the replicates that it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hlm.figures.headers import wrap
from hlm.figures.multiples import Look
from hlm.figures.scenario_steps import LANE, Steps
from hlm.figures.series import add_legend
from hlm.figures.sheet import dress_values, lay_out, reach
from hlm.figures.style import COLUMN, GREY, INK, PAGE, RC, blank, marks, styled
from hlm.measures.distance import judged_mcse, rows_of_target
from hlm.results.shown import of_first_policy, with_words
from hlm.words.levels import WORDS
from hlm.words.measures import MEASURES, RATES
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from hlm.figures.scenario_steps import Floats
    from hlm.precision import Precision, Target

__all__ = ["precision_reached"]

_HEIGHT = 1.3  # inches, of a panel
_MOST_MARKED = 60  # scenarios of which each has a mark
_SIZES = Look("", from_zero=True)
_LINE, _MISSED = marks(["reached", "missed"]).values()


@styled
def precision_reached(
    measures: pd.DataFrame,
    precision: Precision,
    *,
    numbers: Mapping[str, int],
    reached: Mapping[str, bool],
    order: Sequence[str] | None = None,
) -> Figure:
    """Draw the largest Monte Carlo standard error of each target over the scenarios, and their n.

    A panel for each target: the largest error of all models, methods, inferences and terms that it
    is about, as the study judges it, with a line where it should be; below them the replicates of
    each scenario, with lines at the least and the most that the study allows. Scenarios that end
    without the precision have a mark of their own.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`, or the rows of the measures that have a target.
    precision : Precision
    numbers : dict of str to int
        Replicates by scenario.
    reached : dict of str to bool
        By scenario, whether it has the precision; those that are not there may still grow.
    order : sequence of str, optional
        Factors, outermost first, as in a nested-loop plot.

    Returns
    -------
    Figure
    """
    frame = with_words(of_first_policy(measures))
    points = frame.drop_duplicates("scenario")
    if points.empty:
        return blank("No measures in this study.")
    steps = Steps.of(points, order)
    n = len(precision.targets) + 1
    heights = [_HEIGHT] * n + [max(LANE * len(steps.names), 0.02)]
    width = PAGE if len(steps) > 1 else COLUMN
    figure = Figure(figsize=(width, 0.75 + sum(heights)))
    axes = figure.subplots(n + 1, 1, sharex=True, height_ratios=heights)
    missed = [key for key in points["scenario"] if reached.get(key) is False]
    for ax, target in zip(axes, precision.targets, strict=False):
        values = _largest(frame, target)
        own = points[points["scenario"].isin(values)]
        over = steps.along(own["scenario"].map(values), own)
        at_fault = _places(steps, own, [key for key in missed if values.get(key, 0) > target.mcse])
        _draw(ax, steps, over, [target.mcse], at_fault)
        ax.set_ylabel(wrap(_label(frame, target), _HEIGHT), size=RC["axes.titlesize"])
    counts = steps.along(points["scenario"].map(numbers), points)
    of_study = [precision.at_least, precision.at_most]
    _draw(axes[n - 1], steps, counts, of_study, _places(steps, points, missed))
    axes[n - 1].set_ylabel("Replicates", size=RC["axes.titlesize"])
    axes[n].set_visible(bool(steps.names))
    steps.draw(axes[n])
    add_legend(figure, _entries(bool(missed)))
    lay_out(figure, _notes(points, reached, missed, precision))
    return figure


def _largest(frame: pd.DataFrame, target: Target) -> dict[str, float]:
    """Return the largest error that a target is about, by scenario."""
    own = frame[rows_of_target(target, frame)]  # type: ignore[arg-type]
    columns = (own[name] for name in ("measure", "estimate", "mcse", "n"))
    found = own.assign(judged=judged_mcse(*columns)).groupby("scenario")["judged"].max()
    return {str(key): float(value) for key, value in found.items()}


def _places(steps: Steps, points: pd.DataFrame, keys: Sequence[str]) -> list[int]:
    return [int(place) for place in steps.places(points[points["scenario"].isin(keys)])]


def _label(frame: pd.DataFrame, target: Target) -> str:
    """Name a target: the measure, and the term if it is about one."""
    words = RATES.get(target.measure, target.measure)
    if target.measure in MEASURES:
        words = MEASURES[target.measure].noun.removeprefix("the ")
    if target.term is None:
        return f"Monte Carlo SE of {words}"
    own = frame.loc[frame["term"] == target.term, WORDS]
    return f"Monte Carlo SE of {words}, {own.iloc[0] if len(own) else target.term}"


def _draw(
    ax: Axes, steps: Steps, values: Floats, lines: Sequence[float], missed: Sequence[int]
) -> None:
    for x in steps.breaks():
        ax.axvline(x, color=RC["grid.color"], linewidth=0.8, zorder=0)
    for height in lines:
        ax.axhline(height, color=GREY, linewidth=0.9, linestyle="--", zorder=1, label="asked")
    ax.plot(*steps.stepped(values), color=_LINE.colour, linewidth=1.0, label="values")
    if len(steps) <= _MOST_MARKED:
        others = np.setdiff1d(np.flatnonzero(np.isfinite(values)), missed)
        ax.plot(others, values[others], label="reached", **_LINE.look(joined=False))
    look: dict[str, Any] = {**_MISSED.look(joined=False), "markeredgecolor": INK}
    ax.plot(missed, values[list(missed)], label="missed", zorder=3, **look)
    ax.set_xlim(*steps.edges[[0, -1]])
    ax.set_ylim(*reach(_SIZES, values, lines))
    ax.grid(visible=True, axis="y")
    dress_values(ax.yaxis, _SIZES, nbins=4)
    ax.tick_params(bottom=False, labelbottom=False)


def _entries(has_missed: bool) -> list[Line2D]:
    found = [
        Line2D([], [], label="largest of all models", **_LINE.look(joined=True)),
        Line2D([], [], color=GREY, linestyle="--", linewidth=0.9, label="asked for, or allowed"),
    ]
    if has_missed:
        look: dict[str, Any] = {**_MISSED.look(joined=False), "markeredgecolor": INK}
        found.append(Line2D([], [], label="precision not reached", **look))
    return found


def _notes(
    points: pd.DataFrame, reached: Mapping[str, bool], missed: Sequence[str], precision: Precision
) -> list[str]:
    notes = []
    if missed:
        most = f"{precision.at_most:,} replicates, the most allowed"
        of = counted(len(points), "scenario")
        notes.append(f"{len(missed):,} of {of} do not have the precision with {most}.")
    growing = sum(key not in reached for key in points["scenario"])
    if growing:
        notes.append(f"{counted(growing, 'scenario')} may still have more replicates.")
    return notes
