"""How random numbers are distributed: each family knows how it is drawn and what follows from it.

A family is a frozen dataclass of its parameters in a module of its own, listed in `FAMILIES`.
Whoever needs to know something of a distribution asks the object. NumPy is imported only where it
is used, so that plans are read fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.distributions.base import Distribution
from hlm.distributions.binary import Binary
from hlm.distributions.calls import SHAPES, read_call, written
from hlm.distributions.categories import Balanced, Categories
from hlm.distributions.chi_square import ChiSquare
from hlm.distributions.fixed import (
    GeneratedRows,
    GeneratedUnits,
    Points,
    RowValues,
    Span,
    UnitValues,
)
from hlm.distributions.laplace import Laplace
from hlm.distributions.lognormal import LogNormal
from hlm.distributions.mixture import Mixture
from hlm.distributions.normal import Normal
from hlm.distributions.scaled import Scaled
from hlm.distributions.skew_normal import SkewNormal
from hlm.distributions.student import StudentT
from hlm.distributions.uniform import Uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FAMILIES",
    "SHAPES",
    "STANDARD_NORMAL",
    "Balanced",
    "Binary",
    "Categories",
    "ChiSquare",
    "Distribution",
    "GeneratedRows",
    "GeneratedUnits",
    "Laplace",
    "LogNormal",
    "Mixture",
    "Normal",
    "Points",
    "RowValues",
    "Scaled",
    "SkewNormal",
    "Span",
    "StudentT",
    "Uniform",
    "UnitValues",
    "from_dict",
    "read_call",
    "written",
]

STANDARD_NORMAL = Normal()

FAMILIES: dict[str, type[Distribution]] = {
    **SHAPES,
    **{
        one.family: one
        for one in (
            *(Binary, Categories, Balanced, Points, RowValues, Scaled, Span, UnitValues),
            *(GeneratedRows, GeneratedUnits),
        )
    },
}
"""The families by name, as files have them."""


def from_dict(data: Mapping[str, Any]) -> Distribution:
    """Read what `Distribution.to_dict` wrote.

    Examples
    --------
    >>> from_dict({"family": "normal", "mean": 1.0, "sd": 2.0})
    Normal(mean=1.0, sd=2.0)
    """
    parameters = {name: _hashable(value) for name, value in data.items() if name != "family"}
    return FAMILIES[data["family"]](**parameters)


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return from_dict(value)
    return tuple(value) if isinstance(value, list) else value
