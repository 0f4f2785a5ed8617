"""The predictors of units' coefficients: what each is called."""

from __future__ import annotations

__all__ = ["AVERAGE", "BLUP", "LEAST_SQUARES", "PREDICTORS", "predictor_words"]

BLUP, LEAST_SQUARES, AVERAGE = "blup", "least_squares", "average"

PREDICTORS = {
    BLUP: "Predicted (BLUP)",
    LEAST_SQUARES: "Least squares of the unit",
    AVERAGE: "Fixed part alone",
}
"""Every predictor by its name in `predictions.parquet`, in the order of a table."""


def predictor_words(name: str) -> str:
    """Return a predictor's name in words.

    Examples
    --------
    >>> predictor_words("average")
    'Fixed part alone'
    """
    return PREDICTORS.get(name, name)
