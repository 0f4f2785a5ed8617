"""The covariates and unit sizes of a data set, as a design."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PilotDesign"]

Named = tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True)
class PilotDesign:
    """Units, their numbers of rows, and the values of covariates.

    Attributes
    ----------
    sizes : tuple of int (n_units,)
        Rows of each unit.
    unit_values : tuple of (str, tuple of float (n_units,))
        The covariates that are constant within units, by name.
    row_values : tuple of (str, tuple of float (n_obs,))
        The others, unit after unit.

    Examples
    --------
    >>> design = PilotDesign((2, 1), (("a", (0.0, 1.0)),), (("x", (1.0, 2.0, 5.0)),))
    >>> design.n_units, design.n_obs, len(design.key)
    (2, 3, 32)
    >>> PilotDesign.from_dict(design.to_dict()) == design
    True
    """

    sizes: tuple[int, ...]
    unit_values: Named
    row_values: Named

    @property
    def n_units(self) -> int:
        """The number of units."""
        return len(self.sizes)

    @property
    def n_obs(self) -> int:
        """The number of rows of all units."""
        return sum(self.sizes)

    @property
    def key(self) -> str:
        """32 hexadecimal digits that stand for all values."""
        text = json.dumps(asdict(self), separators=(",", ":"))
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def resampled(self, rng: np.random.Generator, n_units: int) -> NDArray[np.int64]:
        """Draw units with replacement, each to come with all its rows.

        Parameters
        ----------
        rng : numpy.random.Generator
        n_units : int
            How many.

        Returns
        -------
        ndarray of int (n_units,)
            Their places in `sizes`.

        Examples
        --------
        >>> import numpy as np
        >>> PilotDesign((2, 1), (), ()).resampled(np.random.default_rng(1), 4).tolist()
        [0, 1, 1, 1]
        """
        return rng.integers(self.n_units, size=n_units)

    def to_dict(self) -> dict[str, Any]:
        """Return it as builtin types, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PilotDesign:
        """Read what `to_dict` wrote, also as JSON has it."""
        units, rows = (
            tuple((name, tuple(values)) for name, values in data[key])
            for key in ("unit_values", "row_values")
        )
        return cls(tuple(data["sizes"]), units, rows)
