"""Panels of replicates: scenarios below each other, models side by side, and words for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from hlm.figures.headers import wrap
from hlm.figures.sheet import lay_out, name_row
from hlm.figures.style import PAGE
from hlm.words.fitting import METHODS
from hlm.words.inferences import inference_words
from hlm.words.levels import said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from hlm.results.samples import Sample

__all__ = ["Key", "Table", "key_of", "not_all", "scenario_words", "series_words"]

Key = tuple[str, str, str]
"""Model, method and inference."""

NO_BREAK = "\N{NO-BREAK SPACE}"
_WIDTHS = {1: 3.5, 2: 5.2}
_HEIGHTS = {1: 2.6, 2: 1.9, 3: 1.6}
_LEAST_HEIGHT = 1.3
_TITLE = 6.8  # points


def key_of(sample: Sample) -> Key:
    """Return what tells the series of a sample from those of others."""
    return sample.model, sample.method, sample.inference


def series_words(keys: Sequence[Key]) -> dict[Key, str]:
    """Name series by what tells them apart: the model, the method, the inference.

    Examples
    --------
    >>> series_words([("m", "reml", "wald"), ("m", "ml", "wald")])
    {('m', 'reml', 'wald'): 'm, REML', ('m', 'ml', 'wald'): 'm, ML'}
    >>> series_words([("m", "reml", "wald")])
    {('m', 'reml', 'wald'): 'm'}
    """
    methods = len({method for _, method, _ in keys}) > 1
    several = len({key[:2] for key in keys}) < len(keys)
    words = {}
    for model, method, inference in keys:
        parts = [model, *([METHODS[method]] if methods else [])]
        parts += [inference_words(inference)] if several else []
        words[model, method, inference] = ", ".join(parts)
    return words


def scenario_words(levels: Sequence[Mapping[str, Any]], place: int) -> str:
    """Name a scenario by the levels of the factors that vary, none of which is broken in lines.

    Examples
    --------
    >>> levels = [{"units": 10, "rows": 5}, {"units": 30, "rows": 5}]
    >>> scenario_words(levels, 1).replace(NO_BREAK, "_")
    '30_units'
    """
    vary = [name for name in levels[place] if len({level[name] for level in levels}) > 1]
    said_of = (said(name, levels[place][name]) for name in vary)
    return ", ".join(words.replace(" ", NO_BREAK) for words in said_of)


def not_all(shown: int, of: int, where: str) -> list[str]:
    """Say that a figure has some scenarios only, and where the others are.

    Examples
    --------
    >>> not_all(4, 18, "hlm plot")
    ['4 of 18 scenarios; hlm plot has the others.']
    >>> not_all(4, 4, "hlm plot")
    []
    """
    have = "have" if " and " in where else "has"
    return [f"{shown:,} of {of:,} scenarios; {where} {have} the others."] if shown < of else []


@dataclass(frozen=True)
class Table:
    """Panels with a column for each series and a row for each scenario.

    Attributes
    ----------
    rows : tuple of int
        Places of scenarios.
    columns : tuple of Key
    figure : Figure
    axes : ndarray of Axes, (n_rows, n_columns)
    """

    rows: tuple[int, ...]
    columns: tuple[Key, ...]
    figure: Figure
    axes: Any

    @classmethod
    def of(cls, where: Sequence[tuple[int, Key]]) -> Table:
        """Make the panels for some scenarios and series."""
        rows = tuple(dict.fromkeys(place for place, _ in where))
        columns = tuple(dict.fromkeys(key for _, key in where))
        width = _WIDTHS.get(len(columns), PAGE)
        tall = _HEIGHTS.get(len(rows), _LEAST_HEIGHT)
        figure = Figure(figsize=(width, 0.9 + len(rows) * tall))
        shape = (len(rows), len(columns))
        axes = figure.subplots(*shape, squeeze=False, sharex="row", sharey="row")
        for unused in axes.flat:
            unused.set_axis_off()
        return cls(rows, columns, figure, axes)

    def panel(self, place: int, key: Key) -> Axes:
        """Return the panel of a scenario and a series."""
        ax: Axes = self.axes[self.rows.index(place), self.columns.index(key)]
        ax.set_axis_on()
        return ax

    def finish(
        self, levels: Sequence[Mapping[str, Any]], notes: Sequence[str], where: str
    ) -> Figure:
        """Name rows and columns, write the notes, say where others are, and lay all out."""
        words = series_words(self.columns)
        room = (self.figure.get_figwidth() - 0.8) / len(self.columns)
        tall = (self.figure.get_figheight() - 0.9) / len(self.rows)
        for column, key in enumerate(self.columns):
            self.axes[0, column].set_title(wrap(words[key], room), size=_TITLE)
        for row, place in enumerate(self.rows):
            text = scenario_words(levels, place)
            if text:
                name_row(self.axes[row, -1], text, tall)
        lay_out(self.figure, [*notes, *not_all(len(self.rows), len(levels), where)])
        return self.figure
