"""The parameters of a mixed model: their places, and their values in one fit or in many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hlm.formula import Formula

__all__ = ["Columns", "Parameters"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The columns of a model: what its parameters belong to.

    Attributes
    ----------
    fixed : tuple of str, (p,)
    blocks : tuple of tuple of str
        The random effects, q in all, in blocks that are correlated within.
    group : str
        The grouping factor.
    degrees : tuple of int, (p,)
        Of how many variables each fixed column is the product, where that is known.
    """

    fixed: tuple[str, ...]
    blocks: tuple[tuple[str, ...], ...]
    group: str
    degrees: tuple[int, ...] = ()

    @classmethod
    def of_formula(cls, formula: Formula) -> Columns:
        """Return the columns of a formula without factors, as those of studies are.

        Examples
        --------
        >>> from hlm.formula import parse
        >>> Columns.of_formula(parse("y ~ x * a + (1 + x | g)")).degrees
        (0, 1, 1, 2)
        """
        return cls(
            tuple(term.name for term in formula.fixed),
            tuple(tuple(term.name for term in block.terms) for block in formula.random),
            formula.random[0].group,
            tuple(len(term.factors) for term in formula.fixed),
        )

    @property
    def effects(self) -> tuple[str, ...]:
        """The random effects, (q,)."""
        return tuple(name for block in self.blocks for name in block)

    @cached_property
    def elements(self) -> tuple[tuple[int, int], ...]:
        """The free elements of Psi, (row, column): column by column in each block, as lme4's theta.

        Examples
        --------
        >>> Columns((), (("(Intercept)", "x"), ("z",)), "g").elements
        ((0, 0), (1, 0), (1, 1), (2, 2))
        """
        pairs, start = [], 0
        for block in self.blocks:
            stop = start + len(block)
            pairs += [(a, b) for b in range(start, stop) for a in range(b, stop)]
            start = stop
        return tuple(pairs)

    def position(self, a: int, b: int) -> int:
        """Return where a gradient has an element of Psi: after the coefficients."""
        return len(self.fixed) + self.elements.index((max(a, b), min(a, b)))


class Parameters(NamedTuple):
    """Values of the parameters, of one fit or truth or of many at once.

    Attributes
    ----------
    beta : ndarray (..., p)
    sd : ndarray (..., q)
        Of the random effects.
    cor : ndarray (..., q, q)
        NaN where an sd is 0.
    sigma : ndarray (...)
    """

    beta: Floats
    sd: Floats
    cor: Floats
    sigma: Floats

    @property
    def psi(self) -> Floats:
        """Covariance of the random effects, (..., q, q): 0 of an effect that does not vary."""
        size = self.sd[..., :, None] * self.sd[..., None, :]
        return np.where(size == 0.0, 0.0, self.cor * size)

    @classmethod
    def of_covariance(cls, beta: Floats, psi: Floats, sigma: Floats) -> Parameters:
        """Return the parameters of a model with the covariance Psi, (..., q, q).

        Examples
        --------
        >>> psi = np.array([[4.0, 1.0], [1.0, 1.0]])
        >>> Parameters.of_covariance(np.zeros(1), psi, np.array(1.0)).cor.tolist()
        [[1.0, 0.5], [0.5, 1.0]]
        """
        sd = np.sqrt(np.diagonal(psi, axis1=-2, axis2=-1))
        size = sd[..., :, None] * sd[..., None, :]
        return cls(beta, sd, psi / np.where(size > 0.0, size, np.nan), sigma)

    @classmethod
    def of_estimates(cls, estimates: Floats, columns: Columns) -> Parameters:
        """Read coefficients, sds with correlations, and sigma, (..., p + elements + 1).

        Examples
        --------
        >>> columns = Columns(("(Intercept)",), (("(Intercept)", "x"),), "g")
        >>> Parameters.of_estimates(np.array([3.0, 2.0, 0.5, 1.0, 0.7]), columns).psi.tolist()
        [[4.0, 1.0], [1.0, 1.0]]
        """
        p, q = len(columns.fixed), len(columns.effects)
        sd = np.zeros((*estimates.shape[:-1], q))
        cor = np.zeros((*estimates.shape[:-1], q, q))
        cor[..., range(q), range(q)] = 1.0
        for place, (a, b) in enumerate(columns.elements, start=p):
            if a == b:
                sd[..., a] = estimates[..., place]
            else:
                cor[..., a, b] = cor[..., b, a] = estimates[..., place]
        return cls(estimates[..., :p], sd, cor, estimates[..., -1])
