"""Small random data sets of every kind, in groups of one design each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hlm.kernels.data import CrossProducts
from hlm.kernels.elements import free_elements

__all__ = ["BLOCKS", "Group", "draw_group"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCKS = [(1,), (2,), (1, 1), (3,), (1, 2), (1, 1, 1), (2, 1)]
"""Sizes of the correlated blocks of random effects, in turn."""

SDS = (0.0, 0.1, 0.3, 1.0, 5.0)
"""Of a random effect before they are mixed; the residual's is 1."""


@dataclass(frozen=True)
class Group:
    """Data sets of one design; units shorter than the longest are filled up with rows of zeros.

    Attributes
    ----------
    blocks : tuple of int
    sizes : ndarray of int (m,)
        Rows of each unit.
    Z, X, y : ndarray (n, m, longest, q), (n, m, longest, p), (n, m, longest)
    """

    blocks: tuple[int, ...]
    sizes: Integers
    Z: Floats
    X: Floats
    y: Floats

    @property
    def n_obs(self) -> int:
        """Rows of one data set."""
        return int(self.sizes.sum())

    @property
    def q(self) -> int:
        """Number of random effects."""
        return self.Z.shape[3]

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return self.X.shape[3]

    @property
    def free(self) -> tuple[Integers, Integers]:
        """Rows and columns of the free elements of Lambda."""
        return free_elements(self.blocks)

    @property
    def identifiable(self) -> bool:
        """Whether every block leaves a residual, as lme4 demands, and so do all of them and X."""
        ranks = np.minimum(self.sizes, self.q).sum()
        return bool(self.n_obs > max(max(self.blocks) * len(self.sizes), self.p, ranks))

    @property
    def formula(self) -> str:
        """The model as a formula for the columns of `rows`."""
        names = ["1", *(f"z{k}" for k in range(1, self.q))]
        fixed = " + ".join([*names, *(f"a{k}" for k in range(self.p - self.q))])
        blocks = np.split(np.array(names), np.cumsum(self.blocks)[:-1])
        random = [" + ".join(block) for block in blocks]
        return f"y ~ {fixed}" + "".join(
            f" + ({terms if '1' in terms.split() else '0 + ' + terms} | g)" for terms in random
        )

    def rows(self, number: int) -> pd.DataFrame:
        """Return data set `number` as rows."""
        present = np.arange(self.y.shape[2]) < self.sizes[:, None]
        unit, _ = np.nonzero(present)
        columns = {"g": unit + 1, "y": self.y[number][present]}
        columns |= {f"z{k}": self.Z[number][present][:, k] for k in range(1, self.q)}
        columns |= {f"a{k}": self.X[number][present][:, self.q + k] for k in range(self.p - self.q)}
        return pd.DataFrame(columns)

    def crossed(self) -> CrossProducts:
        """Return all cross-products, as `hlm.kernels.stack.fit_stack` takes them."""
        columns = np.concatenate([self.Z, self.X], axis=3)
        gram = columns.swapaxes(2, 3) @ columns
        pairs = np.tril_indices(self.q + self.p)
        return CrossProducts(
            np.ascontiguousarray(gram[:, :, *pairs].swapaxes(1, 2)),
            np.ascontiguousarray(np.einsum("rija,rij->rai", columns, self.y)),
            np.einsum("rij,rij->r", self.y, self.y),
            np.ones((1, 1, len(self.sizes))),
            np.full(len(self.y), self.n_obs),
        )


def draw_group(number: int, n: int) -> Group:
    """Draw n data sets of design `number`: 3 to 30 units of 2 to 30 rows, no to strong effects.

    X is Z and perhaps a column of the units. Some designs are balanced, of some of these all units
    have the same rows of Z.
    """
    rng = np.random.default_rng([11, number])
    blocks = BLOCKS[number % len(BLOCKS)]
    q, units = sum(blocks), int(rng.integers(3, 31))
    most = int(rng.integers(max(2, q + 1), 31))
    balanced = rng.random() < 0.3
    sizes = rng.integers(most if balanced else int(rng.integers(2, most + 1)), most + 1, units)
    shared, of_units = bool(balanced and rng.random() < 0.5), int(rng.integers(0, 2))
    present = (np.arange(most) < sizes[:, None])[:, :, None]
    Z = np.broadcast_to(
        rng.normal(size=(n, 1 if shared else units, most, q)), (n, units, most, q)
    ).copy()
    Z[..., 0] = 1.0
    Z *= present
    X = np.concatenate([Z, rng.normal(size=(n, units, 1, of_units)) * present], axis=3)
    sd = rng.choice(SDS, (n, q, 1)) * np.tril(rng.normal(size=(n, q, q)))
    effects = rng.normal(size=(n, units, q)) @ sd.swapaxes(1, 2)
    beta = rng.normal(size=(n, 1, q + of_units, 1))
    y = (X @ beta)[..., 0] + (Z @ effects[..., None])[..., 0]
    y += rng.normal(size=(n, units, most)) * present[:, :, 0]
    return Group(blocks, sizes, Z, X, y)
