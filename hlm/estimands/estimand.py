"""What an estimand is: one quantity, with its name, its words, its value and its gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.estimands.parameters import Parameters
    from hlm.scenario import Terms

__all__ = ["Estimand", "FurtherEstimand", "Part", "Scale"]

Floats = NDArray[np.float64]
Part = Literal["fixed", "random", "tests", "predictions"]
Scale = Literal["identity", "log", "square", "atanh", "correlation", "logit", "share"]
"""Scales of Wald limits, see `hlm.kernels.limits.confidence_limits`."""


@dataclass(frozen=True, kw_only=True)
class Estimand(ABC):
    """One quantity that a model estimates.

    Attributes
    ----------
    kind : str
        The key of its class in `KINDS`, and what the column `kind` of measures says.
    part : {'fixed', 'random', 'tests', 'predictions'}
        The part of the model that it is of.
    stage : int
        Where terms of several models are listed, those of a lower stage come first.
    scale, variance_scale : str
        The scale of its Wald limits, and of its limits by the method 'wald-variance'.
    tests_zero : bool
        Whether there is a test that it is 0: whether its limits may leave 0 out, and hold it.
    of_one_fit : bool
        Whether it is a function of one model's fit.
    name : str
        As in files of results.
    words : str
        As in sentences, tables and figures.
    order : int
        Its place among those of its kind in a table: main effects before products.
    terms : Terms
        The names in the model's formula.
    """

    kind: ClassVar[str]
    part: ClassVar[Part]
    stage: ClassVar[int]
    scale: ClassVar[Scale] = "identity"
    variance_scale: ClassVar[Scale] = "identity"
    tests_zero: ClassVar[bool] = False
    of_one_fit: ClassVar[bool] = True

    name: str
    words: str
    order: int = 0
    terms: Terms = field(repr=False)

    @abstractmethod
    def value(self, at: Parameters) -> Floats:
        """Return the value, (...); NaN where it is not defined."""

    def derivatives(self, at: Parameters) -> dict[int, Floats]:
        """Return the derivatives that are not 0, (...) each, by their places in `gradient`."""
        raise NotImplementedError(f"the gradient of {self.name} at {at}")

    def gradient(self, at: Parameters) -> Floats:
        """Return the derivatives in beta, the free elements of Psi and sigma^2, (..., n).

        NaN where there are none: at the boundary.
        """
        n = len(self.terms.fixed) + len(self.terms.elements) + 1
        gradient = np.zeros((*np.shape(at.sigma), n))
        with np.errstate(divide="ignore", invalid="ignore"):
            for place, derivative in self.derivatives(at).items():
                gradient[..., place] = np.where(np.isfinite(derivative), derivative, np.nan)
        return gradient

    @property
    def parts(self) -> frozenset[Part]:
        """The parts of the model whose parameters it is made of."""
        return frozenset((self.part,))

    @property
    def of_columns(self) -> bool:
        """Whether it rests on the moments of the columns: on `Parameters.population`."""
        return False

    def wald_scale(self, *, of_variances: bool) -> Scale:
        """Return the scale of its Wald limits, or of those by the method 'wald-variance'."""
        return self.variance_scale if of_variances else self.scale

    def from_limits(self, limits: Floats) -> Floats | None:  # noqa: ARG002 - some kinds use it
        """Return limits made of those of the random part, (..., n_theta + 1), or None.

        What increases with one of its parameters has its limits, by whatever inference.
        """
        return None


class FurtherEstimand(Estimand):
    """What a model estimates besides its parameters, where a study asks for it.

    Attributes
    ----------
    needs : str
        What a model must have for it, in words.
    """

    needs: ClassVar[str]

    @classmethod
    @abstractmethod
    def of_terms(cls, terms: Terms) -> Iterator[Self]:
        """Yield those of this kind that a model has."""
