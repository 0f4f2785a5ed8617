"""What a finding is, and the words that all findings share: numbers, chance, scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hlm.estimands.kinds import PARTS
from hlm.results.grid_columns import factors, levels
from hlm.scenario import INTERCEPT
from hlm.words.fitting import METHODS
from hlm.words.inferences import inference_words
from hlm.words.levels import MINUS, WORDS, level_words, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pandas as pd

Row: TypeAlias = "Mapping[str, Any] | pd.Series"

__all__ = [
    "BAND",
    "Finding",
    "Places",
    "by_chance",
    "each_model",
    "greatest",
    "in_percent",
    "levels_said",
    "number",
    "of_all",
    "region",
    "rejections",
    "share_of",
    "with_error",
]

BAND = 1.96
"""So many Monte Carlo standard errors around a nominal value hold 95 % of what chance gives."""

_MOST_LEVELS = 3


@dataclass(frozen=True)
class Finding:
    """What the results say on one question.

    Attributes
    ----------
    title : str
    sentence : str
        The answer.
    details : tuple of str
        Sentences that say where, and how much.
    by_model : tuple of str
        Sentences on each model, for who wants more.
    figures : tuple of str
        The names of figures that show it, whether or not the study has them.
    """

    title: str
    sentence: str
    details: tuple[str, ...] = ()
    by_model: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Places:
    """How the rows of a table are told apart: by factors of the grid, models, methods, inferences.

    Attributes
    ----------
    factors : tuple of str
        Of the grid.
    names : tuple of str
        Those of the columns `model`, `method` and `inference` that have several values.
    """

    factors: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, grid: Iterable[str] | None = None) -> Places:
        """Find what differs between the rows.

        Parameters
        ----------
        frame : DataFrame
        grid : iterable of str, optional
            The factors of the grid; by default all columns that are no results.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"units": [10, 30], "model": "m", "method": ["ml", "reml"]})
        >>> Places.of(frame)
        Places(factors=('units',), names=('method',))
        """
        names = [name for name in ("model", "method", "inference") if name in frame]
        found = factors(frame) if grid is None else grid
        return cls(tuple(found), tuple(name for name in names if len(levels(frame[name])) > 1))

    def of_one_model(self) -> Places:
        """Return the same without the model."""
        return Places(self.factors, tuple(name for name in self.names if name != "model"))

    def scenario(self, row: Row) -> str:
        """Say the levels of a row, empty where there is one scenario."""
        return ", ".join(said(name, row[name]) for name in self.factors)

    def fit(self, row: Row) -> str:
        """Say model, method and inference of a row, as far as these differ."""
        return ", ".join(_FITTED[name](row[name]) for name in self.names if row[name])

    def words(self, row: Row, *, term: bool = True) -> str:
        """Say of what a row is: its term, its scenario, how it was fitted.

        Examples
        --------
        >>> row = {"units": 10, "method": "ml", WORDS: "sd x"}
        >>> Places(("units",), ("method",)).words(row)
        'sd x, 10 units, ML'
        """
        parts = [row[WORDS] if term else "", self.scenario(row), self.fit(row)]
        return ", ".join(filter(None, parts))


_FITTED: dict[str, Callable[[Any], str]] = {
    "model": lambda name: f"model {name}",
    "method": lambda name: METHODS.get(name, name),
    "inference": inference_words,
}


def number(value: float, error: float) -> str:
    """Write a number with the decimals that show two digits of its error.

    Examples
    --------
    >>> number(0.12345, 0.0123), number(12.3, 4.0), number(0.5, 0.0)
    ('0.123', '12.3', '0.5')
    """
    if not error > 0 or not np.isfinite(error):
        text = f"{value:.3g}"
    else:
        text = f"{value:.{int(np.clip(1 - np.floor(np.log10(error)), 0, 8))}f}"
    return text.replace("-", MINUS)


def with_error(value: float, error: float) -> str:
    """Write a number and its Monte Carlo standard error.

    Examples
    --------
    >>> with_error(0.12345, 0.0123)
    '0.123 (MCSE 0.012)'
    """
    return f"{number(value, error)} (MCSE {number(error, error)})"


def in_percent(share: float, error: float | None = None) -> str:
    """Write a share, or a relative error, in percent, with its Monte Carlo standard error.

    Examples
    --------
    >>> in_percent(0.9423), in_percent(0.9423, 0.0052), in_percent(1.0), in_percent(0.0002)
    ('94.2%', '94.2% (MCSE 0.52)', '100%', '0.02%')
    """
    value = 100.0 * share
    text = f"{value:.1f}" if abs(value) >= 1.0 else f"{value:.2g}"
    text = text.removesuffix(".0") if abs(value) == 100.0 else text
    beside = "" if error is None else f" (MCSE {100.0 * error:.2g})"
    return f"{text.replace('-', MINUS)}%{beside}"


def by_chance(n: int) -> str:
    """Say how many of n values leave their band by chance alone: 5 % of them.

    Examples
    --------
    >>> by_chance(288), by_chance(20), by_chance(6)
    ('about 14', 'about 1', 'about 0.3')
    """
    expected = 0.05 * n
    return f"about {expected:.0f}" if expected >= 0.95 else f"about {expected:.1g}"


def of_all(n: int, some: int) -> str:
    """Begin a sentence with how many of n things.

    Examples
    --------
    >>> of_all(288, 0), of_all(288, 12), of_all(1, 1), of_all(3, 3)
    ('None of 288', '12 of 288', '1 of 1', 'All 3 of 3')
    """
    if not some:
        return f"None of {n:,}"
    return f"All {some:,} of {n:,}" if some == n > 1 else f"{some:,} of {n:,}"


def levels_said(name: str, own: Sequence[Any], between: str) -> str:
    """Say several levels of a factor, with its name or noun once.

    Examples
    --------
    >>> levels_said("rows", [5, 15, 30], "or"), levels_said("skew", [0.0, 0.5], "and")
    ('5, 15 or 30 rows per unit', 'skew = 0 and 0.5')
    """
    words = [said(name, level) for level in own]
    bare = [level_words(level) for level in own]
    if len(own) == 1:
        return words[0]
    if words[-1].startswith(bare[-1]):  # the noun comes after the last
        return f"{', '.join(bare[:-1])} {between} {words[-1]}"
    return f"{', '.join([words[0], *bare[1:-1]])} {between} {bare[-1]}"


def greatest(frame: pd.DataFrame, by: pd.Series) -> pd.Series:
    """Return the row of a frame where a number is greatest; `by` has the frame's index.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"term": ["a", "b"], "estimate": [0.1, 0.2]})
    >>> greatest(frame, -frame["estimate"])["term"]
    'a'
    """
    return frame.iloc[int(np.nanargmax(by.to_numpy(dtype=float)))]


def region(some: pd.DataFrame, of: pd.DataFrame, grid: Iterable[str]) -> str:
    """Say which levels of the grid some rows have, of those that all have; '' if they have all.

    Parameters
    ----------
    some, of : DataFrame
        Rows with the factors of the grid as columns, and all such rows.
    grid : iterable of str
        The factors to be told of.

    Examples
    --------
    >>> import pandas as pd
    >>> of = pd.DataFrame({"units": [10, 10, 30, 30], "rows": [5, 15, 5, 15]})
    >>> region(of[:2], of, of), region(of[::3], of, of)
    ('10 units', '')
    """
    parts = []
    for name in grid:
        own, known = levels(some[name]), levels(of[name])
        if len(own) < len(known) and len(own) <= _MOST_LEVELS:
            parts.append(levels_said(name, own, "or"))
    return ", ".join(parts)


def each_model(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of each of several models, with its name.

    Examples
    --------
    >>> import pandas as pd
    >>> [name for name, _ in each_model(pd.DataFrame({"model": ["a", "a", "b"]}))]
    ['a', 'b']
    """
    groups = frame.groupby("model", sort=False)
    if len(groups) > 1:
        yield from ((str(model), own) for model, own in groups)


def share_of(n: int, some: int, things: str) -> str:
    """Say of how many of n things something holds.

    Examples
    --------
    >>> share_of(6, 6, "scenarios"), share_of(6, 2, "scenarios")
    ('all 6 scenarios', '2 of 6 scenarios')
    """
    return f"all {n:,} {things}" if some == n > 1 else f"{some:,} of {n:,} {things}"


def rejections(frame: pd.DataFrame, primary: Sequence[str] = ()) -> pd.DataFrame:
    """Return the rows of rejection rates of coefficients and tests.

    Parameters
    ----------
    frame : DataFrame
        Rows with `measure`, `kind` and `term`.
    primary : sequence of str
        The terms that are wanted; by default all but the intercept, if there are others.
    """
    kinds = [*PARTS["fixed"], *PARTS["tests"]]
    rows = frame[(frame["measure"] == "rejection") & frame["kind"].isin(kinds)]
    wanted = rows["term"].isin(primary)
    if not wanted.any():
        wanted = rows["term"] != INTERCEPT
    return rows[wanted] if wanted.any() else rows
