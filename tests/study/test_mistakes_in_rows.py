"""Guesses of who has not read the manual: rows, missing rows, residuals, covariates from others.

Each mistake has its line and path, says what is allowed, and names the right key with an example.
"""

from __future__ import annotations

import numpy as np
import pytest

from hlm.cli import main
from hlm.errors import InputError
from hlm.simulate import draw_rows
from hlm.study import Study

BASE = """\
name: demo
seed: 1
replicates: 100
truth:
  formula: y ~ x + a + (1 | school)
  fixed: {(Intercept): 1.0, x: 0.5, a: 0.3}
  random: {school: {sd: {(Intercept): 0.5}}}
  residual: {sd: 1}
design:
  units: 20
  rows: 10
  covariates:
    a: {level: unit, balanced: [0, 1]}
    x: {level: row}
    w: {level: row, distribution: lognormal(1)}
    z: {level: row, icc: 0.3}
    t: {level: row, grid: {from: 0, to: 9}}
    s: {level: unit, categories: {north: 0.5, south: 0.5}}
models:
  full: y ~ x + a + (1 | school)
"""

UP_TO_COVARIATES = BASE[BASE.index("  residual:") : BASE.index("    a:")]


def case(name, old, new, line, path, *fragments):
    """Return a change of BASE, where the message says it is, and parts of it."""
    assert old in BASE, name
    return pytest.param(BASE.replace(old, new, 1), line, path, fragments, id=name)


def rows(written, path, *fragments):
    where = f"design.rows{path}"
    return case(f"rows {written}", "rows: 10", f"rows: {written}", 11, where, *fragments)


def missing(written, path, *fragments):
    where, new = f"design.missing{path}", f"rows: 10\n  missing: {written}\n"
    return case(f"missing {written}", "rows: 10\n", new, 12, where, *fragments)


def dropout(written, path, *fragments):
    return missing(f"{{dropout: {written}}}", f".dropout{path}", *fragments)


def beside(written, key, *fragments):
    """Return a key of the design that there is not."""
    new = f"rows: 10\n  {written}\n"
    return case(f"design {written}", "rows: 10\n", new, 12, f"design.{key}", *fragments)


def residual(written, path, *fragments):
    new, where = f"residual: {{sd: 1, {written}}}", f"truth.residual.{path}"
    return case(f"residual {written}", "residual: {sd: 1}", new, 8, where, *fragments)


def variance(written, path, *fragments):
    return residual(f"variance: {written}", f"variance{path}", *fragments)


def covariate(written, path, *fragments):
    """Return a covariate q that is wrong."""
    new, where = f"    q: {written}\n    a:", f"design.covariates.q{path}"
    return case(f"covariate {written}", "    a:", new, 13, where, *fragments)


def correlated(written, path, *fragments):
    new, where = f"rows: 10\n  correlated: {written}\n", f"design.correlated{path}"
    return case(f"correlated {written}", "rows: 10\n", new, 12, where, *fragments)


def formula(term, *fragments):
    new = f"full: y ~ {term} + a"
    return case(f"formula {term}", "full: y ~ x + a", new, 20, "models.full", *fragments)


def grid(written, path, *fragments, design="rows: 10\n"):
    """Return a level of the grid that is wrong, beside a design that may have more lines."""
    text = BASE.replace("rows: 10\n", design, 1).replace("models:", f"grid: {{{written}}}\nmodels:")
    line = 19 + design.count("\n") - 1
    return pytest.param(text, line, f"grid.{path}", fragments, id=f"grid {written}")


ALL_ROWS = (
    "{list: [5, 10]}, {mean: 30, cv: 0.6}, {poisson: 20}, "
    "{negative_binomial: {mean: 20, size: 2}}, {uniform: [5, 40]}, {total: 600, cv: 0.5}"
)
ALL_VARIANCES = (
    "{by: arm, ratio: {1: 2}}, {by: unit, cv: 0.3}, {power_of: x, exponent: 0.5}, "
    "{exponential_of: x, rate: 0.2}"
)
ALL_DROPOUT = (
    "{waves: [0, 0.1, 0.2]}, {weibull: {share: 0.3}}, {logistic: {(Intercept): -3, previous: 1}}"
)
ALL_DISTRIBUTIONS = (
    "allowed: normal, uniform, binary, laplace, t(5), chisq(1), lognormal(0.5), skew_normal(4), "
    "mixture(0.1, 3)"
)

