"""The inferences that there are: the one list that study files, `lmer` and studies go by.

To add one, write a function of a `Fitted` and put it here under its name. What it needs of the
fits beyond the observed information it says itself, and only fits for which it is asked pay for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.inference.coefficients import (
    between_within,
    bootstrap,
    by_count,
    cr2,
    infinite,
    kenward_roger,
    profile_of_coefficients,
    residual,
    satterthwaite,
    satterthwaite_expected,
)
from hlm.inference.random_part import percentile, profile, wald, wald_variance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hlm.estimands.kinds import Estimand, Scale
    from hlm.inference.fitted import Fitted, Inferred

__all__ = [
    "COEFFICIENTS",
    "COEFFICIENT_LIMITS",
    "RANDOM_PART",
    "RATIO_TESTS",
    "CoefficientInference",
    "RandomInference",
    "RatioInference",
    "wants_bootstrap",
    "wants_coefficient_profile",
    "wants_expected",
    "wants_profile",
    "wants_robust",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CoefficientInference:
    """A way to standard errors, degrees of freedom and F tests of coefficients.

    Attributes
    ----------
    name : str
        As in study files, results and options.
    infer : callable
        From `Fitted` to `Inferred`.
    expected : bool
        It rests on the expected information, in the place of the observed.
    adjusts : bool
        It adjusts the covariance of REML fits, and F with it; `lmer` has it for those only.
    robust : bool
        It takes the units for clusters, and what each leaves for all that is known of its errors.
    bootstrap : bool
        It rests on data sets drawn from the fit; one data frame has it by `LmerFit.confint`.
    """

    name: str
    infer: Callable[[Fitted], Inferred]
    expected: bool = False
    adjusts: bool = False
    robust: bool = False
    bootstrap: bool = False


@dataclass(frozen=True)
class RandomInference:
    """A way to confidence limits of the random part.

    Attributes
    ----------
    name : str
        As in study files, results and options.
    limits : callable
        From `Fitted` and the confidence level to the lower and upper limits of the random part,
        ndarray (..., n_theta + 1) each.
    profile : bool
        It rests on the profile likelihood.
    of_variances : bool
        Its Wald limits are on the scale of variances.
    bootstrap : bool
        As of `CoefficientInference`.
    """

    name: str
    limits: Callable[[Fitted, float], tuple[Floats, Floats]]
    profile: bool = False
    of_variances: bool = False
    bootstrap: bool = False

    def scale_of(self, one: Estimand) -> Scale:
        """Return the scale of the Wald limits of an estimand."""
        return one.wald_scale(of_variances=self.of_variances)


@dataclass(frozen=True)
class RatioInference:
    """A distribution that p-values of likelihood ratio tests are of.

    Attributes
    ----------
    name : str
        As in results.
    boundary : bool
        The mixture for a variance at the boundary, in the place of chi-square.
    """

    name: str
    boundary: bool = False

    def applies(self, n_effects: int) -> bool:
        """Tell whether there is one for a test under which so many random effects leave.

        Of two effects at the boundary at once the mixture's weights depend on the design.
        """
        return n_effects == 1 or not self.boundary


COEFFICIENTS = {
    inference.name: inference
    for inference in (
        CoefficientInference("satterthwaite", satterthwaite),
        CoefficientInference("satterthwaite-expected", satterthwaite_expected, expected=True),
        CoefficientInference("kenward-roger", kenward_roger, expected=True, adjusts=True),
        CoefficientInference("cr2", cr2, robust=True),
        CoefficientInference("between-within", by_count(between_within)),
        CoefficientInference("residual", by_count(residual)),
        CoefficientInference("infinite", by_count(infinite)),
        CoefficientInference("bootstrap", bootstrap, bootstrap=True),
    )
}
"""Inferences of coefficients and F tests, by name."""

COEFFICIENT_LIMITS = {"profile": profile_of_coefficients}
"""Inferences of coefficients that are limits only, without degrees of freedom and tests, by name:
from `Fitted` to the lower and upper limits, (..., p) each, made at the level when the fit was
there."""

RANDOM_PART = {
    inference.name: inference
    for inference in (
        RandomInference("wald", wald),
        RandomInference("wald-variance", wald_variance, of_variances=True),
        RandomInference("profile", profile, profile=True),
        RandomInference("bootstrap", percentile, bootstrap=True),
    )
}
"""Inferences of the random part, by name."""

RATIO_TESTS = {
    inference.name: inference
    for inference in (RatioInference("chi-square"), RatioInference("mixture", boundary=True))
}
"""Distributions of likelihood ratio statistics, by name."""


def wants_expected(df: Iterable[str]) -> bool:
    """Tell whether one of some inferences of coefficients rests on the expected information.

    Examples
    --------
    >>> wants_expected(["satterthwaite", "kenward-roger"]), wants_expected(["infinite"])
    (True, False)
    """
    return any(COEFFICIENTS[name].expected for name in df if name in COEFFICIENTS)


def wants_coefficient_profile(df: Iterable[str]) -> bool:
    """Tell whether one of some inferences of coefficients is the profile likelihood's.

    Examples
    --------
    >>> wants_coefficient_profile(["satterthwaite"]), wants_coefficient_profile(["profile"])
    (False, True)
    """
    return any(name in COEFFICIENT_LIMITS for name in df)


def wants_bootstrap(df: Iterable[str], limits: Iterable[str]) -> bool:
    """Tell whether some inferences of coefficients or of the random part rest on a bootstrap.

    Examples
    --------
    >>> wants_bootstrap(["bootstrap"], ["wald"]), wants_bootstrap(["infinite"], ["wald"])
    (True, False)
    """
    return any(COEFFICIENTS[name].bootstrap for name in df if name in COEFFICIENTS) or any(
        RANDOM_PART[name].bootstrap for name in limits
    )


def wants_robust(df: Iterable[str]) -> bool:
    """Tell whether one of some inferences of coefficients is cluster-robust.

    Examples
    --------
    >>> wants_robust(["satterthwaite", "cr2"]), wants_robust(["kenward-roger"])
    (True, False)
    """
    return any(COEFFICIENTS[name].robust for name in df if name in COEFFICIENTS)


def wants_profile(limits: Iterable[str]) -> bool:
    """Tell whether one of some inferences of the random part rests on the profile likelihood.

    Examples
    --------
    >>> wants_profile(["wald"]), wants_profile(["wald", "profile"])
    (False, True)
    """
    return any(RANDOM_PART[name].profile for name in limits)
