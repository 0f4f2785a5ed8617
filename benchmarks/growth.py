"""How the cost of one data set grows with units, rows, p and q; as a table and as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.cases import growth
from benchmarks.timing import Timing, time_case

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Growth", "draw_figure", "time_growth"]

Growth = Mapping[str, Sequence[tuple[int, Timing]]]

TITLES = {
    "units": "units of 30 rows",
    "rows": "rows of 30 units",
    "p": "fixed effects, 30 x 30",
    "q": "random effects, 30 x 30",
}

LINES = {
    "normals": "normals alone",
    "simulate": "simulate and reduce",
    "reml": "REML fit, SEs and df",
}

STYLE: dict[Any, Any] = {
    "axes.labelsize": 9.6,
    "axes.prop_cycle": "cycler('color', ['#0173b2', '#de8f05', '#029e73'])",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "legend.fontsize": 8.8,
    "xtick.labelsize": 8.8,
    "ytick.labelsize": 8.8,
}


def time_growth(repeats: int = 2) -> Growth:
    """Time every design of `growth`, few times: its numbers show the shape only."""
    return {
        name: [(value, time_case(case, repeats, LINES)) for value, case in grid]
        for name, grid in growth().items()
    }


def draw_figure(grown: Growth, file: Path) -> None:
    """Draw microseconds per data set on logarithmic axes, a panel for each number that grows."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    mpl.rcParams.update(STYLE)
    figure, panels = plt.subplots(1, len(grown), figsize=(9.0, 2.9), sharey=True)
    for axes, (name, points) in zip(panels, grown.items(), strict=True):
        values = [value for value, _ in points]
        for task, label in LINES.items():
            axes.loglog(
                values, [t.microseconds(task) for _, t in points], "o-", ms=3.5, label=label
            )
        axes.set_xticks(values, labels=[str(value) for value in values])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.minorticks_off()
        axes.grid(axis="y", linewidth=0.4)
        axes.set_xlabel(TITLES[name])
    panels[0].set_ylabel("microseconds per data set")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(LINES), frameon=False)
    figure.tight_layout(rect=(0.0, 0.0, 1.0, 0.93))
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=200)
