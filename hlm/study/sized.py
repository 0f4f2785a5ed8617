"""Which coefficients and sds of a truth follow from effect sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OF_COEFFICIENTS", "sized_names"]

OF_COEFFICIENTS = ("d", "d_within", "d_between", "r2")
"""The effect sizes that have a value for each coefficient."""


def sized_names(truth: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Return the coefficients and the random effects of which effect sizes are written.

    Parameters
    ----------
    truth : mapping
        As written, though there may be mistakes in it.

    Examples
    --------
    >>> sized_names({"effect_sizes": {"icc": 0.2, "d": {"a": 0.5}}})
    ({'a'}, {'(Intercept)'})
    """
    sizes = truth.get("effect_sizes")
    if not isinstance(sizes, dict):
        return set(), set()
    coefficients = {name for key in OF_COEFFICIENTS for name in _keys(sizes.get(key))}
    intercept = {INTERCEPT} if sizes.get("icc") is not None else set()
    return coefficients, {*_keys(sizes.get("slope_variance_ratio")), *intercept}


def _keys(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, dict) else ()
