"""The covariates of a design: as the simulation reads them, and one draw of them as an example."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from hlm.distributions import Points, RowValues, Span, UnitValues
from hlm.errors import InputError, Mistakes
from hlm.formula import levels_of
from hlm.rows.sizes import Clustered, Resampled, Sizes
from hlm.scenario import CorrelatedSet, Covariate
from hlm.study.derived import DERIVED, check_sources, derived
from hlm.study.schema_covariates import Generated, Given, Grid, Range
from hlm.study.schema_rows import MAX_ROWS, RowList, TotalRows
from hlm.study.structure import correlated
from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.distributions import Distribution
    from hlm.formula import Levels
    from hlm.study import schema_covariates
    from hlm.study.schema import Design

    Floats = NDArray[np.float64]

__all__ = [
    "ENOUGH",
    "Ample",
    "can_name_covariate",
    "check_names",
    "covariates",
    "levels_in",
    "mean_rows",
    "possible_rows",
    "right_covariates",
    "rows_of",
    "typical_rows",
]

ENOUGH = 12
"""Units, and rows of each, that show the rank of all but odd designs."""

_RESERVED = ("unit", "scenario", "replicate", "sigma")
_NAME = re.compile(r"(?:[^\W\d_]|\.(?![0-9]))[\w.]*")


def covariates(
    design: Design,
    *,
    response: str,
    group: str,
    generated: Mapping[str, Distribution] | None = None,
) -> tuple[Covariate, ...]:
    """Return the covariates of a design, by name.

    They are sorted, so that the data do not depend on the order in which they are written.

    Parameters
    ----------
    design : Design
    response, group : str
    generated : mapping of str to Distribution, optional
        What is known of those that a generator draws.

    Raises
    ------
    InputError
        If a name is taken or no variable's name, or a grid does not fill the design.
    """
    with Mistakes() as mistakes:
        found = right_covariates(
            design, mistakes, response=response, group=group, generated=generated
        )
    return tuple(found[name] for name in sorted(found))


def right_covariates(
    design: Design,
    mistakes: Mistakes,
    *,
    response: str,
    group: str,
    generated: Mapping[str, Distribution] | None = None,
) -> dict[str, Covariate]:
    """Return the covariates in which there is no mistake, by name; what is wrong is kept."""
    n_rows = mistakes.keep(rows_of, design)
    if n_rows is None:
        return {}
    if design.units * mean_rows(n_rows) > MAX_ROWS:
        what = n_rows if isinstance(n_rows, int) else f"{mean_rows(n_rows):g}"
        problem = f"{design.units} units of {what} rows are too many"
        mistakes.add(InputError(problem, path="design", allowed=f"{MAX_ROWS} rows in all"))
        return {}
    specs = dict(sorted(design.covariates.items()))
    mistakes.keep(check_names, specs, response=response, group=group)
    mistakes.keep(_check_columns, levels_in(specs, design), specs)
    own = {
        name: Covariate(name, spec.level, (generated or {}).get(name, spec.made()))
        if isinstance(spec, Generated)
        else mistakes.keep(_covariate, name, spec, design.units, n_rows)
        for name, spec in specs.items()
        if not isinstance(spec, DERIVED)
    }
    found = {name: one for name, one in own.items() if one is not None}
    if mistakes.passes(check_sources, specs):
        found |= mistakes.keep(derived, specs, found, mean_rows(n_rows)) or {}
    return found


def levels_in(
    specs: Mapping[str, schema_covariates.Covariate], design: Design | None = None
) -> dict[str, Levels]:
    """Return the levels of covariates, though they may not fill the design.

    Without a design a range is left out, whose values depend on it.
    """
    own = {name: spec for name, spec in specs.items() if not isinstance(spec, DERIVED)}
    found = {name: _unfilled(spec, design) for name, spec in own.items()}
    return levels_of(Covariate(name, own[name].level, made) for name, made in found.items() if made)


def _unfilled(spec: schema_covariates.Own, design: Design | None) -> Distribution | None:
    if isinstance(spec, Given):
        return Points(tuple(map(float, spec.values)))
    if not isinstance(spec, Grid):
        return spec.made()
    if not isinstance(spec.grid, Range):
        return Points(tuple(map(float, spec.grid)))
    if design is None:
        return None
    span, count = _span(spec.grid), design.units if spec.level == "unit" else design.rows
    if isinstance(count, RowList) and len(set(count.list_)) == 1:
        count = count.list_[0]
    return Points(_range(span, count)) if isinstance(count, int) else span


def rows_of(design: Design) -> int | tuple[int, ...] | Sizes:
    """Return the rows of all units, or of each where they differ, or how they are drawn.

    Raises
    ------
    InputError
        If a list of them does not fill the units, or a total is too small.

    Examples
    --------
    >>> from hlm.study.schema import Design
    >>> rows_of(Design(units=4, rows=RowList(list=[5, 10])))
    (5, 10, 5, 10)
    >>> rows_of(Design(units=4, rows=RowList(list=[5, 5])))
    5
    """
    rows = design.rows
    if isinstance(rows, int):
        return rows
    if isinstance(rows, RowList):
        return _same(_repeated(rows.list_, design.units))
    if isinstance(rows, TotalRows):
        return _same(_divided(rows, design.units))
    return rows.made() if rows.redrawn else _same(rows.made().held(design.units))


def typical_rows(design: Design) -> int | tuple[int, ...]:
    """Return the rows of all units, or of each; where they are drawn, evenly spread sizes."""
    n_rows = rows_of(design)
    return n_rows.held(design.units) if isinstance(n_rows, Sizes) else n_rows


def possible_rows(n_rows: int | tuple[int, ...] | Sizes) -> Sequence[int]:
    """Return the numbers of rows that a unit may have, in ascending order.

    Examples
    --------
    >>> possible_rows((5, 10, 5)), possible_rows(Resampled((2, 4, 2)))
    ([5, 10], range(2, 5))
    """
    if isinstance(n_rows, Sizes):
        return range(n_rows.least, n_rows.most + 1)
    return sorted({n_rows} if isinstance(n_rows, int) else {*n_rows})


def _same(sizes: tuple[int, ...]) -> int | tuple[int, ...]:
    """Return one number where all are the same."""
    return sizes[0] if len(set(sizes)) == 1 else sizes


def _repeated(sizes: list[int], n_units: int) -> tuple[int, ...]:
    if n_units % len(sizes):
        raise InputError(
            f"{counted(len(sizes), 'number')} of rows {noun(len(sizes), 'does', 'do')} not fill "
            f"{n_units} units",
            path="design.rows.list",
            allowed="as many numbers as units, or a number of them that divides it",
        )
    return tuple(sizes) * (n_units // len(sizes))


def _divided(rows: TotalRows, n_units: int) -> tuple[int, ...]:
    """Divide a total by evenly spread quantiles, and what is left among the largest units."""
    if rows.total < n_units:
        raise InputError(
            f"{rows.total} rows for {n_units} units",
            path="design.rows.total",
            allowed="at least one row for each unit",
        )
    if rows.cv == 0.0:
        each, left = divmod(rows.total, n_units)
        return (each,) * (n_units - left) + (each + 1,) * left
    try:
        sizes = np.array(Clustered(rows.total / n_units, float(rows.cv)).held(n_units))
    except InputError as error:
        raise error.at(path="design.rows.cv") from None
    # The quantiles miss the mean by their tails: rows are given to, or taken from, units in turn
    for k in range(abs(left := rows.total - int(sizes.sum()))):
        place = (
            n_units - 1 - k % n_units
            if left > 0
            else np.flatnonzero(sizes > 1)[-1 - k % int((sizes > 1).sum())]
        )
        sizes[place] += 1 if left > 0 else -1
    return tuple(sorted(sizes.tolist()))


def mean_rows(n_rows: int | tuple[int, ...] | Sizes) -> float:
    """Return the mean number of rows of a unit."""
    if isinstance(n_rows, Sizes):
        return n_rows.mean
    return n_rows if isinstance(n_rows, int) else sum(n_rows) / len(n_rows)


@dataclass(frozen=True)
class Ample:
    """A design with units and rows enough to show what no number of them can identify."""

    n_units: int
    typical_rows: int | tuple[int, ...]
    covariates: tuple[Covariate, ...]
    correlated: tuple[CorrelatedSet, ...]

    @classmethod
    def of(cls, design: Design, *, response: str, group: str) -> Ample:
        """Repeat the units and the rows of a design: what its covariates fill, they still fill.

        Examples
        --------
        >>> from hlm.study.schema import Design
        >>> ample = Ample.of(Design(units=5, rows=20), response="y", group="unit")
        >>> ample.n_units, ample.typical_rows
        (15, 20)
        """
        units = design.units * ceil(ENOUGH / design.units)
        rows = typical_rows(design)
        sizes = [rows] if isinstance(rows, int) else list(rows)
        times = ceil(ENOUGH / min(sizes))
        larger = RowList(list=[times * count for count in sizes])
        more = design.model_copy(update={"units": units, "rows": larger})
        found = covariates(more, response=response, group=group)
        sets = correlated(design, {c.name: c for c in found})
        return cls(units, rows_of(more), found, sets)  # type: ignore[arg-type]


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


def _check_columns(levels: Mapping[str, Levels], names: Collection[str]) -> None:
    """Refuse a column of a factor that has the name of another column."""
    texts = {name: found.labels for name, found in levels.items() if found.are_text}
    columns = [(name, f"{name}{label}") for name, labels in texts.items() for label in labels]
    taken = [*names, *(column for _, column in columns)]
    with Mistakes() as mistakes:
        for name, column in columns:
            if taken.count(column) > 1:
                problem = f"the column '{column}' of '{name}' has the name of another column"
                path, allowed = f"design.covariates.{name}", "another name, or other labels"
                mistakes.add(InputError(problem, path=path, allowed=allowed))


def _covariate(
    name: str, spec: schema_covariates.Own, n_units: int, n_rows: int | tuple[int, ...] | Sizes
) -> Covariate:
    if isinstance(spec, Given):
        return Covariate(name, spec.level, _given(name, spec, n_units, n_rows))
    if not isinstance(spec, Grid):
        icc = getattr(spec, "icc", 0.0)
        if icc and spec.level == "unit":
            raise InputError(
                f"an icc of '{name}', which has one value in each unit",
                path=f"design.covariates.{name}.icc",
                allowed="no icc, or level: row",
            )
        return Covariate(name, spec.level, spec.made(), float(icc))
    count = n_units if spec.level == "unit" else n_rows
    if isinstance(count, int):
        return Covariate(name, spec.level, Points(_points(name, spec, count)))
    if isinstance(spec.grid, Range):
        return Covariate(name, spec.level, _span(spec.grid))
    if isinstance(count, Sizes):
        return Covariate(name, spec.level, Points(tuple(map(float, spec.grid))))
    return Covariate(name, spec.level, Points(_first(name, spec.grid, max(count))))


def _given(
    name: str, spec: Given, n_units: int, n_rows: int | tuple[int, ...] | Sizes
) -> Points | RowValues | UnitValues:
    if isinstance(n_rows, Sizes) and not isinstance(n_rows, Resampled):
        raise InputError(
            f"values of '{name}' for each {spec.level} where numbers of rows are drawn",
            path=f"design.covariates.{name}.values",
            allowed="a distribution or a grid; or rows that are the same in every data set",
        )
    if isinstance(n_rows, Resampled):
        sizes = n_rows.sizes
    else:
        sizes = n_rows if isinstance(n_rows, tuple) else (n_rows,) * n_units
    wanted = len(sizes) if spec.level == "unit" else sum(sizes)
    if len(spec.values) != wanted:
        raise InputError(
            f"{counted(len(spec.values), 'value')} for {wanted} {noun(wanted, spec.level)}",
            path=f"design.covariates.{name}.values",
            allowed=f"as many values as {spec.level}s",
        )
    values = tuple(map(float, spec.values))
    if spec.level == "row":
        return RowValues(sizes, values)
    return UnitValues(values) if isinstance(n_rows, Resampled) else Points(values)


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