ROWS = [
    rows("{mean: 30, sd: 10}", ".sd", "unknown key 'sd'", "the sd over the mean", "'cv: 0.333'"),
    rows("{mean: 30, sd: wide}", ".sd", "unknown key 'sd'", "mean 'cv'"),
    rows("{mean: 30}", ".cv", "the key is missing"),
    rows("{mean: 10, cv: 20}", ".cv", "20 is not allowed", "at most 5", "did you mean '0.2'"),
    rows("{mean: 10, cv: -0.5}", ".cv", "-0.5 is not allowed", "at least 0"),
    rows("{mean: 1, cv: 0.5}", "", "mean 1 and the cv 0.5", "a mean above 1: a unit has at least"),
    rows("{mean: 2.5, cv: 0.1}", "", "mean 2.5 and the cv 0.1", "a cv of at least 0.2"),
    rows("{mean: 0.5, cv: 0.1}", ".mean", "0.5 is not allowed", "at least 1"),
    rows("{mean: 30, cv: 0.5, total: 600}", ".mean", "unknown key 'mean'", "allowed: total, cv"),
    rows("{cv: 0.5}", "", "{'cv': 0.5} says no number of rows", "a whole number", ALL_ROWS),
    rows("{poisson: {mean: 20}}", ".poisson", "a number, as in {poisson: 20}", "mean '20'"),
    rows("{poisson: 0}", ".poisson", "0 is not allowed", "above 0"),
    rows("{poison: 20}", ".poison", "unknown key 'poison'", "mean 'poisson'", ALL_ROWS),
    rows("{poisson: 20, fixed: true}", ".fixed", "unknown key 'fixed'", "mean 'redrawn'"),
    rows("{poisson: 20, redrawn: never}", ".redrawn", "'never' is not allowed", "true or false"),
    rows("{negbin: {mean: 20, size: 2}}", ".negbin", "mean 'negative_binomial'", ALL_ROWS),
    rows(
        "{negative_binomial: 20}",
        ".negative_binomial",
        "20 is not allowed",
        "mean + mean^2 / size",
        "'{mean: 20, size: 2}'",
    ),
    rows(
        "{negative_binomial: {mu: 20, size: 2}}",
        ".negative_binomial.mu",
        "unknown key 'mu'",
        "allowed: mean, size",
        "mean 'mean'",
    ),
    rows(
        "{negative_binomial: {mean: 20, theta: 2}}",
        ".negative_binomial.theta",
        "unknown key 'theta'",
        "mean 'size'",
    ),
    rows("poisson(20)", "", "'poisson(20)' is not allowed", ALL_ROWS, "mean '{poisson: 20}'"),
    rows("uniform(5, 40)", "", "is not allowed", "mean '{uniform: [5, 40]}'"),
    rows("nbinom(20, 2)", "", "mean '{negative_binomial: {mean: 20, size: 2}}'"),
    rows("poisson(mean)", "", "mean '{poisson: 20}'"),
    rows("random", "", "'random' is not allowed", ALL_ROWS),
    rows("20.5", "", "20.5 is not allowed", "a whole number", ALL_ROWS),
    rows("null", "", "null is not allowed", ALL_ROWS),
    rows("{uniform: {low: 5, high: 30}}", ".uniform", "a list", "mean '[5, 30]'"),
    rows("{uniform: [40, 5]}", ".uniform", "from 40 to 5", "smaller number first", "'[5, 40]'"),
    rows("{uniform: [5]}", ".uniform", "there is 1 value", "at least 2 values"),
    rows("{uniform: [5, 6, 7]}", ".uniform", "there are 3 values", "at most 2 values"),
    rows("{min: 5, max: 40}", ".min", "unknown key 'min'", "mean 'uniform'", ALL_ROWS),
    rows("{total: 5, cv: .5}", ".total", "5 rows for 20 units", "at least one row for each unit"),
    rows("{sum: 500}", ".sum", "unknown key 'sum'", "mean 'total'"),
    rows("{lists: [5]}", ".lists", "unknown key 'lists'", ALL_ROWS, "mean 'list'"),
    rows(
        "{distribution: poisson, mean: 20}",
        ".distribution",
        "unknown key 'distribution'",
        "mean '{poisson: 20}'",
    ),
]

