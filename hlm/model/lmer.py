"""`lmer`: a linear mixed model fitted to one data frame, and what can be asked of the fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from hlm.engine.fit import (
    CRITERION,
    GRADIENT_NORM,
    ITERATIONS,
    PERFECT_FIT_TOLERANCE,
    SINGULAR,
    SMALLEST_EIGENVALUE,
    STATUS,
    STATUSES,
)
from hlm.engine.limits import confidence_limits
from hlm.errors import InputError, nearest
from hlm.formula import model_columns, random_names
from hlm.model.frame import Frame, model_frame
from hlm.model.moments import fit_frame, moments_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DF_METHODS", "LmerFit", "lmer", "lmer_each"]

Floats = NDArray[np.float64]
DfMethod = Literal["satterthwaite", "residual", "infinite"]

DF_METHODS = ("satterthwaite", "residual", "infinite")


@dataclass(frozen=True)
class LmerFit:
    """A fitted linear mixed model, named as lme4's.

    Attributes
    ----------
    formula : str
    reml : bool
    coef_names : tuple of str, (p,)
    beta : ndarray (p,)
    vcov : ndarray (p, p)
        Of beta.
    theta : ndarray (n_theta,)
        Relative covariance factor, column by column.
    sigma : float
        Residual sd.
    criterion : float
        -2 log-likelihood, or the REML criterion.
    singular, converged : bool
    status : str
        'ok', 'not_converged', 'unidentified', 'perfect_fit', 'constant_response' or 'not_finite'.
    iterations : int
    gradient_norm, smallest_eigenvalue : float
        Of the criterion in theta, and of its Hessian.
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
    frame: Frame = field(repr=False)
    _random: tuple[Floats, Floats] = field(repr=False)
    _satterthwaite: Floats = field(repr=False)

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
    def deviance(self) -> float:
        """-2 log-likelihood at the estimates, of a REML fit too."""
        if not self.reml:
            return self.criterion
        n, p = self.nobs, len(self.beta)
        r2 = self.sigma**2 * (n - p)
        logdet_xx = -np.linalg.slogdet(self.vcov / self.sigma**2)[1]
        restricted = (n - p) * (1.0 + np.log(2.0 * np.pi * self.sigma**2))
        profiled = n * (1.0 + np.log(2.0 * np.pi * r2 / n))
        return float(self.criterion - logdet_xx - restricted + profiled)

    @property
    def lambda_(self) -> Floats:
        """Lambda, the relative covariance factor of one unit's random effects, (q, q)."""
        q = self.frame.Z.shape[1]
        lower, k, start = np.zeros((q, q)), 0, 0
        for names in self.frame.random_names:
            for b in range(start, start + len(names)):
                for a in range(b, start + len(names)):
                    lower[a, b] = self.theta[k]
                    k += 1
            start += len(names)
        return lower

    @property
    def psi(self) -> Floats:
        """Covariance matrix of one unit's random effects, (q, q)."""
        return self.sigma**2 * self.lambda_ @ self.lambda_.T

    @property
    def terms(self) -> list[str]:
        """Names of all that is estimated: fixed part, random part, sigma."""
        group = self.frame.formula.random[0].group
        return [*self.coef_names, *random_names(self.frame.random_names, group)]

    def df(self, method: DfMethod = "satterthwaite") -> Floats:
        """Degrees of freedom of the coefficients, (p,).

        Parameters
        ----------
        method : {'satterthwaite', 'residual', 'infinite'}
            Satterthwaite's with the observed information as lmerTest's; rows less coefficients;
            or infinite, for Wald z.
        """
        match method:
            case "satterthwaite":
                return self._satterthwaite.copy()
            case "residual":
                return np.full(len(self.beta), float(self.nobs - len(self.beta)))
            case "infinite":
                return np.full(len(self.beta), np.inf)
        raise InputError(
            f"unknown method '{method}' of degrees of freedom",
            allowed=", ".join(DF_METHODS),
            suggestion=nearest(method, DF_METHODS),
        )

    def confint(
        self,
        method: Literal["wald"] = "wald",
        level: float = 0.95,
        *,
        df_method: DfMethod = "satterthwaite",
    ) -> pd.DataFrame:
        """Confidence limits of every term.

        Parameters
        ----------
        method : {'wald'}
            t for fixed effects; on the log scale for sds, on atanh for correlations.
        level : float
        df_method : str
            See `df`.

        Returns
        -------
        pandas.DataFrame
            Columns lower and upper, one row per term.
        """
        if method != "wald":
            raise InputError(f"unknown method '{method}' of limits", allowed="wald")
        tidy = self.tidy(df_method=df_method, level=level)
        return tidy.set_index("term")[["lower", "upper"]]

    def tidy(self, df_method: DfMethod = "satterthwaite", level: float = 0.95) -> pd.DataFrame:
        """Every estimate as one row: term, estimate, se, df, statistic, p_value, lower, upper.

        Examples
        --------
        >>> from hlm.datasets import load_sleepstudy
        >>> fit = lmer("Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy())
        >>> fit.tidy().round(3)[["term", "estimate", "se", "df"]].head(2)
                  term  estimate     se    df
        0  (Intercept)   251.405  6.825  17.0
        1         Days    10.467  1.546  17.0
        """
        import pandas as pd
        from scipy.special import stdtr

        p = len(self.beta)
        sds, sd_se = self._random
        estimate, se = np.append(self.beta, sds), np.append(self.se, sd_se)
        df = np.append(self.df(df_method), np.full(len(sds), np.nan))
        kinds = ["fixed"] * p + [_kind(term) for term in self.terms[p:]]
        lower, upper = confidence_limits(estimate, se, df, kinds, level)
        statistic = np.where(np.arange(len(df)) < p, estimate / se, np.nan)
        p_value = 2.0 * stdtr(np.where(np.isfinite(df), df, 1e300), -np.abs(statistic))
        return pd.DataFrame(
            {
                "term": self.terms,
                "estimate": estimate,
                "se": se,
                "df": df,
                "statistic": statistic,
                "p_value": p_value,
                "lower": lower,
                "upper": upper,
            }
        )

    def _gain(self) -> Floats:
        """K_i = Lambda (Lambda'Z'ZLambda + I)^-1 Lambda' of each unit, (n_units, q, q)."""
        Z, Lambda = self._weighted(self.frame.Z) @ self.lambda_, self.lambda_
        A = np.zeros((self.n_groups, Z.shape[1], Z.shape[1]))
        np.add.at(A, self.frame.units, Z[:, :, None] * Z[:, None, :])
        return Lambda @ np.linalg.solve(A + np.eye(Z.shape[1]), np.broadcast_to(Lambda.T, A.shape))

    def _weighted(self, columns: Floats) -> Floats:
        root = np.sqrt(self.frame.weights)
        return columns * (root[:, None] if columns.ndim == 2 else root)

    def ranef(self) -> pd.DataFrame:
        """Predicted random effects (BLUPs), one row per unit.

        Returns
        -------
        pandas.DataFrame
            (n_groups, q): K_i Z_i'(y_i - X_i beta), units in sorted order.
        """
        import pandas as pd

        score = np.zeros((self.n_groups, self.frame.Z.shape[1]))
        residual = self._weighted(self.frame.y - self.frame.X @ self.beta)
        np.add.at(score, self.frame.units, self._weighted(self.frame.Z) * residual[:, None])
        effects = np.einsum("iab,ib->ia", self._gain(), score)
        columns = [name for names in self.frame.random_names for name in names]
        index = pd.Index(self.frame.unit_names, name=self.frame.formula.random[0].group)
        return pd.DataFrame(effects, index=index, columns=columns)

    def cond_var(self) -> Floats:
        """Conditional variance of each unit's random effects given beta, (n_groups, q, q)."""
        return self.sigma**2 * self._gain()

    def fitted(self) -> Floats:
        """X beta + Z b + offset, (n,)."""
        return self._mean(self.frame.X, self.frame.Z, self.frame.units) + self.frame.offset

    def _mean(self, X: Floats, Z: Floats, units: NDArray[np.int64]) -> Floats:
        """X beta + Z b, where rows of units numbered -1 have b = 0."""
        b = np.vstack([self.ranef().to_numpy(), np.zeros(Z.shape[1])])
        return X @ self.beta + np.einsum("na,na->n", Z, b[units])

    def residuals(self) -> Floats:
        """Observed less fitted, (n,)."""
        return self.frame.y + self.frame.offset - self.fitted()

    def predict(self, new: Any) -> Floats:
        """Predict the response of new rows, (n,).

        Parameters
        ----------
        new : pandas.DataFrame or mapping of str to array_like
            With the formula's columns; units that were not in the data get the population's mean.
        """
        formula, levels = self.frame.formula, self.frame.levels
        names, X = model_columns(formula.fixed, new, levels=levels)
        X = X[:, [names.index(name) for name in self.coef_names]]
        blocks = [model_columns(block.terms, new, levels=levels)[1] for block in formula.random]
        group = formula.random[0].group
        numbers = {name: k for k, name in enumerate(self.frame.unit_names)}
        units = [numbers.get(name, -1) for name in new[group]] if group in new else [-1] * len(X)
        return self._mean(X, np.concatenate(blocks, axis=1), np.array(units, dtype=np.int64))

    def summary(self, df_method: DfMethod | None = "satterthwaite") -> str:
        """Lay the fit out as lme4's summary, with lmerTest's df and p unless `df_method` is None."""
        from hlm.model.summary import summary

        return summary(self, df_method)


