"""Whether files are what the manifest says, and whether the code here makes the same numbers."""

from __future__ import annotations

from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hlm.fits import fit_batch, warm_up
from hlm.operations.prepare import check_data_version
from hlm.operations.receipts import checksum
from hlm.results import KINDS, to_table
from hlm.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from hlm.operations.kept_replicates import KeptReplicates
    from hlm.scenario import Scenario

__all__ = ["Difference", "check_files", "redraw"]

LABELS = ("scenario", "replicate", "model", "method", "term", "test", "inference")


class Difference(NamedTuple):
    """One number that is not what it was.

    `place` is scenario, replicate, model, method and, for an estimate, term, for an F test, its
    name, then the inference where the files have that column; `size` is the difference relative to
    the larger of 1 and the old value, infinite where that cannot be said.
    """

    place: tuple[Any, ...]
    column: str
    old: Any
    new: Any
    size: float


def check_files(folder: str | Path, files: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the name of each file that is not as the manifest says, and what is wrong with it.

    Parameters
    ----------
    folder : path
        The study's.
    files : iterable of dict
        `name`, `bytes` and `blake2b`, as in the manifest.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a").write_text("abc")
    ...     stamps = [{"name": name, "bytes": 3, "blake2b": ""} for name in ("a", "b")]
    ...     list(check_files(folder, stamps))
    [('a', 'its content has changed'), ('b', 'missing')]
    """
    for file in files:
        path = Path(folder) / file["name"]
        if not path.is_file():
            yield file["name"], "missing"
        elif (size := path.stat().st_size) != file["bytes"]:
            yield file["name"], f"{size:,} bytes, not {file['bytes']:,}"
        elif checksum(path) != file["blake2b"]:
            yield file["name"], "its content has changed"


def redraw(
    results: KeptReplicates, sample: Iterable[tuple[Scenario, np.ndarray]]
) -> Iterator[tuple[int, list[Difference]]]:
    """Simulate and fit some data sets again and compare with what is there.

    Parameters
    ----------
    results : KeptReplicates
    sample : iterable of (Scenario, ndarray of int)
        Replicates of scenarios.

    Yields
    ------
    int
        Numbers compared.
    list of Difference
        Those that are not the same bit for bit.

    Raises
    ------
    InputError
        The data were drawn by another version of the rule for random numbers.
    """
    check_data_version(results.plan, results.folder)
    warm_up(results.plan.models)
    for scenario, replicates in sample:
        old = {k: results.replicates(k, scenario.key, replicates) for k in results.plan.kinds}
        for replicate in replicates:
            count = 0
            differences: list[Difference] = []
            again = _again(results, scenario, int(replicate))
            for kind, table in old.items():
                there = table.filter(np.asarray(table["replicate"]) == replicate)
                count += there.num_rows * (there.num_columns - len(_labels(there)))
                differences += _compare(there, again[kind])
            yield count, differences


def _again(results: KeptReplicates, scenario: Scenario, replicate: int) -> dict[str, pa.Table]:
    models = results.plan.models
    drawn = simulate(scenario, models, results.plan.seed, replicate, replicate + 1)
    tables = fit_batch(scenario, models, drawn, seed=results.plan.seed)
    return {kind: to_table(tables[kind], KINDS[kind]) for kind in results.plan.kinds}


def _labels(table: pa.Table) -> list[str]:
    return [name for name in table.column_names if name in LABELS]


def _compare(old: pa.Table, new: pa.Table) -> Iterator[Difference]:
    labels = _labels(old)
    places = list(zip(*(old[name].to_pylist() for name in labels), strict=True))
    again = list(zip(*(new[name].to_pylist() for name in labels), strict=True))
    if places != again:
        yield Difference(places[0][:2] if places else (), "rows", len(places), len(again), inf)
        return
    for name in old.column_names:
        if name not in labels:
            pairs = zip(places, old[name].to_pylist(), new[name].to_pylist(), strict=True)
            for place, a, b in pairs:
                if not (a == b or (a != a and b != b)):
                    yield Difference(place, name, a, b, _size(a, b))


def _size(old: Any, new: Any) -> float:
    if isinstance(old, float) and isinstance(new, float):
        size = abs(new - old) / max(1.0, abs(old))
        return size if isfinite(size) else inf
    return inf
