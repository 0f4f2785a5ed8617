"""A term of a model in a scenario -> its power, its width, its error, as functions of real units.

Generalized least squares at the true variances: the coefficients' covariance Phi, and degrees of
freedom by the expected information of the variances there. What depends on the design alone is
made once, so that units may be any real number: as many times each type of unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.closed_forms.noncentral import f_distribution, mean_width, power_of
from hlm.closed_forms.truth_information import information_at
from hlm.closed_forms.unit_types import unit_types_of
from hlm.estimands.kinds import Coefficient, Contrast, FTest
from hlm.estimands.true_values import true_parameters
from hlm.formula import terms_of
from hlm.inference import COEFFICIENTS, Expected, Fitted
from hlm.scenario import Model

if TYPE_CHECKING:
    from hlm.closed_forms.noncentral import FDistribution
    from hlm.closed_forms.truth_information import TruthInformation
    from hlm.closed_forms.unit_types import UnitTypes
    from hlm.estimands.kinds import Estimand
    from hlm.scenario import Scenario, Terms

__all__ = ["Answers", "Question", "question_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What there is to say of a term, in each of n designs; (n,).

    Attributes
    ----------
    of : FDistribution
        What F is distributed as.
    df : ndarray
        The (denominator) degrees of freedom of the critical value.
    noncentrality : ndarray
        Of F, which for one contrast is the square of that of t.
    power, width : ndarray
        The width is NaN of an F test.
    """

    of: FDistribution
    df: Floats
    noncentrality: Floats
    power: Floats
    width: Floats


@dataclass(frozen=True)
class Question:
    """A hypothesis L b + constant = 0 of a model in a scenario, and its design.

    Attributes
    ----------
    L : ndarray (r, p)
        In the formula's coefficients.
    values : ndarray (r,)
        What L b + constant truly is.
    types : UnitTypes
    sd, cor : ndarray (q,), (q, q)
        Of the random effects, in the model's terms.
    sigma : float
    terms : Terms
    inference : str
    level : float
    """

    L: Floats
    values: Floats
    types: UnitTypes
    sd: Floats
    cor: Floats
    sigma: float
    terms: Terms
    inference: str
    level: float

    @property
    def contrasts(self) -> Floats:
        """L in the coefficients of X* = X T_x^{-1}: L T_x^{-1}, (r, p)."""
        transform = self.types.columns.fixed_transform
        return np.linalg.solve(transform.T, self.L.T).T

    @property
    def psi(self) -> Floats:
        """The covariance of the effects of Z*, in units of sigma^2: T_z Psi T_z' / sigma^2."""
        transform = self.types.columns.random_transform
        size = np.outer(self.sd, self.sd)
        psi = np.where(size == 0.0, 0.0, self.cor * size) / self.sigma**2
        return np.asarray(transform @ psi @ transform.T)

    @property
    def directions(self) -> Floats:
        """What of Psi is estimated, (k, q, q): a basis of all T_z E T_z'.

        Psi + E has the blocks of the model, and no effects but those that vary. Degrees of freedom
        do not depend on the basis; this one is orthogonal wherever the covariates have their zero.
        """
        transform, found, start = self.types.columns.random_transform, [], 0
        for size in self.terms.sizes:
            there = [a for a in range(start, start + size) if self.sd[a] > 0.0]
            basis = np.linalg.qr(transform[:, there])[0].T
            pairs = ((u, v) for k, u in enumerate(basis) for v in basis[: k + 1])
            found += [np.outer(u, v) + np.outer(v, u) for u, v in pairs]
            start += size
        return np.array(found).reshape(-1, *transform.shape)

    def in_first_design(self) -> Question:
        """Return the question in the first of its designs."""
        return replace(self, types=self.types.first())

    def distribution(self, share: float = 1.0) -> tuple[FDistribution, Floats]:
        """Return what the inference's F is distributed as, and the df of its critical value.

        Parameters
        ----------
        share : float
            How many times the units there are.

        Raises
        ------
        UndeterminedError
            The design does not determine the coefficients or the variances.
        """
        known = self._known.scaled(share)
        of = f_distribution(self.contrasts, known)
        factor, df = self._inferred(share, known, of)
        return of._replace(scale=of.scale / factor), df

    @cached_property
    def _known(self) -> TruthInformation:
        return information_at(self.types, self.psi, self.directions)

    def answers(self, share: float = 1.0) -> Answers:
        """Return power, width and the rest with so many times the units; raises as above."""
        of, df = self.distribution(share)
        noncentrality = of.noncentrality(self.values / self.sigma)
        power = power_of(of, df, self.level, noncentrality)
        return Answers(of, df, noncentrality, power, self.sigma * mean_width(of, df, self.level))

    def _inferred(
        self, share: float, known: TruthInformation, of: FDistribution
    ) -> tuple[Floats, Floats]:
        """Return by what the inference multiplies F, and the degrees of freedom that it says.

        Those of a fit that has the true variances.
        """
        n, p = known.vcov.shape[:2]
        none, se, F = np.full((n, p), np.nan), np.ones((n, p)), np.ones((n, 1))
        pooled, adjusted = of.pooled[:, None], of.nu[:, None]
        n_obs, n_units = (share * each for each in self.types.totals)
        counts: Any = [np.broadcast_to(each[:, None], (n, 1)) for each in (n_obs, n_units)]
        places = self.types.columns.fixed
        between = places[:, 0] == 0
        fitted = Fitted(
            parameters=(),
            estimate=none,
            se=se,
            df=none,
            F=F,
            ddf=pooled,
            contrasts=[self.L],
            n_obs=counts[0],
            n_units=counts[1],
            constant=between & (places[:, 1] == 0),
            between=between,
            expected=Expected(none, se, F, pooled, of.scale[:, None], adjusted),
        )
        inferred = COEFFICIENTS[self.inference].infer(fitted)
        return inferred.F[:, 0], inferred.ddf[:, 0]


def question_of(scenario: Scenario, model: Model, term: Estimand, inference: str) -> Question:
    """Return the question of a term's power; the model must have the truth's columns."""
    terms = terms_of(model)
    alone = Model(model.name, model.formula, terms=model.terms)
    at = true_parameters(scenario, alone)
    L, constant = _contrasts(term, len(terms.fixed))
    return Question(
        L=L,
        values=L @ at.beta + constant,
        types=unit_types_of(scenario, model),
        sd=at.sd,
        cor=at.cor,
        sigma=float(at.sigma),
        terms=terms,
        inference=inference,
        level=model.level,
    )


def _contrasts(term: Estimand, p: int) -> tuple[Floats, float]:
    if isinstance(term, Contrast):
        return term.L, term.constant
    if isinstance(term, FTest):
        return np.eye(p)[list(term.places)], 0.0
    assert isinstance(term, Coefficient)
    return np.eye(p)[[term.place]], 0.0