def lmer(
    formula: str, data: Any, reml: bool = True, *, weights: str | Any | None = None
) -> LmerFit:
    """Fit a linear mixed model with one grouping factor by REML or maximum likelihood.

    Parameters
    ----------
    formula : str
        As lme4's, such as ``y ~ x * a + (1 + x | unit)``.
    data : pandas.DataFrame or mapping of str to array_like
        Rows with missing values are left out.
    reml : bool
    weights : str or array_like, optional
        Prior weights: the variance of a row is sigma^2 / weight.

    Returns
    -------
    LmerFit
        At a certified minimum of the criterion, or with a `status` that says why not.

    Raises
    ------
    InputError
        If the formula or the data cannot be used.

    References
    ----------
    Bates, Maechler, Bolker & Walker (2015), J. Stat. Softw. 67(1).

    Examples
    --------
    >>> from hlm.datasets import load_ogorek2012
    >>> fit = lmer("y ~ x * a + (1 + x | unit)", load_ogorek2012())
    >>> print(f"{fit.aic:.0f} {fit.bic:.0f} {fit.loglik:.0f} {fit.deviance:.0f}")
    2206 2244 -1095 2174
    """
    return _fit(formula, model_frame(formula, data, weights=weights), reml=reml)


def _fit(formula: str, frame: Frame, *, reml: bool) -> LmerFit:
    moments = moments_of(frame)
    room = fit_frame(moments, len(frame.y), reml=reml)
    summary, out = room.summary, room.estimates
    p = len(frame.names)
    status = STATUSES[int(summary[STATUS])]
    if not moments.total > PERFECT_FIT_TOLERANCE * float(frame.y @ frame.y):
        status = "constant_response"
    return LmerFit(
        formula=formula,
        reml=reml,
        coef_names=frame.names,
        beta=out.estimate[:p],
        vcov=out.vcov,
        theta=out.theta,
        sigma=float(out.estimate[-1]),
        criterion=float(summary[CRITERION] - np.log(frame.weights).sum()),
        singular=bool(summary[SINGULAR]),
        converged=status == "ok",
        status=status,
        iterations=int(summary[ITERATIONS]),
        gradient_norm=float(summary[GRADIENT_NORM]),
        smallest_eigenvalue=float(summary[SMALLEST_EIGENVALUE]),
        frame=frame,
        _random=(out.estimate[p:], out.se[p:]),
        _satterthwaite=out.df[:p],
    )


