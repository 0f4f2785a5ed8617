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
import warnings
import zipfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from hlm.errors import InputError
from hlm.formula.cells import NUMBER
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["read_delimited"]

SEPARATORS = ",;\t"
OTHERS = "| "
"""Only where the line of names has none of the above: both are common within names."""

MISSING = ("", "NA")
TRUE, FALSE = ("TRUE", "T"), ("FALSE", "F")
WITH_COMMA = r"[+-]?(?:[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?"
SOME = 100
"""So many cells tell that a column is text, if one of them is no number."""


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
    header, body = _split_header(lines)
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
    frame.columns = pd.Index([names[k] for k in kept])
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


def _split_header(lines: str) -> tuple[str, str]:
    """Return the line of names, which quotes may extend, and what follows."""
    lines = lines.lstrip("\n")
    end = lines.find("\n")
    while end >= 0 and lines.count('"', 0, end) % 2:
        end = lines.find("\n", end + 1)
    return (lines[:end], lines[end + 1 :]) if end >= 0 else (lines, "")


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


def _cells(body: str, names: list[str], separator: str) -> tuple[list[str], list[pa.Array]]:
    """Return the names and the cells as text, one column for each name.

    Where every row has one cell more than there are names the first is the row's name, as R writes
    it; where the last is always empty, the rows only end in a separator.
    """
    import pandas as pd

    width = len(names)
    plain = _plain_cells(body, width, separator)
    if plain is not None:
        return names, plain
    options: dict[str, Any] = {"header": None, "index_col": False, "na_filter": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of a longer first row
            cells = pd.read_csv(
                io.StringIO(body),
                sep=r"\s+" if separator == " " else separator,
                names=range(width + 1),
                dtype=str,
                **options,
            ).fillna("")
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        _refuse_uneven(body, names, separator)
        raise
    columns = [_text(cells[k]) for k in range(width + 1)]
    if (cells[width] == "").all():
        return names, columns[:width]
    _refuse_uneven(body, names, separator)
    return ["", *names], columns


def _plain_cells(body: str, width: int, separator: str) -> list[pa.Array] | None:
    """Return the cells of a table without quotes whose rows are as long as the names, else nothing.

    Arrow reads such a table as pandas does, in a fraction of the time.
    """
    if '"' in body or separator == " " or width == 1:
        return None
    names = [str(k) for k in range(width)]
    try:
        table = pa.csv.read_csv(
            pa.py_buffer(body.encode()),
            read_options=pa.csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=pa.csv.ParseOptions(delimiter=separator, quote_char=False),
            convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
        return [pa.concat_arrays(column.chunks) for column in table.columns]
    except pa.ArrowInvalid:
        return None


def _text(cells: pd.Series) -> pa.Array:
    text = pa.array(cells, pa.string())
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _refuse_uneven(body: str, names: list[str], separator: str) -> None:
    """Name the first row that has not as many cells as it should, if there is one.

    One more than there are names if the rows have names; else no more, but for an empty one.
    """
    options: dict[str, Any] = {"delimiter": separator, "skipinitialspace": separator == " "}
    rows = [row for row in csv.reader(io.StringIO(body), **options) if row]
    width, named = len(names), len(rows[0]) == len(names) + 1 and rows[0][-1] != ""
    if all(len(row) == width + 1 for row in rows):
        return
    for number, row in enumerate(rows, start=1):
        beyond = [cell for cell in row[width:] if cell]
        if len(row) != width + 1 if named else beyond or len(row) > width + 1:
            raise InputError(
                f"{counted(len(row), 'cell')} under {width} names ({', '.join(names)})",
                path=f"row {number}",
                allowed="one cell for each name; in all rows one more, first, for names of rows",
            )


def _with_points(names: list[str], columns: list[pa.Array]) -> list[pa.Array]:
    """Replace decimal commas, if these are the decimal mark of the file.

    Raises
    ------
    InputError
        Some columns have decimal commas and others decimal points.
    """
    commas, points, found = {}, {}, []
    for name, column in zip(names, columns, strict=True):
        there = column.filter(pc.invert(_missing(column)))
        with_comma, with_point = (pc.match_substring(there, mark) for mark in (",", "."))
        number = _is_all(WITH_COMMA, column)
        if pc.any(with_point).as_py():
            if pc.all(_is_all(NUMBER, there)).as_py():
                points[name] = there.filter(with_point)[0].as_py()
        elif pc.any(with_comma).as_py() and 2 * pc.sum(number).as_py() > len(there):
            commas[name] = there.filter(with_comma)[0].as_py()
            column = pc.if_else(number, pc.replace_substring(column, ",", "."), column)
        found.append(column)
    if commas and points:
        (comma, one), (point, other) = (next(iter(d.items())) for d in (commas, points))
        raise InputError(
            f"decimal commas in column '{comma}' ({one}), points in column '{point}' ({other})",
            allowed="one decimal mark, and none between thousands",
        )
    return found


def _typed(column: pa.Array) -> Any:
    """Return a column as what all of its cells are: truth values, integers, numbers or text."""
    missing = _missing(column)
    there = pc.utf8_trim_whitespace(column.filter(pc.invert(missing)))
    gaps = missing.to_numpy(zero_copy_only=False)
    if len(there) == 0:
        return np.full(len(column), np.nan)
    if pc.all(pc.is_in(there, pa.array([*TRUE, *FALSE]))).as_py():
        truth = pc.is_in(there, pa.array(TRUE)).to_numpy(zero_copy_only=False)
        return _spread(truth, gaps, None) if gaps.any() else truth
    numbers = _numbers(there)
    if numbers is None:
        return pc.if_else(missing, pa.scalar(None, pa.string()), column).to_pandas()
    if numbers.dtype == np.float64:
        return _spread(numbers, gaps, np.nan)
    return _with_gaps(numbers, gaps) if gaps.any() else numbers


def _numbers(cells: pa.Array) -> NDArray[Any] | None:
    """Return cells as integers or numbers if R takes them all for some, else nothing.

    Arrow's own reading is the quick one; it is laxer in nan(1) and stricter in a leading plus. Some
    first cells tell text at once. Whole numbers that 64 bits do not hold are labels.
    """
    if not pc.all(_is_all(NUMBER, cells[:SOME])).as_py():
        return None
    if pc.any(pc.starts_with(cells, "+")).as_py() or _has(cells, r"\("):
        if not pc.all(_is_all(NUMBER, cells)).as_py():
            return None
        cells = pc.replace_substring_regex(cells, r"^\+", "")
    try:
        return cells.cast(pa.float64() if _has(cells, "[^0-9-]") else pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None


def _has(cells: pa.Array, pattern: str) -> bool:
    return pc.any(pc.match_substring_regex(cells, pattern)).as_py()


def _missing(column: pa.Array) -> pa.Array:
    return pc.is_in(pc.utf8_trim_whitespace(column), pa.array(MISSING))


def _is_all(pattern: str, column: pa.Array) -> pa.Array:
    """Tell the cells that are nothing but the pattern, blanks around it aside."""
    return pc.match_substring_regex(column, rf"^\s*(?:{pattern})\s*$")


def _with_gaps(whole: NDArray[np.int64], gaps: NDArray[np.bool_]) -> Any:
    """Return integers with gaps as pandas' own: no float in between."""
    import pandas as pd

    return pd.arrays.IntegerArray(_spread(whole, gaps, 0), gaps)


def _spread(values: NDArray[Any], gaps: NDArray[np.bool_], missing: Any) -> NDArray[Any]:
    """Put values in the rows without a gap."""
    column = np.full(len(gaps), missing, dtype=object if missing is None else values.dtype)
    column[~gaps] = values
    return column
