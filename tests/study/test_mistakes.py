"""Every mistake in a study gets one message: file and line, path, value, what is allowed."""

import pytest

from hlm.errors import InputError
from hlm.study import Study

BASE = """\
name: demo
seed: 1
replicates: 100
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {(Intercept): 1.0, a: -0.15, x: 3.0, "x:a": 0.3}
  random: {unit: {sd: {(Intercept): 0.2, x: 0.5}, cor: 0.9}}
  residual: {sd: 0.75}
design:
  units: 30
  rows: 10
  covariates:
    a: {level: unit, distribution: normal}
    x: {level: row, grid: {from: -4, to: 4, endpoint: false}}
grid:
  design.units: [10, 30]
  design.rows: [5, 10]
models:
  full: y ~ x * a + (1 + x | unit)
  small: y ~ x + (1 | unit)
estimation: {methods: [reml, ml], df: satterthwaite, level: 0.95}
"""


def case(name, old, new, line, path, *fragments):
    """Return a change of BASE, the line and path that the message names, and parts of it."""
    return pytest.param(old, new, line, path, fragments, id=name)


TESTS = "level: 0.95, tests: {t: %s}}"

RESIDUAL = "residual: {sd: 0.75, distribution: %s}"
RANDOM = "cor: 0.9, distribution: %s}}"
RESIDUAL_PATH, RANDOM_PATH = "truth.residual.distribution", "truth.random.unit.distribution"


def shape(name, written, *fragments):
    """Return a distribution of the residuals that is wrong."""
    return case(name, "residual: {sd: 0.75}", RESIDUAL % written, 8, RESIDUAL_PATH, *fragments)


def random(name, written, path, *fragments):
    """Return random effects that are wrong, beside their correlation of 0.9."""
    where = f"truth.random.unit.{path}"
    return case(name, "cor: 0.9}}", f"cor: 0.9, {written}}}}}", 7, where, *fragments)


def rows(name, written, path, *fragments):
    """Return numbers of rows that are wrong, in a study whose grid does not vary them."""
    old = BASE[BASE.index("  rows: 10") : BASE.index("models:")]
    new = old.replace("rows: 10", f"rows: {written}").replace("  design.rows: [5, 10]\n", "")
    return case(name, old, new, 11, path, *fragments)


AN_ATTRIBUTE = "    a: {level: unit, distribution: normal}"
SCHOOL = f"{AN_ATTRIBUTE}\n    s: {{level: unit, categories: {{public: 0.5, other: 0.5}}}}"


def covariate(name, spec, path, *fragments):
    """Return a covariate `s` that is wrong, beside the others."""
    new, where = f"{AN_ATTRIBUTE}\n    s: {{{spec}}}", f"design.covariates.s.{path}"
    return case(name, AN_ATTRIBUTE, new, 14, where, *fragments)


def factor(name, term, *fragments):
    """Return a model that is wrong, in a study with the labels `s`."""
    old = BASE[BASE.index(AN_ATTRIBUTE) : BASE.index("small: y ~ x") + len("small: y ~ x")]
    new = old.replace(AN_ATTRIBUTE, SCHOOL).replace("small: y ~ x", f"small: y ~ x + {term}")
    return case(name, old, new, 21, "models.small", *fragments)


def coefficient(name, given, path, *fragments):
    """Return coefficients that are wrong of a truth with the labels `s`."""
    old = BASE[BASE.index("  formula:") : BASE.index("    x: {level: row")]
    new = old.replace("x * a", "x * a + s").replace("a: -0.15", f"a: -0.15{given}")
    return case(name, old, new.replace(AN_ATTRIBUTE, SCHOOL), 6, path, *fragments)


