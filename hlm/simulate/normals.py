r"""Normal and chi-square numbers, drawn by compiled code from the words of NumPy's PCG64.

Normals are by Marsaglia and Tsang's ziggurat, and chi-squares of three and more degrees of freedom
by their method for gamma numbers. Both are NumPy's own to the last bit, in a fourth of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numba.np.random._constants import fi_double, ki_double, wi_double
from numba.np.random._constants import ziggurat_nor_inv_r as inverse_edge
from numba.np.random._constants import ziggurat_nor_r as edge
from numpy.typing import NDArray

from hlm.distributions import Normal
from hlm.jit import entry, inlined, kernel
from hlm.pcg64 import following, state_of, word_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hlm.distributions import Distribution

__all__ = ["States", "Stream", "chi_squares", "fill_normals", "standard_numbers", "states_of",
           "stream_of"]  # fmt: skip

Floats = NDArray[np.float64]
States: TypeAlias = NDArray[np.uint64]
Stream: TypeAlias = np.random.Generator | States

WIDTH, BELOW, HEIGHT = wi_double, ki_double, fi_double
"""Of the ziggurat's layers: their width over 2^52, up to which integer below all is under the
density, and the density at their edge."""

ONE, EIGHT, NINE, ELEVEN = np.uint64(1), np.uint64(8), np.uint64(9), np.uint64(11)
LAYER, FRACTION = np.uint64(0xFF), np.uint64((1 << 52) - 1)
SPACING = 2.0**-53


def states_of(generators: Iterable[np.random.Generator]) -> States:
    """Return the states (k, 4) of streams that compiled code is to draw from, and nothing else."""
    return np.stack([state_of(rng) for rng in generators])


def stream_of(shape: Distribution, rng: np.random.Generator) -> Stream:
    """Return the stream of numbers of a shape."""
    return states_of([rng]) if isinstance(shape, Normal) else rng


def standard_numbers(
    shape: Distribution, stream: Stream, size: tuple[int, ...], out: Floats | None = None
) -> Floats:
    """Draw numbers of a shape with mean 0 and sd 1, as `Distribution.standardized` does.

    Examples
    --------
    >>> first, second = np.random.default_rng(1), np.random.default_rng(1)
    >>> drawn = standard_numbers(Normal(), stream_of(Normal(), first), (2, 3))
    >>> bool((drawn == second.standard_normal((2, 3))).all())
    True
    """
    if isinstance(stream, np.random.Generator):
        return shape.standardized(stream, size, out=out)
    made = np.empty(size) if out is None else out
    fill_normals(stream, made.reshape(1, -1))
    return made


def chi_squares(state: States, freedom: Floats, n: int) -> Floats:
    """Draw chi-square numbers, (n, k), with these k degrees of freedom; 0 where they are 0.

    Examples
    --------
    >>> state = states_of([np.random.default_rng(1)])
    >>> chi_squares(state, np.array([0.0, 8.0]), 3).shape
    (3, 2)
    """
    made = np.empty((n, len(freedom)))
    fill_chi_squares(state[0], freedom, made)
    return made


@entry
def fill_normals(states, out):
    """Write standard normals into each row of `out` (k, n), from the stream of this row."""
    for k in range(len(states)):
        state, row = states[k], out[k]
        high, low, step_high, step_low = state[0], state[1], state[2], state[3]
        for i in range(len(row)):
            high, low, row[i] = next_normal(high, low, step_high, step_low)
        state[0], state[1] = high, low


@entry
def fill_chi_squares(state, freedom, out):
    """Write chi-square numbers, row after row of `out`, with degrees of freedom that are whole."""
    high, low, step_high, step_low = state[0], state[1], state[2], state[3]
    last = b = c = 0.0
    for r in range(out.shape[0]):
        for i in range(out.shape[1]):
            df = freedom[i]
            if df > 2.0:
                if df != last:
                    last, b = df, 0.5 * df - 1.0 / 3.0
                    c = 1.0 / np.sqrt(9.0 * b)
                high, low, value = next_gamma(high, low, step_high, step_low, b, c)
                out[r, i] = 2.0 * value
            elif df == 2.0:
                # An exponential number
                high, low, u = next_uniform(high, low, step_high, step_low)
                out[r, i] = -2.0 * np.log1p(-u)
            elif df == 1.0:
                high, low, z = next_normal(high, low, step_high, step_low)
                out[r, i] = z * z
            else:
                out[r, i] = 0.0
    state[0], state[1] = high, low


@kernel
def next_uniform(high, low, step_high, step_low):
    """Return the stream's state and a number from 0 to 1."""
    high, low = following(high, low, step_high, step_low)
    return high, low, SPACING * (word_of(high, low) >> ELEVEN)


@inlined
def of_word(word):
    """Return a layer, how far from the middle in it, as an integer, and the number there."""
    k, size = word & LAYER, (word >> NINE) & FRACTION
    x = size * WIDTH[k]
    if (word >> EIGHT) & ONE:
        x = -x
    return k, size, x


@inlined
def next_normal(high, low, step_high, step_low):
    """Return the stream's state and a standard normal.

    One word is enough for 99 of 100.
    """
    high, low = following(high, low, step_high, step_low)
    k, size, x = of_word(word_of(high, low))
    if size >= BELOW[k]:
        high, low, x = next_outside(high, low, step_high, step_low, k, size, x)
    return high, low, x


@kernel
def next_outside(high, low, step_high, step_low, k, size, x):
    """Return the stream's state and a standard normal, where x in layer k may be above the density.

    If it is, all begins again.
    """
    while size >= BELOW[k]:
        if k == 0:
            return next_of_tail(high, low, step_high, step_low, size)
        high, low, u = next_uniform(high, low, step_high, step_low)
        if (HEIGHT[k - ONE] - HEIGHT[k]) * u + HEIGHT[k] < np.exp(-0.5 * x * x):
            break
        high, low = following(high, low, step_high, step_low)
        k, size, x = of_word(word_of(high, low))
    return high, low, x


@kernel
def next_of_tail(high, low, step_high, step_low, size):
    """Return the stream's state and a normal beyond the ziggurat's edge, on either side."""
    while True:
        high, low, u = next_uniform(high, low, step_high, step_low)
        high, low, v = next_uniform(high, low, step_high, step_low)
        x, y = -inverse_edge * np.log1p(-u), -np.log1p(-v)
        if y + y > x * x:
            return high, low, -(edge + x) if (size >> EIGHT) & ONE else edge + x


@kernel
def next_gamma(high, low, step_high, step_low, b, c):
    """Return the stream's state and a gamma number of shape b + 1/3 above 1; c = 1 / sqrt(9 b).

    b v with v = (1 + c x)^3, x normal, where log u < x^2 / 2 + b (1 - v + log v), u uniform.
    """
    while True:
        high, low, x = next_normal(high, low, step_high, step_low)
        v = 1.0 + c * x
        while v <= 0.0:
            high, low, x = next_normal(high, low, step_high, step_low)
            v = 1.0 + c * x
        v = v * v * v
        high, low, u = next_uniform(high, low, step_high, step_low)
        if u < 1.0 - 0.0331 * (x * x) * (x * x):
            return high, low, b * v
        if np.log(u) < 0.5 * x * x + b * (1.0 - v + np.log(v)):
            return high, low, b * v
