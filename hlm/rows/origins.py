"""Covariates that come from others: means of units, centred ones, ones measured with error."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    import numpy as np
    from numpy.typing import NDArray

    from hlm.distributions import Distribution
    from hlm.rows.row_layout import RowLayout

    Floats = NDArray[np.float64]

    class Numbers(Protocol):
        """What draws numbers, by the name of a stream."""

        def of_rows(self, stream: str, distribution: Distribution) -> Floats:
            """Return independent numbers, (total,)."""

        def of_units(self, stream: str, distribution: Distribution) -> Floats:
            """Return independent numbers, (n, n_units)."""


__all__ = [
    "ORIGINS",
    "CentredAtGrandMean",
    "CentredAtUnitMean",
    "LatentMean",
    "Measured",
    "Origin",
    "UnitMean",
    "origin_from_dict",
]


@dataclass(frozen=True)
class Origin(ABC):
    """Where a covariate comes from.

    Attributes
    ----------
    of : str
        The covariate that it comes from.
    """

    of: str

    kind: ClassVar[str]

    @abstractmethod
    def values(self, name: str, data: Mapping[str, Floats], rows: RowLayout) -> Floats:
        """Return the covariate `name`: (total,) of rows, or (n, n_units) of units."""

    def to_dict(self) -> dict[str, Any]:
        """Return kind and fields as builtin types, for JSON."""
        return {"kind": self.kind, **asdict(self)}


class UnitMean(Origin):
    """The mean of a row-level covariate over the rows of a unit: its manifest mean."""

    kind = "mean_of"

    def values(self, name: str, data: Mapping[str, Floats], rows: RowLayout) -> Floats:  # noqa: ARG002
        """Return the means."""
        return rows.means(data[self.of])


class LatentMean(Origin):
    """The mean of a row-level covariate that its unit has in the population."""

    kind = "latent_mean_of"

    def values(self, name: str, data: Mapping[str, Floats], rows: RowLayout) -> Floats:  # noqa: ARG002
        """Return the part of the covariate that its unit's rows share, with the mean."""
        return data[between(self.of)]


class CentredAtUnitMean(Origin):
    """A row-level covariate less its mean over the rows of the unit."""

    kind = "centred_at_unit_mean"

    def values(self, name: str, data: Mapping[str, Floats], rows: RowLayout) -> Floats:  # noqa: ARG002
        """Return the differences."""
        return data[self.of] - rows.of_units(rows.means(data[self.of]))


class CentredAtGrandMean(Origin):
    """A covariate less its mean in the data set: over the rows, or over the units."""

    kind = "centred_at_grand_mean"

    def values(self, name: str, data: Mapping[str, Floats], rows: RowLayout) -> Floats:  # noqa: ARG002
        """Return the differences."""
        values = data[self.of]
        if values.ndim == 2:
            return values - values.mean(axis=1, keepdims=True)
        return values - rows.of_units(rows.grand_means(values))


@dataclass(frozen=True)
class Measured(Origin):
    """A covariate with a normal error of measurement, independent of all else.

    Attributes
    ----------
    error_sd : float
    """

    error_sd: float

    kind = "measures"

    def values(self, name: str, data: Mapping[str, Floats], rows: RowLayout) -> Floats:  # noqa: ARG002
        """Return what is observed."""
        return data[self.of] + self.error_sd * data[error(name)]


def between(name: str) -> str:
    """Name the part of a covariate that the rows of a unit share."""
    return f"{name} between units"


def error(name: str) -> str:
    """Name the error of a covariate that is measured with one."""
    return f"{name} error"


ORIGINS: dict[str, type[Origin]] = {
    one.kind: one for one in (UnitMean, LatentMean, CentredAtUnitMean, CentredAtGrandMean, Measured)
}
"""The kinds by name, as files have them."""


def origin_from_dict(data: Mapping[str, Any]) -> Origin:
    """Read what `Origin.to_dict` wrote.

    Examples
    --------
    >>> origin_from_dict(UnitMean("x").to_dict())
    UnitMean(of='x')
    """
    return ORIGINS[data["kind"]](**{k: v for k, v in data.items() if k != "kind"})
