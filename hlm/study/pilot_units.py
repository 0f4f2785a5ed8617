"""The units and covariates of a data set as a design, and as a study would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.errors import InputError, Mistakes
from hlm.pilot_design import PilotDesign
from hlm.study.design import can_name_covariate
from hlm.words.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hlm.formula import Formula
    from hlm.study.pilot_data import PilotData

    Floats = NDArray[np.float64]

__all__ = ["covariates_of", "pilot_design"]


def pilot_design(data: PilotData, formula: Formula, needed: Sequence[str]) -> PilotDesign:
    """Return the units of a data set, in the order in which they first appear.

    Parameters
    ----------
    data : PilotData
    formula : Formula
        The truth's: it names the group, and the response, which is no covariate.
    needed : sequence of str
        The covariates that there must be. Of the other columns those of numbers are taken that have
        no gaps and whose name can be a covariate's; so that a model that uses one more changes
        nothing.

    Raises
    ------
    InputError
        A column is missing, holds no numbers, or has gaps.
    """
    group = formula.random[0].group
    data.check_columns(needed, group=group)
    with Mistakes() as mistakes:
        for name in (group, *needed):
            mistakes.keep(_refuse_gaps, data, name)
    others = [
        name
        for name in map(str, data.table)
        if name not in (group, formula.response)
        and data.is_number(name)
        and can_name_covariate(name)
        and not _gaps(data, name)
    ]
    units, first = data.table[group].factorize()[0], {}
    order = np.argsort(units, kind="stable")
    sizes = np.bincount(units)
    starts = np.append(0, np.cumsum(sizes))[:-1]
    for name in sorted({*others, *needed}):
        first[name] = data.table[name].to_numpy(float)[order]
    constant = {
        name: bool((values == np.repeat(values[starts], sizes)).all())
        for name, values in first.items()
    }
    return PilotDesign(
        tuple(sizes.tolist()),
        tuple((k, tuple(v[starts].tolist())) for k, v in first.items() if constant[k]),
        tuple((k, tuple(v.tolist())) for k, v in first.items() if not constant[k]),
    )


def covariates_of(design: PilotDesign) -> dict[str, Any]:
    """Write the covariates as a study has them.

    Examples
    --------
    >>> covariates_of(PilotDesign((2, 1), (("a", (0.0, 1.0)),), ()))
    {'a': {'level': 'unit', 'values': [0.0, 1.0]}}
    """
    levels = {"unit": design.unit_values, "row": design.row_values}
    return {
        name: {"level": level, "values": [*values]}
        for level, named in levels.items()
        for name, values in named
    }


def _gaps(data: PilotData, name: str) -> int:
    """Count the cells that are missing or no finite numbers."""
    column = data.table[name]
    if not data.is_number(name):
        return int(column.isna().sum())
    return int((~np.isfinite(column.to_numpy(float, na_value=np.nan))).sum())


def _refuse_gaps(data: PilotData, name: str) -> None:
    if gaps := _gaps(data, name):
        raise InputError(
            f"column '{name}' of {data.name} has no value in {counted(gaps, 'row')}",
            path=data.place,
            allowed="a value in every row",
        )
