"""Quantiles of families whose distribution function has no inverse in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hlm.distributions.base import Floats

__all__ = ["invert"]

MOST_STEPS = 100
"""Bisection alone would take some 60 to the last bit."""

LAST_STEP = 1e-9
"""A Newton step of this size leaves an error of the size of its square."""

ULP = 2.0**-52


def invert(
    function: Callable[[Floats], tuple[Floats, Floats]], target: Floats, low: Floats, high: Floats
) -> Floats:
    """Find x with function(x) = target, for an increasing function, between two bounds.

    By Newton's method; a step that leaves the bounds, which close in from both sides, is replaced
    by their middle. Each number is found by itself, so it does not depend on which others there
    are. The result is as exact as the function, in units in the last place of max(1, abs(x)).

    Parameters
    ----------
    function : callable
        Of x (n,): its values and its derivatives.
    target, low, high : ndarray (n,)

    Examples
    --------
    >>> import numpy as np
    >>> invert(lambda x: (x**3, 3 * x**2), np.array([8.0, 27.0]), np.zeros(2), np.full(2, 9.0))
    array([2., 3.])
    """
    import numpy as np

    x, low, high = low.copy(), low.copy(), high.copy()
    going = np.arange(x.size)
    for _ in range(MOST_STEPS):
        here = x[going]
        value, slope = function(here)
        below = value < target[going]
        low[going[below]], high[going[~below]] = here[below], here[~below]
        with np.errstate(all="ignore"):
            new = here - (value - target[going]) / slope
        outside = ~((new >= low[going]) & (new <= high[going]))
        new[outside] = (low[going[outside]] + high[going[outside]]) / 2.0
        x[going] = new
        last = np.where(outside, 4.0 * ULP, LAST_STEP) * np.maximum(1.0, np.abs(here))
        going = going[np.abs(new - here) > last]
        if not going.size:
            break
    return x
