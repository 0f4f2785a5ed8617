"""How a model is fitted, and what becomes of a fit."""

from __future__ import annotations

__all__ = ["METHODS", "OUTCOMES", "REASONS"]

METHODS = {"reml": "REML", "ml": "ML"}

REASONS = {
    "unidentified": "the parameters cannot be told apart, or leave no residual",
    "perfect_fit": "the model fits the response exactly, its residual variance is zero",
    "constant_response": "the response is constant",
    "not_finite": "the data are too large or too small for the computer's numbers",
    "partly_identified": "the data do not determine",
    "not_converged": "the search did not end at a minimum",
}
"""Why a fit is not `ok`."""

OUTCOMES = {
    "converged": "converged",
    "singular": "singular",
    "cor_boundary": "a correlation of -1 or 1",
    "ok": "ok",
    "partly_identified": "partly identified",
    "not_converged": "not converged",
    "unidentified": "not identified",
    "perfect_fit": "perfect fit",
    "not_finite": "not finite",
}
"""What becomes of the fits of a study: the first three overlap, the others are the statuses."""