MISTAKES = [
    covariate(
        "shares below one",
        "level: unit, categories: {p: 0.5, q: 0.3}",
        "categories",
        "the shares add up to 0.8",
        "add up to 1",
    ),
    covariate(
        "a negative share",
        "level: unit, categories: {p: 0.9, q: -0.1}",
        "categories.q",
        "-0.1 is not allowed",
        "above 0",
    ),
    covariate(
        "one category", "level: unit, categories: {p: 1}", "categories", "1 category", "two or more"
    ),
    covariate(
        "categories without shares",
        "level: unit, categories: [p, q]",
        "categories",
        "['p', 'q'] is not allowed",
        "by the key balanced",
        "did you mean '{p: 0.5, q: 0.5}'",
    ),
    covariate(
        "a share as text",
        "level: row, categories: {p: half, q: 0.5}",
        "categories.p",
        "'half' is not allowed",
        "a number",
    ),
    covariate(
        "a label that is no name",
        "level: unit, categories: {'high school': 0.5, q: 0.5}",
        "categories",
        "the label 'high school' is no name",
        "letters, digits",
    ),
    covariate(
        "a label that means missing",
        "level: unit, categories: {NA: 0.5, q: 0.5}",
        "categories",
        "the label 'NA' is no name",
    ),
    covariate(
        "labels that are truth values",
        "level: unit, balanced: ['TRUE', 'FALSE']",
        "balanced",
        "are truth values",
    ),
    covariate(
        "labels and numbers",
        "level: unit, categories: {0: 0.5, q: 0.5}",
        "categories",
        "some labels are numbers (0) and some are not (q)",
        "all numbers, or all names",
    ),
    covariate(
        "a number in two spellings",
        "level: unit, categories: {1: 0.5, 1.0: 0.5}",
        "categories",
        "the value 1 is there twice",
    ),
    covariate(
        "a reference that is no category",
        "level: unit, categories: {public: 0.5, other: 0.5}, reference: publik",
        "reference",
        "'publik' is none of the labels",
        "allowed: public, other",
        "did you mean 'public'",
    ),
    covariate(
        "a reference of numbers",
        "level: unit, categories: {0: 0.5, 1: 0.5}, reference: 1",
        "reference",
        "the reference '1' of numbers",
        "the smallest number",
    ),
    covariate(
        "a misspelt reference",
        "level: unit, balanced: [p, q], baseline: q",
        "baseline",
        "unknown key 'baseline'",
        "did you mean 'reference'",
    ),
    covariate(
        "a misspelt key of categories",
        "level: unit, category: {p: 0.5, q: 0.5}",
        "category",
        "unknown key 'category'",
        "did you mean 'categories'",
    ),
    covariate(
        "categorical as a distribution",
        "level: unit, distribution: categorical, p: [0.5, 0.5]",
        "distribution",
        "'categorical' is not allowed",
        "normal, uniform, binary",
        "did you mean 'categories: {a: 0.5, b: 0.5}'",
    ),
    covariate(
        "balanced as a distribution",
        "level: unit, distribution: balanced",
        "distribution",
        "did you mean 'balanced: [0, 1]'",
    ),
    covariate(
        "categories and a distribution",
        "level: unit, distribution: normal, categories: {p: 0.5, q: 0.5}",
        "distribution",
        "unknown key 'distribution'",
        "level, categories, reference",
    ),
    covariate(
        "arms by another key", "level: unit, arms: 2", "arms", "'arms'", "did you mean 'balanced'"
    ),
    covariate(
        "a number of arms",
        "level: unit, balanced: 2",
        "balanced",
        "2 is not allowed",
        "a list of two or more",
        "did you mean '[0, 1]'",
    ),
    covariate("one arm", "level: unit, balanced: [0]", "balanced", "[0] is not", "two or more"),
    covariate(
        "an arm twice",
        "level: unit, balanced: [0, 1, 1]",
        "balanced[2]",
        "'1' is there twice",
        "each value once",
    ),
    covariate(
        "a truth value as an arm",
        "level: unit, balanced: [0, yes]",
        "balanced[1]",
        "true is no label",
        "text, in quotes",
    ),
    case(
        "a column of the name of another covariate",
        AN_ATTRIBUTE,
        f"{SCHOOL}\n    spublic: {{level: row}}",
        14,
        "design.covariates.s",
        "the column 'spublic' of 's' has the name of another column",
    ),
    case(
        "a share of a grid alone",
        f"{AN_ATTRIBUTE}\n    x: {{level: row, grid: {{from: -4, to: 4, endpoint: false}}}}\ngrid:",
        f"{SCHOOL}\n    x: {{level: row}}\ngrid:\n"
        "  design.covariates.s.categories.other: [0.5, 0.2]",
        14,
        "design.covariates.s.categories",
        "the shares add up to 0.7",
        "a grid varies all of them together",
    ),
    case(
        "a factor of a normal covariate",
        "small: y ~ x",
        "small: y ~ factor(a)",
        20,
        "models.small",
        "factor(a) of a covariate that has values without end",
        "2 to 24 values",
        "did you mean 'a'",
    ),
    factor("labels in arithmetic", "I(2 * s)", "'s' in I(2 * s) has labels", "s or factor(s)"),
    factor("a function of labels", "log(s)", "'s' in log(s) has labels, not numbers"),
    factor("a factor of nothing", "factor(b)", "'b' in y ~ x + factor(b)", "allowed: a, s, x"),
    factor("a factor of two", "factor(s, a)", "factor() takes the name of one column"),
    factor("a factor in two ways", "s + factor(s)", "'factor(s)public' depends on the others"),
    coefficient(
        "a coefficient by a misspelt label",
        ", sPublic: 1",
        "truth.fixed.sPublic",
        "has no coefficient 'sPublic'",
        "(Intercept), x, a, spublic, x:a",
        "did you mean 'spublic'",
    ),
    coefficient(
        "no coefficient of a factor",
        "",
        "truth.fixed",
        "there is no value for the coefficient 'spublic'",
    ),
    case(
        "a factor in a test",
        "level: 0.95}",
        TESTS % "[factor(x)]",
        21,
        "estimation.tests.t[0]",
        "no model has a coefficient 'factor(x)'",
    ),
    rows("rows as a list", "[5, 10]", "design.rows", "[5, 10] is not", "mean '{list: [5, 10]}'"),
    rows("no rows", "0", "design.rows", "0 is not allowed", "at least 1"),
    rows("half a row", "2.5", "design.rows", "2.5 is not allowed", "a whole number"),
    rows("rows as text", "'5 to 40'", "design.rows", "'5 to 40' is not", "a whole number"),
    rows("a misspelt list", "{lists: [5, 10]}", "design.rows.lists", "'lists'", "mean 'list'"),
    rows(
        "a mean of rows", "{list: [5, 10], mean: 30}", "design.rows.mean", "'mean'", "allowed: list"
    ),
    rows("one number for a list", "{list: 5}", "design.rows.list", "5 is not", "a list"),
    rows("no list", "{list: []}", "design.rows.list", "there is nothing in it"),
    rows("a unit of no rows", "{list: [5, 0]}", "design.rows.list[1]", "0 is not", "at least 1"),
    rows("half a row in a list", "{list: [5, 2.5]}", "design.rows.list[1]", "a whole number"),
    rows(
        "rows that do not fill the units",
        "{list: [5, 10, 20, 5]}",
        "design.rows.list",
        "4 numbers of rows do not fill 10 units",
        "a number of them that divides it",
    ),
    rows("too many rows of a unit", "{list: [5, 10000001]}", "design.rows.list[1]", "at most"),
    case(
        "more values than the largest unit has rows",
        BASE[BASE.index("  rows: 10") : BASE.index("models:")],
        "  rows: {list: [2, 3]}\n  covariates:\n    a: {level: unit}\n"
        "    x: {level: row, grid: [0, 1, 2, 3]}\ngrid: {design.units: [10, 30]}\n",
        14,
        "design.covariates.x.grid",
        "4 values for units of at most 3 rows",
        "at most as many values as the largest unit has rows",
    ),
    case(
        "rows of the grid that do not fill the units",
        "[5, 10]",
        "[5, {list: [5, 10, 15]}]",
        17,
        "grid.design.rows.list",
        "3 numbers of rows do not fill 10 units",
    ),
    shape("a family by its full name", "student", "'student'", "normal, t(DF)", "mean 't(5)'"),
    shape("a family in capitals", "T(5)", "'T(5)'", "mean 't(5)'"),
    shape("another name of the normal", "gaussian", "'gaussian'", "did you mean 'normal'"),
    shape("a family that there is not", "cauchy", "'cauchy'", "normal, t(DF) such as t(5)"),
    shape("a number for a family", "5", "5 is no distribution", "normal, t(DF)"),
    shape("a mapping", "{t: 5}", "{'t': 5} is no distribution", "normal, t(DF)"),
    shape("a mapping of parameters", "{family: t, df: 5}", "no distribution", "mean 't(5)'"),
    shape("an infinite variance", "t(2)", "the variance of t(2) is infinite", "above 2"),
    shape("no degrees of freedom", "t", "'t' has 0 parameters", "t(DF)", "mean 't(5)'"),
    shape("two degrees of freedom", '"t(5, 3)"', "has 2 parameters", "mean 't(5)'"),
    shape("a parameter of the normal", '"normal(2)"', "has 1 parameter", "allowed: normal"),
    shape("a name for a number", "t(x)", "'x' in 't(x)' is no number", "t(DF) such as t(5)"),
    shape("a parameter with its name", "t(df=5)", "'df=5' in", "mean 't(5)'"),
    shape("a bracket left open", '"t(5"', "'t(5' is no distribution", "normal, t(DF)"),
    shape("chi-square by another name", "chi2(1)", "'chi2(1)'", "chisq(DF)", "mean 'chisq(1)'"),
    shape("a case of a family", "exponential(1)", "no distribution", "mean 'chisq(2)'"),
    shape("Laplace's by another name", "double exponential", "mean 'laplace'"),
    shape("no degree of freedom", "chisq(0)", "there is no chisq(0)", "above 0, such as chisq(1)"),
    shape("negative degrees", "chisq(-1)", "there is no chisq(-1)", "degrees of freedom above 0"),
    shape("chi-square without df", "chisq", "'chisq' has 0 parameters", "mean 'chisq(1)'"),
    shape("a negative sd of the log", "lognormal(-1)", "no lognormal(-1)", "sd of the logarithm"),
    shape("mean and sd of the log", '"lognormal(0, 1)"', "2 parameters", "mean 'lognormal(0.5)'"),
    shape(
        "more than all", '"mixture(1.5, 3)"', "no mixture(1.5, 3)", "a share of the second normal"
    ),
    shape("no second sd", '"mixture(0.1, 0)"', "no mixture(0.1, 0)", "a ratio of its sd to the"),
    shape("half a mixture", "mixture(0.1)", "1 parameter", "mixture(SHARE, RATIO)"),
    case(
        "a comma outside quotes",
        "residual: {sd: 0.75}",
        "residual: {distribution: mixture(0.1, 3), sd: 0.75}",
        8,
        RESIDUAL_PATH,
        "'mixture(0.1' is no distribution",
        "in quotes where it has a comma",
        "mean 'mixture(0.1, 3)'",
    ),
    shape("a skew-normal without slant", "skew_normal", "has 0 parameters", "skew_normal(ALPHA)"),
    shape("ends of the uniform", '"uniform(0, 1)"', "2 parameters", "mean 'uniform'"),
    shape("residuals by effect", "{x: laplace}", "{'x': 'laplace'} is no", "mean 'laplace'"),
    random(
        "a distribution of no effect",
        "distribution: {z: chisq(1)}",
        "distribution.z",
        "has no random effect 'z'",
        "allowed: (Intercept), x",
    ),
    random(
        "a misspelt effect",
        "distribution: {Intercept: chisq(1)}",
        "distribution.Intercept",
        "mean '(Intercept)'",
    ),
    random("an infinite variance", "distribution: {x: t(2)}", "distribution.x", "t(2) is infinite"),
    random("a number by name", "distribution: {x: 5}", "distribution.x", "5 is no distribution"),
    random(
        "another name by name",
        "distribution: {x: skewnormal(3)}",
        "distribution.x",
        "mean 'skew_normal(4)'",
    ),
    random("no dependence", "dependence: gauss", "dependence", "'gauss'", "mixing, copula"),
    random("a misspelt dependence", "dependence: coupla", "dependence", "mean 'copula'"),
    case(
        "a correlation that a copula cannot reach",
        "cor: 0.9}}",
        "cor: -0.5, distribution: chisq(1), dependence: copula}}",
        7,
        "truth.random.unit.cor",
        "no copula gives chisq(1) and chisq(1) the correlation -0.5",
        "-0.4393 to 1.0000",
    ),
    case(
        "a correlation of two families that a copula cannot reach",
        "cor: 0.9}}",
        "cor: 0.9, distribution: {x: chisq(1)}, dependence: copula}}",
        7,
        "truth.random.unit.cor",
        "no copula gives chisq(1) and normal the correlation 0.9",
        "-0.8324 to 0.8324",
    ),
    case(
        "correlations of the grid that a copula cannot reach",
        "grid:\n",
        "grid:\n  truth.random.unit.dependence: [copula]\n"
        "  truth.random.unit.distribution.x: [normal, laplace, chisq(1)]\n",
        7,
        "truth.random.unit.cor",
        "the correlation 0.9 (scenario dependence = copula, distribution.x = chisq(1)",
    ),
    case(
        "a copula that cannot be computed",
        "cor: 0.9}}",
        "cor: 0.9, distribution: t(2.01), dependence: copula}}",
        7,
        "truth.random.unit.cor",
        "a copula of t(2.01) cannot be computed to 8 digits",
        "dependence: mixing",
    ),
    case(
        "a copula of what is not correlated",
        BASE[BASE.index("y ~ x * a + (1 + x") : BASE.index("  residual")],
        'y ~ x * a + (1 + x || unit)\n  fixed: {(Intercept): 1, a: 0, x: 3, "x:a": 0}\n'
        "  random: {unit: {sd: {(Intercept): 1, x: 1}, dependence: copula}}\n",
        7,
        "truth.random.unit.dependence",
        "a copula where no random effects are correlated",
        "mixing, or no key dependence",
    ),
    case(
        "an effect of the grid that there is not",
        "grid:\n",
        "grid:\n  truth.random.unit.distribution.z: [normal, laplace]\n",
        16,
        "grid.truth.random.unit.distribution.z",
        "truth.random.unit.distribution has no 'z'",
        "truth.random.unit.distribution.x",
    ),
    case(
        "a family of one effect in the grid",
        "grid:\n",
        "grid:\n  truth.random.unit.distribution.x: [normal, chisq(0)]\n",
        16,
        "grid.truth.random.unit.distribution.x",
        "there is no chisq(0)",
    ),
    case(
        "a distribution and a part of it in the grid",
        "grid:\n",
        "grid:\n  truth.random.unit.distribution: [normal, laplace]\n"
        "  truth.random.unit.distribution.x: [normal, laplace]\n",
        17,
        "grid.truth.random.unit.distribution.x",
        "is a part of 'truth.random.unit.distribution'",
    ),
    case(
        "a family of random effects",
        "cor: 0.9}}",
        RANDOM % "students_t(4)",
        7,
        RANDOM_PATH,
        "'students_t(4)'",
        "mean 't(5)'",
    ),
    case(
        "infinite variance of random effects",
        "cor: 0.9}}",
        RANDOM % "t(1.5)",
        7,
        RANDOM_PATH,
        "the variance of t(1.5) is infinite",
    ),
    case(
        "a family in the grid",
        "grid:\n",
        "grid:\n  truth.residual.distribution: [normal, t(2)]\n",
        16,
        "grid.truth.residual.distribution",
        "the variance of t(2) is infinite",
    ),
    case(
        "a misspelt key of the residuals",
        "{sd: 0.75}",
        "{sd: 0.75, dist: t(5)}",
        8,
        "truth.residual.dist",
        "unknown key 'dist'",
        "sd, distribution",
    ),
    case(
        "test of no coefficient",
        "level: 0.95}",
        TESTS % '[a, "x:aa"]',
        21,
        "estimation.tests.t[1]",
        "no model has a coefficient 'x:aa'",
        "allowed: (Intercept), x, a",
        "'x:a'",
    ),
    case(
        "coefficient twice in a test",
        "level: 0.95}",
        TESTS % '["x:a", "a:x"]',
        21,
        "estimation.tests.t[1]",
        "'a:x' is there twice",
        "each coefficient once",
    ),
    case(
        "test of nothing",
        "level: 0.95}",
        TESTS % "[]",
        21,
        "estimation.tests.t",
        "there is nothing in it",
    ),
    case(
        "test of one coefficient as text",
        "level: 0.95}",
        TESTS % "a",
        21,
        "estimation.tests.t",
        "'a' is not allowed",
        "allowed: a list",
    ),
    case(
        "name of a test",
        "level: 0.95}",
        TESTS.replace("t:", "a b:") % "[a]",
        21,
        "estimation.tests.a b",
        "not safe",
    ),
    case("misspelt key", "seed:", "seeed:", 2, "seeed", "'seeed'", "allowed: name, seed", "'seed'"),
    case("misspelt section", "design:\n", "desing:\n", 9, "desing", "'desing'", "'design'"),
    case(
        "misspelt key in a section", "residual:", "residuals:", 8, "truth.residuals", "'residual'"
    ),
    case(
        "misspelt key of a covariate",
        "{level: unit,",
        "{levle: unit,",
        13,
        "design.covariates.a.levle",
        "'levle'",
        "level, distribution, mean, sd",
        "'level'",
    ),
    case(
        "key of another distribution",
        "n: normal}",
        "n: normal, low: 0}",
        13,
        "design.covariates.a.low",
        "mean, sd",
    ),
    case(
        "grid with a distribution",
        "row, grid",
        "row, distribution: normal, grid",
        14,
        "design.covariates.x.distribution",
        "level, grid",
    ),
    case("missing key", "seed: 1\n", "", 0, "seed", "the key is missing"),
    case("missing key of a section", "  units: 30\n", "", 9, "design.units", "the key is missing"),
    case("missing level", "level: unit, ", "", 13, "design.covariates.a.level", "is missing"),
    case(
        "empty models",
        "models:\n  full: y ~ x * a + (1 + x | unit)\n  small: y ~ x + (1 | unit)\n",
        "models: {}\n",
        18,
        "models",
        "at least one value",
    ),
    case(
        "unknown distribution",
        "distribution: normal",
        "distribution: nromal",
        13,
        "design.covariates.a.distribution",
        "'nromal'",
        "normal, uniform, binary",
        "'normal'",
    ),
    case(
        "unknown level",
        "level: unit",
        "level: units",
        13,
        "design.covariates.a.level",
        "'units'",
        "unit, row",
        "'unit'",
    ),
    case(
        "unknown df",
        "satterthwaite",
        "sattertwaite",
        21,
        "estimation.df",
        "'sattertwaite'",
        "residual, infinite",
        "did you mean 'satterthwaite'",
    ),
    case(
        "unknown df in a list",
        "satterthwaite",
        "[satterthwaite, kenwardroger]",
        21,
        "estimation.df[1]",
        "'kenwardroger'",
        "residual, infinite",
        "did you mean 'kenward-roger'",
    ),
    case(
        "the same df twice", "satterthwaite", "[residual, residual]", 21, "estimation.df", "twice"
    ),
    case("no df", "satterthwaite", "[]", 21, "estimation.df", "at least one"),
    case("number for df", "satterthwaite", "28", 21, "estimation.df", "28", "text"),
    case(
        "df that are limits",
        "satterthwaite",
        "[infinite, profile]",
        21,
        "estimation.df[1]",
        "'profile'",
        "did you mean 'limits'",
    ),
    case(
        "limits that are df",
        "level: 0.95",
        "limits: kenward-roger",
        21,
        "estimation.limits",
        "'kenward-roger'",
        "wald, wald-variance, profile",
        "did you mean 'df'",
    ),
    case(
        "draws without a bootstrap",
        "level: 0.95",
        "bootstrap: 99",
        21,
        "estimation.bootstrap",
        "neither df nor limits",
        "limits: [wald, bootstrap]",
    ),
    case(
        "draws without such percentiles",
        "satterthwaite",
        "bootstrap, bootstrap: 38",
        21,
        "estimation.bootstrap",
        "38 draws",
        "39 or more",
    ),
    case(
        "another word for the draws",
        "satterthwaite",
        "bootstrap, nsim: 99",
        21,
        "estimation.nsim",
        "nsim",
        "did you mean 'bootstrap'",
    ),
    case("unknown method", "[reml, ml]", "[rml]", 21, "estimation.methods[0]", "'rml'", "'reml'"),
    case("no method", "[reml, ml]", "[]", 21, "estimation.methods", "at least one"),
    case("text for a number", "seed: 1", "seed: one", 2, "seed", "'one'", "a whole number"),
    case("fraction for a whole number", "seed: 1", "seed: 1.5", 2, "seed", "1.5", "a whole number"),
    case("octal seed", "seed: 1", "seed: 017", 2, "seed", "'017'", "a whole number"),
    case("quoted number", "units: 30", "units: '30'", 10, "design.units", "'30'", "a whole number"),
    case("true for a number", "sd: 0.75", "sd: true", 8, "truth.residual.sd", "true", "a number"),
    case("null for a section", "residual: {sd: 0.75}", "residual:", 8, "truth.residual", "null"),
    case("number for a name", "name: demo", "name: 12", 1, "name", "12", "text"),
    case("list for a mapping", "{sd: 0.75}", "[0.75]", 8, "truth.residual", "[0.75]", "a mapping"),
    case(
        "number for a covariate",
        "{level: unit, distribution: normal}",
        "3",
        13,
        "design.covariates.a",
        "3",
        "a mapping",
    ),
    case(
        "number for a model", "small: y ~ x + (1 | unit)", "small: 3", 20, "models.small", "mapping"
    ),
    case(
        "text for true",
        "endpoint: false",
        "endpoint: never",
        14,
        "design.covariates.x.grid.endpoint",
        "'never'",
        "true or false",
    ),
    case("NaN", "x: 3.0", "x: .nan", 6, "truth.fixed.x", "nan", "a finite number"),
    case("infinity", "sd: 0.75", "sd: .inf", 8, "truth.residual.sd", "inf", "a finite number"),
    case("overflow", "x: 3.0", "x: 1e999", 6, "truth.fixed.x", "inf", "a finite number"),
    case("negative seed", "seed: 1", "seed: -1", 2, "seed", "-1", "at least 0"),
    case("seed beyond 64 bits", "seed: 1", "seed: 9223372036854775808", 2, "seed", "below 9.2"),
    case("zero replicates", "replicates: 100", "replicates: 0", 3, "replicates", "0", "at least 1"),
    case("negative replicates", "replicates: 100", "replicates: -5", 3, "replicates", "at least 1"),
    case("zero units", "units: 30", "units: 0", 10, "design.units", "0 is not", "at least 2"),
    case("one unit", "units: 30", "units: 1", 10, "design.units", "1 is not", "at least 2"),
    case("negative rows", "rows: 10\n", "rows: -3\n", 11, "design.rows", "-3", "at least 1"),
    case("too many rows", "rows: 10\n", "rows: 100000000\n", 11, "design.rows", "at most 1e+07"),
    case("level of one", "level: 0.95", "level: 1", 21, "estimation.level", "1", "below 1"),
    case("level in percent", "level: 0.95", "level: 95", 21, "estimation.level", "95", "below 1"),
    case(
        "level of a model in percent",
        "small: y ~ x + (1 | unit)",
        "small: {formula: y ~ x + (1 | unit), level: 95}",
        20,
        "models.small.level",
        "below 1",
    ),
    case(
        "level of a model of zero",
        "small: y ~ x + (1 | unit)",
        "small: {formula: y ~ x + (1 | unit), level: 0}",
        20,
        "models.small.level",
        "above 0",
    ),
    case(
        "level of a model as text",
        "small: y ~ x + (1 | unit)",
        "small: {formula: y ~ x + (1 | unit), level: high}",
        20,
        "models.small.level",
        "high",
        "a number",
    ),
    case("unsafe name", "name: demo", "name: a/b", 1, "name", "'a/b'", "letters, digits"),
    case("hidden name", "name: demo", "name: .demo", 1, "name", "'.demo'", "not first a dot"),
    case("name with a line break", "name: demo", 'name: "a\n"', 1, "name", "not safe"),
    case("long name", "name: demo", "name: " + "a" * 65, 1, "name", "at most 64"),
    case(
        "unsafe model name", "small:", "../small:", 20, "models.../small", "'../small'", "letters"
    ),
    case(
        "truth does not parse",
        "formula: y ~ x * a",
        "formula: y ~ x * * a",
        5,
        "truth.formula",
        "unexpected '*'",
        "    y ~ x * * a + (1 + x | unit)\n            ^",
    ),
    case(
        "model does not parse",
        "small: y ~ x + (1 | unit)",
        "small: y ~ x + (1 | unit",
        20,
        "models.small",
        "it ends here",
        "    y ~ x + (1 | unit\n                     ^",
    ),
    case(
        "two groups",
        "small: y ~ x + (1 | unit)",
        "small: y ~ x + (1 | unit) + (1 | a)",
        20,
        "models.small",
        "'unit' and 'a'",
        "one grouping factor",
    ),
    case(
        "model without random term",
        "small: y ~ x + (1 | unit)",
        "small: y ~ x",
        20,
        "models.small",
        "no random term",
        "(1 | unit)",
    ),
    case(
        "unknown function",
        "small: y ~ x",
        "small: y ~ lgo(x)",
        20,
        "models.small",
        "'lgo'",
        "log2",
        "'log'",
    ),
    case(
        "a factor whose levels the grid changes",
        "small: y ~ x",
        "small: y ~ factor(x)",
        20,
        "models.small",
        "factors of y ~ factor(x) + (1 | unit) have other levels than above the grid",
        "the same levels in all scenarios",
        "rows = 5",
    ),
    case("offset()", "small: y ~ x", "small: y ~ offset(x)", 20, "models.small", "offset()"),
    case(
        "misspelt variable in a model",
        "small: y ~ x",
        "small: y ~ xs",
        20,
        "models.small",
        "'xs' in y ~ xs",
        "allowed: a, x",
        "did you mean 'x'?",
    ),
    case(
        "misspelt variable in a mapping",
        "small: y ~ x + (1 | unit)",
        "small: {formula: y ~ b + (1 | unit)}",
        20,
        "models.small.formula",
        "'b' in y ~ b",
        "a, x",
    ),
    case(
        "variable that is no covariate",
        "    a: {level: unit, distribution: normal}\n",
        "",
        5,
        "truth.formula",
        "'a' in y ~ x * a",
        "allowed: x",
    ),
    case(
        "a response that is an expression",
        "small: y ~ x",
        "small: log(y) ~ x",
        20,
        "models.small",
        "the response of a study is a column, not 'log(y)'",
        "did you mean 'y'",
    ),
    case(
        "another response",
        "small: y ~ x",
        "small: z ~ x",
        20,
        "models.small",
        "response is 'z'",
        "allowed: y",
    ),
    case(
        "another group",
        "x + (1 | unit)",
        "x + (1 | units)",
        20,
        "models.small",
        "'units'",
        "allowed: unit",
    ),
    case(
        "function without a value",
        "small: y ~ x",
        "small: y ~ log(x)",
        20,
        "models.small",
        "'log(x)' is not finite",
        "scenario units = 10, rows = 5",
    ),
    case("two models of one name", "small:", "full:", 20, "models.full", "'full' is there twice"),
    case(
        "covariate named as the response",
        "covariates:\n",
        "covariates:\n    y: {level: row}\n",
        13,
        "design.covariates.y",
        "is the response",
    ),
    case(
        "covariate named unit",
        "covariates:\n",
        "covariates:\n    unit: {level: row}\n",
        13,
        "design.covariates.unit",
        "'unit'",
        "any but unit, scenario, replicate",
    ),
    case(
        "covariate with a space",
        "covariates:\n",
        "covariates:\n    b c: {level: row}\n",
        13,
        "design.covariates.b c",
        "'b c'",
        "letters, digits",
    ),
    case(
        "uniform upside down",
        "distribution: normal",
        "distribution: uniform, low: 2, high: 1",
        13,
        "design.covariates.a",
        "low is 2 and high is 1",
        "low below high",
    ),
    case(
        "probability above one",
        "distribution: normal",
        "distribution: binary, p: 1.5",
        13,
        "design.covariates.a.p",
        "1.5",
        "below 1",
    ),
    case(
        "covariate of sd zero",
        "distribution: normal",
        "distribution: normal, sd: 0",
        13,
        "design.covariates.a.sd",
        "above 0",
    ),
    case("grid of one point", "from: -4", "from: 4", 14, "design.covariates.x.grid", "both 4"),
    case(
        "grid with no values",
        "{from: -4, to: 4, endpoint: false}",
        "[]",
        14,
        "design.covariates.x.grid",
        "at least one value",
    ),
    case(
        "grid that does not fill",
        "{from: -4, to: 4, endpoint: false}",
        "[1, 2, 3]",
        14,
        "design.covariates.x.grid",
        "3 values do not fill 5 rows",
        "scenario units = 10, rows = 5",
        "divides",
    ),
    case(
        "coefficient without a term",
        "a: -0.15",
        "a: -0.15, b: 2",
        6,
        "truth.fixed.b",
        "no coefficient 'b'",
        "allowed: (Intercept), x, a, x:a",
    ),
    case(
        "coefficient in another order",
        '"x:a"',
        '"a:x"',
        6,
        "truth.fixed.a:x",
        "no coefficient 'a:x'",
        "did you mean 'x:a'?",
    ),
    case(
        "misspelt coefficient",
        "(Intercept): 1.0",
        "(Intercpt): 1.0",
        6,
        "truth.fixed.(Intercpt)",
        "'(Intercept)'?",
    ),
    case(
        "term without a coefficient",
        ' x: 3.0, "x:a": 0.3',
        " x: 3.0",
        6,
        "truth.fixed",
        "coefficient 'x:a'",
        "y ~ x * a",
    ),
    case(
        "sd without an effect",
        "x: 0.5}",
        "x: 0.5, a: 1}",
        7,
        "truth.random.unit.sd.a",
        "no random effect 'a'",
    ),
    case(
        "effect without an sd",
        ", x: 0.5}",
        "}",
        7,
        "truth.random.unit.sd",
        "random effect 'x'",
        "(Intercept), x",
    ),
    case(
        "another group in the truth",
        "random: {unit:",
        "random: {units:",
        7,
        "truth.random.units",
        "no group 'units'",
        "did you mean 'unit'?",
    ),
    case("negative sd", "x: 0.5}", "x: -0.5}", 7, "truth.random.unit.sd.x", "-0.5", "at least 0"),
    case("negative residual sd", "sd: 0.75", "sd: -1", 8, "truth.residual.sd", "-1", "above 0"),
    case("zero residual sd", "sd: 0.75", "sd: 0", 8, "truth.residual.sd", "0", "above 0"),
    case(
        "correlation above one",
        "cor: 0.9",
        "cor: 1.2",
        7,
        "truth.random.unit.cor",
        "1.2",
        "-1 to 1",
    ),
    case(
        "correlation below one",
        "cor: 0.9",
        "cor: -1.01",
        7,
        "truth.random.unit.cor",
        "-1.01",
        "-1 to 1",
    ),
    case(
        "correlation as text",
        "cor: 0.9",
        "cor: high",
        7,
        "truth.random.unit.cor",
        "'high'",
        "a number",
    ),
    case(
        "correlation of one effect",
        "x * a + (1 + x | unit)\n  fixed",
        "x * a + (1 | unit)\n  fixed",
        7,
        "truth.random.unit.sd.x",
        "no random effect 'x'",
    ),
    case(
        "correlation under ||",
        "(1 + x | unit)\n  fixed",
        "(1 + x || unit)\n  fixed",
        7,
        "truth.random.unit.cor",
        "0.9",
    ),
    case(
        "matrix of the wrong size",
        "cor: 0.9",
        "cor: [[1]]",
        7,
        "truth.random.unit.cor",
        "1 row of 1 value",
        "2 rows of 2",
    ),
    case(
        "ragged matrix",
        "cor: 0.9",
        "cor: [[1, 0], [0]]",
        7,
        "truth.random.unit.cor",
        "2 rows of 1, 2",
        "2 rows of 2",
    ),
    case(
        "empty matrix", "cor: 0.9", "cor: []", 7, "truth.random.unit.cor", "0 rows", "2 rows of 2"
    ),
    case(
        "matrix of texts",
        "cor: 0.9",
        "cor: [[1, a], [a, 1]]",
        7,
        "truth.random.unit.cor[0][1]",
        "'a'",
        "a number",
    ),
    case(
        "matrix that is not symmetric",
        "cor: 0.9",
        "cor: [[1, 0.5], [0.4, 1]]",
        7,
        "truth.random.unit.cor",
        "[1, 0.5], [0.4, 1]",
        "symmetric",
    ),
    case(
        "matrix without ones",
        "cor: 0.9",
        "cor: [[2, 0.5], [0.5, 1]]",
        7,
        "truth.random.unit.cor",
        "2",
        "-1 to 1",
    ),
    case(
        "covariances for correlations",
        "cor: 0.9",
        "cor: [[0.04, 0.09], [0.09, 0.25]]",
        7,
        "truth.random.unit.cor",
        "0.04",
        "ones on its diagonal",
    ),
    case(
        "path that does not exist",
        "design.units:",
        "design.unit:",
        16,
        "grid.design.unit",
        "design has no 'unit'",
        "design.units, design.rows",
        "did you mean 'design.units'?",
    ),
    case(
        "path that ends too early",
        "design.units:",
        "truth.residual.sd.x:",
        16,
        "grid.truth.residual.sd.x",
        "no 'x'",
    ),
    case(
        "path of a misspelt section",
        "design.units:",
        "desing.units:",
        16,
        "grid.desing.units",
        "did you mean 'design.units'?",
    ),
    case("path of no value", "design.units:", "design:", 16, "grid.design", "design.units"),
    case("path of the seed", "design.units:", "seed:", 16, "grid.seed", "there is no 'seed'"),
    case(
        "path of a missing coefficient",
        "design.units:",
        "truth.fixed.b:",
        16,
        "grid.truth.fixed.b",
        "truth.fixed.x",
    ),
    case(
        "path below another",
        "design.units: [10, 30]",
        "truth.residual: [{sd: 1}]\n  truth.residual.sd: [1, 2]",
        17,
        "grid.truth.residual.sd",
        "a part of 'truth.residual'",
    ),
    case("empty levels", "[10, 30]", "[]", 16, "grid.design.units", "at least one value"),
    case(
        "no path, and no levels of a name of its own",
        "design.units: [10, 30]",
        "icc: {low: 0.1, high: 0.2}",
        16,
        "grid.icc.low",
        "'icc' is no path of this study, and its level 'low' no mapping",
        "a path such as design.units; or NAME: {LABEL: {PATH: value",
    ),
    case(
        "list under a name of its own",
        "design.units: [10, 30]",
        "icc: [0.1, 0.2]",
        16,
        "grid.icc",
        "'icc' is no path of this study: there is no 'icc'",
        "allowed: truth, design",
    ),
    case(
        "misspelt path of values that vary together",
        "design.units: [10, 30]",
        "icc: {low: {truth.residual.sd: 1}, high: {truth.residual.sdd: 2}}",
        16,
        "grid.icc.high.truth.residual.sdd",
        "'truth.residual.sdd' is no path of this study: truth.residual has no 'sdd'",
        "'truth.residual.sd'",
    ),
    case(
        "other values at another level",
        "design.units: [10, 30]",
        "icc: {low: {truth.residual.sd: 1}, high: {truth.fixed.x: 2}}",
        16,
        "grid.icc.high",
        "sets other values",
        "allowed: truth.residual.sd",
    ),
    case(
        "value that is varied twice",
        "design.units: [10, 30]",
        "size: {small: {design.rows: 5}, large: {design.rows: 10}}",
        17,
        "grid.design.rows",
        "'design.rows' is varied twice",
    ),
    case(
        "name of a term for values that vary together",
        "design.units: [10, 30]",
        "x: {small: {design.units: 5}, large: {design.units: 10}}",
        16,
        "grid.x",
        "'x' cannot name values that vary together",
    ),
    case(
        "impossible value at a level of values that vary together",
        "design.units: [10, 30]",
        "cor: {low: {truth.random.unit.cor: 0.1}, high: {truth.random.unit.cor: 1.1}}",
        16,
        "grid.cor",
        "the correlation 1.1 is not allowed (scenario cor = high, rows = 5)",
    ),
    case(
        "covariate called sigma",
        "    a: {level: unit, d",
        "    sigma: {level: row}\n    a: {level: unit, d",
        13,
        "design.covariates.sigma",
        "the covariate 'sigma' has a name that the results use",
    ),
    case(
        "two correlations of one name",
        "small: y ~ x + (1 | unit)",
        "small: y ~ x + (0 + q + r.p + p.q + r | unit)",
        20,
        "models.small",
        "two terms of the model 'small' have the name 'cor_r.p.q|unit'",
    ),
    case(
        "true value of no term",
        "small: y ~ x + (1 | unit)",
        "small: {formula: y ~ x + (1 | unit), true: {x: 3, xa: 2}}",
        20,
        "models.small.true.xa",
        "the model 'small' has no term 'xa'",
        "allowed: (Intercept), x, sd_(Intercept)|unit, sigma",
        "did you mean 'x'",
    ),
    case(
        "true value that the truth contradicts",
        "full: y ~ x * a + (1 + x | unit)",
        "full: {formula: y ~ x * a + (1 + x | unit), true: {x: 2.5}}",
        19,
        "models.full.true.x",
        "the true value of 'x' is 3, which follows from the truth, not 2.5",
    ),
    case(
        "true value that is no number",
        "small: y ~ x + (1 | unit)",
        "small: {formula: y ~ x + (1 | unit), true: {x: big}}",
        20,
        "models.small.true.x",
        "'big' is not allowed",
        "a number",
    ),
    case("one level, no list", "[10, 30]", "10", 16, "grid.design.units", "10", "a list"),
    case(
        "level there twice", "[10, 30]", "[10, 30, 10]", 16, "grid.design.units[2]", "10 is there"
    ),
    case(
        "level there twice as a float",
        "design.units: [10, 30]",
        "truth.residual.sd: [1, 1.0]",
        16,
        "grid.truth.residual.sd[1]",
        "1.0 is there twice",
    ),
    case(
        "impossible level",
        "[10, 30]",
        "[10, 0]",
        16,
        "grid.design.units",
        "0 is not allowed",
        "scenario units = 0, rows = 5",
        "at least 2",
    ),
    case(
        "level of another type",
        "[10, 30]",
        "[10, many]",
        16,
        "grid.design.units",
        "'many'",
        "a whole number",
    ),
    case(
        "impossible correlation level",
        "design.units: [10, 30]",
        "truth.random.unit.cor: [0, 1.5]",
        16,
        "grid.truth.random.unit.cor",
        "1.5",
        "scenario cor = 1.5, rows = 5",
        "-1 to 1",
    ),
    case("level that is NaN", "[10, 30]", "[.nan, 10]", 16, "grid.design.units", "nan"),
    case(
        "two levels of the same data",
        "design.units: [10, 30]",
        "truth.random.unit.cor: [0.5, [[1, 0.5], [0.5, 1]]]",
        15,
        "grid",
        "the same data as in the scenario cor = 0.5, rows = 5",
    ),
    case(
        "too many scenarios",
        "[10, 30]",
        f"{[*range(2, 1002)]}\n  truth.residual.sd: {[*range(1, 102)]}",
        15,
        "grid",
        "too many scenarios",
        "100000",
    ),
    case(
        "more coefficients than data",
        "[10, 30]\n  design.rows: [5, 10]",
        "[2]\n  design.rows: [2]",
        19,
        "models.full",
        "'full' cannot be identified",
        "4 observations for 4 fixed",
        "units = 2, rows = 2",
    ),
    case(
        "as many effects as data",
        "[5, 10]",
        "[5, 2]",
        19,
        "models.full",
        "'full' cannot be identified",
        "20 observations for 20 random effects of ((Intercept) + x | unit)",
        "rows = 2",
    ),
    case(
        "one row for each unit",
        "[5, 10]",
        "[1]",
        19,
        "models.full",
        "10 observations for 20 random effects",
        "rows = 1",
    ),
    case(
        "column that repeats another",
        "small: y ~ x",
        "small: y ~ x + I(2 * x - 1)",
        20,
        "models.small",
        "'I(2 * x - 1)' depends on the others",
        "scenario units = 10, rows = 5",
    ),
    case(
        "covariate that does not vary",
        "{from: -4, to: 4, endpoint: false}",
        "[3]",
        19,
        "models.full",
        "'x' depends",
    ),
    case("key there twice", "seed: 1", "seed: 1\nseed: 2", 3, "seed", "'seed' is there twice"),
    case("key that is no text", "a: -0.15", "1: -0.15", 6, "truth.fixed", "key 1 is not text"),
    case(
        "key that is a name though YAML takes it for false",
        "a: -0.15",
        "no: 1",
        6,
        "truth.fixed.no",
        "no coefficient 'no'",
    ),
    case("tab", "  units: 30", "	units: 30", 10, "", "a tab", "spaces"),
    case("bracket left open", "[reml, ml]", "[reml, ml", 21, "", "the file is not YAML"),
    case("unknown tag", "seed: 1", "seed: !!python/name:os.system", 2, "", "the file is not YAML"),
    case("two documents", "seed: 1", "---\nseed: 1", 2, "", "the file is not YAML"),
    case("alias of nothing", "seed: 1", "seed: *x", 2, "", "undefined alias"),
    case("alias within itself", "seed: 1", "seed: &x [*x]", 2, "seed[0]", "an alias within"),
    case("control character", "seed: 1", "seed: ", 0, "", "the file is not YAML"),
]


