"""The parameters of a mixed model: values in one fit or in many, and places in gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hlm.estimands.population import Population
    from hlm.scenario import Terms

__all__ = ["Parameters", "position"]

Floats = NDArray[np.float64]


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
    population : Population, optional
        The moments of the columns, of what rests on them.
    """

    beta: Floats
    sd: Floats
    cor: Floats
    sigma: Floats
    population: Population | None = None

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
    def of_estimates(cls, estimates: Floats, terms: Terms) -> Parameters:
        """Read coefficients, sds with correlations, and sigma, (..., p + elements + 1).

        Examples
        --------
        >>> from hlm.scenario import Terms
        >>> terms = Terms(("(Intercept)",), (("(Intercept)", "x"),), "g")
        >>> Parameters.of_estimates(np.array([3.0, 2.0, 0.5, 1.0, 0.7]), terms).psi.tolist()
        [[4.0, 1.0], [1.0, 1.0]]
        """
        p, q = len(terms.fixed), len(terms.effects)
        sd = np.zeros((*estimates.shape[:-1], q))
        cor = np.zeros((*estimates.shape[:-1], q, q))
        cor[..., range(q), range(q)] = 1.0
        for place, (a, b) in enumerate(terms.elements, start=p):
            if a == b:
                sd[..., a] = estimates[..., place]
            else:
                cor[..., a, b] = cor[..., b, a] = estimates[..., place]
        return cls(estimates[..., :p], sd, cor, estimates[..., -1])


def position(terms: Terms, a: int, b: int) -> int:
    """Return where a gradient has an element of Psi: after the coefficients.

    Examples
    --------
    >>> from hlm.scenario import Terms
    >>> position(Terms(("(Intercept)",), (("(Intercept)", "x"),), "g"), 0, 1)
    2
    """
    return len(terms.fixed) + terms.elements.index((max(a, b), min(a, b)))
