"""The columns that a model needs, of the rows that have all of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.errors import InputError
from hlm.formula.bad_cells import check_cells, check_numbers
from hlm.formula.syntax import Call, Name
from hlm.model.variables import missing_rows, read_columns, take_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from hlm.formula import Formula

__all__ = ["WEIGHTS", "used_columns"]

WEIGHTS = ""
"""The name of the prior weights among the columns, which no formula can write."""


def used_columns(
    formula: Formula, data: Any, weights: Any = None
) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """Return the columns that a model needs, of the rows where none is missing, and these rows."""
    group = formula.random[0].group
    columns = read_columns([*formula.outcome.variables, group, *formula.variables], data)
    if isinstance(weights, str):
        columns[WEIGHTS] = read_columns([weights], data)[weights]
    elif weights is not None:
        columns[WEIGHTS] = read_columns(["weights"], {"weights": weights})["weights"]
        n = len(columns[group])
        if len(columns[WEIGHTS]) != n:
            raise InputError(f"{len(columns[WEIGHTS])} weights for {n} rows", allowed=f"{n}")
    for name, column in columns.items():
        if name != group and getattr(column.dtype, "kind", "O") in "mMcV":
            raise InputError(
                f"column '{name}' holds {column.dtype}", allowed="numbers, text, true or false"
            )
    _check_all_cells(formula, columns)
    kept = ~missing_rows(columns)
    if not kept.any():
        raise InputError(_why_none(columns), allowed="rows that have all values of the model")
    return {name: take_rows(column, kept) for name, column in columns.items()}, kept


def _check_all_cells(formula: Formula, columns: Mapping[str, Any]) -> None:
    """Refuse text where numbers are needed, or where all but a few cells are numbers."""
    for name in (*formula.outcome.variables, WEIGHTS):
        if name in columns:
            check_numbers(name or "weights", columns[name])
    factors = (factor for term in formula.terms for factor in term.factors)
    for factor in (*factors, *formula.offset):
        if isinstance(factor.expr, Name):
            check_cells(factor.expr.name, columns[factor.expr.name])
        elif not (isinstance(factor.expr, Call) and factor.expr.function == "factor"):
            for name in factor.variables:
                check_numbers(name, columns[name])


def _why_none(columns: Mapping[str, Any]) -> str:
    """Say which values are missing where no row has all."""
    n = len(next(iter(columns.values())))
    if n == 0:
        return "the data have no rows"
    missing = {name: int(missing_rows({name: column}).sum()) for name, column in columns.items()}
    counts = ", ".join(
        f"'{name or 'weights'}' in {count}" for name, count in missing.items() if count
    )
    return f"no rows are left of {n}: every row has a missing value ({counts})"