MISSING = [
    missing("0.2", "", "0.2 is not allowed", "rows, units, logistic, dropout", "'{rows: 0.2}'"),
    missing("20", "", "20 is not allowed", "mean '{rows: 0.2}'"),
    missing("none", "", "'none' is not allowed", "no key missing if nothing is"),
    missing("[0, 0.1]", "", "mean '{dropout: {waves: [0, 0.1]}}'"),
    missing("{mcar: 0.1}", ".mcar", "unknown key 'mcar'", "mean 'rows'"),
    missing("{share: 0.1}", ".share", "unknown key 'share'", "mean 'rows'"),
    missing("{mnar: {y: 1}}", ".mnar", "unknown key 'mnar'", "mean 'logistic'"),
    missing("{attrition: 0.1}", ".attrition", "mean 'dropout'"),
    missing("{rows: 1}", ".rows", "1 is not allowed", "below 1"),
    missing("{rows: 20}", ".rows", "20 is not allowed", "below 1", "mean '0.2'"),
    missing("{rows: 0.99}", ".rows", "2 of 200 rows are left, on average, for 3 coefficients"),
    missing("{units: 0.999}", ".units", "0.2 of 200 rows are left"),
    missing("{logistic: {(Intercept): 800}}", ".logistic", "0 of 200 rows are left"),
    missing(
        "{logistic: {intercept: -2}}",
        ".logistic.intercept",
        "'intercept' is no covariate of the design",
        "(Intercept), a, x, w, z, t, s, previous, y",
        "mean '(Intercept)'",
    ),
    missing("{logistic: {const: -2}}", ".logistic.const", "mean '(Intercept)'"),
    missing("{logistic: {last: 1}}", ".logistic.last", "mean 'previous'"),
    missing("{logistic: {prev: 1}}", ".logistic.prev", "mean 'previous'"),
    missing("{logistic: {lag: 1}}", ".logistic.lag", "mean 'previous'"),
    missing("{logistic: {lag(y): 1}}", ".logistic.lag(y)", "mean 'previous'"),
    missing("{logistic: {y_lag1: 1}}", ".logistic.y_lag1", "mean 'previous'"),
    missing("{logistic: {age: 1}}", ".logistic.age", "'age' is no covariate of the design"),
    missing("{logistic: {s: 1}}", ".logistic.s", "'s' has labels, not numbers: north, south"),
    missing(
        "{logistic: y ~ x}",
        ".logistic",
        "'y ~ x' is not allowed",
        "a slope for each name",
        "mean '{(Intercept): -3, previous: 1}'",
    ),
    dropout("0.2", "", "0.2 is not allowed", ALL_DROPOUT, "mean '{weibull: {share: 0.2}}'"),
    dropout("20", "", "20 is not allowed", "mean '{weibull: {share: 0.2}}'"),
    dropout("[0, .1, .2]", "", ALL_DROPOUT, "mean '{waves: [0, 0.1, 0.2]}'"),
    dropout("{share: 0.3}", "", "mean '{weibull: {share: 0.3}}'"),
    dropout("{wave: [0, .1]}", "", "is not allowed", "mean 'waves'"),
    dropout("yes", "", "true is not allowed", ALL_DROPOUT),
    dropout("{waves: [0, .2, .1]}", ".waves", "[0.0, 0.2, 0.1] falls", "at least the one before"),
    dropout("{waves: [.1, .2]}", ".waves", "a share of 0.1 is gone at the first row", "0 first"),
    dropout("{waves: [0, 1]}", ".waves", "all units are gone at the second row", "below 1"),
    dropout("{waves: [0]}", ".waves", "there is 1 value", "at least 2 values"),
    dropout("{waves: [0, 10]}", ".waves[1]", "10 is not allowed", "at most 1", "mean '0.1'"),
    dropout(
        f"{{waves: {[k / 20 for k in range(11)]}}}",
        ".waves",
        "11 shares for units of at most 10 rows",
        "at most one share for each row",
    ),
    dropout("{weibull: 0.3}", ".weibull", "0.3 is not", "share and shape", "'{share: 0.3}'"),
    dropout("{weibull: {share: 1}}", ".weibull.share", "1 is not allowed", "below 1"),
    dropout("{weibull: {share: .3, shape: 0}}", ".weibull.shape", "0 is not allowed", "above 0"),
    dropout("{weibull: {proportion: .3}}", ".weibull.proportion", "mean 'share'"),
    dropout("{logistic: {prev: 1}}", ".logistic.prev", "mean 'previous'"),
    beside("dropout: 0.2", "dropout", "unknown key 'dropout'", "mean 'missing.dropout'"),
    beside("mcar: 0.2", "mcar", "unknown key 'mcar'", "mean 'missing.rows'"),
    beside("ar1: 0.2", "ar1", "unknown key 'ar1'", "mean 'truth.residual.ar1'"),
    case(
        "missing in the truth",
        "  residual:",
        "  missing: {rows: 0.1}\n  residual:",
        8,
        "truth.missing",
        "unknown key 'missing'",
        "mean 'design.missing'",
    ),
    case(
        "dropout beside the design",
        "models:",
        "dropout: 0.1\nmodels:",
        19,
        "dropout",
        "mean 'design.missing.dropout'",
    ),
]

