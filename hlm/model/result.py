"""`LmerFit`: a fitted linear mixed model, and what can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hlm.errors import InputError, nearest
from hlm.estimands.kinds import parameters_of
from hlm.inference import COEFFICIENTS, RANDOM_PART
from hlm.kernels.elements import free_elements
from hlm.kernels.kenward_roger import KenwardRoger
from hlm.model import effects
from hlm.model.inferred import infer
from hlm.model.moments import kenward_roger_of
from hlm.model.undetermined import open_terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from hlm.estimands.kinds import Estimand
    from hlm.model.contest import FTest
    from hlm.model.frame import Frame
    from hlm.model.moments import EngineFit
    from hlm.model.ranova import Ranova

__all__ = ["LmerFit"]

Floats = NDArray[np.float64]
DF_METHODS = tuple(name for name, one in COEFFICIENTS.items() if not one.bootstrap)
LIMIT_METHODS = (*(name for name, one in RANDOM_PART.items() if not one.bootstrap), "boot")


def owned(values: Any) -> Any:
    """Return a copy that cannot be written to."""
    copy = np.array(values)
    copy.flags.writeable = False
    return copy


def check_df_method(method: str) -> None:
    """Refuse an unknown method of degrees of freedom."""
    if method not in DF_METHODS:
        has_none = method in COEFFICIENTS
        raise InputError(
            "the bootstrap has no degrees of freedom; its limits are those of confint('boot')"
            if has_none
            else f"unknown method '{method}' of degrees of freedom",
            allowed=", ".join(DF_METHODS),
            suggestion=None if has_none else nearest(method, DF_METHODS),
        )


def check_level(level: float) -> None:
    """Refuse a confidence level that is no probability."""
    if not 0.0 < level < 1.0:
        raise InputError(f"the confidence level is {level:g}", allowed="between 0 and 1")


@dataclass(frozen=True, eq=False)
class LmerFit:
    """A fitted linear mixed model, named as lme4's.

    It owns its arrays, which cannot be written to; two fits are equal if they are the same one.

    Attributes
    ----------
    formula : str
    reml : bool
    coef_names : tuple of str, (p,)
    beta : ndarray (p,)
    vcov : ndarray (p, p)
        Of beta.
    theta : ndarray (n_theta,)
        Relative covariance factor, column by column; where the data do not determine it all, one of
        the equivalent ones.
    sigma : float
        Residual sd.
    criterion : float
        -2 log-likelihood, or the REML criterion.
    singular, converged : bool
        Psi lacks a dimension, whatever the units: `boundary_rank` is not 0. The search ended at a
        minimum.
    status : str
        'ok', 'partly_identified', 'not_converged', 'unidentified', 'perfect_fit',
        'constant_response' or 'not_finite'; with the last four all estimates are NaN, with
        'partly_identified' those of the terms in `undetermined`.
    iterations : int
    gradient_norm, smallest_eigenvalue : float
        Of the criterion in theta, and of its Hessian.
    boundary_rank : int
        How many dimensions Psi lacks: its zero variances, or perfect correlations; -1 if nothing
        was estimated.
    frame : Frame
        The data as the model sees them.
    """

    formula: str
    reml: bool
    coef_names: tuple[str, ...]
    beta: Floats
    vcov: Floats
    theta: Floats
    sigma: float
    criterion: float
    singular: bool
    converged: bool
    status: str
    iterations: int
    gradient_norm: float
    smallest_eigenvalue: float
    boundary_rank: int
    frame: Frame = field(repr=False)
    random: tuple[Floats, Floats] = field(repr=False)
    engine: EngineFit = field(repr=False)

    @property
    def se(self) -> Floats:
        """Standard errors of beta, (p,)."""
        return np.sqrt(np.diag(self.vcov))

    @property
    def loglik(self) -> float:
        """Log-likelihood, or restricted log-likelihood."""
        return -0.5 * self.criterion

    @property
    def npar(self) -> int:
        """Number of parameters: p, those of theta, and sigma."""
        return len(self.beta) + len(self.theta) + 1

    @property
    def nobs(self) -> int:
        """Number of rows."""
        return len(self.frame.y)

    @property
    def n_groups(self) -> int:
        """Number of units."""
        return len(self.frame.unit_names)

    @property
    def aic(self) -> float:
        """Akaike's criterion, from the method's own criterion as `AIC` of lme4."""
        return self.criterion + 2.0 * self.npar

    @property
    def bic(self) -> float:
        """Schwarz's criterion with log of the number of rows, as `BIC` of lme4."""
        return float(self.criterion + self.npar * np.log(self.nobs))

    @property
    def aicc(self) -> float:
        """AIC with Hurvich and Tsai's correction for small samples."""
        k = self.npar
        return self.aic + 2.0 * k * (k + 1.0) / (self.nobs - k - 1.0)

    @property
    def deviance(self) -> float:
        """-2 log-likelihood at the estimates, of a REML fit too.

        NaN where they leave open what ML sees of the random part and REML does not.
        """
        if not self.reml or not np.isfinite(self.criterion):
            return self.criterion
        if np.isnan(self.se).any():
            return float("nan")
        n, p, relative = self.nobs, len(self.beta), self.se / self.sigma
        correlation = self.vcov / np.outer(self.se, self.se)
        logdet_xx = -np.linalg.slogdet(correlation)[1] - 2.0 * np.log(relative).sum()
        restricted = (n - p) * (1.0 + np.log(2.0 * np.pi * self.sigma**2))
        profiled = n * (1.0 + np.log(2.0 * np.pi * self.sigma**2 * (n - p) / n))
        return float(self.criterion - logdet_xx - restricted + profiled)

    @property
    def lambda_(self) -> Floats:
        """Lambda, the relative covariance factor of one unit's random effects, (q, q)."""
        lower = np.zeros((self.frame.Z.shape[1],) * 2)
        lower[free_elements(self.frame.blocks)] = self.theta
        return lower

    @property
    def psi(self) -> Floats:
        """Covariance matrix of one unit's random effects, (q, q)."""
        return self.sigma**2 * self.lambda_ @ self.lambda_.T

    @cached_property
    def parameters(self) -> tuple[Estimand, ...]:
        """All that is estimated: fixed part, random part, sigma."""
        return tuple(parameters_of(self.frame.terms))

    @property
    def terms(self) -> list[str]:
        """Names of all that is estimated: fixed part, random part, sigma."""
        return [one.name for one in self.parameters]

    @property
    def undetermined(self) -> list[str]:
        """Terms of the random part that the data do not determine.

        Examples
        --------
        >>> from hlm import lmer
        >>> from hlm.datasets import load_sleepstudy
        >>> data = load_sleepstudy().assign(hours=lambda d: 24 * d.Days)
        >>> fit = lmer("Reaction ~ Days + (1 + Days + hours || Subject)", data)
        >>> fit.status, fit.undetermined
        ('partly_identified', ['sd_Days|Subject', 'sd_hours|Subject'])
        """
        if self.status != "partly_identified":
            return []
        names = self.terms[len(self.beta) :]
        return [name for name, is_open in zip(names, open_terms(self), strict=True) if is_open]

    def df(self, method: str = "satterthwaite") -> Floats:
        """Degrees of freedom of the coefficients, (p,).

        Parameters
        ----------
        method : str
            'satterthwaite' with the observed information, as lmerTest's; 'satterthwaite-expected'
            with the expected, which for one coefficient is 'kenward-roger' (REML only; its standard
            errors are adjusted too, see `tidy`); 'cr2', with the cluster-robust standard errors of
            clubSandwich, units being the clusters; 'between-within' as nlme's; 'residual', rows
            less coefficients; 'infinite', for Wald z.

        Raises
        ------
        InputError
            If the method is unknown, Kenward and Roger's is asked of an ML fit, or 'cr2' of a fit
            with weights.
        """
        check_df_method(method)
        self._check_defined(method)
        return infer(self, method).df

    @cached_property
    def adjusted(self) -> KenwardRoger:
        """Kenward and Roger's covariance and degrees of freedom, from the expected information."""
        return KenwardRoger(*map(owned, kenward_roger_of(self.engine, self.nobs)))

    def _check_defined(self, method: str) -> None:
        if COEFFICIENTS[method].adjusts and not self.reml:
            others = [name for name in DF_METHODS if not COEFFICIENTS[name].adjusts]
            raise InputError(
                "Kenward and Roger's method is defined for REML fits; this fit is by ML",
                allowed=", ".join(others),
            )
        # The rows times the roots of their weights have another square root of V, and another CR2
        if COEFFICIENTS[method].robust and (self.frame.weights != 1.0).any():
            raise InputError(
                "cluster-robust standard errors are for fits without weights; this fit has weights",
                allowed=", ".join(name for name in DF_METHODS if not COEFFICIENTS[name].robust),
            )

    def confint(
        self,
        method: str = "wald",
        level: float = 0.95,
        *,
        df_method: str = "satterthwaite",
        n: int = 1000,
        rng: np.random.Generator | int | None = None,
    ) -> pd.DataFrame:
        """Confidence limits of every term.

        Parameters
        ----------
        method : {'wald', 'wald-variance', 'profile', 'boot'}
            Wald's: t for fixed effects; for the random part on the log and atanh scale (as nlme),
            or on the scale of variances (as SAS and MLwiN), negative lower limits shown as 0.
            'profile' is lme4's: by the ML likelihood, the random part first; 0, -1 or 1 where the
            data do not exclude the boundary. 'boot' is the parametric bootstrap's percentiles, of
            the samples in which a term is estimated: a correlation with an sd of zero is not.
        level : float
        df_method : str
            See `df`; for Wald's.
        n : int
            Bootstrap samples.
        rng : numpy.random.Generator or int, optional
            For the bootstrap.

        Returns
        -------
        pandas.DataFrame
            Columns lower and upper, one row per term.
        """
        from hlm.model import limits

        check_level(level)
        if method not in LIMIT_METHODS:
            raise InputError(
                f"unknown method '{method}' of limits",
                allowed=", ".join(LIMIT_METHODS),
                suggestion=nearest(method, LIMIT_METHODS),
            )
        if method == "boot":
            return limits.percentiles(self, level, n, np.random.default_rng(rng))
        if RANDOM_PART[method].profile:
            return limits.profile(self, level)
        return limits.wald(self, level, df_method, method)

    def contest(self, contrasts: Any, method: str = "satterthwaite") -> FTest:
        """Test that several linear combinations of the coefficients are zero.

        Parameters
        ----------
        contrasts : array_like (r, p) or sequence of str
            The combinations, or the names of coefficients. Rows that depend on others are dropped.
        method : str
            As of `df`; 'kenward-roger' and 'cr2', whose test is HTZ, scale F too. Of the methods
            that have degrees of freedom for each coefficient only, 'between-within' and 'residual',
            the smallest; 'infinite' is Wald's chi-square / r.

        Raises
        ------
        InputError
            If the method or a coefficient is unknown, Kenward and Roger's is asked of an ML fit, or
            'cr2' of a fit with weights.

        Examples
        --------
        >>> from hlm import lmer
        >>> from hlm.datasets import load_ogorek2012
        >>> fit = lmer("y ~ x * a + (1 + x | unit)", load_ogorek2012())
        >>> test = fit.contest(["a", "x:a"])
        >>> round(test.F, 3), test.df, round(test.ddf, 3)
        (27.262, 2, 28.0)
        """
        from hlm.model.contest import contest

        check_df_method(method)
        self._check_defined(method)
        return contest(self, contrasts, method)

    def ranova(self) -> Ranova:
        """Test each term of the random part by the likelihood ratio, as lmerTest's `ranova`.

        Of a block of an intercept and slopes each slope leaves, with its correlations; another
        block leaves as a whole, and the last one leaves the model of least squares. By the
        fit's method: the fixed part is the same. `print` it, or take its `table`.

        Returns
        -------
        Ranova
            P-values by chi-square, as R's, and where one random effect leaves by the mixture too,
            in which a variance of 0 is at the boundary.

        Examples
        --------
        >>> from hlm import lmer
        >>> from hlm.datasets import load_sleepstudy
        >>> print(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).ranova())
        ANOVA-like table for random-effects: Single term deletions
        <BLANKLINE>
        Model:
        Reaction ~ Days + (Days | Subject)
                                     npar  logLik    AIC    LRT Df Pr(>Chisq) Pr(boundary)
        <none>                          6 -871.81 1755.6
        Days in (1 + Days | Subject)    4 -893.23 1794.5 42.837  2   4.99e-10    2.793e-10
        """
        from hlm.model.ranova import ranova

        return ranova(self)

    def vcov_random(self) -> pd.DataFrame:
        """Covariance matrix of the variances and covariances of the random part and of sigma^2.

        By the observed information, in the order of `terms`; NaN if the fit is singular, and in the
        rows and columns of what the data do not determine.
        """
        from hlm.model.limits import vcov_random

        return vcov_random(self)

    def estimands(
        self,
        what: Sequence[str | Mapping[str, str]] | Mapping[str, str],
        level: float = 0.95,
        *,
        df_method: str = "satterthwaite",
    ) -> pd.DataFrame:
        """Return what the model estimates besides its parameters, one row each.

        Parameters
        ----------
        what : sequence of str and mappings, or mapping of str to str
            Kinds, as in `estimation.estimands` of a study; under names, kinds and arithmetic of the
            model's terms.
        level : float
            Of the limits.
        df_method : str
            The inference of what is linear in the coefficients, as in `summary`.

        Returns
        -------
        pandas.DataFrame
            term, estimate, se, lower, upper, and before the limits df if something is linear in the
            coefficients; no row of a kind that the model does not have. By the delta method and
            Wald's limits, but for what is linear in the coefficients.

        Raises
        ------
        InputError
            If there is no such kind, term or function, or the text is no expression.

        Examples
        --------
        >>> from hlm import lmer
        >>> from hlm.datasets import load_sleepstudy
        >>> fit = lmer("Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy())
        >>> fit.estimands({"after_week": "(Intercept) + 7 * Days"}).round(2)
                 term  estimate     se    df   lower   upper
        0  after_week    324.68  11.97  17.0  299.42  349.94
        """
        from hlm.model.limits import further

        check_level(level)
        check_df_method(df_method)
        self._check_defined(df_method)
        return further(self, what, level, df_method)

    def tidy(self, df_method: str = "satterthwaite", level: float = 0.95) -> pd.DataFrame:
        """Every estimate as one row: term, estimate, se, df, statistic, p_value, lower, upper.

        Examples
        --------
        >>> from hlm import lmer
        >>> from hlm.datasets import load_sleepstudy
        >>> fit = lmer("Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy())
        >>> fit.tidy().round(3)[["term", "estimate", "se", "df"]].head(2)
                  term  estimate     se    df
        0  (Intercept)   251.405  6.825  17.0
        1         Days    10.467  1.546  17.0
        """
        from hlm.model.tidy import tidy

        check_level(level)
        return tidy(self, df_method, level)

    def ranef(self) -> pd.DataFrame:
        """Predicted random effects (BLUPs), one row per unit.

        Returns
        -------
        pandas.DataFrame
            (n_groups, q): K_i Z_i'(y_i - X_i beta), units in sorted order.
        """
        import pandas as pd

        columns = [name for names in self.frame.random_names for name in names]
        index = pd.Index(self.frame.unit_names, name=self.frame.formula.random[0].group)
        return pd.DataFrame(effects.unit_effects(self), index=index, columns=columns)

    def cond_var(self) -> Floats:
        """Conditional variance of each unit's random effects given beta, (n_groups, q, q)."""
        return self.sigma**2 * effects.gain(self)

    def response(self) -> Floats:
        """Return the response as observed, (n,)."""
        return self.frame.response.copy()

    def fitted(self) -> Floats:
        """X beta + Z b + offset, (n,)."""
        b = effects.unit_effects(self)[self.frame.units]
        random = np.einsum("na,na->n", self.frame.Z, b)
        return self.frame.X @ self.beta + random + self.frame.offset

    def residuals(self) -> Floats:
        """Observed less fitted, (n,)."""
        return self.response() - self.fitted()

    def predict(
        self, new: Any, *, se: bool = False, new_units: effects.NewUnits = "warn"
    ) -> Floats | tuple[Floats, Floats]:
        """Predict the mean response of new rows, offset included, (n,).

        Parameters
        ----------
        new : pandas.DataFrame or mapping of str to array_like
            With the formula's columns; a row with a missing value is predicted as missing. Labels
            of units are compared as text: 308, 308.0 and '308' are one.
        se : bool
            Return the standard errors too: of X beta + Z b as predictions of the units' own means,
            so that for a new unit the variance of its random effects is included.
        new_units : {'warn', 'population', 'error'}
            Of units that were not in the data, and of all rows if there is no column of units:
            the population's mean with a warning that says so, the same without, or an error as
            lme4's.

        Examples
        --------
        >>> from hlm import lmer
        >>> from hlm.datasets import load_sleepstudy
        >>> fit = lmer("Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy())
        >>> new = {"Days": [9, 9], "Subject": [308, 999]}
        >>> fit.predict(new, new_units="population").round(2)
        array([430.66, 345.61])
        >>> fit.predict({"Days": [9]}, new_units="population").round(2)
        array([345.61])
        """
        prediction, error = effects.predict(self, new, new_units)
        return (prediction, error) if se else prediction

    def summary(self, df_method: str | None = "satterthwaite") -> str:
        """Lay the fit out as lme4's summary, with lmerTest's df and p if there is a `df_method`."""
        from hlm.model.summary import summary

        if df_method is not None:
            check_df_method(df_method)
        return summary(self, df_method)
