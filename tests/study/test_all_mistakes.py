"""Several mistakes in one study: each is said once, in the order of lines, and nothing else."""

from __future__ import annotations

import pytest

from hlm.cli import main
from hlm.errors import InputError, InputErrors, Mistakes, together
from hlm.study import Study

from .test_mistakes import BASE, refused


def changed(*changes):
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def case(name, expected, *changes):
    """Return a study with mistakes and all that is to be said of it."""
    return pytest.param(changed(*changes), expected, id=name)


KEYS = (
    "name, seed, replicates, common_random_numbers, truth, design, grid, keep, leave_out, robust, "
    "models, estimation, selection, policies, figures, solve, about"
)

DESIGN = (
    "design.units, design.rows, design.covariates, design.correlated, design.missing, "
    "design.generator"
)

SHAPES = (
    "normal, t(DF) such as t(5), chisq(DF) such as chisq(1), uniform, laplace, "
    "lognormal(LOG_SD) such as lognormal(0.5), skew_normal(ALPHA) such as skew_normal(4), "
    "mixture(SHARE, RATIO) such as mixture(0.1, 3)"
)

CASES = [
    case(
        "shares and a formula of the labels: nothing is said of coefficients that depend on them",
        """\
demo.yaml:13: design.covariates.s.categories: the shares add up to 0.6
  allowed: shares that add up to 1; a grid varies all of them together
demo.yaml:23: estimation.level: 95 is not allowed
  allowed: below 1
  did you mean '0.95'?""",
        ("y ~ x * a + (1", "y ~ x * a + s + factor(t) + (1"),
        ("    a: {level", "    s: {level: unit, categories: {b: 0.5, c: 0.1}}\n    a: {level"),
        ("    x: {", "    t: {level: row, grid: {from: 0, to: 4}}\n    x: {"),
        ("level: 0.95", "level: 95"),
    ),
    case(
        "a misspelt label beside a mistake elsewhere",
        """\
demo.yaml:6: truth.fixed.sB: the formula y ~ a + s + (1 + x | unit) has no coefficient 'sB'
  allowed: (Intercept), a, sbb
demo.yaml:6: truth.fixed: there is no value for the coefficient 'sbb' of the formula y ~ a + s + \
(1 + x | unit)
  allowed: (Intercept), a, sbb
demo.yaml:13: design.covariates.a.sdd: unknown key 'sdd'
  allowed: level, distribution, mean, sd, icc
  did you mean 'sd'?""",
        ("x * a + (1", "a + s + (1"),
        ('x: 3.0, "x:a": 0.3', "sB: 1"),
        ("distribution: normal}", "sdd: 2}\n    s: {level: unit, balanced: [aa, bb]}"),
    ),
    case(
        "a level of the grid for a key that is left out above",
        f"""\
demo.yaml:6: truth.fixed.x: nan is not allowed
  allowed: a finite number
demo.yaml:16: grid.truth.residual.distribution[1]: 'laplac' is no distribution
  allowed: {SHAPES}
  did you mean 'laplace'?""",
        ("x: 3.0", "x: .nan"),
        ("grid:\n", "grid:\n  truth.residual.distribution: [normal, laplac]\n"),
    ),
    case(
        "keys, values and a formula",
        f"""\
demo.yaml:1: nmae: unknown key 'nmae'
  allowed: {KEYS}
  did you mean 'name'?
demo.yaml:2: seed: 'one' is not allowed
  allowed: a whole number
demo.yaml:3: replicates: 0 is not allowed
  allowed: at least 1
demo.yaml:6: truth.fixed.x: nan is not allowed
  allowed: a finite number
demo.yaml:8: truth.residuals: unknown key 'residuals'
  allowed: fit, formula, fixed, random, residual, effect_sizes, uncertain
  did you mean 'residual'?
demo.yaml:13: design.covariates.a.levle: unknown key 'levle'
  allowed: level, distribution, mean, sd, icc
  did you mean 'level'?
demo.yaml:20: models.small: the formula does not parse: unexpected '*'
    y ~ x + * (1 | unit)
            ^
demo.yaml:21: estimation.methods[1]: 'mll' is not allowed
  allowed: reml, ml
  did you mean 'ml'?""",
        ("name: demo", "nmae: demo"),
        ("seed: 1", "seed: one"),
        ("replicates: 100", "replicates: 0"),
        ("x: 3.0", "x: .nan"),
        ("residual:", "residuals:"),
        ("level: unit,", "levle: unit,"),
        ("small: y ~ x +", "small: y ~ x + *"),
        ("[reml, ml]", "[reml, mll]"),
    ),
    case(
        "parts against one another",
        f"""\
demo.yaml:3: seed: the key 'seed' is there twice
demo.yaml:7: truth.fixed.xx: the formula y ~ x * a + (1 + x | unit) has no coefficient 'xx'
  allowed: (Intercept), x, a, x:a
  did you mean 'x'?
demo.yaml:7: truth.fixed: there is no value for the coefficient 'a' of the formula \
y ~ x * a + (1 + x | unit)
  allowed: (Intercept), x, a, x:a
demo.yaml:8: truth.random.unit.sd: there is no value for the random effect 'x' of the formula \
y ~ x * a + (1 + x | unit)
  allowed: (Intercept), x
demo.yaml:17: grid.design.unit: 'design.unit' is no path of this study: design has no 'unit'
  allowed: {DESIGN}
  did you mean 'design.units'?
demo.yaml:18: grid.design.rows[2]: the level 5 is there twice
demo.yaml:20: models.full: the response is 'z', that of the truth is 'y'
  allowed: y
  did you mean 'y'?""",
        ("seed: 1", "seed: 1\nseed: 2"),
        ("a: -0.15, x: 3.0", "xx: 3.0"),
        (", x: 0.5}", "}"),
        ("design.units:", "design.unit:"),
        ("[5, 10]", "[5, 10, 5]"),
        ("full: y ~", "full: z ~"),
    ),
    case(
        "F tests, each coefficient",
        """\
demo.yaml:21: estimation.tests.t[1]: no model has a coefficient 'b'
  allowed: (Intercept), x, a, x:a
demo.yaml:21: estimation.tests.t[2]: 'a' is there twice
  allowed: each coefficient once
demo.yaml:21: estimation.tests.u[0]: no model has a coefficient 'x:aa'
  allowed: (Intercept), x, a, x:a
  did you mean 'x:a'?""",
        ("level: 0.95}", 'level: 0.95, tests: {t: [a, b, a], u: ["x:aa"]}}'),
    ),
    case(
        "likelihood ratio tests, each term",
        """\
demo.yaml:22: estimation.lrt.t[1]: no model has a term 'sd_a|unit' to be tested
  allowed: (Intercept), x, a, x:a, sd_(Intercept)|unit, cor_x.(Intercept)|unit, sd_x|unit
  did you mean 'sd_x|unit'?
demo.yaml:22: estimation.lrt.t[2]: 'a' is there twice
  allowed: each term once
demo.yaml:22: estimation.lrt.u: no coefficient is left
  allowed: tests that leave a coefficient
demo.yaml:23: estimation.lrt.v: an F test is called 'v' too
  allowed: a name of its own""",
        (
            "level: 0.95}",
            """level: 0.95,
  tests: {v: [a]}, lrt: {t: [a, "sd_a|unit", a], u: ["(Intercept)", x, a, "a:x"],
  v: ["sd_x|unit"]}}""",
        ),
    ),
    case(
        "a list of likelihood ratio tests",
        """\
demo.yaml:21: estimation.lrt[1]: no model has a term 'sigma' to be tested
  allowed: (Intercept), x, a, x:a, sd_(Intercept)|unit, cor_x.(Intercept)|unit, sd_x|unit
demo.yaml:21: estimation.lrt[3]: 'a:x' is there twice
  allowed: each term once""",
        ("level: 0.95}", 'level: 0.95, lrt: ["sd_x|unit", sigma, "a:x", "a:x"]}'),
    ),
    case(
        "a covariate that three formulas lack is one mistake",
        """\
demo.yaml:5: truth.formula: 'a' in y ~ x * a + (1 + x | unit) is no covariate of the design
  allowed: x
demo.yaml:19: models.small: 'b' in y ~ b * a + (1 | unit) is no covariate of the design
  allowed: x""",
        ("    a: {level: unit, distribution: normal}\n", ""),
        ("small: y ~ x", "small: y ~ b * a"),
    ),
    case(
        "of coefficients and paths whose formula cannot be read nothing is said",
        """\
demo.yaml:5: truth.formula: the formula does not parse: unexpected '*'
    y ~ x * * a + (1 + x | unit)
            ^
demo.yaml:19: models.full: the formula does not parse: it ends here
    y ~ x * a + (1 + x | unit
                             ^""",
        ("y ~ x * a", "y ~ x * * a"),
        ("x: 3.0", "xx: 3.0"),
        ("full: y ~ x * a + (1 + x | unit)", "full: y ~ x * a + (1 + x | unit"),
        ("level: 0.95}", "level: 0.95, tests: {t: [a]}}"),
    ),
    case(
        "a misspelt section is one mistake",
        f"""\
demo.yaml:9: desing: unknown key 'desing'
  allowed: {KEYS}
  did you mean 'design'?""",
        ("design:\n", "desing:\n"),
    ),
    case(
        "a truth with mistakes hides none of the grid, but what leads into it",
        """\
demo.yaml:6: truth.fixed.(Intercpt): the formula y ~ x * a + (1 + x | unit) has no coefficient \
'(Intercpt)'
  allowed: (Intercept), x, a, x:a
  did you mean '(Intercept)'?
demo.yaml:17: grid.truht.residual.sd: 'truht.residual.sd' is no path of this study: there is no \
'truht.residual.sd'
  allowed: truth, design
  did you mean 'truth.residual.sd'?
demo.yaml:18: grid.truth.residuals.sd: 'truth.residuals.sd' is no path of this study: truth has \
no 'residuals.sd'
  allowed: truth.formula, truth.fixed, truth.random, truth.residual, truth.effect_sizes, \
truth.uncertain
  did you mean 'truth.residual.sd'?""",
        ("(Intercept): 1.0", "(Intercpt): 1.0"),
        (
            "  design.units: [10, 30]\n",
            """\
  truth.fixed.(Intercept): [1]
  truht.residual.sd: [1]
  truth.residuals.sd: [2]
""",
        ),
    ),
    case(
        "what many scenarios share is said of the first",
        """\
demo.yaml:16: grid.design.units: 0 is not allowed (scenario units = 0, rows = 5)
  allowed: at least 2
demo.yaml:16: grid.design.units: -1 is not allowed (scenario units = -1, rows = 5)
  allowed: at least 2
demo.yaml:19: models.full: 'log(x)' is not finite for some values of the covariates \
(scenario units = 10, rows = 5)
demo.yaml:20: models.small: the model 'small' cannot be identified: the column 'I(2 * x)' \
depends on the others (scenario units = 10, rows = 5)
  allowed: fewer terms, or other covariates""",
        ("[10, 30]", "[10, 0, -1]"),
        ("full: y ~ x * a", "full: y ~ x * a + log(x)"),
        ("small: y ~ x", "small: y ~ x + I(2 * x)"),
    ),
    case(
        "a mistake in one model, a scenario that is too small for another",
        """\
demo.yaml:19: models.full: the model 'full' cannot be identified: 20 observations for 20 random \
effects of ((Intercept) + x | unit) (scenario units = 10, rows = 2)
  allowed: more observations, or fewer terms
demo.yaml:20: models.small: 'b' in y ~ b + (1 | unit) is no covariate of the design
  allowed: a, x""",
        ("[5, 10]", "[5, 2]"),
        ("small: y ~ x", "small: y ~ b"),
    ),
    case(
        "a truth that no study can have hides no level of the grid",
        """\
demo.yaml:8: truth.residual.sd: 0 is not allowed
  allowed: above 0
demo.yaml:16: grid.design.units[0]: 1 is not allowed
  allowed: at least 2
demo.yaml:16: grid.design.units[1]: 'ten' is not allowed
  allowed: a whole number
demo.yaml:17: grid.design.rows[0]: 0 is not allowed
  allowed: at least 1
demo.yaml:18: grid.truth.residual.sd.small: -1 is not allowed
  allowed: above 0
demo.yaml:19: grid.spread.low.truth.random.unit.sd.x: -2 is not allowed
  allowed: at least 0""",
        ("sd: 0.75", "sd: 0"),
        ("[10, 30]", "[1, ten]"),
        (
            "  design.rows: [5, 10]\n",
            """\
  design.rows: [0, 5]
  truth.residual.sd: {small: -1, large: 2}
  spread: {low: {truth.random.unit.sd.x: -2}, high: {truth.random.unit.sd.x: 2}}
""",
        ),
    ),
    case(
        "of levels under a key that there is not nothing is said",
        """\
demo.yaml:13: design.covariates.a.levle: unknown key 'levle'
  allowed: level, distribution, mean, sd, icc
  did you mean 'level'?""",
        ("level: unit,", "levle: unit,"),
        (
            "  design.units: [10, 30]\n  design.rows: [5, 10]\n",
            "  design.covariates.a.levle: [unit, row]\n",
        ),
    ),
    case(
        "a misspelt path hides neither levels nor models that no data identify",
        f"""\
demo.yaml:16: grid.design.unts: 'design.unts' is no path of this study: design has no 'unts'
  allowed: {DESIGN}
  did you mean 'design.units'?
demo.yaml:17: grid.design.rows[0]: 0 is not allowed
  allowed: at least 1
demo.yaml:19: models.full: 'log(x)' is not finite for some values of the covariates
demo.yaml:20: models.small: the model 'small' cannot be identified: the column 'I(2 * x)' \
depends on the others
  allowed: fewer terms, or other covariates""",
        ("design.units: [10, 30]", "design.unts: [10, 30]"),
        ("[5, 10]", "[0, 2]"),
        ("full: y ~ x * a", "full: y ~ x * a + log(x)"),
        ("small: y ~ x", "small: y ~ x + I(2 * x)"),
    ),
    case(
        "numbers of units and rows that a misspelt path may be meant to change are not judged",
        f"""\
demo.yaml:16: grid.design.unts: 'design.unts' is no path of this study: design has no 'unts'
  allowed: {DESIGN}
  did you mean 'design.units'?""",
        ("  units: 30\n  rows: 10\n", "  units: 2\n  rows: 1\n"),
        ("  design.units: [10, 30]\n  design.rows: [5, 10]\n", "  design.unts: [10, 30]\n"),
    ),
    case(
        "nor are covariates that a misspelt path may be meant to change",
        """\
demo.yaml:16: grid.design.covariates.x.grd: 'design.covariates.x.grd' is no path of this study: \
design.covariates.x has no 'grd'
  allowed: design.covariates.x.level, design.covariates.x.grid
  did you mean 'design.covariates.x.grid'?""",
        ("grid: {from: -4, to: 4, endpoint: false}", "grid: [1]"),
        (
            "  design.units: [10, 30]\n  design.rows: [5, 10]\n",
            "  design.covariates.x.grd: [[1, 2], [3, 4]]\n",
        ),
    ),
    case(
        "true values, each of each model",
        """\
demo.yaml:21: models.m.true.zz: the model 'm' has no term 'zz'
  allowed: (Intercept), x, a, x:a, sd_(Intercept)|unit, cor_x.(Intercept)|unit, sd_x|unit, sigma
demo.yaml:21: models.m.true.tau: the model 'm' has no term 'tau'
  allowed: (Intercept), x, a, x:a, sd_(Intercept)|unit, cor_x.(Intercept)|unit, sd_x|unit, sigma
demo.yaml:21: models.m.true.x: the true value of 'x' is 3, which follows from the truth, not 4
  allowed: values of terms that hlm check shows without one, or as targets
demo.yaml:21: models.m.true.sigma: the true value of 'sigma' is 0.75, which follows from the \
truth, not 3
  allowed: values of terms that hlm check shows without one, or as targets
demo.yaml:22: models.k.true.x: the true value of 'x' is 3, which follows from the truth, not 9
  allowed: values of terms that hlm check shows without one, or as targets""",
        (
            "estimation:",
            """\
  m: {formula: y ~ x * a + (1 + x | unit), true: {zz: 1, sigma: 3, x: 4, tau: 1}}
  k: {formula: y ~ x * a + (1 + x | unit), true: {x: 9}}
estimation:""",
        ),
    ),
    case(
        "a true value that a later scenario contradicts",
        """\
demo.yaml:20: models.m.true.x: the true value of 'x' is 3, which follows from the truth, not 9
  allowed: values of terms that hlm check shows without one, or as targets
demo.yaml:20: models.m.true.sigma: the true value of 'sigma' is 2, which follows from the truth, \
not 1
  allowed: values of terms that hlm check shows without one, or as targets""",
        ("  design.units: [10, 30]\n  design.rows: [5, 10]\n", "  truth.residual.sd: [1, 2]\n"),
        (
            "estimation:",
            "  m: {formula: y ~ x * a + (1 + x | unit), true: {x: 9, sigma: 1}}\nestimation:",
        ),
    ),
    case(
        "labels that are one number",
        """\
demo.yaml:16: grid.design.units.1.0: the label '1.0' is there twice: it is the number of '1'
  allowed: different numbers, or a label that is no number
demo.yaml:17: grid.icc..1: the label '.1' is there twice: it is the number of '0.1'
  allowed: different numbers, or a label that is no number
demo.yaml:17: grid.icc.1e-1: the label '1e-1' is there twice: it is the number of '0.1'
  allowed: different numbers, or a label that is no number
demo.yaml:18: grid.design.rows.05: the label '05' is there twice: it is the number of '5'
  allowed: different numbers, or a label that is no number""",
        (
            "  design.units: [10, 30]\n  design.rows: [5, 10]\n",
            """\
  design.units: {"1": 10, "2": 20, "1.0": 30}
  icc: {"0.1": {truth.residual.sd: 1}, ".1": {truth.residual.sd: 2}, \
"1e-1": {truth.residual.sd: 3}}
  design.rows: {"5": 5, "05": 10}
""",
        ),
    ),
    case(
        "fewer observations than coefficients",
        """\
demo.yaml:18: models.full: the model 'full' cannot be identified: 4 observations for 4 fixed \
coefficients (scenario units = 4)
  allowed: more observations, or fewer terms
demo.yaml:19: models.small: the model 'small' cannot be identified: 4 observations for 4 random \
effects of ((Intercept) | unit) (scenario units = 4)
  allowed: more observations, or fewer terms""",
        ("  rows: 10\n", "  rows: 1\n"),
        ("  design.units: [10, 30]\n  design.rows: [5, 10]\n", "  design.units: [4]\n"),
        ("x: {level: row, grid: {from: -4, to: 4, endpoint: false}}", "x: {level: row}"),
    ),
    case(
        "guesses at rows, missing rows, residuals and means",
        """\
demo.yaml:8: truth.residual.rho: unknown key 'rho'
  allowed: sd, distribution, variance, ar1
  did you mean 'ar1'?
demo.yaml:11: design.rows.poisson: {'mean': 20} is not allowed
  allowed: a number, as in {poisson: 20}
  did you mean '20'?
demo.yaml:12: design.missing.dropout: 0.2 is not allowed
  allowed: {waves: [0, 0.1, 0.2]}, {weibull: {share: 0.3}}, {logistic: {(Intercept): -3, \
previous: 1}}
  did you mean '{weibull: {share: 0.2}}'?
demo.yaml:15: design.covariates.m.mean: unknown key 'mean'
  allowed: mean_of, level
  did you mean 'mean_of'?""",
        ("  rows: 10\n", "  rows: {poisson: {mean: 20}}\n  missing: {dropout: 0.2}\n"),
        ("sd: 0.75", "sd: 0.75, rho: 0.5"),
        (
            "a: {level: unit, distribution: normal}",
            "a: {level: unit, distribution: normal}\n    m: {mean: x}",
        ),
        ("  design.units: [10, 30]\n  design.rows: [5, 10]\n", "  design.units: [10, 30]\n"),
    ),
    case(
        "names of what there is not, in all structures",
        """\
demo.yaml:8: truth.residual.variance.by: 'b' is no covariate of the design
  allowed: a, m, x; or by: unit, with cv
demo.yaml:8: truth.residual.ar1.time: 'tt' is no covariate of the design
  allowed: a, m, x
demo.yaml:12: design.missing.logistic.lag: 'lag' is no covariate of the design
  allowed: (Intercept), a, m, x, previous, y
  did you mean 'previous'?
demo.yaml:12: design.missing.logistic.q: 'q' is no covariate of the design
  allowed: (Intercept), a, m, x, previous, y
demo.yaml:13: design.correlated.p.of[1]: 'b' is no covariate of the design
  allowed: a, m, x
demo.yaml:16: design.covariates.m.mean_of: 'c' is no covariate of the design
  allowed: a, x
demo.yaml:23: models.small: unknown function 'mean'
    y ~ mean(x) + (1 | unit)
        ^
  allowed: I, factor, log, log2, log10, log1p, exp, expm1, sqrt, abs, sin, cos, tan; what needs \
other rows is a covariate of the design
  did you mean 'design.covariates: x_mean: {mean_of: x}'?""",
        (
            "  rows: 10\n",
            (
                "  rows: 10\n"
                "  missing: {logistic: {lag: 1, q: 2}}\n"
                "  correlated: {p: {of: [a, b], cor: 0.2}}\n"
            ),
        ),
        ("sd: 0.75", "sd: 0.75, variance: {by: b, ratio: {1: 2}}, ar1: {cor: 0.5, time: tt}"),
        (
            "a: {level: unit, distribution: normal}",
            "a: {level: unit, distribution: normal}\n    m: {mean_of: c}",
        ),
        ("small: y ~ x", "small: y ~ mean(x)"),
    ),
    case(
        "structures that their covariates cannot have, though one of these is wrong",
        """\
demo.yaml:8: truth.residual.variance.exponent: 'a' is 0 somewhere, where the variance would be \
infinite (scenario units = 10, rows = 5)
  allowed: an exponent above 0
demo.yaml:8: truth.residual.ar1.time: 'a' is no time: its values are not fixed, or those of \
units (scenario units = 10, rows = 5)
  allowed: a row-level covariate with a grid that grows, such as {level: row, grid: [0, 1, 3]}
demo.yaml:12: design.missing.logistic.s: 's' has labels, not numbers: p, q (scenario units = \
10, rows = 5)
  allowed: a covariate of numbers; so are categories or arms that are, such as {0: 0.5, 1: 0.5}
demo.yaml:12: design.missing.dropout.waves: 6 shares for units of at most 5 rows (scenario \
units = 10, rows = 5)
  allowed: at most one share for each row
demo.yaml:16: design.covariates.m.measures: 'x' is not drawn: it has no variance to share with \
an error (scenario units = 10, rows = 5)
  allowed: a covariate with a distribution, or the latent mean of one""",
        (
            "  rows: 10\n",
            (
                "  rows: 10\n"
                "  missing: {dropout: {waves: [0, 0.1, 0.2, 0.3, 0.4, 0.5]}, logistic: {s: 1}}\n"
            ),
        ),
        ("sd: 0.75", "sd: 0.75, variance: {power_of: a, exponent: -1}, ar1: {cor: 0.5, time: a}"),
        (
            "a: {level: unit, distribution: normal}",
            (
                "a: {level: unit, distribution: normal}\n"
                "    s: {level: unit, categories: {p: 0.5, q: 0.5}}\n"
                "    m: {measures: x, reliability: 0.5}"
            ),
        ),
        (
            "  design.units: [10, 30]\n  design.rows: [5, 10]\n",
            "  design.units: [10, 30]\n  design.rows: [5]\n",
        ),
    ),
    case(
        "levels of rows, residuals and missing rows",
        """\
demo.yaml:2: seed: 'one' is not allowed
  allowed: a whole number
demo.yaml:17: grid.design.rows.cv: the key is missing (scenario design.rows = {"mean":5}, ar1 = \
0, missing.rows = 0.1)
demo.yaml:17: grid.design.rows: 'poisson(20)' is not allowed (scenario design.rows = \
poisson(20), ar1 = 0, missing.rows = 0.1)
  allowed: a whole number, or {list: [5, 10]}, {mean: 30, cv: 0.6}, {poisson: 20}, \
{negative_binomial: {mean: 20, size: 2}}, {uniform: [5, 40]}, {total: 600, cv: 0.5}
  did you mean '{poisson: 20}'?
demo.yaml:18: grid.truth.residual.ar1: 1 is not allowed (scenario design.rows = {"mean":5}, ar1 \
= 1, missing.rows = 0.1)
  allowed: below 1
demo.yaml:19: grid.design.missing.rows: 20 is not allowed (scenario design.rows = {"mean":5}, \
ar1 = 0, missing.rows = 20.0)
  allowed: below 1
  did you mean '0.2'?""",
        ("  rows: 10\n", "  rows: {mean: 10, cv: 0.5}\n  missing: {rows: 0.1}\n"),
        (
            "  design.units: [10, 30]\n  design.rows: [5, 10]\n",
            (
                "  design.rows: [{mean: 5}, poisson(20)]\n"
                "  truth.residual.ar1: [0, 1]\n"
                "  design.missing.rows: [0.1, 20]\n"
            ),
        ),
        ("seed: 1", "seed: one"),
    ),
    case(
        "keys that are no text",
        """\
demo.yaml:3: seed: the key 'seed' is there twice
demo.yaml:7: truth.fixed: the key 1 is not text
  allowed: a name, in quotes
demo.yaml:20: models: the key 2 is not text
  allowed: a name, in quotes""",
        ("seed: 1", "seed: 1\nseed: 2"),
        ("x: 3.0", "1: 3.0"),
        ("full:", "2:"),
    ),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_all_mistakes_are_said(text, expected):
    with pytest.raises(InputError) as caught:
        Study.from_text(text, file="demo.yaml")
    assert str(caught.value) == expected


def test_one_mistake_is_as_it_always_was():
    error = refused(BASE.replace("seed:", "seeed:", 1))
    assert type(error) is InputError
    assert error.errors == (error,)


def test_of_very_many_mistakes_the_first_twenty_are_shown():
    models = "".join(f"  m{i}: y ~ q{i} + (1 | unit)\n" for i in range(30))
    error = refused(BASE.replace("models:\n", f"models:\n{models}"))
    lines = str(error).splitlines()
    assert len(error.errors) == 30
    assert sum(line.startswith("studies/demo.yaml:") for line in lines) == 20
    assert lines[-1] == "and 10 more"


def test_check_prints_all_and_ends_with_status_2(tmp_path, capsys):
    file = tmp_path / "demo.yaml"
    file.write_text(BASE.replace("seed:", "seeed:").replace("small: y ~ x", "small: y ~ b"))
    assert main(["check", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert [line for line in err.splitlines() if line.startswith(str(file))] == [
        f"{file}:2: seeed: unknown key 'seeed'",
        f"{file}:20: models.small: 'b' in y ~ b + (1 | unit) is no covariate of the design",
    ]


def test_several_mistakes_are_placed_each_where_it_has_no_place_yet():
    errors = together([InputError("one", path="a"), InputError("two", file="other")])
    assert str(errors.at(file="f", path="p")) == "f: a: one\nother: p: two"


def test_a_collector_lets_pass_what_is_no_mistake_of_the_user():
    def fault():
        with Mistakes() as mistakes:
            mistakes.add(InputError("one"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fault()


def test_a_collector_keeps_several_and_the_one_that_ends_the_block():
    def three():
        with Mistakes() as mistakes:
            mistakes.add(together([InputError("one"), InputError("two")]))
            raise InputError("three")

    with pytest.raises(InputErrors, match="one\ntwo\nthree") as caught:
        three()
    assert caught.value.problem == "one"