RESIDUAL = [
    residual("rho: .5", "rho", "unknown key 'rho'", "sd, distribution, variance, ar1", "'ar1'"),
    residual("autocorrelation: .5", "autocorrelation", "mean 'ar1'"),
    residual("ar: .5", "ar", "mean 'ar1'"),
    residual("corAR1: .5", "corAR1", "mean 'ar1'"),
    residual("time: t", "time", "mean 'ar1: {cor: 0.5, time: t}'"),
    residual("ar1: 1", "ar1", "1 is not allowed", "below 1"),
    residual("ar1: -1", "ar1", "-1 is not allowed", "above -1"),
    residual("ar1: strong", "ar1", "'strong' is not allowed", "a number, or {cor: 0.5, time: t}"),
    residual("ar1: {rho: .5, time: t}", "ar1.rho", "unknown key 'rho'", "mean 'cor'"),
    residual("ar1: {cor: .5, at: t}", "ar1.at", "unknown key 'at'", "mean 'time'"),
    residual("ar1: {cor: .5}", "ar1.time", "the key is missing"),
    residual("ar1: {cor: .5, time: tt}", "ar1.time", "'tt' is no covariate", "mean 't'"),
    residual("ar1: {cor: .5, time: x}", "ar1.time", "'x' is no time", "grid: [0, 1, 3]"),
    residual("ar1: {cor: .5, time: a}", "ar1.time", "'a' is no time", "a row-level covariate"),
    case(
        "a time that does not grow",
        UP_TO_COVARIATES,
        UP_TO_COVARIATES.replace("{sd: 1}", "{sd: 1, ar1: {cor: .5, time: q}}")
        + "    q: {level: row, grid: [0, 0, 1, 2, 2]}\n",
        8,
        "truth.residual.ar1.time",
        "'q' does not grow from row to row",
    ),
    *(
        case(
            name,
            UP_TO_COVARIATES,
            UP_TO_COVARIATES.replace("{sd: 1}", f"{{sd: 1, ar1: {{cor: {cor}, time: q}}}}")
            .replace("units: 20", "units: 4")
            .replace("rows: 10", f"rows: {sizes}")
            + f"    q: {{level: row, {times}}}\n",
            8,
            f"truth.residual.ar1.{path}",
            *fragments,
        )
        for name, sizes, times, cor, path, fragments in (
            (
                "fewer times than rows may be drawn",
                "{uniform: [1, 4]}",
                "grid: [0, 1, 3]",
                0.5,
                "time",
                ("'q' has 3 times, but units may have 4 rows", "grid: {from: 0, to: 9}"),
            ),
            (
                "times of data that fall",
                "{list: [2, 3]}",
                "values: [0, 1, 5, 7, 6, 0, 1, 5, 6, 7]",
                0.5,
                "time",
                ("'q' does not grow from row to row",),
            ),
            (
                "halves of a time",
                "{list: [4, 5]}",
                "grid: {from: 0, to: 6}",
                -0.5,
                "cor",
                ("-0.5 at distances that are no whole numbers", "0 or more"),
            ),
        )
    ),
    residual("heteroscedastic: {by: a}", "heteroscedastic", "mean 'variance'"),
    variance("2", "", "2 is not allowed", f"allowed: {ALL_VARIANCES}"),
    variance("{arm: 2}", "", "{'arm': 2} is not allowed", "mean '{by: arm, ratio: {1: 2}}'"),
    variance("{power: t, exponent: 1}", "", "is not allowed", "mean 'power_of'"),
    variance("exponential", "", "'exponential' is not allowed", "mean 'exponential_of'"),
    variance("{by: a}", ".ratio", "the key is missing"),
    variance("{by: a, ratio: 2}", ".ratio", "2 is not allowed", "mean '{1: 2}'"),
    variance("{by: a, ratios: {1: 2}}", ".ratios", "unknown key 'ratios'", "mean 'ratio'"),
    variance("{by: a, ratio: {2: 2}}", ".ratio.2", "'a' is never 2", "allowed: 0, 1"),
    variance("{by: a, ratio: {1: 0}}", ".ratio.1", "0 is not allowed", "above 0"),
    variance("{by: a, ratio: {1: -2}}", ".ratio.1", "-2 is not allowed", "above 0"),
    variance("{by: a, ratio: {1: 2, 1.0: 3}}", ".ratio.1.0", "the value 1 is there twice"),
    variance("{by: s, ratio: {North: 2}}", ".ratio.North", "'s' is never North", "mean 'north'"),
    variance("{by: x, ratio: {1: 2}}", ".by", "does not take the same values", "power_of"),
    variance("{by: b, ratio: {1: 2}}", ".by", "'b' is no covariate of the design"),
    variance("{by: school, cv: 0.3}", ".by", "'school' is not allowed", "allowed: unit"),
    variance("{by: school, ratio: {1: 2}}", ".by", "'school' is no", "by: unit, with cv"),
    variance("{by: unit}", ".cv", "the key is missing"),
    variance("{by: unit, sd: 0.3}", ".sd", "unknown key 'sd'", "mean 'cv'"),
    variance("{by: unit, cv: 0}", ".cv", "0 is not allowed", "above 0"),
    variance("{by: unit, cv: 30}", ".cv", "30 is not allowed", "mean '0.3'"),
    variance(
        "{by: unit, cv: 0.3, distribution: normal}",
        ".distribution",
        "'normal' is not allowed",
        "lognormal, gamma",
    ),
    variance("{power_of: t, exponent: -1}", ".exponent", "'t' is 0 somewhere", "above 0"),
    variance("{power_of: x, exponent: -0.5}", ".exponent", "'x' is 0 somewhere", "above 0"),
    variance("{power_of: t, delta: 1}", ".delta", "unknown key 'delta'", "mean 'exponent'"),
    variance("{power_of: s, exponent: 1}", ".power_of", "'s' has labels, not numbers"),
    variance("{exponential_of: s, rate: 1}", ".exponential_of", "'s' has labels, not numbers"),
    variance("{exponential_of: t, exponent: 1}", ".exponent", "mean 'rate'"),
    variance("{exponential_of: t, rate: 100}", ".rate", "1e+391 times the stated one"),
]

