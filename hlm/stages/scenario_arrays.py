"""The rows of a scenario, a window of replicates at a time -> its dense arrays.

Memory holds the arrays of all terms where they are few, or else one window and one term: then the
arrays are in a temporary file without a name, a block for each term.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from hlm.arrow_arrays import combinations_of, numbers_of
from hlm.errors import InputError
from hlm.measures.arrays import FitArrays
from hlm.measures.dense import scattered, term_arrays, terms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from hlm.measures.arrays import TermArrays
    from hlm.measures.dense import Label, Targets

__all__ = ["FITS", "read_fits", "read_terms"]

FITS = {
    **dict.fromkeys(("criterion", "aic", "bic"), np.float64),
    **dict.fromkeys(("npar", "n_obs"), np.float32),
    **dict.fromkeys(("singular", "status"), np.int8),
}
"""The columns of fits that are read, and how they are kept."""


def _same(label: str, _: str) -> str:
    return label


@contextmanager
def read_terms(
    windows: Iterable[pa.Table],
    names: tuple[str, ...],
    replicates: int,
    targets: Targets,
    *,
    term: Callable[[str, str], str] = _same,
    label: str = "term",
    inference: str = "inference",
    folder: str | Path | None = None,
) -> Iterator[Iterator[TermArrays]]:
    """Give the terms of a scenario, one at a time, in the order of their names.

    Parameters
    ----------
    windows : iterable of pyarrow.Table
        Different replicates, ascending, with the columns `replicate`, and as dictionaries `model`,
        `method`, the label and the inference; the first has every label.
    names : tuple of str
        The columns of values.
    replicates : int
    targets : function
        Model and term -> kind and true value.
    term : function
        From the label and the inference to the name of a term.
    label : str
        The column of labels.
    inference : str
        The column of inferences.
    folder : path, optional
        Where arrays are put that are too large for memory; by default none are.
    """
    keys = ("model", "method", label, inference)
    with TemporaryFile(dir=folder) if folder else nullcontext() as file:
        store = _Store(file)
        rows: dict[tuple[str, ...], int] = {}
        labels: list[Label] = []
        for window in windows:
            if not window.num_rows:  # nothing that is predicted has a true value
                continue
            codes, found = combinations_of(window, keys)
            if not labels:
                named = [
                    (model, method, term(what, way), way) for model, method, what, way in found
                ]
                blocks = terms_of(named, targets)
                order = [place for places in blocks.values() for place in places]
                labels = [named[place] for place in order]
                rows = {found[place]: row for row, place in enumerate(order)}
                store.open(
                    {key: len(places) for key, places in blocks.items()}, len(names), replicates
                )
            place = np.array([_row(rows, name) for name in found])
            replicate = numbers_of(window["replicate"])
            first, last = int(replicate.min()), int(replicate.max()) + 1
            columns = [numbers_of(window[name]) for name in names]
            shape = len(labels), last - first
            store.put(scattered(columns, place[codes], replicate - first, shape), first)
        yield _terms(store, labels, targets, names)


def _terms(
    store: _Store, labels: Sequence[Label], targets: Targets, names: tuple[str, ...]
) -> Iterator[TermArrays]:
    for (kind, name), rows, values in store.blocks():
        yield term_arrays(kind, name, labels[rows], targets, names, values)


def read_fits(windows: Iterable[pa.Table], replicates: int) -> FitArrays:
    """Return the fits of a scenario, from windows of different replicates."""
    fits: dict[tuple[str, ...], int] = {}
    statuses = {"ok": 0}
    held: dict[str, NDArray[Any]] = {}
    for window in windows:
        codes, found = combinations_of(window, ("model", "method"))
        if not fits:
            fits = {name: row for row, name in enumerate(found)}
            held = {
                name: np.full((len(fits), replicates), -1 if kind == np.int8 else np.nan, kind)
                for name, kind in FITS.items()
            }
        named = window["status"].combine_chunks()
        known = [statuses.setdefault(name, len(statuses)) for name in named.dictionary.to_pylist()]
        columns = {
            name: numbers_of(window[name].cast("float64"))
            for name in FITS
            if name not in ("singular", "status")
        }
        known_or_nan = numbers_of(window["singular"].cast("float64"))
        columns["singular"] = np.nan_to_num(known_or_nan, nan=-1.0)
        columns["status"] = np.array(known)[numbers_of(named.indices)]
        replicate = numbers_of(window["replicate"])
        first, last = int(replicate.min()), int(replicate.max()) + 1
        row = np.array([_row(fits, name) for name in found])[codes]
        values = scattered(
            list(columns.values()), row, replicate - first, (len(fits), last - first)
        )
        for number, name in enumerate(columns):
            held[name][:, first:last] = values[:, number]
    singular, status = held.pop("singular"), held.pop("status")
    return FitArrays(tuple((a, b) for a, b in fits), held, singular, tuple(statuses), status)


def _row(rows: dict[tuple[str, ...], int], name: tuple[str, ...]) -> int:
    if name not in rows:
        raise InputError(
            f"{' '.join(name)} is not there in all replicates", allowed="the files of one run"
        )
    return rows[name]


class _Store:
    """Arrays of terms, each (rows, values, replicates): in memory, or in a temporary file."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file
        self._sizes: dict[Any, int] = {}
        self._shape = (0, 0)
        self._held = np.empty((0, 0, 0))

    def open(self, sizes: dict[Any, int], n_values: int, replicates: int) -> None:
        """Make room: `sizes` has the rows of each term."""
        self._sizes, self._shape = sizes, (n_values, replicates)
        if self._file is None:
            self._held = np.full((sum(sizes.values()), *self._shape), np.nan)
        else:
            self._file.truncate(8 * sum(sizes.values()) * n_values * replicates)

    def put(self, values: NDArray[np.float64], first: int) -> None:
        """Put all rows of the replicates from the first one on where they belong."""
        n_rows, n_values, n = values.shape
        if self._file is None:
            self._held[:, :, first : first + n] = values
            return
        # Written, not mapped into memory: each page of it would be an interruption.
        for row, place in np.ndindex(n_rows, n_values):
            self._file.seek(8 * ((row * n_values + place) * self._shape[1] + first))
            self._file.write(values[row, place].data)

    def blocks(self) -> Iterator[tuple[Any, slice, NDArray[np.float64]]]:
        """Yield each term with its rows among all and its array."""
        start = 0
        if self._file is not None:
            self._file.flush()
        for key, n in self._sizes.items():
            rows = slice(start, start + n)
            if self._file is None:
                yield key, rows, self._held[rows]
            else:
                offset = 8 * start * self._shape[0] * self._shape[1]
                shape = (n, *self._shape)
                yield key, rows, np.memmap(self._file, np.float64, "r", offset, shape)
            start += n
