r"""What a truth implies: the variance of the response by its sources, and shares of it.

With Psi the covariance of the random effects, the response y = x'b + z'u + e has in rows of a unit
the variances

    fixed_rows = b' W_x b,    slopes = tr(Psi W_z),    residual = sigma^2,

and the means of units have fixed_units = b' B_x b and units = tr(Psi (B_z + m_z m_z')), with W and
B the covariances of columns within units and between them and m their means. These are the five
sources of Rights and Sterba (2019, Psychological Methods 24, 309-338).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.covariates import sample
from hlm.estimands.column_moments import SAMPLE, column_moments
from hlm.formula import formula_in
from hlm.rows.residual import ByCovariate

if TYPE_CHECKING:
    from hlm.estimands.column_moments import Rows
    from hlm.formula import Term
    from hlm.scenario import CorrelatedSet, Covariate, Scenario

__all__ = ["Implied", "implied", "of_effects"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Implied:
    """Variances that a truth implies.

    Attributes
    ----------
    fixed_rows, fixed_units : float
        Of the fixed part: of rows within units, and of the means of units.
    slopes, units : float
        Of the random part, as above.
    residual : float
    icc : float
        Variance of the random intercepts over its sum with that of the residuals; NaN without
        random intercepts.
    about : bool
        Whether it rests on an example of the covariates.
    """

    fixed_rows: float
    fixed_units: float
    slopes: float
    units: float
    residual: float
    icc: float
    about: bool

    @property
    def total(self) -> float:
        """The variance of the response."""
        return self.fixed_rows + self.fixed_units + self.slopes + self.units + self.residual

    @property
    def r2_rows(self) -> float:
        """The share of the fixed part in the variance within units."""
        return self.fixed_rows / (self.fixed_rows + self.slopes + self.residual)

    @property
    def r2_units(self) -> float:
        """The share of the fixed part in the variance of the units' means; NaN if that is 0."""
        whole = self.fixed_units + self.units
        return self.fixed_units / whole if whole > 0.0 else float("nan")


def implied(scenario: Scenario) -> Implied:
    """Return what the truth of a scenario implies.

    Examples
    --------
    >>> from hlm.distributions import Normal
    >>> from hlm.scenario import Covariate, Scenario
    >>> x = Covariate("x", "row", Normal(0.0, 2.0))
    >>> truth = Scenario("", 10, 5, (x,), "y ~ x + (1 + x | g)", (("(Intercept)", 9.0), ("x", 0.5)),
    ...                  (1.0, 0.5), ((1.0, 0.5), (0.5, 1.0)), 2.0)
    >>> found = implied(truth)
    >>> found.fixed_rows, found.slopes, found.units, found.residual, found.icc, found.total
    (1.0, 1.0, 1.0, 4.0, 0.2, 7.0)
    """
    formula = formula_in(scenario.formula, scenario.covariates)
    data = scenario.covariates, scenario.typical_rows, scenario.correlated
    moments = column_moments(formula.fixed, *data)
    b = np.array([value for _, value in scenario.fixed])
    sd, cor = np.array(scenario.sd), np.array(scenario.cor)
    slopes, units, about = of_effects(formula.effects, sd, cor, *data)
    ratio, of_sample = _mean_ratio(scenario)
    residual = scenario.sigma**2 * ratio
    own = [s**2 for s, term in zip(scenario.sd, formula.effects, strict=True) if term.is_intercept]
    return Implied(
        fixed_rows=float(b @ moments.within @ b),
        fixed_units=max(0.0, float(b @ moments.between @ b)),  # a sample's may be just below
        slopes=slopes,
        units=units,
        residual=residual,
        icc=own[0] / (own[0] + residual) if own else float("nan"),
        about=moments.about or about or of_sample,
    )


def _mean_ratio(scenario: Scenario) -> tuple[float, bool]:
    """Return the mean of the residual variance over the stated one; and whether of a sample."""
    variance = scenario.variance
    if not isinstance(variance, ByCovariate):
        return 1.0, False
    (c,) = (c for c in scenario.covariates if c.name == variance.by)
    values, weights = np.array(c.distribution.values), None
    dependent = not c.is_plain or (c.distribution.is_fixed and not c.distribution.values)
    if dependent:
        data = sample(scenario.covariates, scenario.correlated, scenario.typical_rows, SAMPLE)[0]
        values = data[c.name]
    elif not c.distribution.is_fixed:
        values, weights = c.distribution.quadrature()
    return float(np.average(variance.of_values(values) ** 2, weights=weights)), dependent


def of_effects(
    terms: tuple[Term, ...],
    sd: Floats,
    cor: Floats,
    covariates: tuple[Covariate, ...],
    n_rows: Rows,
    correlated: tuple[CorrelatedSet, ...] = (),
) -> tuple[float, float, bool]:
    """Return the variances of the random part within units and of their means.

    Parameters
    ----------
    terms : tuple of Term (q,)
    sd : ndarray (q,)
    cor : ndarray (q, q)
    covariates : tuple of Covariate
    n_rows : int or tuple of int
    correlated : tuple of CorrelatedSet

    Returns
    -------
    within, between : float
    about : bool
        Whether they rest on an example of the covariates.
    """
    moments = column_moments(terms, covariates, n_rows, correlated)
    psi = sd[:, None] * cor * sd
    squares = moments.between + np.outer(moments.mean, moments.mean)
    return float((psi * moments.within).sum()), float((psi * squares).sum()), moments.about