COVARIATES = [
    covariate("{level: unit, icc: 0.3}", ".icc", "has one value in each unit", "or level: row"),
    covariate("{level: row, icc: 1}", ".icc", "1 is not allowed", "below 1"),
    covariate("{level: row, icc: 30}", ".icc", "30 is not allowed", "mean '0.3'"),
    covariate("{level: row, rho: 0.3}", ".rho", "unknown key 'rho'", "mean 'icc'"),
    covariate("{level: row, variance: 2}", ".variance", "unknown key 'variance'", "mean 'sd'"),
    covariate("{level: school}", ".level", "'school' is not allowed", "unit, row"),
    covariate("{level: cluster}", ".level", "'cluster' is not allowed", "mean 'unit'"),
    covariate("{level: 1}", ".level", "1 is not allowed", "mean 'row'"),
    covariate("{level: row, distribution: chi2}", ".distribution", ALL_DISTRIBUTIONS, "chisq(1)'"),
    covariate("{level: row, distribution: nromal}", ".distribution", "mean 'normal'"),
    covariate(
        "{level: row, distribution: bernoulli, p: 0.3}",
        ".distribution",
        "'bernoulli' is not allowed",
        ALL_DISTRIBUTIONS,
        "mean 'binary'",
    ),
    covariate("{level: row, distribution: binomial}", ".distribution", "mean 'binary'"),
    covariate("{level: row, distribution: binary(0.3)}", ".distribution", "binary, with p beside"),
    covariate("{level: row, distribution: poisson}", ".distribution", ALL_DISTRIBUTIONS),
    covariate("{level: row, distribution: lognormal}", ".distribution", "mean 'lognormal(0.5)'"),
    covariate("{level: row, distribution: t(2)}", ".distribution", "the variance of t(2) is inf"),
    covariate(
        "{level: row, distribution: 'uniform(0, 1)'}",
        ".distribution",
        "has 2 parameters",
        "uniform, with low and high beside it",
    ),
    covariate("{level: row, distribution: uniform, min: 0}", ".min", "mean 'low'"),
    covariate("{level: row, distribution: binary, prob: 0.5}", ".prob", "mean 'p'"),
    covariate("{level: row, distribution: lognormal(1), low: 0}", ".low", "level, distribution"),
    covariate("[0, 1, 2]", "", "a mapping, such as", "mean '{level: row, grid: [0, 1, 2]}'"),
    covariate("normal", "", "'normal' is not allowed", "{level: unit, distribution: normal}"),
    covariate("{mean_of: a}", ".mean_of", "'a' has one value in each unit", "of the rows"),
    covariate("{mean_of: zz}", ".mean_of", "'zz' is no covariate", "a, x, w, z, t, s", "mean 'z'"),
    covariate("{mean_of: q}", ".mean_of", "'q' comes from itself", "drawn or fixed"),
    covariate("{mean_of: x, level: row}", ".level", "'row' is not allowed", "allowed: unit"),
    covariate("{mean: x}", ".mean", "unknown key 'mean'", "mean 'mean_of'"),
    covariate("{group_mean: x}", ".group_mean", "mean 'mean_of'"),
    covariate("{average_of: x}", ".average_of", "mean 'mean_of'"),
    covariate("{latent_mean_of: x}", ".latent_mean_of", "'x' has no icc", "{level: row, icc: 0.2}"),
    covariate("{latent_mean: z}", ".latent_mean", "mean 'latent_mean_of'"),
    covariate("{centered: x}", ".centered", "unknown key 'centered'", "mean 'centred'"),
    covariate("{center: x}", ".center", "mean 'centred'"),
    covariate("{scale: x}", ".scale", "mean 'centred'"),
    covariate("{centred: x, at: group}", ".at", "'group' is not", "unit, grand", "mean 'unit'"),
    covariate("{centred: x, at: grand_mean}", ".at", "mean 'grand'"),
    covariate("{centred: a}", ".centred", "'a' has one value in each unit", "or at: grand"),
    covariate("{centred: s, at: grand}", ".centred", "'s' has labels, not numbers"),
    covariate("{measures: x}", ".reliability", "the key is missing"),
    covariate("{measures: x, reliability: 0}", ".reliability", "0 is not allowed", "above 0"),
    covariate("{measures: x, reliability: 70}", ".reliability", "70 is not", "mean '0.7'"),
    covariate("{measures: x, error: 0.3}", ".error", "unknown key 'error'", "mean 'reliability'"),
    covariate("{measures: t, reliability: 0.7}", ".measures", "'t' is not drawn"),
    covariate("{measure_of: x, reliability: 0.7}", ".measure_of", "mean 'measures'"),
    covariate(
        "{level: row, reliability: 0.7}",
        ".reliability",
        "unknown key 'reliability'",
        "mean 'measured: {measures: x, reliability: 0.7}, another covariate'",
    ),
    covariate(
        "{level: row, cor: {x: 0.5}}",
        ".cor",
        "mean 'design.correlated: {pair: {of: [x, z], cor: 0.5}}'",
    ),
]

