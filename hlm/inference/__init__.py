"""Inferences: ways from one loaded fit to standard errors, degrees of freedom, limits and tests."""

from hlm.inference.fitted import Expected, Fitted, Inferred
from hlm.inference.registry import (
    COEFFICIENT_LIMITS,
    COEFFICIENTS,
    RANDOM_PART,
    RATIO_TESTS,
    CoefficientInference,
    RandomInference,
    RatioInference,
    wants_coefficient_profile,
    wants_expected,
    wants_profile,
)

__all__ = [
    "COEFFICIENTS",
    "COEFFICIENT_LIMITS",
    "RANDOM_PART",
    "RATIO_TESTS",
    "CoefficientInference",
    "Expected",
    "Fitted",
    "Inferred",
    "RandomInference",
    "RatioInference",
    "wants_coefficient_profile",
    "wants_expected",
    "wants_profile",
]
