"""A search for a design: what was tried, the fitted measure, target and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from hlm.figures.style import COLUMN, GREY, INK, PAGE, blank, marks, styled
from hlm.measures.share_limits import share_limits
from hlm.solver.answer import normal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from hlm.solver import Answer, Goal, Tally

__all__ = ["searched"]

HEIGHT = 2.6
CURVE = 201
CONTOUR = 81
BAND = 0.15
UNSURE = 0.25
LEVELS = 7
ALL, TRIED, FRESH = marks(["curve", "tried", "fresh"]).values()


@styled
def searched(
    answer: Answer,
    names: Sequence[str],
    *,
    signs: Sequence[int] | None = None,
    cost: Callable[[Any], Any] | None = None,
) -> Figure:
    """Draw a search, a panel for each goal.

    Of one variable: the measure at the points that were tried, with intervals; the fitted curve
    with its band; the target; the size with its interval; what fresh replicates gave. Of two or
    three: the fitted measure as contours, that of the target heavy, costs as dotted lines, the
    points that were tried, and the answer; a third variable is held at the answer.

    Parameters
    ----------
    answer : Answer
    names : sequence of str
        Of the variables.
    signs : sequence of int, optional
        -1 for a variable of which the search saw the other sign.
    cost : callable, optional
        The costs of points, (n, v) -> (n,).
    """
    if not answer.surfaces or not answer.tried:
        return blank("No design has any fit that gives the measure.")
    turned = np.array(signs or [1] * len(names), dtype=float)
    draw = _curve if len(names) == 1 else _contours
    n = len(answer.goals)
    width = COLUMN if n == 1 else PAGE
    columns = min(n, 2)
    rows = -(-n // columns)
    figure = Figure(figsize=(width, HEIGHT * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, axes in enumerate(panels):
        if place < n:
            draw(axes, answer, place, names, turned, cost)
        else:
            axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=7)
    return figure


def _curve(
    axes: Axes,
    answer: Answer,
    place: int,
    names: Sequence[str],
    signs: NDArray[np.float64],
    _: object,
) -> None:
    goal, sign = answer.goals[place], signs[0]
    tried = {one.point[0]: one.tallies[place] for one in answer.tried if one.tallies[place].n}
    ends = [*tried, *([answer.design.point[0]] if answer.design else [])]
    x = np.linspace(min(ends), max(ends), CURVE)
    y, se = answer.surfaces[place].predict(x[:, None])
    sure = se < UNSURE
    x, y, se = x[sure], y[sure], se[sure]
    half = normal_of(answer.level) * se
    axes.fill_between(
        sign * x, goal.unlink(y - half), goal.unlink(y + half), color=ALL.colour, alpha=BAND, lw=0
    )
    axes.plot(sign * x, goal.unlink(y), color=ALL.colour, label="fitted")
    _points(axes, goal, tried, sign, answer.level)
    axes.axhline(goal.value, color=INK, lw=0.8, ls="--", label="target")
    if answer.design is not None:
        at = answer.design.point[0]
        axes.axvline(sign * at, color=GREY, lw=0.8, label="answer")
        if answer.exact is not None:
            low, high = sorted((sign * answer.exact.low, sign * answer.exact.high))
            axes.axvspan(low, high, color=GREY, alpha=BAND, lw=0)
        _points(axes, goal, {at: answer.fresh[place]}, sign, answer.level, fresh=True)
    axes.set_xlabel(names[0])
    axes.set_ylabel(goal.label)
    if goal.share:
        axes.set_ylim(max(0.0, axes.get_ylim()[0]), min(1.0, axes.get_ylim()[1]))


def _points(
    axes: Axes,
    goal: Goal,
    tallies: dict[float, Tally],
    sign: float,
    level: float,
    *,
    fresh: bool = False,
) -> None:
    """Draw what was simulated, with intervals."""
    x = sign * np.array([*tallies])
    mean = np.array([one.mean for one in tallies.values()])
    if goal.share:
        low, high = share_limits(mean, [one.n for one in tallies.values()], level)
    else:
        half = normal_of(level) * np.array([one.mcse for one in tallies.values()])
        low, high = mean - half, mean + half
    mark = FRESH if fresh else TRIED
    look = mark.look(joined=False)
    axes.errorbar(
        x,
        mean,
        np.array([mean - low, high - mean]),
        elinewidth=0.7,
        label="fresh data sets" if fresh else "simulated",
        **look,
    )


def _contours(
    axes: Axes,
    answer: Answer,
    place: int,
    names: Sequence[str],
    signs: NDArray[np.float64],
    cost: Callable[[Any], Any] | None,
) -> None:
    goal, surface = answer.goals[place], answer.surfaces[place]
    tried = np.array([one.point for one in answer.tried], dtype=float)
    low, high = tried[:, :2].min(axis=0), tried[:, :2].max(axis=0)
    a, b = (np.linspace(p, q, CONTOUR) for p, q in zip(low, high, strict=True))
    held = (answer.design.point if answer.design else answer.tried[0].point)[2:]
    points, shape = _mesh(a, b, held)
    link, error = surface.predict(points)
    link = np.where(error < UNSURE, link, np.nan)  # far from the answer nothing is known
    values = goal.unlink(link).reshape(shape)
    a, b, at = signs[0] * a, signs[1] * b, tried * signs
    drawn = axes.contour(a, b, values, LEVELS, colors=ALL.colour, linewidths=0.6)
    axes.clabel(drawn, fontsize=6)
    if np.nanmin(values) < goal.value < np.nanmax(values):
        axes.contour(a, b, values, [goal.value], colors=ALL.colour, linewidths=1.6)
    axes.plot([], [], color=ALL.colour, lw=0.6, label=f"{goal.label}, fitted")
    axes.plot([], [], color=ALL.colour, lw=1.6, label="target")
    if cost is not None:
        costs = np.asarray(cost(points)).reshape(shape)
        lines = axes.contour(a, b, costs, LEVELS, colors=GREY, linewidths=0.7, linestyles=":")
        axes.clabel(lines, fontsize=6, fmt=lambda x: f"{x:,.10g}")
        axes.plot([], [], color=GREY, lw=0.7, ls=":", label="cost")
    axes.plot(at[:, 0], at[:, 1], label="simulated", clip_on=False, **TRIED.look(joined=False))
    if answer.design is not None:
        x, y = (float(v) for v in np.array(answer.design.point[:2]) * signs[:2])
        axes.plot([x], [y], label="answer", **FRESH.look(joined=False))
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    if held:
        axes.set_title(f"{names[2]} {signs[2] * held[0]:g}")


def _mesh(
    a: NDArray[np.float64], b: NDArray[np.float64], held: Sequence[float]
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Return the points of a grid of two variables, (n, v), and the grid's shape."""
    x, y = np.meshgrid(a, b)
    columns = [x.ravel(), y.ravel(), *(np.full(x.size, value) for value in held)]
    return np.stack(columns, axis=1), (len(b), len(a))
