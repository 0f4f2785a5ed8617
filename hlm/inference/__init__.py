"""Inferences: ways from one loaded fit to standard errors, degrees of freedom, limits and tests."""

from hlm.inference.fitted import Bootstrap, Expected, Fitted, Inferred, Robust
from hlm.inference.registry import (
    COEFFICIENTS,
    RANDOM_PART,
    CoefficientInference,
    RandomInference,
    wants_bootstrap,
    wants_expected,
    wants_profile,
    wants_robust,
)

__all__ = [
    "COEFFICIENTS",
    "RANDOM_PART",
    "Bootstrap",
    "CoefficientInference",
    "Expected",
    "Fitted",
    "Inferred",
    "RandomInference",
    "Robust",
    "wants_bootstrap",
    "wants_expected",
    "wants_profile",
    "wants_robust",
]