def lmer_each(formula: str, data: Any, by: str = "rep", reml: bool = True) -> pd.DataFrame:
    """Fit every data set of a stacked frame.

    Parameters
    ----------
    formula : str
    data : pandas.DataFrame
        Data sets below each other.
    by : str
        The column that tells them apart.
    reml : bool

    Returns
    -------
    pandas.DataFrame
        One row per data set: `by`, criterion, sigma, theta_1, ..., each coefficient, its
        se_<coefficient>, singular, status.

    Examples
    --------
    >>> import pandas as pd
    >>> from hlm.datasets import load_sleepstudy
    >>> two = pd.concat([load_sleepstudy().assign(rep=k) for k in (1, 2)])
    >>> lmer_each("Reaction ~ Days + (1 | Subject)", two)[["rep", "Days", "status"]].round(3)
       rep    Days status
    0    1  10.467     ok
    1    2  10.467     ok
    """
    import pandas as pd

    if by not in data:
        known = [str(name) for name in data]
        raise InputError(
            f"the data have no column '{by}'",
            allowed=", ".join(known),
            suggestion=nearest(by, known),
        )
    rows = [
        {by: key, **_as_row(lmer(formula, part, reml))}
        for key, part in data.groupby(by, sort=False)
    ]
    return pd.DataFrame(rows)


def _as_row(fit: LmerFit) -> dict[str, Any]:
    return {
        "criterion": fit.criterion,
        "sigma": fit.sigma,
        **{f"theta_{k}": value for k, value in enumerate(fit.theta, start=1)},
        **dict(zip(fit.coef_names, fit.beta, strict=True)),
        **{f"se_{name}": se for name, se in zip(fit.coef_names, fit.se, strict=True)},
        "singular": fit.singular,
        "status": fit.status,
    }


def _kind(term: str) -> str:
    return "cor" if term.startswith("cor_") else "sd"
