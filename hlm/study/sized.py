"""Which coefficients and sds of a truth follow from effect sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEYS", "OF_COEFFICIENTS", "are_whole", "sized_names"]

OF_COEFFICIENTS = ("d", "d_within", "d_between", "r2")
"""The effect sizes that have a value for each coefficient."""


KEYS = {"icc", "total_variance", "slope_variance_ratio", *OF_COEFFICIENTS}


def are_whole(sizes: Mapping[str, Any]) -> bool:
    """Tell whether effect sizes, as written, are what they may be: no key misspelt, all in place.

    If not, nothing is said of what may lack only for that.

    Examples
    --------
    >>> are_whole({"icc": 0.2, "d": {"a": 0.5}}), are_whole({"rho": 0.2}), are_whole({"d": 0.5})
    (True, False, False)
    """
    mappings = ("slope_variance_ratio", *OF_COEFFICIENTS)
    return KEYS.issuperset(sizes) and all(isinstance(sizes.get(key, {}), dict) for key in mappings)


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
