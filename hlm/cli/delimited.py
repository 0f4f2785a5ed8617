"""Delimited text as R's `read.csv` takes it, cell by cell, or a word on the cell that is wrong.

Of two things R asks and this module sees for itself: the separator, from the line of names, and
the decimal mark, from the cells.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError
from hlm.formula.cells import NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

__all__ = ["read_delimited"]

SEPARATORS = ",;\t"
OTHERS = "| "
"""Only where the line of names has none of the above: both are common within names."""

MISSING = ("", "NA")
TRUE, FALSE = ("TRUE", "T"), ("FALSE", "F")
WITH_COMMA = r"[+-]?(?:[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?"
WHOLE = r"[+-]?[0-9]+"
LARGEST = 2**63 - 1


def read_delimited(file: Path) -> pd.DataFrame:
    """Read a file of delimited text under a line of names.

    Parameters
    ----------
    file : path
        Text in UTF-8, also compressed.

    Returns
    -------
    DataFrame
        Columns of integers, numbers, truth values or text. A cell that is empty or NA is missing.
        Columns without a name, as of row names, are left out.

    Raises
    ------
    InputError
        There are no rows, or a row has more cells than there are names.
    OSError, ValueError
        The file cannot be read.
    """
    import pandas as pd

    with _opened(file) as text:
        lines = text.read()
    header, _, body = _split_header(lines)
    if not header.strip():
        raise InputError("the file is empty", allowed="rows under a line of names")
    separator = _separator(header)
    names = _fields(header, separator)
    if not body.strip():
        raise InputError(
            f"no rows, only a line of names: {', '.join(names)}",
            allowed="rows under a line of names",
        )
    names, cells = _cells(body, names, separator)
    if separator != ",":
        cells = _with_points(names, cells)
    kept = [k for k, name in enumerate(names) if name]
    frame = pd.DataFrame({k: _typed(cells[k]) for k in kept})
    frame.columns = pd.Index([names[k] for k in kept], dtype=object)
    return frame


def _opened(file: Path) -> IO[str]:
    """Open a text in UTF-8, without its byte order mark, by the ending of its name."""
    openers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    if file.suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            content = archive.read(archive.namelist()[0])
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig")
    opener = openers.get(file.suffix, open)
    return opener(file, "rt", encoding="utf-8-sig")


def _split_header(lines: str) -> tuple[str, str, str]:
    """Return the line of names, which quotes may extend, and what follows."""
    lines = lines.lstrip("\n")
    end = lines.find("\n")
    while end >= 0 and lines.count('"', 0, end) % 2:
        end = lines.find("\n", end + 1)
    return (lines[:end], "\n", lines[end + 1 :]) if end >= 0 else (lines, "", "")


def _separator(header: str) -> str:
    """Return the separator that parts most names, quotes aside."""
    bare = "".join(header.split('"')[::2])
    for candidates in (SEPARATORS, OTHERS):
        most = max(candidates, key=bare.strip(" ").count)
        if most in bare.strip(" "):
            return most
    return ","


def _fields(line: str, separator: str) -> list[str]:
    """Return the names, without blanks around them as R."""
    rows = csv.reader([line.strip(" ")], delimiter=separator, skipinitialspace=True)
    return [name.strip() for name in next(rows)]


def _cells(body: str, names: list[str], separator: str) -> tuple[list[str], pd.DataFrame]:
    """Return the names and the cells as text, one column for each name.

    Where every row has one cell more than there are names the first is the row's name, as R writes
    it; where the last is always empty, the rows only end in a separator.
    """
    import pandas as pd

    width = len(names)
    try:
        cells = pd.read_csv(
            io.StringIO(body),
            sep=r"\s+" if separator == " " else separator,
            header=None,
            names=range(width + 1),
            index_col=False,
            dtype=str,
            na_filter=False,
        ).fillna("")
    except pd.errors.ParserError:
        _refuse_uneven(body, names, separator, (width, width + 1))
        raise
    if (cells[width] == "").all():
        return names, cells
    _refuse_uneven(body, names, separator, (width + 1,))
    return ["", *names], cells


def _refuse_uneven(body: str, names: list[str], separator: str, allowed: Sequence[int]) -> None:
    """Name the first row whose number of cells is not allowed."""
    options: dict[str, Any] = {"delimiter": separator, "skipinitialspace": separator == " "}
    rows = (row for row in csv.reader(io.StringIO(body), **options) if row)
    for number, row in enumerate(rows, start=1):
        found = len(row)
        if found not in allowed:
            raise InputError(
                f"{found} cells under {len(names)} names ({', '.join(names)})",
                path=f"row {number}",
                allowed="one cell for each name; in all rows one more, first, for names of rows",
            )


def _with_points(names: list[str], cells: pd.DataFrame) -> pd.DataFrame:
    """Replace decimal commas, if these are the decimal mark of the file.

    Raises
    ------
    InputError
        Some columns have decimal commas and others decimal points.
    """
    cells = cells.copy()
    commas, points = {}, {}
    for k, name in enumerate(names):
        column = cells[k].str.strip()
        there = ~column.isin(MISSING)
        with_comma = there & column.str.contains(",", regex=False)
        number = there & column.str.fullmatch(WITH_COMMA)
        with_point = there & column.str.contains(".", regex=False)
        if with_point.any():
            if column[there].str.fullmatch(NUMBER).all():
                points[name] = column[with_point].iloc[0]
        elif with_comma.any() and 2 * number.sum() > there.sum():
            commas[name] = column[with_comma & number].iloc[0]
            cells[k] = column.where(~number, column.str.replace(",", ".", regex=False))
    if commas and points:
        (comma, one), (point, other) = (next(iter(d.items())) for d in (commas, points))
        raise InputError(
            f"decimal commas in column '{comma}' ({one}), points in column '{point}' ({other})",
            allowed="one decimal mark, and none between thousands",
        )
    return cells


def _typed(cells: pd.Series) -> pd.Series:
    """Return a column as what all of its cells are: truth values, integers, numbers or text."""
    import pandas as pd

    bare = cells.str.strip()
    missing = bare.isin(MISSING)
    there = bare[~missing]
    if there.empty:
        return pd.Series(np.nan, index=cells.index)
    if there.isin([*TRUE, *FALSE]).all():
        truth = bare.isin(TRUE).astype(object).where(~missing, None)
        return truth if missing.any() else truth.astype(bool)
    if there.str.fullmatch(WHOLE).all():
        whole = [int(cell) for cell in there]
        if max(map(abs, whole)) <= LARGEST:
            return _with_gaps(pd.Series(whole, index=there.index), cells.index)
    elif there.str.fullmatch(NUMBER).all():
        # Python's own conversion, which is exact to the last bit.
        return pd.Series([float(c) for c in there], index=there.index).reindex(cells.index)
    return cells.where(~missing, np.nan)


def _with_gaps(whole: pd.Series, index: pd.Index) -> pd.Series:
    """Return integers in more rows than there are of them: no float in between."""
    return whole if len(whole) == len(index) else whole.astype("Int64").reindex(index)
