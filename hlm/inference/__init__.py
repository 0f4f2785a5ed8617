"""Inferences: ways from one loaded fit to standard errors, degrees of freedom, limits and tests."""

from hlm.inference.fitted import Bootstrap, Expected, Fitted, Inferred, Robust
from hlm.inference.registry import (
    COEFFICIENT_LIMITS,
    COEFFICIENTS,
    RANDOM_PART,
    RATIO_TESTS,
    CoefficientInference,
    RandomInference,
    RatioInference,
    wants_bootstrap,
    wants_coefficient_profile,
    wants_expected,
    wants_profile,
    wants_robust,
)

__all__ = [
    "COEFFICIENTS",
    "COEFFICIENT_LIMITS",
    "RANDOM_PART",
    "RATIO_TESTS",
    "Bootstrap",
    "CoefficientInference",
    "Expected",
    "Fitted",
    "Inferred",
    "RandomInference",
    "RatioInference",
    "Robust",
    "wants_bootstrap",
    "wants_coefficient_profile",
    "wants_expected",
    "wants_profile",
    "wants_robust",
]
