"""The estimates of a scenario, sorted by replicate -> one term at a time, by a temporary file."""

from __future__ import annotations

from itertools import pairwise
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["LABELS", "VALUES", "by_term"]

LABELS = ("scenario", "model", "method", "term", "inference")
VALUES = ("estimate", "se", "lower", "upper")


class _Block(NamedTuple):
    """Where some replicates of a term are in the file."""

    offset: int
    replicates: int


def by_term(windows: Iterable[pa.Table], folder: str | Path) -> Iterator[pa.Table]:
    """Yield all replicates of a term, by all inferences, for each scenario, model, method and term.

    Memory holds one window, then one term. What is left on the disk by a process that is killed
    has no name, so it is gone.

    Parameters
    ----------
    windows : iterable of pyarrow.Table
        Different replicates, with the columns `LABELS`, as dictionaries, and `VALUES`.
    folder : path
        The folder of the temporary file: 32 bytes for each row.
    """
    with TemporaryFile(dir=folder) as file:
        places: dict[tuple[str, ...], dict[str, list[_Block]]] = {}
        for window in windows:
            for (*term, inference), values in _split(window):
                blocks = places.setdefault(tuple(term), {}).setdefault(inference, [])
                blocks.append(_Block(file.tell(), values.shape[1]))
                file.write(values.tobytes())
        for labels, by_inference in places.items():
            yield pa.concat_tables(
                _table((*labels, inference), [_read(file, block) for block in blocks])
                for inference, blocks in by_inference.items()
            )


def _split(window: pa.Table) -> Iterator[tuple[tuple[str, ...], NDArray[np.float64]]]:
    """Yield the labels of each term and its values, an array (VALUES, replicates)."""
    if not window.num_rows:
        return
    labels = [window[name].combine_chunks() for name in LABELS]
    codes = [label.indices.to_numpy() for label in labels]
    code = np.ravel_multi_index(codes, [len(label.dictionary) for label in labels])
    order = np.argsort(code, kind="stable")
    values = np.stack([window[name].to_numpy()[order] for name in VALUES])
    edges = [0, *np.flatnonzero(np.diff(code[order])) + 1, len(order)]
    for start, stop in pairwise(edges):
        yield tuple(label[order[start]].as_py() for label in labels), values[:, start:stop]


def _read(file: IO[bytes], block: _Block) -> NDArray[np.float64]:
    file.seek(block.offset)
    values = np.frombuffer(file.read(len(VALUES) * block.replicates * 8))
    return values.reshape(len(VALUES), block.replicates)


def _table(labels: tuple[str, ...], blocks: list[NDArray[np.float64]]) -> pa.Table:
    values = np.concatenate(blocks, axis=1)
    first = np.zeros(values.shape[1], dtype=np.int8)
    names = {
        name: pa.DictionaryArray.from_arrays(first, [label])
        for name, label in zip(LABELS, labels, strict=True)
    }
    return pa.table(names | dict(zip(VALUES, values, strict=True)))