CORRELATED = [
    correlated("{p: [x, w]}", ".p", "['x', 'w'] is not allowed", "{of: [x, z], cor: 0.5}"),
    correlated("{of: [x, w], cor: .5}", "", "without a name", "{pair: {of: [x, z], cor: 0.5}}"),
    correlated("0.5", "", "0.5 is not allowed", "{pair: {of: [x, z], cor: 0.5}}"),
    correlated("{p: {covariates: [x, w], cor: .5}}", ".p.covariates", "mean 'of'"),
    correlated("{p: {of: [x, w], rho: .5}}", ".p.rho", "mean 'cor'"),
    correlated("{p: {of: [x, w]}}", ".p.cor", "the key is missing"),
    correlated("{p: {of: [x], cor: .5}}", ".p.of", "there is 1 value", "at least 2"),
    correlated("{p: {of: [x, x], cor: .5}}", ".p.of", "'x' is there twice"),
    correlated("{p: {of: [x, b], cor: .5}}", ".p.of[1]", "'b' is no covariate of the design"),
    correlated("{p: {of: [x, t], cor: .5}}", ".p.of[1]", "'t' cannot be correlated", "continuous"),
    correlated("{p: {of: [x, z], cor: .5}}", ".p.of[1]", "'z' cannot", "without icc"),
    correlated("{p: {of: [x, w], cor: 1.2}}", ".p.cor", "1.2 is not allowed", "-1 to 1"),
    correlated("{p: {of: [x, w], cor: -.9}}", ".p.cor", "no copula", "-0.7629 to 0.7629"),
    correlated("{p: {of: [x, w], cor: [[1, .5]]}}", ".p.cor", "1 row of 2 values", "2 rows of 2"),
    case(
        "members of two levels",
        "rows: 10\n  covariates:\n",
        "rows: 10\n  correlated: {p: {of: [x, q], cor: .5}}\n  covariates:\n    q: {level: unit}\n",
        12,
        "design.correlated.p.of[1]",
        "'x' and 'q' are of different levels",
        "covariates of one level",
    ),
    correlated(
        "{p: {of: [x, w], cor: .5}, r: {of: [w, z], cor: .1}}",
        ".r.of",
        "'w' is in two sets",
        "one set of all",
    ),
]

