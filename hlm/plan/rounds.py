"""Where the scenarios of a study stand on the way to the precision that it asks for.

A scenario begins with `at_least` replicates. Its measures say whether the precision is reached, or
how many it has in the next round. That depends on its measures alone, which depend on its
replicates alone: so a run that is stopped and goes on comes to the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hlm.precision import Precision

__all__ = ["Standing"]


@dataclass(frozen=True)
class Standing:
    """How many replicates each scenario has, and whether these are enough.

    Attributes
    ----------
    numbers : dict of str to int
        Replicates by scenario.
    reached : dict of str to bool
        Of the scenarios that will have no more: whether they have the precision, or as many
        replicates as the study allows.
    basis : str
        A hash of all on which the numbers depend but the scenarios.
    """

    numbers: dict[str, int]
    reached: dict[str, bool] = field(default_factory=dict)
    basis: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether no scenario will have more replicates."""
        return len(self.reached) == len(self.numbers)

    @property
    def missed(self) -> tuple[str, ...]:
        """The scenarios that have as many replicates as is allowed and not the precision."""
        return tuple(key for key, reached in self.reached.items() if not reached)

    def of(self, scenarios: Iterable[str], at_least: int, basis: str) -> Standing:
        """Return the same for other scenarios; for another basis, the beginning.

        Examples
        --------
        >>> standing = Standing({"a": 300, "b": 100}, {"a": True}, basis="0")
        >>> standing.of(["a", "c"], 100, "0")
        Standing(numbers={'a': 300, 'c': 100}, reached={'a': True}, basis='0')
        >>> standing.of(["a", "c"], 100, "1")
        Standing(numbers={'a': 100, 'c': 100}, reached={}, basis='1')
        """
        known = self if basis == self.basis else Standing({})
        numbers = {key: known.numbers.get(key, at_least) for key in scenarios}
        reached = {key: known.reached[key] for key in numbers if key in known.reached}
        return Standing(numbers, reached, basis)

    def after(self, ratios: Mapping[str, float], precision: Precision) -> Standing:
        """Return where scenarios stand once their measures are known.

        Parameters
        ----------
        ratios : mapping of str to float
            The largest MCSE of scenarios, in units of its target, with the present numbers.
        precision : Precision

        Examples
        --------
        >>> from hlm.precision import Precision, Target
        >>> rule = Precision((Target("bias", None, 0.01),), at_least=100, at_most=200)
        >>> first = Standing({"a": 100, "b": 100})
        >>> second = first.after({"a": 0.9, "b": 3.0}, rule)
        >>> second
        Standing(numbers={'a': 100, 'b': 200}, reached={'a': True}, basis='')
        >>> second.after({"b": 2.0}, rule).missed
        ('b',)
        """
        numbers, reached = dict(self.numbers), dict(self.reached)
        for key, n in self.numbers.items():
            if key in ratios and key not in reached:
                numbers[key] = precision.next_number(n, ratios[key])
                if numbers[key] == n:
                    reached[key] = ratios[key] <= 1.0
        return Standing(numbers, reached, self.basis)

    def to_dict(self) -> dict[str, Any]:
        """Return it as builtin types, for JSON."""
        return {"numbers": self.numbers, "reached": self.reached, "basis": self.basis}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Standing:
        """Read what `to_dict` wrote."""
        return cls(**data)
