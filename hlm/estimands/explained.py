"""The share of a variance that a larger model explains: an estimand over two models of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.estimand import Estimand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlm.estimands.parameters import Parameters
    from hlm.scenario import Comparison, Model, Terms

__all__ = ["Explained", "comparisons_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Explained(Estimand):
    """1 - (variance in the larger model) / (variance in the smaller one), a pseudo R2.

    It is no function of one fit: both are fitted to the same data, and each replicate's value is
    made of the two estimates where these are summarized. It may be negative. There is no standard
    error: the two estimates depend on each other in a way that neither fit knows.

    References
    ----------
    Raudenbush & Bryk (2002). Hierarchical Linear Models, 2nd edition, chapter 4.
    """

    kind, part, stage = "explained", "random", 3
    of_one_fit = False

    less: Model
    sd: str

    def value(self, at: Parameters) -> Floats:
        """Return NaN: one model's parameters do not tell."""
        return np.full(np.shape(at.sigma), np.nan)

    @staticmethod
    def share(less: Floats, more: Floats) -> Floats:
        """Return the share that is explained, of the sds in the smaller and the larger model.

        Examples
        --------
        >>> Explained.share(np.array([2.0, 0.0]), np.array([1.0, 0.0])).tolist()
        [0.75, nan]
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1.0 - (more / less) ** 2)


def comparisons_of(terms: Terms, comparisons: tuple[Comparison, ...]) -> Iterator[Explained]:
    """Yield those that a larger model, with these terms, has with smaller ones."""
    for one in comparisons:
        yield Explained(name=one.name, words=one.name, terms=terms, less=one.less, sd=one.sd)
