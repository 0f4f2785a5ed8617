"""Replicate estimates from anywhere, and what a caller says of their columns, checked."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError, nearest
from hlm.measures.input_table import as_frame, names, numbers, require
from hlm.measures.intervals import with_limits
from hlm.words.policies import POLICIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from hlm.measures.formulas import Array

__all__ = ["Given", "check_pairing", "method_named", "read_given"]


@dataclass(frozen=True)
class Given:
    """A table of estimates.

    Attributes
    ----------
    frame : pandas frame
    keys : list of str
        The columns that define a group: those of `by`, the method, the inference.
    columns : mapping of str to ndarray, (n_rows,)
        `estimate` and `true`, perhaps `se`, `df`, `lower` and `upper`.
    masks : mapping of str to ndarray of bool, (n_rows,), or None
        Policy -> the rows that count under it; None for all.
    """

    frame: pd.DataFrame
    keys: list[str]
    columns: Mapping[str, Array]
    masks: Mapping[str, NDArray[np.bool_] | None]


def read_given(
    data: Any,
    columns: Mapping[str, str | None],
    *,
    true: float | str,
    by: str | Sequence[str] | None,
    method: str | None,
    level: float,
    winsorize: float,
    policies: Sequence[str],
) -> Given:
    """Read the columns that a caller names; see `hlm.measures.performance`.

    Parameters
    ----------
    data : pandas frame, Arrow table or stream, or mapping of columns
    columns : mapping of str to str or None
        What a column is -> its name, None for one that is not given.
    true, by, method, level, winsorize, policies
        Those of `performance`.
    """
    frame = as_frame(data)
    keys = names([*names(by), *names(method), *(["inference"] if "inference" in frame else [])])
    named = dict(columns) | ({"true": true} if isinstance(true, str) else {})
    require(frame, [*named.items(), *(("by, method", key) for key in keys)])
    _check(true, columns, level, winsorize)
    found = {
        role: numbers(frame, name)
        for role, name in named.items()
        if name is not None and role != "id"
    }
    if not isinstance(true, str):
        found["true"] = np.full(len(frame), true, dtype=float)
    if "se" in found:
        _check_standard_errors(found["se"], str(columns["se"]))
    masks = _masks(found, policies)
    of_fits = ("converged", "singular")
    values = {role: column for role, column in found.items() if role not in of_fits}
    return Given(frame, keys, with_limits(values, level), masks)


def check_pairing(given: Given, method: str | None, ref: Any, id: str | None) -> None:  # noqa: A002
    """Refuse a comparison of methods without the columns that pair them."""
    if method is None or id is None:
        raise InputError(
            f"ref={ref!r} compares methods on the same data sets",
            path="ref",
            allowed="with method= (the column of methods) and id= (the column of data sets)",
        )
    _refuse_repeats(given.frame, [*given.keys, id])


def _masks(
    columns: Mapping[str, Array], policies: Sequence[str]
) -> dict[str, NDArray[np.bool_] | None]:
    """Return which rows count under each policy."""
    needs = {"converged": ("converged",), "nonsingular": ("converged", "singular")}
    for policy in policies:
        if policy not in POLICIES:
            raise InputError(
                f"unknown policy {policy!r}",
                path="policies",
                allowed=", ".join(POLICIES),
                suggestion=nearest(str(policy), POLICIES),
            )
        for role in needs.get(policy, ()):
            if role not in columns:
                raise InputError(
                    f"the policy '{policy}' without {role}=",
                    path="policies",
                    allowed=f"with {role}= (the column that says which fits have or are)",
                )
    rows: dict[str, NDArray[np.bool_]] = {}
    if "converged" in columns:
        rows["converged"] = columns["converged"] == 1
        if "singular" in columns:
            rows["nonsingular"] = rows["converged"] & (columns["singular"] == 0)
    return {name: rows.get(name) for name in policies}


def _check(true: Any, columns: Mapping[str, str | None], level: float, winsorize: float) -> None:
    if not isinstance(true, str | Real):
        raise InputError(f"true value {true!r}", path="true", allowed="a number or a column")
    if (columns.get("lower") is None) != (columns.get("upper") is None):
        raise InputError("one limit without the other", path="lower, upper", allowed="both or none")
    if not 0 < level < 1:
        raise InputError(f"level {level!r}", path="level", allowed="a number between 0 and 1")
    if not winsorize > 0:
        raise InputError(f"winsorize {winsorize!r}", path="winsorize", allowed="more than 0")


def _check_standard_errors(values: Array, column: str) -> None:
    negative = np.flatnonzero((values < 0) & np.isfinite(values))
    if len(negative):
        first, more = negative[0], len(negative) - 1
        raise InputError(
            f"the standard error in row {first + 1} of column {column!r} is {values[first]:g}"
            + (f", and {more} more are negative" if more else ""),
            path="se",
            allowed="0 or more; a missing value where there is none",
        )


def method_named(methods: pd.Series, ref: Any) -> Any:
    """Return the value of a column of methods that is written as `ref` is."""
    known = {str(value): value for value in methods.unique()}
    if str(ref) not in known:
        raise InputError(
            f"no method {ref!r} in column {methods.name!r}",
            path="ref",
            allowed=", ".join(known),
            suggestion=nearest(str(ref), known),
        )
    return known[str(ref)]


def _refuse_repeats(frame: pd.DataFrame, keys: list[str]) -> None:
    repeated = frame.duplicated(keys)
    if repeated.any():
        place = ", ".join(f"{k}={v}" for k, v in frame.loc[repeated, keys].iloc[0].items())
        raise InputError(f"more than one estimate of {place}", path="id", allowed="one each")