def refused(text):
    with pytest.raises(InputError) as caught:
        Study.from_text(text, file="studies/demo.yaml")
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize(("old", "new", "line", "path", "fragments"), MISTAKES)
def test_a_mistake_is_named(old, new, line, path, fragments):
    assert old in BASE
    error = refused(BASE.replace(old, new, 1))
    assert str(error.file) == (f"studies/demo.yaml:{line}" if line else "studies/demo.yaml")
    assert (error.path or "") == path
    for fragment in fragments:
        assert fragment in str(error)


def test_the_text_without_a_mistake_is_a_study():
    assert len(Study.from_text(BASE).scenarios) == 4


def test_normals_of_a_copula_must_exist():
    """Three correlations of -0.43 are possible, but not by a copula of chi-squares."""
    low = "[[1, -0.42, 0], [-0.42, 1, -0.42], [0, -0.42, 1]]"
    error = refused(
        THREE.replace("cor: 0.5", f"cor: {low}, distribution: chisq(1), dependence: copula")
    )
    assert error.path == "truth.random.unit.cor"
    assert "no copula gives these correlations together" in str(error)
    assert "positive semidefinite" in error.allowed


THREE = """\
name: three
seed: 1
replicates: 100
truth:
  formula: y ~ x + z + (1 + x + z | unit)
  fixed: {(Intercept): 1, x: 1, z: 1}
  random: {unit: {sd: {(Intercept): 1, x: 1, z: 1}, cor: 0.5}}
  residual: {sd: 1}
design:
  units: 30
  rows: 4
  covariates:
    x: {level: row, distribution: normal}
    z: {level: row, grid: [0, 1]}
models:
  full: y ~ x + z + (1 + x + z | unit)
"""


