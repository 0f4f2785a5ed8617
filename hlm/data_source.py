"""What a study took from a data set: which one, and what is to be known of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """A data set that a study was read with.

    The study's data depend on what was taken from it, not on where it lies.

    Attributes
    ----------
    key : str
        What it gave: the path in the study file, such as ``truth.fit``.
    data : str
        Its name, or its file, as the study file has it.
    blake2b : str
        Checksum of the file.
    remarks : tuple of str
        What `hlm check` says of it.

    Examples
    --------
    >>> source = Source("truth.fit", "pilot.csv", "0" * 64, ("12 units of 72 rows",))
    >>> Source.from_dict(source.to_dict()) == source
    True
    """

    key: str
    data: str
    blake2b: str
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as builtin types, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Source:
        """Read what `to_dict` wrote."""
        return cls(**{**data, "remarks": tuple(data["remarks"])})
