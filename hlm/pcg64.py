"""NumPy's bit generator PCG64, for compiled code: its state as four words, and its two functions.

O'Neill's permuted congruential generator: x' = a x + c modulo 2^128, and of x' the exclusive or of
its halves, rotated by its six highest bits. Numba has no words of 128 bits, so that its compiler is
told how these functions are computed (`hlm.pcg64_in_numba`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MULTIPLIER", "following", "state_of", "word_of"]

MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
"""The a of x' = a x + c."""

WORD = (1 << 64) - 1


def state_of(rng: np.random.Generator) -> NDArray[np.uint64]:
    """Return x and c of a generator, high words first; its own numbers do not move it on.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = following(*state_of(rng))
    >>> bool(word_of(*x) == rng.integers(1 << 64, dtype=np.uint64))
    True
    """
    own = rng.bit_generator.state["state"]
    parts = [half for x in (own["state"], own["inc"]) for half in (x >> 64, x & WORD)]
    return np.array(parts, dtype=np.uint64)


def following(
    high: np.uint64, low: np.uint64, step_high: np.uint64, step_low: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Return the x that follows one, both by its halves, with the halves of c."""
    x = (int(high) << 64 | int(low)) * MULTIPLIER + (int(step_high) << 64 | int(step_low))
    return np.uint64(x >> 64 & WORD), np.uint64(x & WORD)


def word_of(high: np.uint64, low: np.uint64) -> np.uint64:
    """Return the random word of an x."""
    mixed, turn = int(high) ^ int(low), int(high) >> 58
    return np.uint64((mixed >> turn | mixed << (64 - turn)) & WORD)
