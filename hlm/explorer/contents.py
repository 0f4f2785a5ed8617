"""The folder of a study -> what its explorer holds: words and choices as JSON, numbers as bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hlm.errors import InputError, nearest
from hlm.explorer.summary_series import (
    TABLES,
    read_summaries,
    series_of,
    true_series,
    versions_of,
)
from hlm.explorer.value_words import CATALOGUE, value_words
from hlm.explorer.vendor import LIBRARIES
from hlm.explorer.zip_intervals import POINTS, ZIP_KEYS, ZipIntervals, zip_intervals
from hlm.versions import __version__
from hlm.words.levels import level_words, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hlm.explorer.series_columns import Series
    from hlm.plan.plan import Plan

__all__ = ["FORM", "MOST_BYTES", "Contents", "contents_of_study"]

FORM = 1
"""The version of the form in which a page holds its data."""

MOST_BYTES = 64_000_000
"""Of numbers, before they are compressed: a browser is slow to open a page with more."""

FIRST = (
    *("coverage", "bias", "rmse", "rejection", "empirical_se", "relative_error_se", "ci_width"),
    *("prediction_rmse", "singular", "failed", "mean"),
)
"""The measures that stay where there is no room for all; the others follow as in the catalogue."""

TRUTH = "truth"
"""The series of true values, beside those of `TABLES`."""

_BYTES = 20  # of a number: two doubles and an integer


@dataclass(frozen=True)
class Contents:
    """What an explorer holds.

    Attributes
    ----------
    head : dict
        Builtin types, for JSON: the study and the versions that made it; its factors, scenarios
        and models; the words for all values; for each table the values of its series and the
        number of the first one; what is left out.
    numbers : bytes
        Little-endian: for each series of all tables its values over the scenarios and then its
        MCSEs, as doubles; then for each its n, as 32-bit integers; then for each series of
        intervals and each scenario `POINTS` lower and as many upper limits, as 32-bit floats.
    """

    head: dict[str, Any]
    numbers: bytes


def contents_of_study(
    plan: Plan, folder: str | Path, *, measures: Sequence[str] = (), most_bytes: int = MOST_BYTES
) -> Contents:
    """Gather what the explorer of a study holds.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's folder of results.
    measures : sequence of str
        The only ones of performance and of differences to be held; all by default.
    most_bytes : int
        Of numbers. Where all measures need more, those that come last in `FIRST` and in the
        catalogue are left out, and then intervals of replicates; the head says so.

    Raises
    ------
    InputError
        A file is missing, damaged or of another version, or there is no such measure.
    """
    keys = [scenario.key for scenario in plan.scenarios]
    tables = read_summaries(folder)
    whole = series_of(tables, keys, folder) | {TRUTH: true_series(tables["measures"], keys)}
    _check_asked(measures, whole["measures"])
    series, left_out = _within(whole, measures, most_bytes)
    room = most_bytes - _size(series.values())
    zips = zip_intervals(folder, whole[TRUTH], keys, most_bytes=room)
    values = {name: value_words(plan, name, found) for name, found in _values(series, zips).items()}
    head = {
        "form": FORM,
        "study": plan.study,
        "hash": plan.hash,
        "seed": plan.seed,
        "made_by": __version__,
        "versions": versions_of(tables["measures"]),
        "libraries": ", ".join(f"{name} {number}" for name, number in LIBRARIES.items()),
        "factors": _factors(plan),
        "scenarios": keys,
        "replicates": [plan.replicates_of(key) for key in keys],
        "models": [{"value": m.name, "formula": m.formula, "level": m.level} for m in plan.models],
        "values": values,
        "tables": _tables(series, values),
        "zip": _zip_head(zips, values),
        "points": POINTS,
        "left_out": left_out,
    }
    return Contents(head, b"".join(_packed(series, zips)))


def _check_asked(measures: Sequence[str], of_study: Series) -> None:
    known = sorted({key[0] for key in of_study.keys})
    for place, name in enumerate(measures):
        if name not in known:
            raise InputError(
                f"the study has no measure '{name}'",
                path=f"--measure {place + 1}",
                allowed=", ".join(known),
                suggestion=nearest(name, known),
            )


def _within(
    whole: Mapping[str, Series], asked: Sequence[str], most_bytes: int
) -> tuple[dict[str, Series], list[str]]:
    """Return the series that there is room for, and the measures that are left out."""
    with_choice = ("measures", "differences")
    size: Counter[str] = Counter()
    for name in with_choice:
        for key in whole[name].keys:
            size[key[0]] += whole[name].value.shape[1] * _BYTES
    names = [*dict.fromkeys(name for name in (*FIRST, *CATALOGUE, *sorted(size)) if name in size)]
    room = most_bytes - _size(one for name, one in whole.items() if name not in with_choice)
    kept: list[str] = []
    for name in (name for name in names if not asked or name in asked):
        room -= size[name]
        if room < 0 and kept:
            break
        kept.append(name)
    series = {name: _of(one, kept) if name in with_choice else one for name, one in whole.items()}
    return series, [name for name in names if name not in kept]


def _of(series: Series, measures: Sequence[str]) -> Series:
    return series.some([key[0] in measures for key in series.keys])


def _size(series: Iterable[Series]) -> int:
    return sum(one.value.size for one in series) * _BYTES


def _values(series: Mapping[str, Series], zips: ZipIntervals | None) -> dict[str, set[str]]:
    """Return all values of each column that is a key."""
    found: dict[str, set[str]] = {}
    parts = [(one.names, one.keys) for one in series.values()]
    for names, keys in (*parts, (ZIP_KEYS, zips.keys if zips else ())):
        for name, column in zip(names, zip(*keys, strict=True), strict=False):
            found.setdefault(name, set()).update(column)
    return found


def _factors(plan: Plan) -> list[dict[str, Any]]:
    """Return the factors of the grid, their levels in words, and the level of each scenario."""
    return [_factor(plan, name) for name in (plan.levels[0] if plan.levels else {})]


def _factor(plan: Plan, name: str) -> dict[str, Any]:
    column = [levels[name] for levels in plan.levels]
    found = list(dict.fromkeys(column))
    is_numeric = all(isinstance(level, int | float) and level is not True and level is not False
                     for level in found)  # fmt: skip
    if is_numeric:
        found.sort()
    place = {level: number for number, level in enumerate(found)}
    return {
        "value": name,
        "words": said(name),
        "levels": found if is_numeric else list(map(str, found)),
        "labels": [level_words(level) for level in found],
        "named": [said(name, level) for level in found],
        "numeric": is_numeric,
        "of": [place[level] for level in column],
    }


def _tables(
    series: Mapping[str, Series], values: Mapping[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    heads, first = [], 0
    for name, one in series.items():
        title = TABLES[name].title if name in TABLES else ""
        numbers = _numbered(one.names, one.keys, values)
        heads.append(
            {"value": name, "words": title, "keys": one.names, "first": first, "series": numbers}
        )
        first += len(one.keys)
    return heads


def _zip_head(
    zips: ZipIntervals | None, values: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any] | None:
    if zips is None:
        return None
    return {"keys": ZIP_KEYS, "series": _numbered(ZIP_KEYS, zips.keys, values)}


def _numbered(
    names: Sequence[str],
    keys: Sequence[tuple[str, ...]],
    values: Mapping[str, list[dict[str, Any]]],
) -> list[list[int]]:
    """Return for each series the places of its values."""
    places = [{one["key"]: n for n, one in enumerate(values.get(name, ()))} for name in names]
    return [[place[key] for place, key in zip(places, own, strict=True)] for own in keys]


def _packed(series: Mapping[str, Series], zips: ZipIntervals | None) -> Iterator[bytes]:
    for one in series.values():
        for value, mcse in zip(one.value, one.mcse, strict=True):
            yield value.astype("<f8").tobytes()
            yield mcse.astype("<f8").tobytes()
    for one in series.values():
        yield one.n.astype("<i4").tobytes()
    if zips is not None:
        yield zips.limits.astype("<f4").tobytes()
