"""What a fit, or a stack of them, leaves for inference; and what an inference makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.estimands.kinds import Estimand
    from hlm.estimands.population import Population

__all__ = ["Bootstrap", "Expected", "Fitted", "Inferred", "Robust"]

Floats = NDArray[np.float64]


class Inferred(NamedTuple):
    """Inference of the coefficients and F tests of some fits.

    Attributes
    ----------
    se, df : ndarray (..., p)
    F, ddf : ndarray (..., n_tests)
        Statistics and denominator degrees of freedom.
    limits : ndarray (..., 2, p), optional
        Lower and upper limits, where they do not follow from standard errors by t.
    p_value : ndarray (..., n_tests), optional
        Of the F tests, where they are not those of an F distribution.
    contrasts : ndarray (..., 3, n_contrasts), optional
        Standard errors, lower and upper limits of linear combinations of coefficients, where they
        do not follow from an F test by t.
    """

    se: Floats
    df: Floats
    F: Floats
    ddf: Floats
    limits: Floats | None = None
    p_value: Floats | None = None
    contrasts: Floats | None = None


class Expected(NamedTuple):
    """What the expected information says of the coefficients of some fits.

    Attributes
    ----------
    df : ndarray (..., p)
        Satterthwaite's, which for one coefficient are Kenward and Roger's.
    se : ndarray (..., p)
        Kenward and Roger's for REML fits; for ML fits those not adjusted.
    F, ddf : ndarray (..., n_tests)
        F tests by Satterthwaite; without tests if nobody asked for these.
    F_adjusted, ddf_adjusted : ndarray (..., n_tests)
        By Kenward and Roger, for ML fits by Satterthwaite; likewise.
    """

    df: Floats
    se: Floats
    F: Floats
    ddf: Floats
    F_adjusted: Floats
    ddf_adjusted: Floats


class Robust(NamedTuple):
    """Cluster-robust inference of the coefficients of some fits, units being the clusters.

    Attributes
    ----------
    se, df : ndarray (..., p)
        CR2 standard errors, and Satterthwaite's degrees of freedom of them.
    F, ddf : ndarray (..., n_tests)
        HTZ tests; without tests if nobody asked for these.
    """

    se: Floats
    df: Floats
    F: Floats
    ddf: Floats


class Bootstrap(NamedTuple):
    """What data sets drawn from some fits say of these.

    Attributes
    ----------
    se : ndarray (..., p)
        Of the coefficients: their standard deviations.
    limits : ndarray (..., 2, p + n_theta + 1)
        Percentiles, lower and upper, made at the level when the fits were there.
    p_value : ndarray (..., n_tests)
        Of the F tests.
    contrasts : ndarray (..., 3, n_contrasts)
        Standard errors, lower and upper limits of the linear combinations of coefficients that a
        study asks for.
    """

    se: Floats
    limits: Floats
    p_value: Floats
    contrasts: Floats


class Fitted(NamedTuple):
    """What some fits of one model leave for inference; their shape is that of the leading axes.

    Attributes
    ----------
    parameters : sequence of Estimand, (p + n_theta + 1,)
    estimate, se : ndarray (..., p + n_theta + 1)
        Standard errors by the observed information; NaN at the boundary and of what the data do not
        determine.
    df : ndarray (..., p)
        Satterthwaite's, by the observed information.
    F, ddf : ndarray (..., n_tests)
        F tests by the same; without tests if no inference asked for these.
    contrasts : sequence of ndarray (r, p)
        Of each F test.
    n_obs : ndarray (..., 1)
        Number of observations; its leading axes may be of length 1.
    n_units : ndarray (..., 1)
        Number of units with observations; as above.
    constant, between : ndarray of bool (p,)
        Which columns are the intercept; which are constant within every unit.
    expected : Expected, optional
    robust : Robust, optional
    bootstrap : Bootstrap, optional
    profile : ndarray (..., 2, n_theta + 1), optional
        Lower and upper limits by profile likelihood; NaN of what the data do not determine.
    spread : ndarray (..., n_theta + 1, n_theta), optional
        Of the free elements of Psi and of sigma^2, see `kernels.inference.spread_of_variances`.
    n_star : ndarray (...), optional
        The number of observations, by REML less the coefficients; with `spread`.
    vcov : ndarray (..., p, p), optional
        The covariance of the coefficients, not adjusted.
    population : Population, optional
        The moments of the columns, for what rests on them.
    coefficient_profile : ndarray (..., 2, p), optional
        Lower and upper limits of the coefficients by profile likelihood.
    """

    parameters: Sequence[Estimand]
    estimate: Floats
    se: Floats
    df: Floats
    F: Floats
    ddf: Floats
    contrasts: Sequence[Floats]
    n_obs: NDArray[np.int64]
    n_units: NDArray[np.int64]
    constant: NDArray[np.bool_]
    between: NDArray[np.bool_]
    expected: Expected | None = None
    robust: Robust | None = None
    bootstrap: Bootstrap | None = None
    profile: Floats | None = None
    spread: Floats | None = None
    n_star: Floats | None = None
    vcov: Floats | None = None
    population: Population | None = None
    coefficient_profile: Floats | None = None

    @property
    def p(self) -> int:
        """The number of coefficients."""
        return len(self.constant)

    @property
    def n_random(self) -> int:
        """The number of parameters of the random part, sigma among them."""
        return len(self.parameters) - self.p
