"""Residuals that differ in variance, or that depend on those before them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from math import log, log1p, sqrt
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from hlm.rows.origins import Numbers
    from hlm.rows.row_layout import RowLayout

    Floats = NDArray[np.float64]

__all__ = [
    "VARIANCES",
    "AutoRegressive",
    "ByCovariate",
    "ByExponential",
    "ByPower",
    "ByUnit",
    "ByValue",
    "Variance",
    "variance_from_dict",
]

STREAM = "residual variance"


class Variance(ABC):
    """How the variance of residuals differs between rows."""

    kind: ClassVar[str]

    @abstractmethod
    def factors(self, data: Mapping[str, Floats], rows: RowLayout, numbers: Numbers) -> Floats:
        """Return the sd of each row's residual over the stated one, (total,)."""

    def to_dict(self) -> dict[str, Any]:
        """Return kind and fields as builtin types, for JSON."""
        return {"kind": self.kind, **asdict(self)}  # type: ignore[call-overload]


@dataclass(frozen=True)
class ByCovariate(Variance):
    """A variance that is a function of a covariate.

    Attributes
    ----------
    by : str
        The covariate.
    """

    by: str

    @abstractmethod
    def of_values(self, values: Floats) -> Floats:
        """Return the sd at values of the covariate, over the stated one."""

    def factors(self, data: Mapping[str, Floats], rows: RowLayout, numbers: Numbers) -> Floats:  # noqa: ARG002
        """Return the sd at each row's value."""
        return self.of_values(rows.by_rows(data[self.by]))


@dataclass(frozen=True)
class ByValue(ByCovariate):
    """A variance for each of some values of a covariate, as varIdent of nlme.

    Attributes
    ----------
    by : str
    ratios : tuple of (float, float)
        Values of the covariate, and the variance there over that elsewhere.
    """

    ratios: tuple[tuple[float, float], ...]

    kind = "by_value"

    def of_values(self, values: Floats) -> Floats:
        """Return the root of the ratio of each value."""
        import numpy as np

        found = np.ones(values.shape)
        for value, ratio in self.ratios:
            found[values == value] = sqrt(ratio)
        return found


@dataclass(frozen=True)
class ByPower(ByCovariate):
    """A variance proportional to |x|^(2 exponent), as varPower of nlme.

    Attributes
    ----------
    by : str
    exponent : float
    """

    exponent: float

    kind = "by_power"

    def of_values(self, values: Floats) -> Floats:
        """Return |x|^exponent."""
        import numpy as np

        return np.abs(values) ** self.exponent


@dataclass(frozen=True)
class ByExponential(ByCovariate):
    """A variance proportional to exp(2 rate x), as varExp of nlme.

    Attributes
    ----------
    by : str
    rate : float
    """

    rate: float

    kind = "by_exponential"

    def of_values(self, values: Floats) -> Floats:
        """Return exp(rate x)."""
        import numpy as np

        return np.exp(self.rate * values)


@dataclass(frozen=True)
class ByUnit(Variance):
    """An sd for each unit, log-normal or gamma, whose squares have the mean 1.

    Attributes
    ----------
    family : {'lognormal', 'gamma'}
    cv : float
        The coefficient of variation of the sds.
    """

    family: str
    cv: float

    kind = "by_unit"

    def factors(self, data: Mapping[str, Floats], rows: RowLayout, numbers: Numbers) -> Floats:  # noqa: ARG002
        """Return the sd of each row's unit."""
        from hlm.distributions import STANDARD_NORMAL

        return rows.of_units(self.sds(numbers.of_units(STREAM, STANDARD_NORMAL)))

    def sds(self, z: Floats) -> Floats:
        """Turn standard normals into sds of units.

        Log-normal: exp(s z - s^2) with s^2 = log(1 + cv^2), so that E sd^2 = exp(2 s^2 - 2 s^2).
        Gamma: of the shape a = 1 / cv^2, divided by the root of E G^2 = a (a + 1).
        """
        import numpy as np
        from scipy.special import gammaincinv, ndtr

        if self.family == "lognormal":
            s2 = log1p(self.cv**2)
            return np.exp(sqrt(s2) * z - s2)
        a = 1.0 / self.cv**2
        return gammaincinv(a, ndtr(z)) / sqrt(a * (a + 1.0))


@dataclass(frozen=True)
class AutoRegressive:
    """Residuals of a unit that depend on the one before, with a correlation of cor^distance.

    Attributes
    ----------
    cor : float
        The correlation of residuals whose rows are 1 apart.
    time : str
        The covariate that says when; empty if rows follow one another at a distance of 1.
    """

    cor: float
    time: str = ""

    def apply(self, noise: Floats, data: Mapping[str, Floats], rows: RowLayout) -> None:
        """Turn independent numbers, (total,), into correlated ones of the same variance.

        In place.
        """
        import numpy as np

        from hlm.rows.unit_loops import correlate_rows

        retained = np.full(len(noise), self.cor)
        if self.time:
            distance = np.diff(data[self.time], prepend=0.0)
            distance[rows.position == 0] = 1.0
            if self.cor > 0.0:
                retained = np.exp(log(self.cor) * distance)
            else:
                retained = np.where(distance % 2.0 == 0.0, 1.0, -1.0) * abs(self.cor) ** distance
        correlate_rows(noise, retained, rows.starts)


VARIANCES: dict[str, type[Variance]] = {
    one.kind: one for one in (ByValue, ByPower, ByExponential, ByUnit)
}
"""The kinds by name, as files have them."""


def variance_from_dict(data: Mapping[str, Any]) -> Variance:
    """Read what `Variance.to_dict` wrote.

    Examples
    --------
    >>> variance_from_dict(ByValue("arm", ((1.0, 2.0),)).to_dict())
    ByValue(by='arm', ratios=((1.0, 2.0),))
    """
    fields = {k: v for k, v in data.items() if k != "kind"}
    if "ratios" in fields:
        fields["ratios"] = tuple((value, ratio) for value, ratio in fields["ratios"])
    return VARIANCES[data["kind"]](**fields)
