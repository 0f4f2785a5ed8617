"""What a user's generator returns, checked and laid out as all rows are.

It is called for groups of replicates that begin at multiples of their size, each group with a
stream of its own: so a replicate does not depend on which others are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.rows.row_layout import RowLayout
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hlm.generator import Generator

__all__ = ["GENERATOR", "Generated", "generate", "try_out"]

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]

GENERATOR = 3
"""What seeds the streams of generators before all else, as numbers below do those of the rest."""

REPLICATE = "replicate"
"""The column of a table that names the replicate."""

RETURNED = "a pandas data frame, a NumPy record array, or a dict of arrays"


@dataclass(frozen=True)
class Generated:
    """Data sets that a generator has drawn.

    Attributes
    ----------
    rows : RowLayout
    covariates : dict of str to ndarray
        (n, n_units) at the level of the units, (total,) at that of the rows.
    response : ndarray (total,), optional
    """

    rows: RowLayout
    covariates: dict[str, Floats]
    response: Floats | None

    def part(self, start: int, stop: int) -> Generated:
        """Return the data sets from place `start` to `stop - 1`."""
        starts = self.rows.starts[start * self.rows.n_units : stop * self.rows.n_units + 1]
        own = slice(starts[0], starts[-1])
        covariates = {
            name: values[start:stop] if values.ndim == 2 else values[own]
            for name, values in self.covariates.items()
        }
        response = None if self.response is None else self.response[own]
        return Generated(RowLayout(self.rows.n_units, starts - starts[0]), covariates, response)


class _WrongError(Exception):
    """What is wrong with what was returned, and in which replicate, if in one."""

    def __init__(self, problem: str, *, allowed: str, replicate: int | None = None) -> None:
        super().__init__(problem)
        self.problem, self.allowed, self.replicate = problem, allowed, replicate
        self.suggestion: str | None = None


def generate(
    generator: Generator, rng: np.random.Generator, first: int, last: int, *, scenario: str
) -> Generated:
    """Call a generator and check what it returns.

    Parameters
    ----------
    generator : Generator
    rng : numpy.random.Generator
    first, last : int
        The replicates, both included.
    scenario : str
        The key, for messages.

    Raises
    ------
    InputError
        It may not run, fails, or returns something else than data sets. The message ends with the
        function, the scenario and the replicate, or the replicates of the call.

    Examples
    --------
    >>> from hlm.generator import Generator
    >>> source = '''
    ... def f(rng, values, first, last):
    ...     return {"x": rng.normal(size=(last - first + 1, values["units"], values["rows"]))}
    ... '''
    >>> told = '{"units": 3, "rows": 2, "group": "g", "response": "y", "covariates": {"x": "row"}}'
    >>> one = Generator("own.py", "f", source, told, 10, False, allowed=True)
    >>> found = generate(one, np.random.default_rng(1), 0, 9, scenario="0" * 16)
    >>> found.rows.sizes.shape, found.covariates["x"].shape
    ((10, 3), (60,))
    """
    generator.check_allowed()
    with _said_of(generator, scenario, first, last):
        return _Reader(generator, first, last).read(generator.call(rng, first, last))


def try_out(generator: Generator, n: int, *, scenario: str) -> tuple[Generator, Generated]:
    """Call a generator twice for n replicates, and refuse one that draws something else then.

    Parameters
    ----------
    generator : Generator
    n : int
    scenario : str
        The key, which seeds the random numbers; no replicate is drawn from these.

    Returns
    -------
    generator : Generator
        That says whether it draws the response.
    found : Generated

    Raises
    ------
    InputError
        As from `generate`; or the same call draws other data.
    """
    first, again = (np.random.default_rng((GENERATOR, int(scenario, 16))) for _ in range(2))
    last = n - 1
    with _said_of(generator, scenario, 0, last):
        returned = generator.call(first, 0, last)
        one = replace(generator, responds=generator.told["response"] in _columns(returned))
        # Read before the next call: that may write to the same arrays
        found = _Reader(one, 0, last).read(returned)
        differs = _difference(found, _Reader(one, 0, last).read(one.call(again, 0, last)))
        if differs:
            raise _WrongError(
                f"called twice with the same random numbers it draws other data: {differs} differs",
                allowed="what depends on rng and values alone: no clock, no other random numbers, "
                "nothing that is kept from call to call",
            )
    return one, found


def _difference(one: Generated, other: Generated) -> str | None:
    """Name something in which two draws differ."""
    if not np.array_equal(one.rows.starts, other.rows.starts):
        return "the number of rows of units"
    names = (name for name, v in one.covariates.items() if (v != other.covariates[name]).any())
    differs = next((f"'{name}'" for name in names), None)
    if differs is None and one.response is not None and other.response is not None:
        return "the response" if (one.response != other.response).any() else None
    return differs


@contextmanager
def _said_of(generator: Generator, scenario: str, first: int, last: int) -> Iterator[None]:
    """Say of what is wrong in which function, scenario and replicate it is so."""
    where = f"replicates {first} to {last}" if last > first else f"replicate {first}"
    try:
        yield
    except (InputError, _WrongError) as error:
        replicate = getattr(error, "replicate", None)
        where = where if replicate is None else f"replicate {replicate}"
        raise InputError(
            f"{error.problem} (generator {generator.function}, scenario {scenario}, {where})",
            path="design.generator",
            allowed=error.allowed,
            suggestion=error.suggestion,
        ) from None


class _Reader:
    """Reads what is returned for the replicates `first` to `last`."""

    def __init__(self, generator: Generator, first: int, last: int) -> None:
        told = generator.told
        self.first, self.n = first, last - first + 1
        self.n_units, self.group, self.rows_told = told["units"], told["group"], told["rows"]
        self.levels: dict[str, str] = dict(told["covariates"])
        if generator.responds:
            self.levels[told["response"]] = "row"
        self.response = told["response"] if generator.responds else None

    def read(self, returned: object) -> Generated:
        """Return it as data sets."""
        columns = _columns(returned)
        is_table = bool({REPLICATE, self.group} & columns.keys())
        self._check_names(columns, [REPLICATE, self.group] if is_table else [])
        labels = _labels(columns.pop(self.group)) if is_table else None
        numbers = {name: _numbers(name, values) for name, values in columns.items()}
        found = self._table(numbers, labels) if labels is not None else self._arrays(numbers)
        response = found.covariates.pop(self.response) if self.response is not None else None
        return Generated(found.rows, found.covariates, response)

    def _check_names(self, columns: Columns, more: list[str]) -> None:
        wanted = [*more, *self.levels]
        allowed = ", ".join(wanted) or "no column"
        for name in wanted:
            if name not in columns:
                raise _WrongError(f"there is no column '{name}'", allowed=allowed)
        for name in columns:
            if name not in wanted:
                problem = f"the column '{name}' is none that the study declares"
                error = _WrongError(
                    problem, allowed=f"{allowed}; a covariate declared with generated: true"
                )
                error.suggestion = nearest(str(name), wanted)
                raise error

    def _table(self, columns: dict[str, Floats], labels: NDArray[Any]) -> Generated:
        """Read rows, each with its replicate and its unit."""
        total = len(labels)
        for name, values in ((self.group, labels), *columns.items()):
            if values.shape != (total,):
                raise _WrongError(
                    f"the column '{name}' has the shape {values.shape}, '{self.group}' has "
                    f"{labels.shape}",
                    allowed="columns of one length, with a value for each row",
                )
        replicate = self._replicates(columns.pop(REPLICATE))
        begins = np.ones(total, dtype=bool)
        begins[1:] = (labels[1:] != labels[:-1]) | (np.diff(replicate) != 0)
        starts = np.flatnonzero(begins)
        self._check_units(replicate[starts], labels[starts])
        rows = RowLayout(self.n_units, np.append(starts, total))
        return self._laid_out(rows, columns)

    def _replicates(self, replicate: Floats) -> NDArray[np.int64]:
        """Return which of the replicates, from 0, each row is of."""
        last = self.first + self.n - 1
        allowed = f"{self.first} to {last}, each, in this order"
        with np.errstate(invalid="ignore"):
            own = np.rint(replicate).astype(np.int64) - self.first
        wrong = (own + self.first != replicate) | (own < 0) | (own >= self.n)
        if wrong.any():
            value = replicate[np.argmax(wrong)]
            raise _WrongError(f"a row of replicate {value:g}", allowed=allowed)
        if (np.diff(own) < 0).any():
            place = int(np.argmax(np.diff(own) < 0)) + 1
            problem = "its rows are not all together, after those of the replicate before"
            raise _WrongError(problem, allowed=allowed, replicate=self.first + int(own[place]))
        there = np.bincount(own, minlength=self.n) > 0
        if not there.all():
            none = self.first + int(np.argmin(there))
            raise _WrongError("there are no rows", allowed=allowed, replicate=none)
        return own

    def _check_units(self, replicate: NDArray[np.int64], labels: NDArray[Any]) -> None:
        """Check the units of runs of rows that are of one unit."""
        codes = np.unique(labels, return_inverse=True)[1].reshape(-1)
        pairs = replicate * (int(codes.max()) + 1) + codes
        order = np.argsort(pairs, kind="stable")
        again = order[1:][np.diff(pairs[order]) == 0]
        if len(again):
            place = int(again.min())
            raise _WrongError(
                f"the rows of the unit {labels[place]} are not all together",
                allowed="the rows of a unit one after the other",
                replicate=self.first + int(replicate[place]),
            )
        counts = np.bincount(replicate, minlength=self.n)
        if (counts != self.n_units).any():
            place = int(np.argmax(counts != self.n_units))
            raise _WrongError(
                f"there are {counted(int(counts[place]), 'unit')}, not {self.n_units}",
                allowed="as many units as design.units",
                replicate=self.first + place,
            )

    def _laid_out(self, rows: RowLayout, columns: dict[str, Floats]) -> Generated:
        """Take values of units from rows, in each of which they must be the same."""
        found = {}
        for name, values in columns.items():
            self._check_finite(name, values, rows.unit // self.n_units)
            if self.levels[name] == "row":
                found[name] = values
                continue
            of_units = values[rows.starts[:-1]]
            differs = of_units[rows.unit] != values
            if differs.any():
                raise _WrongError(
                    f"'{name}' differs between the rows of a unit",
                    allowed="one value in each unit, or level: row",
                    replicate=self.first + int(rows.unit[np.argmax(differs)] // self.n_units),
                )
            found[name] = of_units.reshape(self.n, self.n_units)
        return Generated(rows, found, None)

    def _arrays(self, columns: dict[str, Floats]) -> Generated:
        """Read arrays by replicate, unit and row."""
        of_units = self.n, self.n_units
        per_unit = self._rows_of_arrays(columns)
        shapes = {"unit": of_units, "row": (*of_units, per_unit)}
        for name, values in columns.items():
            wanted = shapes[self.levels[name]]
            if values.shape != wanted:
                raise _WrongError(
                    f"'{name}' has the shape {values.shape}",
                    allowed=f"{wanted}, replicates by units"
                    + (" by rows" if self.levels[name] == "row" else "")
                    + f"; or a table with the columns {REPLICATE} and {self.group}",
                )
            of_one = (1,) * (values.ndim - 1)
            self._check_finite(name, values, np.arange(self.n).reshape(-1, *of_one))
        rows = RowLayout.of(np.full(of_units, per_unit))
        found = {
            name: values.ravel() if self.levels[name] == "row" else values
            for name, values in columns.items()
        }
        return Generated(rows, found, None)

    def _rows_of_arrays(self, columns: Mapping[str, Floats]) -> int:
        """Return how many rows each unit has: those of the first array, or as the study says."""
        of_rows = (values for name, values in columns.items() if self.levels[name] == "row")
        sizes = (size for values in of_rows for size in values.shape[2:])
        found = next(sizes, self.rows_told)
        if not isinstance(found, int) or found < 1:
            raise _WrongError(
                "nothing says how many rows each unit has",
                allowed=f"a table with the columns {REPLICATE} and {self.group}; an array with "
                "rows; a whole number as design.rows",
            )
        return found

    def _check_finite(self, name: str, values: Floats, replicate: NDArray[np.int64]) -> None:
        wrong = ~np.isfinite(values)
        if wrong.any():
            value = values.flat[int(np.argmax(wrong))]
            place = np.broadcast_to(replicate, values.shape).flat[int(np.argmax(wrong))]
            raise _WrongError(
                f"'{name}' is {value} in {counted(int(wrong.sum()), 'place')}",
                allowed="finite numbers; rows may be missing by design.missing",
                replicate=self.first + int(place),
            )


def _columns(returned: Any) -> Columns:
    """Return what is returned as arrays by their names."""
    names: Iterable[str]
    if isinstance(returned, Mapping):
        names = returned.keys()
    elif isinstance(returned, np.ndarray) and returned.dtype.names:
        names = returned.dtype.names
    elif hasattr(returned, "columns") and hasattr(returned, "iloc"):
        names = returned.columns
    else:
        problem = f"it returns {'nothing' if returned is None else type(returned).__name__}"
        raise _WrongError(problem, allowed=RETURNED)
    try:
        return {name: np.atleast_1d(np.asarray(returned[name])) for name in names}
    except ValueError:
        raise _WrongError("it returns lists of unequal length", allowed=RETURNED) from None


def _labels(values: NDArray[Any]) -> NDArray[Any]:
    """Return names of units, of which some may be of other types, as what can be compared."""
    return values.astype(str) if values.dtype.kind == "O" else values


def _numbers(name: str, values: NDArray[Any]) -> Floats:
    if values.dtype.kind not in "biuf":
        kind = "complex numbers" if values.dtype.kind == "c" else f"values of type {values.dtype}"
        raise _WrongError(f"'{name}' has {kind}", allowed="numbers, true and false")
    return values.astype(np.float64)
