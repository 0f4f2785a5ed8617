"""How one of the models of a study is chosen: by which criteria, along which order."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["CRITERIA", "OF_INFORMATION", "OF_TESTS", "USUAL", "Selection", "Step"]

OF_INFORMATION = ("aic", "aicc", "bic")
"""Criteria of which the smallest value chooses."""

OF_TESTS = ("lrt", "lrt-mixture")
"""Likelihood-ratio tests along an order of models: by the chi-square distribution, and by the
mixture where a variance of the smaller model is 0."""

CRITERIA = (*OF_INFORMATION, *OF_TESTS)
"""Every criterion, in the order of a table."""


@dataclass(frozen=True)
class Step:
    """From one model of an order to the next larger one.

    Attributes
    ----------
    smaller, larger : str
    df : int
        The parameters that the smaller one lacks.
    boundary : bool
        Whether a variance is among them, which is 0 in the smaller model.
    one_fixed_part : bool
        Whether both have the same fixed part, so that REML criteria can be compared.
    """

    smaller: str
    larger: str
    df: int
    boundary: bool
    one_fixed_part: bool


@dataclass(frozen=True)
class Selection:
    """How one of the models is chosen.

    Attributes
    ----------
    criteria : tuple of str
        Some of `CRITERIA`.
    steps : tuple of Step
        From the smallest model of the order to the largest; of tests only.
    direction : {'forward', 'backward'}
        Forward from the smallest model while tests reject; backward from the largest while they
        do not.
    alpha : float
        A test rejects below it.
    estimate : bool
        Whether estimates after the selection are measured.
    """

    criteria: tuple[str, ...] = ("aic", "bic")
    steps: tuple[Step, ...] = ()
    direction: str = "forward"
    alpha: float = 0.05
    estimate: bool = False

    @property
    def order(self) -> tuple[str, ...]:
        """The models of the order, from the smallest to the largest."""
        return (*(step.smaller for step in self.steps[:1]), *(step.larger for step in self.steps))

    def tests_by(self, method: str, fitted: Collection[str]) -> bool:
        """Tell whether fits by a method, those of some models, can be tested along the order.

        All models of the order have such fits, and for REML one fixed part.
        """
        comparable = method == "ml" or all(step.one_fixed_part for step in self.steps)
        return bool(self.steps) and comparable and {*fitted} >= {*self.order}

    def to_dict(self) -> dict[str, Any]:
        """Return builtin types, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Selection:
        """Read what `to_dict` wrote."""
        steps = tuple(Step(**step) for step in data["steps"])
        return cls(**{**data, "criteria": tuple(data["criteria"]), "steps": steps})


USUAL = Selection()
"""What a study has that says nothing of it."""
