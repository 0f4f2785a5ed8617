"""The covariates of a design: as the simulation reads them, and one draw of them as an example."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from hlm.distributions import Points, RowValues, Span
from hlm.errors import InputError, Mistakes
from hlm.scenario import Covariate
from hlm.study.schema import Given, Grid, Range, RowList
from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from hlm.study import schema
    from hlm.study.schema import Design

    Floats = NDArray[np.float64]

__all__ = [
    "ENOUGH",
    "Ample",
    "can_name_covariate",
    "check_names",
    "covariates",
    "example",
    "rows_of",
]

MAX_ROWS = 10_000_000
ENOUGH = 12
"""Units, and rows of each, that show the rank of all but odd designs."""

_RESERVED = ("unit", "scenario", "replicate", "sigma")
_NAME = re.compile(r"(?:[^\W\d_]|\.(?![0-9]))[\w.]*")


def covariates(design: Design, *, response: str, group: str) -> tuple[Covariate, ...]:
    """Return the covariates of a design, by name.

    They are sorted, so that the data do not depend on the order in which they are written.

    Raises
    ------
    InputError
        If a name is taken or no variable's name, or a grid does not fill the design.
    """
    n_rows = rows_of(design)
    if design.units * _mean(n_rows) > MAX_ROWS:
        what = n_rows if isinstance(n_rows, int) else f"{_mean(n_rows):g}"
        problem = f"{design.units} units of {what} rows are too many"
        raise InputError(problem, path="design", allowed=f"{MAX_ROWS} rows in all")
    with Mistakes() as mistakes:
        mistakes.keep(check_names, design.covariates, response=response, group=group)
        found = [
            mistakes.keep(_covariate, name, spec, design.units, n_rows)
            for name, spec in sorted(design.covariates.items())
        ]
    return tuple(covariate for covariate in found if covariate is not None)


def rows_of(design: Design) -> int | tuple[int, ...]:
    """Return the rows of all units, or of each where they differ.

    Raises
    ------
    InputError
        If the list of them does not fill the units.

    Examples
    --------
    >>> from hlm.study.schema import Design, RowList
    >>> rows_of(Design(units=4, rows=RowList(list=[5, 10])))
    (5, 10, 5, 10)
    >>> rows_of(Design(units=4, rows=RowList(list=[5, 5])))
    5
    """
    if isinstance(design.rows, int):
        return design.rows
    sizes = design.rows.list_
    if design.units % len(sizes):
        raise InputError(
            f"{counted(len(sizes), 'number')} of rows {noun(len(sizes), 'does', 'do')} not fill "
            f"{design.units} units",
            path="design.rows.list",
            allowed="as many numbers as units, or a number of them that divides it",
        )
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes) * (design.units // len(sizes))


def _mean(n_rows: int | tuple[int, ...]) -> float:
    return n_rows if isinstance(n_rows, int) else sum(n_rows) / len(n_rows)


@dataclass(frozen=True)
class Ample:
    """A design with units and rows enough to show what no number of them can identify."""

    n_units: int
    n_rows: int | tuple[int, ...]
    covariates: tuple[Covariate, ...]

    @classmethod
    def of(cls, design: Design, *, response: str, group: str) -> Ample:
        """Repeat the units and the rows of a design: what its covariates fill, they still fill.

        Examples
        --------
        >>> from hlm.study.schema import Design
        >>> ample = Ample.of(Design(units=5, rows=20), response="y", group="unit")
        >>> ample.n_units, ample.n_rows
        (15, 20)
        """
        units = design.units * ceil(ENOUGH / design.units)
        larger = design.model_copy(update={"units": units, "rows": _more(design.rows)})
        found = covariates(larger, response=response, group=group)
        return cls(units, rows_of(larger), found)


def _more(rows: int | RowList) -> int | RowList:
    """Multiply rows until there are enough of them."""
    if isinstance(rows, int):
        return rows * ceil(ENOUGH / rows)
    times = ceil(ENOUGH / min(rows.list_))
    return RowList(list=[times * count for count in rows.list_])


def check_names(names: Iterable[str], *, response: str, group: str) -> None:
    """Refuse a name that is taken or that no variable can have.

    Raises
    ------
    InputError
        At the covariate of that name, or at the formula of the truth.
    """
    with Mistakes() as mistakes:
        mistakes.keep(_check_name, response, "truth.formula", what="response")
        for name in names:
            mistakes.keep(_check_covariate, name, response, group)


def can_name_covariate(name: str) -> bool:
    """Tell whether a name is free for a covariate and one that a formula can use.

    Examples
    --------
    >>> can_name_covariate("ses"), can_name_covariate("sigma"), can_name_covariate("2nd")
    (True, False, False)
    """
    return name not in _RESERVED and _NAME.fullmatch(name) is not None


def _check_covariate(name: str, response: str, group: str) -> None:
    path = f"design.covariates.{name}"
    _check_name(name, path, what="covariate")
    if name in (response, group):
        what = "response" if name == response else "group"
        raise InputError(f"the covariate '{name}' is the {what} of the truth", path=path)


def _check_name(name: str, path: str, *, what: str) -> None:
    if name in _RESERVED:
        problem = f"the {what} '{name}' has a name that the results use"
        raise InputError(problem, path=path, allowed=f"any but {', '.join(_RESERVED)}")
    if not _NAME.fullmatch(name):
        problem = f"the {what} '{name}' has no name that a formula can use"
        raise InputError(problem, path=path, allowed="letters, digits, . and _, a letter first")


def _covariate(
    name: str, spec: schema.Covariate, n_units: int, n_rows: int | tuple[int, ...]
) -> Covariate:
    if isinstance(spec, Given):
        return Covariate(name, spec.level, _given(name, spec, n_units, n_rows))
    if not isinstance(spec, Grid):
        return Covariate(name, spec.level, spec.made())
    count = n_units if spec.level == "unit" else n_rows
    if isinstance(count, int):
        return Covariate(name, spec.level, Points(_points(name, spec, count)))
    if isinstance(spec.grid, Range):
        return Covariate(name, spec.level, _span(spec.grid))
    return Covariate(name, spec.level, Points(_first(name, spec.grid, max(count))))


def _given(
    name: str, spec: Given, n_units: int, n_rows: int | tuple[int, ...]
) -> Points | RowValues:
    sizes = (n_rows,) * n_units if isinstance(n_rows, int) else n_rows
    wanted = n_units if spec.level == "unit" else sum(sizes)
    if len(spec.values) != wanted:
        raise InputError(
            f"{counted(len(spec.values), 'value')} for {wanted} {noun(wanted, spec.level)}",
            path=f"design.covariates.{name}.values",
            allowed=f"as many values as {spec.level}s",
        )
    values = tuple(map(float, spec.values))
    return Points(values) if spec.level == "unit" else RowValues(sizes, values)


def _first(name: str, values: list[float], most: int) -> tuple[float, ...]:
    """Repeat a list for the rows of the largest unit; the others have the first of them."""
    if len(values) > most:
        raise InputError(
            f"{len(values)} values for units of at most {most} {noun(most, 'row')}",
            path=f"design.covariates.{name}.grid",
            allowed="at most as many values as the largest unit has rows",
        )
    return tuple(float(values[j % len(values)]) for j in range(most))


def _points(name: str, spec: Grid, count: int) -> tuple[float, ...]:
    if isinstance(spec.grid, Range):
        return _range(_span(spec.grid), count)
    values = tuple(float(value) for value in spec.grid)
    if count % len(values):
        raise InputError(
            f"{len(values)} values do not fill {count} {noun(count, spec.level)}",
            path=f"design.covariates.{name}.grid",
            allowed=f"as many values as {spec.level}s, or a number that divides it",
        )
    return values * (count // len(values))


def _span(spec: Range) -> Span:
    return Span(float(spec.from_), float(spec.to), spec.endpoint)


@lru_cache(maxsize=1024)
def _range(span: Span, count: int) -> tuple[float, ...]:
    return tuple(span.points(count).tolist())


@lru_cache(maxsize=64)
def example(
    found: tuple[Covariate, ...], counts: tuple[int, int | tuple[int, ...]], seed: int = 2012
) -> Mapping[str, Floats]:
    """Draw the covariates once, for so many units, and rows of all or of each; unit after unit.

    A stand-in to tell what no data can identify; binary covariates are drawn with probability
    one half, so that a rare value does not pass for a constant. Of a longer grid only some
    values are taken.

    Examples
    --------
    >>> x = Covariate("x", "row", Points((1.0, 2.0)))
    >>> example((x,), (2, 2))["x"]
    array([1., 2., 1., 2.])
    """
    rng = np.random.default_rng(seed)
    sizes = np.broadcast_to(counts[1], counts[0])
    whole = (counts[0], int(sizes.max()))
    there = np.arange(whole[1]) < sizes[:, None]
    data = {"unit": np.repeat(np.arange(1.0, counts[0] + 1), sizes)}
    for covariate in found:
        shape = (counts[0], 1) if covariate.level == "unit" else whole
        values = _draw(covariate, shape, sizes, rng)
        data[covariate.name] = np.broadcast_to(values, whole)[there]
    return data


def _draw(
    covariate: Covariate,
    size: tuple[int, int],
    sizes: NDArray[np.int64],
    rng: np.random.Generator,
) -> Floats:
    if not covariate.distribution.is_fixed:
        return covariate.distribution.example(rng, size)
    if isinstance(covariate.distribution, RowValues):
        return _given_rows(covariate.distribution, sizes, size)
    if not covariate.distribution.values:
        values = np.zeros(size)
        for count in np.unique(sizes):
            values[sizes == count, :count] = covariate.distribution.points(count)
        return values
    count = size[0] if covariate.level == "unit" else size[1]
    picked = np.linspace(0, len(covariate.distribution.values) - 1, count).astype(int)
    values = np.array(covariate.distribution.values)[picked]
    return values[:, None] if covariate.level == "unit" else values


def _given_rows(given: RowValues, sizes: NDArray[np.int64], size: tuple[int, int]) -> Floats:
    """Return the first rows of the first units; of more than there are, from the first on again."""
    values, own = np.zeros(size), np.split(given.rows, np.cumsum(given.sizes)[:-1])
    for i, count in enumerate(sizes):
        values[i, :count] = np.resize(own[i % len(own)], count)
    return values
