"""Replicate estimates from anywhere -> differences of methods, paired by data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.measures.dense import scattered
from hlm.measures.given import check_pairing, method_named, read_given
from hlm.measures.group import WINSORIZE, Rules
from hlm.measures.input_table import group_rows
from hlm.measures.pairs import between_contestants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from hlm.measures.given import Given

__all__ = ["differences"]


def differences(
    data: Any,
    *,
    estimate: str,
    true: float | str,
    method: str,
    ref: Any,
    id: str,  # noqa: A002 - the word of the field's other tools
    se: str | None = None,
    by: str | Sequence[str] | None = None,
    df: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    level: float = 0.95,
    policies: Sequence[str] | None = None,
    converged: str | None = None,
    singular: str | None = None,
) -> pd.DataFrame:
    """Compare methods on the same data sets: the measures of each less those of a reference.

    Parameters
    ----------
    data : pandas frame, Arrow table or stream, or mapping of columns
        One row per estimate, in any order.
    estimate, se, true, method, by, df, lower, upper, level, policies, converged, singular
        As for `performance`.
    ref
        The method that the others are compared with.
    id : str
        The column that identifies the data set within a group.

    Returns
    -------
    pandas frame
        The `by` columns, the method column, `against`, `measure`, `difference`, `mcse` and `n`, and
        `policy` if policies are given. Measures are bias, empirical_se, mse, rmse, model_se,
        relative_error_se, coverage, rejection and ci_width, each with the error of the paired
        difference, and relative_precision, (sd(ref)/sd(b))^2 - 1, with its own. Each rests on the
        `n` data sets of which both methods have what it needs.

    Raises
    ------
    InputError
        As for `performance`.

    Examples
    --------
    >>> data = {"b": [0.9, 1.2, 1.5, 1.0, 1.4, 1.5], "method": ["old"] * 3 + ["new"] * 3,
    ...         "id": [1, 2, 3, 1, 2, 3]}
    >>> table = differences(data, estimate="b", true=1, method="method", ref="old", id="id")
    >>> table[table.measure == "bias"].round(4).to_dict("records")
    ... # doctest: +NORMALIZE_WHITESPACE
    [{'method': 'new', 'against': 'old', 'measure': 'bias', 'difference': 0.1, 'mcse': 0.0577,
      'n': 3}]
    """
    given = read_given(
        data,
        {
            "estimate": estimate,
            "se": se,
            "df": df,
            "lower": lower,
            "upper": upper,
            "converged": converged,
            "singular": singular,
            "id": id,
        },
        true=true,
        by=by,
        method=method,
        level=level,
        winsorize=WINSORIZE,
        policies=policies or ("all",),
    )
    check_pairing(given, method, ref, id)
    table = _compared(given, method, method_named(given.frame[method], ref), id)
    return table if policies is not None else table.drop(columns="policy")


def _compared(given: Given, method: str, ref: Any, id: str) -> pd.DataFrame:  # noqa: A002
    import pandas as pd

    others = [key for key in given.keys if key != method]
    groups = group_rows(given.frame, others)
    rows = [
        (place, *row)
        for place, own in enumerate(groups.rows())
        for row in _of_group(given, own, method, ref, id)
    ]
    found = pd.DataFrame(
        [row[1:] for row in rows],
        columns=[method, "against", "policy", "measure", "difference", "mcse", "n"],
    )
    labels = groups.labels.iloc[[row[0] for row in rows]].reset_index(drop=True)
    return pd.concat([labels, found], axis=1)


def _of_group(
    given: Given,
    rows: NDArray[np.intp],
    method: str,
    ref: Any,
    id: str,  # noqa: A002
) -> Iterator[tuple[Any, ...]]:
    """Yield the differences within a group, whose data sets are sorted by their identifiers."""
    frame = given.frame.iloc[rows]
    methods, data_sets = group_rows(frame, [method]), group_rows(frame, [id])
    known = methods.labels[method].tolist()
    if ref not in known:
        return
    n = len(data_sets.labels)
    masks = {name: mask[rows] for name, mask in given.masks.items() if mask is not None}
    columns = {role: column[rows] for role, column in given.columns.items()}
    values = scattered(
        [*columns.values(), *masks.values()], methods.codes, data_sets.codes, (len(known), n)
    )
    names = [*columns, *(f"policy {name}" for name in masks)]
    by_method = [dict(zip(names, own, strict=True)) for own in values]
    against = by_method[known.index(ref)]
    for name, own in zip(known, by_method, strict=True):
        if name == ref:
            continue
        for policy in given.masks:
            found = between_contestants(own, against, policy, Rules(), _both(own, against, policy))
            for measure, value in found.items():
                yield (name, ref, policy, measure, *value)


def _both(
    one: Mapping[str, NDArray[np.float64]], other: Mapping[str, NDArray[np.float64]], policy: str
) -> NDArray[np.bool_] | None:
    """Return the data sets on which both methods have an estimate that counts."""
    mask = f"policy {policy}"
    return (one[mask] == 1) & (other[mask] == 1) if mask in one else None
