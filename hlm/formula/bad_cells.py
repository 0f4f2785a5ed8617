"""A word on the cells of a column that are no numbers, where numbers are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hlm.errors import InputError
from hlm.formula.cells import is_number, resembles_number
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_cells", "check_numbers"]


class _BadCell(NamedTuple):
    """The first cell that is no number, and how many more there are."""

    row: int
    text: str
    more: int


def _bad_cell(texts: Mapping[int, str]) -> _BadCell | None:
    bad = [row for row, text in texts.items() if not is_number(text)]
    return _BadCell(bad[0] + 1, texts[bad[0]], len(bad) - 1) if bad else None


def _texts(column: Any) -> dict[int, str]:
    """Return row -> text of the cells that are there; nothing if they are not text."""
    import pandas as pd

    if not isinstance(column, np.ndarray) or column.dtype.kind not in "OUS":
        return {}
    there = np.flatnonzero(~pd.isna(column))
    cells = {int(row): column[row] for row in there}
    is_text = any(isinstance(cell, str) for cell in cells.values())
    return {row: str(cell) for row, cell in cells.items()} if is_text else {}


def check_cells(name: str, column: Any) -> None:
    """Refuse a column of numbers with cells that are none, which R takes for a factor.

    Raises
    ------
    InputError
        If most cells, but not all, are numbers.

    Examples
    --------
    >>> check_cells("x", np.array(["1.5", "2", "3", "."]))
    Traceback (most recent call last):
    hlm.errors.InputError: column 'x', row 4: '.' is no number, unlike most cells of the column
      allowed: numbers; NA or an empty cell for a missing one; factor(x) if these are levels
    """
    texts = _texts(column)
    if not any(map(resembles_number, set(texts.values()))):
        return
    bad = _bad_cell(texts)
    if bad and 2 * sum(map(resembles_number, texts.values())) > len(texts):
        place, allowed = _place(name, bad)
        raise InputError(
            f"{_found(bad)}, unlike most cells of the column",
            path=place,
            allowed=f"{allowed}; factor({name}) if these are levels",
        )


def check_numbers(name: str, column: Any) -> None:
    """Refuse a column with a cell that is no number, where numbers are needed.

    Examples
    --------
    >>> check_numbers("y", np.array(["1.5", "low", None, "high"], dtype=object))
    Traceback (most recent call last):
    hlm.errors.InputError: column 'y', row 2: 'low' (and 1 more cell) is no number
      allowed: numbers; NA or an empty cell for a missing one
    """
    bad = _bad_cell(_texts(column))
    if bad:
        place, allowed = _place(name, bad)
        raise InputError(_found(bad), path=place, allowed=allowed)


def _place(name: str, bad: _BadCell) -> tuple[str, str]:
    """Say where the cell is, and what would be accepted."""
    return f"column '{name}', row {bad.row}", "numbers; NA or an empty cell for a missing one"


def _found(bad: _BadCell) -> str:
    more = f" (and {counted(bad.more, 'more cell')})" if bad.more else ""
    return f"{bad.text!r}{more} is no number"
