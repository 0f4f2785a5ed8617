"""Inferences: ways from one loaded fit to standard errors, degrees of freedom, limits and tests."""

from hlm.inference.fitted import Expected, Fitted, Inferred
from hlm.inference.registry import (
    COEFFICIENTS,
    RANDOM_PART,
    RATIO_TESTS,
    CoefficientInference,
    RandomInference,
    RatioInference,
    wants_expected,
    wants_profile,
)

__all__ = [
    "COEFFICIENTS",
    "RANDOM_PART",
    "RATIO_TESTS",
    "CoefficientInference",
    "Expected",
    "Fitted",
    "Inferred",
    "RandomInference",
    "RatioInference",
    "wants_expected",
    "wants_profile",
]