@pytest.mark.parametrize(
    ("old", "new", "path", "fragments"),
    [
        (
            "cor: 0.5",
            "cor: -0.6",
            "truth.random.unit.cor",
            ("[1, -0.6, -0.6]", "not possible together", "positive semidefinite"),
        ),
        (
            "cor: 0.5",
            "cor: [[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]",
            "truth.random.unit.cor",
            ("[1, 0.9, -0.9]", "not possible together", "positive semidefinite"),
        ),
        (
            "(1 + x + z | unit)\n  fixed",
            "(1 + x | unit) + (0 + z | unit)\n  fixed",
            None,
            (),
        ),
        (
            (
                "(1 + x + z | unit)\n  fixed: {(Intercept): 1, x: 1, z: 1}\n"
                "  random: {unit: {sd: {(Intercept): 1, x: 1, z: 1}, cor: 0.5}}"
            ),
            (
                "(1 + x | unit) + (0 + z | unit)\n  fixed: {(Intercept): 1, x: 1, z: 1}\n"
                "  random: {unit: {sd: {(Intercept): 1, x: 1, z: 1}, "
                "cor: [[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]]}}"
            ),
            "truth.random.unit.cor",
            ("the formula keeps apart",),
        ),
        (
            "rows: 4",
            "rows: 2",
            "models.full",
            ("'full' cannot be identified", "60 observations for 90 random effects"),
        ),
        ("full: y ~ x + z", "full: y ~ x + z + I(z^2)", "models.full", ("'I(z^2)' depends",)),
        ("full: y ~ x + z", "full: y ~ x + sqrt(x)", "models.full", ("'sqrt(x)' is not finite",)),
    ],
)
def test_three_random_effects(old, new, path, fragments):
    assert old in THREE
    text = THREE.replace(old, new, 1)
    if path is None:
        cor = ((1.0, 0.5, 0.0), (0.5, 1.0, 0.0), (0.0, 0.0, 1.0))
        assert Study.from_text(text).scenarios[0].cor == cor
        return
    error = refused(text)
    assert error.path == path
    for fragment in fragments:
        assert fragment in str(error)


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (None, "there is no such file"),
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"---\n", "the file is empty"),
        (b"just words", "no mapping"),
        (b"- a\n- list\n", "no mapping"),
        (b"name: \xff\xfe", "not UTF-8 text (byte 0xff)"),
        (b"PK\x03\x04", "the file is not YAML"),
        (b"#" * 1_000_001, "too large"),
        (b"[" * 5000, "nested too deeply"),
        (b"a: " + b"[" * 400 + b"]" * 400, "nested too deeply"),
        (b"a: " + b"9" * 5000, "too many digits"),
    ],
)
def test_a_file_that_is_no_study_is_named(tmp_path, content, fragment):
    file = tmp_path / "study.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Study.load(file)
    assert str(caught.value).startswith(str(file))
    assert fragment in str(caught.value)


def test_a_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="this is a folder"):
        Study.load(tmp_path)


def test_aliases_cannot_grow_without_bound():
    bomb = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 12))
    assert "too many values" in str(refused(f"l0: &l0 [x]\n{bomb}"))


def test_an_alias_may_spare_repetition():
    text = BASE.replace("a: {level", "a: &plain {level").replace(
        "covariates:\n", "covariates:\n", 1
    )
    text = text.replace("grid:\n  design", "    b: *plain\ngrid:\n  design")
    assert [c.name for c in Study.from_text(text).scenarios[0].covariates] == ["a", "b", "x"]