OWN = "what needs other rows is a covariate of the design"
FORMULAS = [
    formula("mean(x, unit)", "unknown function 'mean'", OWN, "x_mean: {mean_of: x}'"),
    formula("ave(x, school)", "unknown function 'ave'", OWN, "x_mean: {mean_of: x}'"),
    formula("I(x - mean(x))", "unknown function 'mean'", "x_mean: {mean_of: x}'"),
    formula("scale(x)", "unknown function 'scale'", "x_centred: {centred: x, at: grand}'"),
    formula("center(x)", "unknown function 'center'", "x_centred: {centred: x, at: unit}'"),
    formula("scale(x, scale = FALSE)", "unexpected '='", "{centred: x, at: grand}'"),
    formula("lag(y)", "unknown function 'lag'", "mean 'truth.residual.ar1: 0.5'"),
    formula("lag(x)", "unknown function 'lag'", "mean 'log'"),
    case(
        "a mean in the truth",
        "formula: y ~ x",
        "formula: y ~ gm(x)",
        5,
        "truth.formula",
        "unknown function 'gm'",
        "mean 'design.covariates: x_mean: {mean_of: x}'",
    ),
]

GRIDS = [
    grid("design.rows: [10, {mean: 5}]", "design.rows.cv", "the key is missing", '{"mean":5}'),
    grid("design.rows: [10, 'poisson(5)']", "design.rows", "mean '{poisson: 5}'"),
    grid("design.rows: [10, 10.5]", "design.rows", "10.5 is not allowed", ALL_ROWS),
    grid("truth.residual.ar1: [0, 1]", "truth.residual.ar1", "1 is not", "below 1", "ar1 = 1"),
    grid("truth.residual.variance: [null, 2]", "truth.residual.variance", ALL_VARIANCES),
    grid(
        "truth.residual.variance: [null, {by: a, ratio: {7: 2}}]",
        "truth.residual.variance.ratio.7",
        "'a' is never 7",
    ),
    grid(
        "truth.residual.rho: [0, 0.5]", "truth.residual.rho", "no path", "mean 'truth.residual.ar1'"
    ),
    grid("design.missing: [{}, 20]", "design.missing", "20 is not", "mean '{rows: 0.2}'"),
    grid("design.missing.rows: [0, 1]", "design.missing.rows", "1 is not allowed", "below 1"),
    grid("design.missing.dropout: [null, 0.2]", "design.missing.dropout", "{share: 0.2}"),
    grid(
        "design.missing.dropout: {no: null, yes: {waves: [0, .1, .05]}}",
        "design.missing.dropout.waves",
        "[0.0, 0.1, 0.05] falls",
    ),
    grid("design.missing.logistic: [null, {lag: 1}]", "design.missing.logistic.lag", "'previous'"),
    grid("design.dropout: [0, 0.2]", "design.dropout", "mean 'design.missing.dropout'"),
    grid("truth.missing.rows: [0, 0.2]", "truth.missing.rows", "mean 'design.missing.rows'"),
    grid("truth.ar1: [0, 0.2]", "truth.ar1", "mean 'truth.residual.ar1'"),
    grid("design.covariates.z.icc: [0, 1]", "design.covariates.z.icc", "1 is not", "below 1"),
    grid(
        "design.covariates.x.distribution: [normal, chi2]",
        "design.covariates.x.distribution",
        ALL_DISTRIBUTIONS,
        "mean 'chisq(1)'",
    ),
    grid(
        "design.rows.cv: [0.1, 20]",
        "design.rows.cv",
        "20 is not allowed",
        "mean '0.2'",
        design="rows: {mean: 10, cv: 0.3}\n",
    ),
    grid(
        "design.correlated.p.cor: [0, -0.9]",
        "design.correlated.p.cor",
        "no copula gives",
        "-0.7629 to 0.7629",
        design="rows: 10\n  correlated: {p: {of: [x, w], cor: .2}}\n",
    ),
    grid(
        "design.missing.dropout.weibull.share: [0.2, 1]",
        "design.missing.dropout.weibull.share",
        "1 is not allowed",
        design="rows: 10\n  missing: {dropout: {weibull: {share: .1}}}\n",
    ),
]

