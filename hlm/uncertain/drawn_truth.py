r"""Uncertain parameters of a truth -> those of each data set.

Each uncertain parameter is an increasing function of a standard normal, and the normals may be
correlated: a Gaussian copula. What is drawn of correlations of random effects are partial ones,

    L_ij = p_ij sqrt((1 - p_i0^2) ... (1 - p_i,j-1^2)),    p_ii = 1,

of effect i and j given those before j, with LL' the correlations: any values from -1 to 1 are
possible together, and of two effects the only one is their correlation.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from hlm.uncertain.priors import Prior, prior_from_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Drawable", "DrawnTruth", "Uncertain", "partial_correlations"]

Matrix = tuple[tuple[float, ...], ...]
Part = Literal["fixed", "sd", "cor", "sigma"]


@dataclass(frozen=True)
class Drawable:
    """A parameter that is drawn for each data set.

    Attributes
    ----------
    part : {'fixed', 'sd', 'cor', 'sigma'}
    place : tuple of int
        The number of the coefficient or the random effect; of a partial correlation those of its
        effects, the later one first; empty for sigma.
    prior : Prior
    """

    part: Part
    place: tuple[int, ...]
    prior: Prior


@dataclass(frozen=True)
class DrawnTruth:
    """The parameters of n data sets.

    Attributes
    ----------
    fixed : ndarray (n, p)
    sd : ndarray (n, q)
    root : ndarray (n, q, q), optional
        L of their correlations LL', where these are drawn.
    sigma : ndarray (n,)
    """

    fixed: Floats
    sd: Floats
    root: Floats | None
    sigma: Floats

    @property
    def cor(self) -> Floats:
        """The correlations LL', where these are drawn, (n, q, q)."""
        import numpy as np

        assert self.root is not None
        cor = np.matmul(self.root, np.swapaxes(self.root, 1, 2))
        return np.where(np.eye(self.root.shape[1], dtype=bool), 1.0, cor)

    def part(self, start: int, stop: int) -> DrawnTruth:
        """Return those of the data sets from place `start` to `stop - 1`."""
        own = slice(start, stop)
        root = None if self.root is None else self.root[own]
        return DrawnTruth(self.fixed[own], self.sd[own], root, self.sigma[own])


@dataclass(frozen=True)
class Uncertain:
    """Which parameters of a truth are drawn for each data set, and how.

    Attributes
    ----------
    parameters : tuple of Drawable (m,)
    weights : tuple of tuple of float (m, m)
        The lower triangular root of the correlations of the normals that they are made of; empty
        where they are independent.
    """

    parameters: tuple[Drawable, ...]
    weights: Matrix = ()

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Draw the uncertain parameters of n data sets, (n, m)."""
        import numpy as np

        z = rng.standard_normal((n, len(self.parameters)))
        values = np.empty_like(z)
        for a, one in enumerate(self.parameters):
            values[:, a] = one.prior.of_normal(self._mixed(z, a))
        return values

    def _mixed(self, z: Floats, a: int) -> Floats:
        """Return normal number a of each data set, (n,): sum_{k<=a} w_ak z_k."""
        if not self.weights:
            return z[:, a].copy()
        own = self.weights[a]
        total = own[0] * z[:, 0]
        for k in range(1, a + 1):
            total += own[k] * z[:, k]
        return total

    def truths(
        self,
        values: Floats,
        *,
        fixed: Sequence[float],
        sd: Sequence[float],
        cor: Sequence[Sequence[float]],
        sigma: float,
    ) -> DrawnTruth:
        """Put drawn values in the place of those of a truth.

        Parameters
        ----------
        values : ndarray (n, m)
            The uncertain parameters.
        fixed, sd, cor, sigma : sequence of float (p,), (q,), (q, q) and float
            The truth's.

        Examples
        --------
        >>> import numpy as np
        >>> from hlm.uncertain.priors import read_prior
        >>> one = Uncertain((Drawable("sd", (1,), read_prior("uniform(1, 3)")),))
        >>> found = one.truths(np.array([[2.0], [2.5]]), fixed=(0.3,), sd=(1.0, 2.0),
        ...                    cor=((1.0, 0.0), (0.0, 1.0)), sigma=1.0)
        >>> found.sd.tolist(), found.fixed.tolist(), found.root
        ([[1.0, 2.0], [1.0, 2.5]], [[0.3], [0.3]], None)
        """
        import numpy as np

        n = len(values)
        found = {
            "fixed": np.tile(np.array(fixed, dtype=float), (n, 1)),
            "sd": np.tile(np.array(sd, dtype=float), (n, 1)),
            "cor": np.tile(partial_correlations(np.array(cor, dtype=float)), (n, 1, 1)),
            "sigma": np.full(n, sigma),
        }
        for column, one in zip(values.T, self.parameters, strict=True):
            np.moveaxis(found[one.part], 0, -1)[one.place] = column
        correlated = any(one.part == "cor" for one in self.parameters)
        root = _root_of(found["cor"]) if correlated else None
        return DrawnTruth(found["fixed"], found["sd"], root, found["sigma"])

    def to_dict(self) -> dict[str, Any]:
        """Return it as builtin types, for JSON."""
        return {
            "parameters": [
                {**asdict(one), "prior": one.prior.to_dict()} for one in self.parameters
            ],
            "weights": self.weights,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Uncertain:
        """Read what `to_dict` wrote."""
        return cls(
            tuple(
                Drawable(one["part"], tuple(one["place"]), prior_from_dict(one["prior"]))
                for one in data["parameters"]
            ),
            tuple(tuple(row) for row in data["weights"]),
        )


def partial_correlations(cor: Floats) -> Floats:
    """Return p of correlations, (q, q), 1 on the diagonal; 0 where those before leave nothing.

    Examples
    --------
    >>> import numpy as np
    >>> found = partial_correlations(np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.5], [0.0, 0.5, 1.0]]))
    >>> found.round(3).tolist()
    [[1.0, 0.0, 0.0], [0.6, 1.0, 0.0], [0.0, 0.625, 1.0]]
    """
    import numpy as np

    from hlm.distributions.copula import root

    partial, lower = np.eye(len(cor)), root(cor)
    for i in range(1, len(cor)):
        left = 1.0
        for j in range(i):
            partial[i, j] = np.clip(lower[i, j] / np.sqrt(left), -1.0, 1.0) if left > 0.0 else 0.0
            left -= lower[i, j] ** 2
    return partial


def _root_of(partial: Floats) -> Floats:
    """Return L of partial correlations, (n, q, q) each."""
    import numpy as np

    lower = np.zeros_like(partial)
    for i in range(partial.shape[1]):
        left = np.ones(len(partial))
        for j in range(i + 1):
            lower[:, i, j] = partial[:, i, j] * np.sqrt(left)
            left = left * (1.0 - partial[:, i, j] ** 2)
    return lower
