"""Distributions, covariates, sizes of units, residuals and missing rows in words."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hlm.describe.marked import math
from hlm.distributions import STANDARD_NORMAL
from hlm.formula import formula_in
from hlm.rows.missing import PREVIOUS, ByWave, Logistic, Weibull
from hlm.rows.residual import ByExponential, ByPower, ByUnit, ByValue
from hlm.rows.sizes import Sizes
from hlm.tables.latex import escape
from hlm.words.inferences import joined
from hlm.words.levels import level_words
from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hlm.distributions import Distribution
    from hlm.rows.missing import Dropout, Missing
    from hlm.rows.residual import AutoRegressive, Variance
    from hlm.scenario import Covariate, Scenario
    from hlm.uncertain import Prior

__all__ = [
    "autocorrelation_words",
    "covariate_words",
    "effects_words",
    "missing_words",
    "prior_words",
    "residual_words",
    "rows_words",
    "shape_words",
    "variance_words",
]

MOST_VALUES = 8
EVEN = 1e-9
"""Steps that differ by less, in units of the range, are equal."""

_STANDARDIZED = "standardized to mean 0 and the stated variance"
_SIGMA2, _D = math(r"\sigma^2"), math("d")

_SHAPES: dict[str, Callable[[Any], str]] = {
    "normal": lambda _: "normal",
    "t": lambda d: f"Student's t with {_degrees(d.df)}",
    "chisq": lambda d: f"chi-square with {_degrees(d.df)}",
    "uniform": lambda _: "uniform",
    "laplace": lambda _: "Laplace (double exponential)",
    "lognormal": lambda d: f"lognormal with a logarithm of standard deviation {_n(d.log_sd)}",
    "skew_normal": lambda d: f"skew-normal with slant {_n(d.alpha)}",
    "mixture": lambda d: (
        f"a mixture of two normal distributions, the second one with probability {_n(d.share)} "
        f"and {_n(d.ratio)} times the standard deviation of the first"
    ),
}

_COVARIATES: dict[str, Callable[[Any], str]] = {
    "normal": lambda d: f"normal with mean {_n(d.mean)} and standard deviation {_n(d.sd)}",
    "uniform": lambda d: f"uniform from {_n(d.low)} to {_n(d.high)}",
    "binary": lambda d: f"1 with probability {_n(d.p)} and 0 otherwise",
    "categories": lambda d: (
        f"{_listed(d.labels or d.codes)} with the probabilities {_listed(d.shares)}"
    ),
    "balanced": lambda d: (
        f"{_listed(d.labels or d.codes)}, each equally often, allotted at random in each data set"
    ),
    "points": lambda d: f"fixed at {_points(d.values)}",
    "row_values": lambda d: f"fixed at {len(d.rows):,} values, those of the rows of the data",
    "unit_values": lambda d: f"those of units drawn with replacement from {len(d.values):,}",
    "generated_rows": lambda _: "drawn by the generator",
    "generated_units": lambda _: "drawn by the generator",
    "span": lambda d: (
        f"fixed at evenly spaced points from {_n(d.low)} to {_n(d.high)}, "
        f"{'both ends' if d.endpoint else 'the last one not'} included"
    ),
    "scaled": lambda d: (
        f"{_SHAPES[d.base.family](d.base)}, scaled to mean {_n(d.mean)} and standard deviation "
        f"{_n(d.sd)}"
    ),
}

_ORIGINS: dict[str, Callable[[Any], str]] = {
    "mean_of": lambda o: f"the mean of {o.of} over the rows of the unit",
    "latent_mean_of": lambda o: f"the mean of {o.of} that the unit has in the population",
    "centred_at_unit_mean": lambda o: f"{o.of} less its mean over the rows of the unit",
    "centred_at_grand_mean": lambda o: f"{o.of} less its mean over the data set",
    "measures": lambda o: (
        f"{o.of} measured with a normal error of standard deviation {_n(o.error_sd)}"
    ),
}

_SIZES: dict[str, Callable[[Any], str]] = {
    "mean_cv": lambda s: (
        f"a number of rows with mean {_n(s.mean_rows)} and coefficient of variation {_n(s.cv)}"
    ),
    "poisson": lambda s: f"a Poisson number of rows with rate {_n(s.rate)}, given at least one row",
    "negative_binomial": lambda s: (
        f"a negative binomial number of rows with rate {_n(s.rate)} and size {_n(s.size)}, given "
        "at least one row"
    ),
    "uniform": lambda s: f"{_n(s.low)} to {_n(s.high)} rows, each number equally often",
    "resampled": lambda s: (
        f"the rows of units drawn with replacement from the {len(s.sizes):,} of the data"
    ),
}

_PRIORS: dict[str, Callable[[Any], str]] = {
    "normal": lambda p: f"normal with mean {_n(p.mean)} and standard deviation {_n(p.sd)}",
    "lognormal": lambda p: (
        f"lognormal with a logarithm of mean {_n(p.log_mean)} and standard deviation {_n(p.log_sd)}"
    ),
    "uniform": lambda p: f"uniform from {_n(p.low)} to {_n(p.high)}",
    "truncated_normal": lambda p: (
        f"normal with mean {_n(p.mean)} and standard deviation {_n(p.sd)}, truncated to "
        f"{_n(p.low)} to {_n(p.high)}"
    ),
    "beta": lambda p: f"beta with parameters {_n(p.a)} and {_n(p.b)}",
    "tanh_normal": lambda p: (
        f"the hyperbolic tangent of a normal with mean {_n(p.atanh_mean)} and standard deviation "
        f"{_n(p.atanh_sd)}"
    ),
}


def shape_words(distribution: Distribution) -> str:
    """Say how random effects or residuals are distributed, but for mean and sd.

    Examples
    --------
    >>> from hlm.distributions import read_call
    >>> shape_words(read_call("chisq(1)"))
    'chi-square with 1 degree of freedom'
    """
    return _SHAPES[distribution.family](distribution)


def covariate_words(covariate: Covariate) -> str:
    """Say where the values of a covariate come from.

    Examples
    --------
    >>> from hlm.distributions import Binary
    >>> from hlm.scenario import Covariate
    >>> covariate_words(Covariate("arm", "unit", Binary(0.5)))
    '1 with probability 0.5 and 0 otherwise'
    """
    if covariate.origin is not None:
        return _ORIGINS[covariate.origin.kind](covariate.origin)
    distribution = covariate.distribution
    words = _COVARIATES.get(distribution.family, shape_words)(distribution)
    if not covariate.icc:
        return words
    return f"{words}, of whose variance the share {_n(covariate.icc)} lies between units"


def rows_words(scenario: Scenario) -> str:
    """Say how many rows units have."""
    rows = scenario.n_rows
    if isinstance(rows, Sizes):
        return f"{_SIZES[rows.family](rows)}, drawn anew for each data set"
    if isinstance(rows, int):
        return f"{rows:,} {noun(rows, 'row')}"
    if scenario.generator is not None:
        return "numbers of rows drawn by the generator"
    least, most = min(rows), max(rows)
    return f"{least:,} to {most:,} rows, {_n(scenario.mean_rows)} on average, fixed by the design"


def variance_words(variance: Variance | None) -> str:
    """Say how the residual variance differs between rows; '' where it does not."""
    match variance:
        case ByValue():
            ratios = joined(
                f"{_n(ratio)} times as large where {variance.by} is {_n(value)}"
                for value, ratio in variance.ratios
            )
            return f"the residual variance is {ratios} as elsewhere"
        case ByPower():
            power = math(rf"\sigma^2 |\text{{{escape(variance.by)}}}|^{{2 d}}")
            return f"the residual variance of a row is {power} with {_D} = {_n(variance.exponent)}"
        case ByExponential():
            of = math(rf"\sigma^2 \operatorname{{exp}}(2 d \, \text{{{escape(variance.by)}}})")
            return f"the residual variance of a row is {of} with {_D} = {_n(variance.rate)}"
        case ByUnit():
            return (
                "each unit has a residual standard deviation of its own, drawn from a "
                f"{variance.family} distribution with coefficient of variation {_n(variance.cv)}, "
                f"the mean of its square being {_SIGMA2}"
            )
    return ""


def autocorrelation_words(ar1: AutoRegressive | None) -> str:
    """Say how residuals of a unit are correlated; '' where they are independent."""
    if ar1 is None:
        return ""
    if not ar1.time:
        return (
            f"residuals of rows {math('j')} and {math('k')} of a unit have the correlation "
            f"{math('r^{|j - k|}')} with {math('r')} = {_n(ar1.cor)}"
        )
    return (
        f"residuals of two rows of a unit whose {ar1.time} differs by {math('d')} have the "
        f"correlation {math('r^d')} with {math('r')} = {_n(ar1.cor)}"
    )


def missing_words(missing: Missing | None, response: str) -> str:
    """Say which rows are left out of data sets; '' where none is."""
    if missing is None:
        return ""
    said = []
    if missing.rows:
        said.append(f"each row is missing completely at random with probability {_n(missing.rows)}")
    if missing.units:
        said.append(
            f"each unit is missing as a whole, completely at random, with probability "
            f"{_n(missing.units)}"
        )
    if missing.logistic is not None:
        said.append(f"a row is missing with probability {_expit(missing.logistic, response)}")
    if missing.dropout is not None:
        said.append(_dropout(missing.dropout, response))
    return "; ".join(said)


def prior_words(prior: Prior) -> str:
    """Say from what an uncertain parameter is drawn for each data set.

    Examples
    --------
    >>> from hlm.uncertain import read_prior
    >>> prior_words(read_prior("normal(0.3, 0.1)"))
    'normal with mean 0.3 and standard deviation 0.1'
    """
    return _PRIORS[prior.family](prior)


def effects_words(scenario: Scenario) -> str:
    """Say how the random effects are distributed: all alike, or each."""
    shapes = [shape_words(shape) for shape in scenario.shapes]
    if {*scenario.shapes} == {STANDARD_NORMAL}:
        return shapes[0]
    alike = shapes[0]
    if len(set(shapes)) > 1:
        effects = formula_in(scenario.formula, scenario.covariates).effects
        pairs = zip(shapes, effects, strict=True)
        alike = joined(f"{words} for {effect.name}" for words, effect in pairs)
    several = any(cor for a, row in enumerate(scenario.cor) for cor in row[:a])
    mixed = {"mixing": ", mixed linearly", "copula": ", joined by a Gaussian copula"}
    return f"{alike}{mixed[scenario.dependence] * several}, {_STANDARDIZED}"


def residual_words(scenario: Scenario) -> str:
    """Say how the residuals are distributed."""
    words = shape_words(scenario.residuals)
    return words if scenario.residuals == STANDARD_NORMAL else f"{words}, {_STANDARDIZED}"


def _dropout(dropout: Dropout, response: str) -> str:
    match dropout:
        case ByWave():
            return (
                "units drop out for good, completely at random; the shares of them that are gone "
                f"at row 1, 2, and so on are {_listed(dropout.gone)}, the last at all later rows"
            )
        case Weibull():
            share, shape = _n(dropout.share), _n(dropout.shape)
            return (
                f"units drop out for good, completely at random, {share} of them by their last "
                f"row, at Weibull times of shape {shape}"
            )
    hazard = dropout.hazard  # type: ignore[attr-defined]
    return f"units drop out for good, at each row with probability {_expit(hazard, response)}"


def _expit(logistic: Logistic, response: str) -> str:
    """Write the logistic function as a formula, and what kind of missing that is."""
    names = [name for name, _ in logistic.slopes]
    parts = [f"{logistic.intercept:g}"]
    for name, slope in logistic.slopes:
        words = f"{response} of the row before" if name == PREVIOUS else name
        of = rf"\text{{{escape(words)}}}"
        parts.append(f"{'-' if slope < 0 else '+'} {abs(slope):g} \\, {of}")
    formula = math(r"\operatorname{expit}(" + " ".join(parts) + ")")
    if response in names:
        kind = "missing not at random"
    elif PREVIOUS in names:
        kind = "missing at random"
    else:
        kind = "by covariates alone" if names else "missing completely at random"
    return f"{formula} ({kind})"


def _degrees(df: float) -> str:
    return f"{_n(df)} {noun(df, 'degree')} of freedom"


def _n(value: float) -> str:
    return level_words(float(value))


def _points(values: Sequence[float]) -> str:
    """List fixed values; say so where they are evenly spaced."""
    steps = [b - a for a, b in pairwise(values)]
    spread = max(values) - min(values)
    if len(steps) > 1 and max(steps) - min(steps) < EVEN * spread:
        return f"{len(values)} evenly spaced points from {_n(values[0])} to {_n(values[-1])}"
    return _listed(values)


def _listed(values: Sequence[Any]) -> str:
    """List some values, of many the first and the last."""
    texts = [value if isinstance(value, str) else _n(value) for value in values]
    if len(texts) > MOST_VALUES:
        return f"{', '.join(texts[:3])}, ..., {texts[-1]} ({len(texts):,} values)"
    return joined(texts)
