"""The Monte Carlo standard errors that a study asks for, and the replicates that they take.

A scenario is looked at after n replicates. If some MCSE is still r > 1 times its target, it needs
about n r^2 of them, for an MCSE falls with 1/sqrt(n). The MCSE is itself an estimate, so the next
look is at twice as many replicates at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from hlm.words.measures import MEASURES, RATES, WITHOUT_MCSE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SHARES", "STEP", "WITH_MCSE", "Precision", "Target", "needed"]

STEP = 100
"""Numbers of replicates are multiples of it: whole pieces of work, so none is computed twice."""

MOST_GROWTH = 2
"""A scenario has at most so many times as many replicates at the next look."""

SHARES = (
    *(name for name, one in MEASURES.items() if one.kind == "share" and name not in WITHOUT_MCSE),
    *RATES,
    *("unbounded", "absent"),
)
"""The measures that are proportions of replicates."""

WITH_MCSE = (
    *(
        name
        for name, one in MEASURES.items()
        if one.needs != "reference" and name not in WITHOUT_MCSE
    ),
    *RATES,
    *("unbounded", "absent"),
)
"""The measures of a study that have a Monte Carlo standard error."""


class Target(NamedTuple):
    """The MCSE that a measure shall have: of one term, or of all terms that have the measure."""

    measure: str
    term: str | None
    mcse: float

    @classmethod
    def of(cls, key: str, mcse: float) -> Target:
        """Read the key of a study file.

        Examples
        --------
        >>> Target.of("bias[x:a]", 0.01)
        Target(measure='bias', term='x:a', mcse=0.01)
        >>> Target.of("coverage", 0.005).term is None
        True
        """
        measure, bracket, term = key.partition("[")
        return cls(measure.strip(), term.removesuffix("]").strip() if bracket else None, mcse)

    @property
    def key(self) -> str:
        """What the study file calls it."""
        return self.measure if self.term is None else f"{self.measure}[{self.term}]"


@dataclass(frozen=True)
class Precision:
    """When a scenario has replicates enough.

    Attributes
    ----------
    targets : tuple of Target
    at_least, at_most : int
        Replicates of a scenario, multiples of `STEP`.
    """

    targets: tuple[Target, ...]
    at_least: int
    at_most: int

    def next_number(self, n: int, ratio: float) -> int:
        """Return at how many replicates a scenario is looked at next; n where it is finished.

        Parameters
        ----------
        n : int
            Its replicates now.
        ratio : float
            Its largest MCSE, in units of its target.

        Examples
        --------
        >>> rule = Precision((Target("coverage", None, 0.01),), at_least=100, at_most=2000)
        >>> rule.next_number(100, 1.0), rule.next_number(1000, 1.1), rule.next_number(1000, 1.001)
        (100, 1300, 1100)
        >>> rule.next_number(500, 30.0), rule.next_number(1500, 2.0), rule.next_number(2000, 1.1)
        (1000, 2000, 2000)
        """
        if ratio <= 1.0:
            return n
        wanted = n * min(ratio**2, MOST_GROWTH)
        return min(self.at_most, max(n + STEP, STEP * ceil(wanted / STEP)))

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as builtin types, for JSON."""
        return {
            "until": {target.key: target.mcse for target in self.targets},
            "at_least": self.at_least,
            "at_most": self.at_most,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Precision:
        """Read what `to_dict` wrote.

        Examples
        --------
        >>> rule = Precision((Target("bias", "x", 0.01),), 100, 2000)
        >>> Precision.from_dict(rule.to_dict()) == rule
        True
        """
        targets = tuple(Target.of(key, mcse) for key, mcse in data["until"].items())
        return cls(targets, data["at_least"], data["at_most"])


def needed(share: float, mcse: float) -> int:
    """Return how many replicates give a share that MCSE: p (1 - p)/MCSE^2 (Morris et al., 2019).

    Examples
    --------
    >>> needed(0.95, 0.005), needed(0.5, 0.01)
    (1900, 2500)
    """
    return ceil(round(share * (1.0 - share) / mcse**2, 6))
