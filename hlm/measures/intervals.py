"""Limits made from estimates, standard errors and degrees of freedom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hlm.measures.formulas import Array

__all__ = ["with_limits"]


def with_limits(columns: dict[str, Array], level: float) -> dict[str, Array]:
    """Return the columns with limits estimate -/+ quantile x se, unless they have limits."""
    if "lower" in columns or "se" not in columns:
        return columns
    estimate, se = columns["estimate"], columns["se"]
    known = np.isfinite(estimate) & np.isfinite(se)
    half = np.where(known, _quantile(level, columns.get("df")) * se, np.nan)
    return columns | {"lower": estimate - half, "upper": estimate + half}


def _quantile(level: float, df: Array | None) -> float | Array:
    """Return the two-sided quantile of t with `df`, of the normal where it is NaN or infinite."""
    from scipy.special import ndtri, stdtrit

    p = (1 + level) / 2
    normal = float(ndtri(p))
    return normal if df is None else np.where(np.isfinite(df), stdtrit(df, p), normal)
