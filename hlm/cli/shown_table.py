"""Rows of measures as lines of text: what all have in common is said once."""

from __future__ import annotations

from math import isfinite, log10
from typing import TYPE_CHECKING

from hlm.cli.sentences import aligned
from hlm.words.levels import level_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from hlm.whatif.shown_rows import Shown

__all__ = [
    "absent_lines",
    "cell",
    "keyed_lines",
    "left_out_lines",
    "named_key",
    "percent_of",
    "table_lines",
]


def table_lines(rows: Sequence[Shown]) -> Iterator[str]:
    """Yield a heading with what all rows have in common, then the rows."""
    counted = any(row.n != row.drawn for row in rows)
    word = rows[0].word if _one_word(rows) else "value"
    yield from keyed_lines([_keys(row) for row in rows], [_cells(r, word, counted) for r in rows])


def _cells(row: Shown, word: str, counted: bool) -> dict[str, str]:
    value, mcse = cell(row.value, row.mcse)
    cells = {word: value, "MCSE": mcse, "replicates": f"{row.drawn:,}"}
    cells |= {"of which count": f"{row.n:,}"} if counted else {}
    return {**cells, "failed": percent_of(row.failed), "singular": percent_of(row.singular)}


def keyed_lines(keys: Sequence[dict[str, str]], cells: Sequence[dict[str, str]]) -> Iterator[str]:
    """Yield a heading with the keys that all rows have in common, then the rows.

    Examples
    --------
    >>> keys = [{"model": "m", "units": "10"}, {"model": "m", "units": "20"}]
    >>> list(keyed_lines(keys, [{"power": "0.3"}, {"power": "0.5"}]))
    ['model m', 'units  power', '   10    0.3', '   20    0.5']
    """
    if not keys:
        return
    common = {name: keys[0][name] for name in keys[0] if len({one[name] for one in keys}) == 1}
    named = [named_key(name, value) for name, value in common.items() if value]
    if named:
        yield ", ".join(named)
    names = [name for name in keys[0] if name not in common]
    rows = zip(keys, cells, strict=True)
    body = [[*(one[name] for name in names), *own.values()] for one, own in rows]
    yield from aligned([[*names, *cells[0]], *body])


def _one_word(rows: Sequence[Shown]) -> bool:
    return len({row.word for row in rows}) == 1


def _keys(row: Shown) -> dict[str, str]:
    """Return what tells a row from the others, as text."""
    levels = {name: level_words(value) for name, value in row.levels.items()}
    own = {"model": row.model, "method": row.method.upper(), "term": row.term}
    return {**levels, **own, "inference": row.inference, "measure": row.word}


def named_key(name: str, value: str) -> str:
    """Say a key with its name, unless the value says what it is."""
    return value if name in ("method", "term", "inference", "measure") else f"{name} {value}"


def cell(value: float, mcse: float) -> tuple[str, str]:
    """Return a value and its error, to the decimals of two digits of the error.

    Examples
    --------
    >>> cell(0.80249, 0.01259), cell(12.3456, 0.34), cell(1.0, 0.0), cell(0.5, float("nan"))
    (('0.802', '0.013'), ('12.35', '0.34'), ('1.000', '0.000'), ('0.500', ''))
    """
    known = isfinite(mcse) and mcse > 0.0
    decimals = max(0, 1 - int(log10(mcse) // 1)) if known else 3
    return f"{value:.{decimals}f}", f"{mcse:.{decimals}f}" if isfinite(mcse) else ""


def percent_of(share: float) -> str:
    """Return a share as a percentage, such as `0.3 %`.

    Examples
    --------
    >>> percent_of(0.0), percent_of(0.0031), percent_of(0.487)
    ('0 %', '0.3 %', '49 %')
    """
    if share == 0.0:
        return "0 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def left_out_lines(rows: Sequence[Shown]) -> Iterator[str]:
    """Say of each fit on how many replicates its rates rest, where these are not all.

    A replicate without a test is no rejection that failed: what a rate would be if it counted as
    one is said beside it.
    """
    for row in rows:
        if row.measure != "rejection" or row.n == row.drawn:
            continue
        as_misses = row.value * row.n / row.drawn if row.n else 0.0
        what = ", ".join(named_key(k, v) for k, v in _keys(row).items() if v and k != "measure")
        lost = row.drawn - row.n
        yield (
            f"{what}: {lost:,} of {row.drawn:,} replicates have no test and do not count"
            + (f"; counted as no rejections, {as_misses:.3f}" if row.n else "")
        )


def absent_lines(
    rows: Sequence[Shown], measures: Collection[str], terms: Collection[str]
) -> Iterator[str]:
    """Say which of the terms lack which of the measures, as a standard deviation does power."""
    there = {(row.measure, row.term) for row in rows}
    for measure in measures:
        without = [term for term in terms if (measure, term) not in there]
        if without:
            word = "power" if measure == "rejection" else measure
            yield f"there is no {word} of {', '.join(without)}"
