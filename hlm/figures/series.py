"""The series of a figure, one for each model and method: marks, error bars, legend."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from matplotlib.lines import Line2D

from hlm.figures.headers import wrap
from hlm.figures.style import GREY, INK, Mark, legend_columns, marks
from hlm.measures import share_limits
from hlm.words.fitting import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hlm.figures.multiples import Look

__all__ = [
    "BAND",
    "Series",
    "Z",
    "add_legend",
    "bars",
    "entries",
    "legend_title",
    "line_words",
    "name_of",
    "nominal_band",
    "series_of",
]

Series: TypeAlias = tuple[str, str]
"""A model and a method."""

Z = 1.959963984540054  # a bar reaches this many Monte Carlo standard errors to either side
BAND = 0.18  # opacity, of what chance alone gives
_ENTRY = 0.16  # inches, of a line of the legend
_NAME = 2.6  # inches, of a model's name


def series_of(frame: pd.DataFrame, models: Iterable[str] | None = None) -> dict[Series, Mark]:
    """Give each model and method that there is its mark: colour by model, hollow for ML.

    Parameters
    ----------
    frame : DataFrame
        With `model` and `method`.
    models : iterable of str, optional
        In the order of their marks, whatever else is drawn; by default as they come.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"model": ["m", "m"], "method": ["ml", "reml"]})
    >>> {key: mark.hollow for key, mark in series_of(frame).items()}
    {('m', 'reml'): False, ('m', 'ml'): True}
    """
    found = set(frame[["model", "method"]].itertuples(index=False, name=None))
    names = frame["model"].drop_duplicates() if models is None else models
    return {
        (model, method): replace(mark, hollow=method == "ml")
        for model, mark in marks(names).items()
        for method in METHODS
        if (model, method) in found
    }


def name_of(series: Series, look: Look, methods: Iterable[str]) -> str:
    """Return the words for a series: the model, and the method where the figure has both."""
    model, method = series
    words = look.models.get(model, model)
    return f"{words}, {METHODS[method]}" if len(set(methods)) > 1 else words


def bars(points: pd.DataFrame, look: Look) -> NDArray[np.float64]:
    """Return how far bars reach down and up, (2, n): 1.96 MCSEs, or Wilson's limits of shares."""
    estimate = points["estimate"].to_numpy(float)
    if look.shares:
        lower, upper = share_limits(estimate, points["n"].to_numpy(float))
        return np.array([estimate - lower, upper - estimate])
    half = Z * points["mcse"].to_numpy(float)
    return np.array([half, half])


def line_words(look: Look, frames: Iterable[pd.DataFrame]) -> str:
    """Return what the line to compare with is called, if some panel has one that needs a name.

    Examples
    --------
    >>> import pandas as pd
    >>> from hlm.figures.multiples import Look
    >>> look = Look("Coverage", reference=lambda _: [0.95], reference_label="nominal", band=True)
    >>> line_words(look, [pd.DataFrame()])
    'nominal, ±1.96 Monte Carlo SE'
    """
    if not look.reference_label or not any(len(look.reference(one)) for one in frames):
        return ""
    return look.reference_label + (", ±1.96 Monte Carlo SE" if look.band else "")


def nominal_band(look: Look, height: float, points: pd.DataFrame) -> tuple[float, ...]:
    """Return where shares lie by chance alone if they are what they are compared with.

    1.96 Monte Carlo standard errors to either side, of as many replicates as the fewest of some
    points; nothing if the look has no band.

    Examples
    --------
    >>> import pandas as pd
    >>> from hlm.figures.multiples import Look
    >>> points = pd.DataFrame({"n": [1000, 400]})
    >>> [round(end, 4) for end in nominal_band(Look("Coverage", band=True), 0.95, points)]
    [0.9286, 0.9714]
    """
    if not look.band:
        return ()
    half = Z * float(np.sqrt(height * (1 - height) / points["n"].min()))
    return max(height - half, 0.0), min(height + half, 1.0)


def entries(
    series: Mapping[Series, Mark], look: Look, *, joined: bool, line: str = ""
) -> list[Line2D]:
    """Return the entries of the legend: models, methods if there are two, the line to compare with.

    Parameters
    ----------
    series : dict of Series to Mark
    look : Look
    joined : bool
        Whether lines join the marks.
    line : str
        What the grey line is called, if it needs a name.
    """
    found: dict[str, Mark] = {}
    for (model, _), mark in series.items():
        found.setdefault(wrap(look.models.get(model, model), _NAME), mark)
    if len({method for _, method in series}) > 1:
        filled = Mark(INK, "o", 3.8)
        of_methods = {"reml": filled, "ml": replace(filled, hollow=True)}
        found |= {METHODS[method]: mark for method, mark in of_methods.items()}
    lines = [Line2D([], [], label=k, **mark.look(joined=joined)) for k, mark in found.items()]
    if line:
        lines.append(Line2D([], [], color=GREY, linewidth=0.8, label=line))
    return lines


def legend_title(look: Look, series: Iterable[Series], errors: str) -> str:
    """Return the title of the legend: what the marks tell apart, and what the `errors` are.

    Parameters
    ----------
    look : Look
    series : iterable of Series
    errors : str
        Such as 'bars' or 'bands'; nothing if there are none.
    """
    methods = {method for _, method in series}
    by = "and method" if len(methods) > 1 else f"({METHODS[min(methods)]})"
    what = "95% limits" if look.shares else "±1.96 Monte Carlo SE"
    return f"{look.series} {by}" + (f"; {errors}: {what}" if errors else "")


def add_legend(figure: Figure, handles: Sequence[Artist], title: str = "") -> None:
    """Put the legend above the panels, in as many columns as there is room for.

    The figure grows by what the legend takes beyond a title and two lines.
    """
    width = figure.get_figwidth()
    columns = legend_columns(_labels(handles), width)
    legend = figure.legend(
        handles=handles, title=title or None, loc="outside upper center", ncols=columns
    )
    legend.get_title().set_multialignment("center")
    figure.set_figheight(figure.get_figheight() + _more_lines(handles, columns, title))


def _more_lines(handles: Sequence[Artist], columns: int, title: str) -> float:
    """Return the inches that a legend takes beyond those of a title and two lines."""
    labels = _labels(handles)
    rows = -(-len(labels) // columns)
    lines = [label.count("\n") + 1 for label in labels]
    most = max(sum(lines[first : first + rows]) for first in range(0, len(lines), rows))
    return _ENTRY * (max(0, most - 2) + title.count("\n"))


def _labels(handles: Sequence[Artist]) -> list[str]:
    return [str(handle.get_label()) for handle in handles]