MISTAKES = [*ROWS, *MISSING, *RESIDUAL, *COVARIATES, *CORRELATED, *FORMULAS, *GRIDS]


def refused(text):
    with pytest.raises(InputError) as caught:
        Study.from_text(text, file="demo.yaml")
    return caught.value


@pytest.mark.parametrize(("text", "line", "path", "fragments"), MISTAKES)
def test_a_mistake_is_named(text, line, path, fragments):
    """It is the only one that is said."""
    (error,) = refused(text).errors
    assert error.path == path
    assert str(error.file) == f"demo.yaml:{line}"
    for fragment in fragments:
        assert fragment in str(error)


def test_there_are_more_than_a_hundred():
    assert len(MISTAKES) > 100


@pytest.mark.parametrize(
    ("sizes", "times", "cor"),
    [
        ("{uniform: [1, 3]}", "grid: [0, 1, 3]", 0.5),
        ("{poisson: 8}", "grid: {from: 0, to: 9}", 0.5),
        ("{list: [4, 7]}", "grid: {from: 0, to: 6}", -0.5),
        ("{list: [2, 3]}", "values: [4, 5, 0, 1, 6, 0, 1, 5, 6, 7]", -0.5),
    ],
)
def test_times_that_grow_in_every_unit(sizes, times, cor):
    text = UP_TO_COVARIATES.replace("{sd: 1}", f"{{sd: 1, ar1: {{cor: {cor}, time: q}}}}")
    text = text.replace("units: 20", "units: 4").replace("rows: 10", f"rows: {sizes}")
    study = BASE.replace(UP_TO_COVARIATES, f"{text}    q: {{level: row, {times}}}\n")
    (scenario,) = Study.from_text(study).scenarios
    for replicate in range(50):
        rows = draw_rows(scenario, 1, replicate)
        within = np.diff(rows["school"]) == 0
        assert (np.diff(rows["q"])[within] > 0).all()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rows: 10", "rows: {mean: 2.5, cv: 0.2}"),
        ("rows: 10", "rows: {uniform: [5, 5]}"),
        ("rows: 10", "rows: {total: 21}"),
        ("rows: 10", "rows: 10\n  missing: {dropout: {waves: [0, 0, 1]}}"),
        ("rows: 10", "rows: 10\n  missing: {dropout: {waves: [0, 0.5]}, rows: 0.9}"),
        ("rows: 10", "rows: 10\n  missing: {logistic: {(Intercept): -800}}"),
        ("{sd: 1}", "{sd: 1, ar1: -0.999}"),
        ("{sd: 1}", "{sd: 1, variance: {by: s, ratio: {north: 3}}}"),
        ("{sd: 1}", "{sd: 1, variance: {power_of: t, exponent: 0}}"),
        ("{sd: 1}", "{sd: 1, variance: {exponential_of: x, rate: -3}}"),
        ("rows: 10", "rows: 10\n  correlated: {p: {of: [x, w], cor: 0.76}}"),
        ("    a:", "    q: {measures: z, reliability: 1}\n    a:"),
        ("    a:", "    q: {centred: a, at: grand}\n    a:"),
    ],
)
def test_what_is_nearly_a_mistake_is_a_study(old, new):
    assert len(Study.from_text(BASE.replace(old, new, 1)).scenarios) == 1


def test_the_text_without_a_mistake_is_a_study():
    assert len(Study.from_text(BASE).scenarios) == 1


def test_at_the_terminal_all_are_there_and_no_traceback(tmp_path, capsys):
    file = tmp_path / "demo.yaml"
    text = BASE.replace("rows: 10\n", "rows: poisson(20)\n  missing: 0.2\n")
    file.write_text(text.replace("{sd: 1}", "{sd: 1, rho: 0.5}").replace("icc: 0.3", "rho: 0.3"))
    assert main(["check", str(file)]) == 2
    out, err = capsys.readouterr()
    assert (out, "Traceback" in err) == ("", False)
    assert [line for line in err.splitlines() if "did you mean" in line] == [
        "  did you mean 'ar1'?",
        "  did you mean '{poisson: 20}'?",
        "  did you mean '{rows: 0.2}'?",
        "  did you mean 'icc'?",
    ]
