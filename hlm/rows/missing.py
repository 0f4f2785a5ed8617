r"""Which rows of a data set are missing.

Each mechanism says of every row, independently of the others, whether it is there; a row that any
of them takes is missing, its covariates and its response.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from math import log1p
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from hlm.rows.origins import Numbers
    from hlm.rows.row_layout import RowLayout

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]

__all__ = ["PREVIOUS", "ByWave", "Dropout", "Logistic", "LogisticDropout", "Missing", "Weibull"]

PREVIOUS = "previous"
"""The name of the response of the row before, among the slopes of a logistic function."""


@dataclass(frozen=True)
class Logistic:
    """The probability that a row is missing, as a logistic function.

    Attributes
    ----------
    intercept : float
    slopes : tuple of (str, float)
        Of covariates, of the response, and of `PREVIOUS`.
    """

    intercept: float
    slopes: tuple[tuple[str, float], ...]

    def takes(self, data: Mapping[str, Floats], rows: RowLayout, uniform: Floats) -> Booleans:
        """Return which rows are missing, (total,); with `PREVIOUS` never the first of a unit."""
        import numpy as np
        from scipy.special import expit

        logit = np.full(len(uniform), self.intercept)
        for name, slope in self.slopes:
            logit += slope * rows.by_rows(data[name])
        missing = uniform < expit(logit)
        if PREVIOUS in dict(self.slopes):
            missing &= rows.position > 0
        return missing


class Dropout(ABC):
    """How units leave for good; each has at least its first row."""

    kind: ClassVar[str]
    names: tuple[str, ...] = ()

    @abstractmethod
    def keeps(self, data: Mapping[str, Floats], rows: RowLayout, numbers: Numbers) -> Booleans:
        """Return which rows are before their unit leaves, (total,)."""

    def to_dict(self) -> dict[str, Any]:
        """Return kind and fields as builtin types, for JSON."""
        return {"kind": self.kind, **asdict(self)}  # type: ignore[call-overload]


@dataclass(frozen=True)
class ByWave(Dropout):
    """Shares of units that are gone at their first row, their second one, and so on.

    Attributes
    ----------
    gone : tuple of float
        From 0 on; from then on it stays what it is at last.
    """

    gone: tuple[float, ...]

    kind = "waves"

    def keeps(self, data: Mapping[str, Floats], rows: RowLayout, numbers: Numbers) -> Booleans:  # noqa: ARG002
        """Keep the rows at which fewer are gone than the unit's uniform number."""
        import numpy as np

        gone = np.array(self.gone)[np.minimum(rows.position, len(self.gone) - 1)]
        return rows.of_units(_uniform_of_units(numbers, "dropout")) >= gone


@dataclass(frozen=True)
class Weibull(Dropout):
    r"""Times at which units leave, Weibull: a share is gone at the last row.

    Row j of n is at t = j / (n - 1), and S(t) = (1 - share)^(t^shape).

    Attributes
    ----------
    share, shape : float
        A shape below 1 has them leave early, above 1 late.
    """

    share: float
    shape: float

    kind = "weibull"

    def keeps(self, data: Mapping[str, Floats], rows: RowLayout, numbers: Numbers) -> Booleans:  # noqa: ARG002
        """Keep the rows whose share of those gone is at most the unit's uniform number."""
        import numpy as np

        last = np.maximum(rows.sizes.ravel() - 1, 1)[rows.unit]
        gone = -np.expm1(log1p(-self.share) * (rows.position / last) ** self.shape)
        return rows.of_units(_uniform_of_units(numbers, "dropout")) >= gone


@dataclass(frozen=True)
class LogisticDropout(Dropout):
    """Units leave at a row with a probability that is a logistic function.

    Attributes
    ----------
    hazard : Logistic
        With the response of the row before they are missing at random, with that of the row itself,
        which is not observed, not at random.
    """

    hazard: Logistic

    kind = "logistic"

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """What it depends on."""
        return tuple(name for name, _ in self.hazard.slopes)

    def keeps(self, data: Mapping[str, Floats], rows: RowLayout, numbers: Numbers) -> Booleans:
        """Keep the rows before the first at which the unit leaves."""
        import numpy as np

        from hlm.rows.unit_loops import leave_at_first

        leaves = self.hazard.takes(data, rows, _uniform_of_rows(numbers, "dropout"))
        kept = np.empty(len(leaves), dtype=np.bool_)
        leave_at_first(leaves, rows.starts, kept)
        return kept


@dataclass(frozen=True)
class Missing:
    """What is missing of data sets.

    Attributes
    ----------
    rows : float
        The share of rows that are missing completely at random.
    units : float
        The share of units of which nothing is there.
    logistic : Logistic, optional
    dropout : Dropout, optional
    """

    rows: float = 0.0
    units: float = 0.0
    logistic: Logistic | None = None
    dropout: Dropout | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What it depends on: covariates, the response, `PREVIOUS`."""
        own = () if self.logistic is None else tuple(name for name, _ in self.logistic.slopes)
        return (*own, *(() if self.dropout is None else self.dropout.names))

    def kept(self, data: Mapping[str, Floats], layout: RowLayout, numbers: Numbers) -> Booleans:
        """Return which rows are left, (total,)."""
        import numpy as np

        kept = np.ones(layout.starts[-1], dtype=np.bool_)
        if self.rows:
            kept &= _uniform_of_rows(numbers, "rows") >= self.rows
        if self.units:
            kept &= layout.of_units(_uniform_of_units(numbers, "units")) >= self.units
        if self.logistic is not None:
            kept &= ~self.logistic.takes(data, layout, _uniform_of_rows(numbers, "logistic"))
        if self.dropout is not None:
            kept &= self.dropout.keeps(data, layout, numbers)
        return kept

    def to_dict(self) -> dict[str, Any]:
        """Return the shares and mechanisms as builtin types, for JSON."""
        return {
            "rows": self.rows,
            "units": self.units,
            "logistic": None if self.logistic is None else asdict(self.logistic),
            "dropout": None if self.dropout is None else self.dropout.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Missing:
        """Read what `to_dict` wrote.

        Examples
        --------
        >>> missing = Missing(0.1, logistic=Logistic(-2.0, (("x", 0.5),)))
        >>> Missing.from_dict(missing.to_dict()) == missing
        True
        """
        logistic, dropout = data["logistic"], data["dropout"]
        return cls(
            data["rows"],
            data["units"],
            None if logistic is None else _logistic(logistic),
            None if dropout is None else _dropout(dropout),
        )


def _logistic(data: Mapping[str, Any]) -> Logistic:
    return Logistic(data["intercept"], tuple((name, slope) for name, slope in data["slopes"]))


def _dropout(data: Mapping[str, Any]) -> Dropout:
    match data["kind"]:
        case "waves":
            return ByWave(tuple(data["gone"]))
        case "weibull":
            return Weibull(data["share"], data["shape"])
    return LogisticDropout(_logistic(data["hazard"]))


def _uniform_of_rows(numbers: Numbers, mechanism: str) -> Floats:
    from hlm.distributions import Uniform

    return numbers.of_rows(f"missing by {mechanism}", Uniform(0.0, 1.0))


def _uniform_of_units(numbers: Numbers, mechanism: str) -> Floats:
    from hlm.distributions import Uniform

    return numbers.of_units(f"missing by {mechanism}", Uniform(0.0, 1.0))
