"""Estimates of one term by replicate: which scenarios a figure has room for, and how to read them.

A file of estimates may have a billion rows: of it only the row groups of the scenarios that are
shown are read, one at a time, and of these only the columns that a figure needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hlm.errors import InputError, nearest
from hlm.results.files import open_parquet, read_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow.parquet as pq
    from numpy.typing import NDArray

    from hlm.results.shown import Planned

    Floats = NDArray[np.float64]

__all__ = ["Sample", "corners", "samples"]

MOST_SCENARIOS = 6
"""Scenarios of which a figure shows replicates."""

_KEYS = ("model", "method", "inference")
_NUMBERS = ("estimate", "se", "lower", "upper")


@dataclass(frozen=True)
class Sample:
    """What one model estimates of one term in all replicates of a scenario.

    Attributes
    ----------
    scenario : int
        Its place in the study.
    model, method, inference : str
    true : float
        NaN if there is none.
    level : float
        Of the intervals.
    replicate : ndarray of int, (n,)
        In ascending order.
    estimate, se, lower, upper : ndarray, (n,)
        NaN where a replicate has none.
    """

    scenario: int
    model: str
    method: str
    inference: str
    true: float
    level: float
    replicate: NDArray[np.int64]
    estimate: Floats
    se: Floats
    lower: Floats
    upper: Floats


def corners(levels: Sequence[Mapping[str, Any]], most: int = MOST_SCENARIOS) -> list[int]:
    """Return the scenarios at the corners of a grid: each factor at its first or its last level.

    Of more than `most` corners some are taken, evenly, the first and the last among them. A part of
    a grid may lack corners: then those come whose factors are most often at their ends.

    Parameters
    ----------
    levels : sequence of dict
        For each scenario, factor -> level.
    most : int

    Returns
    -------
    list of int
        Places of scenarios, in the study's order.

    Examples
    --------
    >>> grid = [{"units": u, "rows": r} for u in (10, 30, 100) for r in (5, 15)]
    >>> corners(grid), corners([{"units": 10}]), corners([{}])
    ([0, 1, 4, 5], [0], [0])
    """
    names = [*levels[0]] if levels else []
    inner = np.zeros(len(levels), dtype=int)
    for name in names:
        column = [level[name] for level in levels]
        found = list(dict.fromkeys(column))
        if all(isinstance(one, int | float) and not isinstance(one, bool) for one in found):
            found.sort()
        inner += np.array([one not in (found[0], found[-1]) for one in column])
    places = np.flatnonzero(inner == inner.min())
    if len(places) > most:
        places = places[np.linspace(0, len(places) - 1, most).round().astype(int)]
    return [int(place) for place in places]


def samples(
    study: Planned,
    folder: str | Path,
    term: str,
    *,
    kind: str | None = None,
    scenarios: Sequence[int] | None = None,
    models: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    inferences: Sequence[str] | None = None,
    one_inference: bool = False,
) -> Iterator[Sample]:
    """Read what models estimate of a term, scenario by scenario.

    Memory holds one row group of the file and the numbers of the term in one scenario.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    term : str
    kind : str, optional
        Of the term, where several have its name.
    scenarios : sequence of int, optional
        Their places in the study; by default those of `corners`.
    models, methods, inferences : sequence of str, optional
        The only ones; by default all.
    one_inference : bool
        Whether only the first inference of each model and method is wanted: estimates are the
        same in all.

    Yields
    ------
    Sample
        By scenario in the order given, then by model in the study's order, method and inference.

    Raises
    ------
    InputError
        The file is missing or damaged, or the study has no such term.
    """
    places = corners(study.levels) if scenarios is None else list(scenarios)
    keys = {place: study.scenarios[place].key for place in places}
    true = _true_values(folder, term, kind, [*keys.values()])
    levels = {model.name: model.level for model in study.models}
    order = {"model": [*levels], "method": ["reml", "ml"]}
    with open_parquet(Path(folder) / "estimates.parquet") as file:
        for place, key in keys.items():
            table = _rows_of(file, key, term)
            seen: set[tuple[str, str]] = set()
            for (model, method, inference), columns in _series(table, order):
                if one_inference and (model, method) in seen:
                    continue
                wanted = ((model, models), (method, methods), (inference, inferences))
                if not all(own is None or name in own for name, own in wanted):
                    continue
                seen.add((model, method))
                value, level = true.get((key, model), np.nan), levels.get(model, np.nan)
                yield Sample(place, model, method, inference, value, level, **columns)


def _true_values(
    folder: str | Path, term: str, kind: str | None, keys: Sequence[str]
) -> dict[tuple[str, str], float]:
    """Return the true value of the term by scenario and model."""
    path = Path(folder) / "measures.parquet"
    frame = read_frame(path, where={"term": [term], "scenario": keys})
    if kind is not None:
        frame = frame[frame["kind"] == kind]
    if frame.empty:
        known = sorted(set(read_frame(path, where={"scenario": keys[:1]})["term"]) - {""})
        raise InputError(
            f"unknown term '{term}'", allowed=", ".join(known), suggestion=nearest(term, known)
        )
    own = frame[frame["true"].notna()].drop_duplicates(["scenario", "model"])
    pairs = zip(own["scenario"], own["model"], strict=True)
    return dict(zip(pairs, own["true"].astype(float), strict=True))


def _rows_of(file: pq.ParquetFile, scenario: str, term: str) -> pa.Table:
    """Return the rows of a term in a scenario, from the row groups that may hold it."""
    names = ["scenario", "replicate", "term", *_KEYS, *_NUMBERS]
    place = file.schema_arrow.get_field_index("scenario")
    kept = []
    for group in range(file.num_row_groups):
        found = file.metadata.row_group(group).column(place).statistics
        if found is not None and found.has_min_max and not found.min <= scenario <= found.max:
            continue
        table = file.read_row_group(group, columns=names)
        its = pc.and_(pc.equal(table["scenario"], scenario), pc.equal(table["term"], term))
        kept.append(table.filter(its).select(["replicate", *_KEYS, *_NUMBERS]))
    if not kept:
        return file.schema_arrow.empty_table().select(["replicate", *_KEYS, *_NUMBERS])
    return pa.concat_tables(kept).unify_dictionaries()


def _series(
    table: pa.Table, order: Mapping[str, Sequence[str]]
) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """Yield model, method and inference of each series, and its columns by replicate."""
    codes, names = [], []
    for name in _KEYS:
        column = table[name].combine_chunks().cast(pa.string()).dictionary_encode()
        codes.append(column.indices.to_numpy(zero_copy_only=False))
        names.append(column.dictionary.to_pylist())
    number = np.ravel_multi_index(tuple(codes), tuple(max(len(own), 1) for own in names))
    found = []
    for value in dict.fromkeys(number.tolist()):
        rows = np.flatnonzero(number == value)
        key = tuple(own[code[rows[0]]] for own, code in zip(names, codes, strict=True))
        found.append((key, rows))

    def rank(one: tuple[tuple[str, ...], Any]) -> tuple[int, ...]:
        model, method, _ = one[0]
        own = ((model, order["model"]), (method, order["method"]))
        return tuple(known.index(name) if name in known else len(known) for name, known in own)

    numbers = {name: table[name].to_numpy() for name in ("replicate", *_NUMBERS)}
    for (model, method, inference), rows in sorted(found, key=rank):
        rows = rows[np.argsort(numbers["replicate"][rows], kind="stable")]
        yield (model, method, inference), {name: own[rows] for name, own in numbers.items()}
