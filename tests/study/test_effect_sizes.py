"""Effect sizes stand for coefficients and sds: by closed forms, and in simulated data."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd
import pytest

from hlm.distributions import Binary, Normal, Points, Span, Uniform
from hlm.errors import InputError
from hlm.estimands.column_moments import column_moments
from hlm.estimands.implied import implied
from hlm.formula import parse
from hlm.plan.plan import Plan
from hlm.scenario import Covariate
from hlm.simulate import draw_rows
from hlm.study import Study
from hlm.study.schema import EffectSizes
from hlm.study.sized import KEYS
from tests.results import make_results, summarize_results

BASE = """\
name: sized
seed: 1
replicates: 400
truth:
  formula: y ~ x * a + z + (1 + x | unit)
  fixed: {(Intercept): 1, z: 0.5}
  random: {unit: {cor: 0.3}}
  effect_sizes:
    icc: 0.2
    total_variance: 4
    slope_variance_ratio: {x: 0.1}
    d: {a: 0.5}
    d_between: {"x:a": 0.4}
    r2: {x: 0.1}
design:
  units: 60
  rows: 20
  covariates:
    a: {level: unit, distribution: binary}
    x: {level: row}
    z: {level: row, distribution: uniform}
models:
  full: y ~ x * a + z + (1 + x | unit)
"""


def changed(*changes, base=BASE):
    for old, new in changes:
        assert old in base
        base = base.replace(old, new, 1)
    return base


def scenario(*changes):
    (found,) = Study.from_text(changed(*changes)).scenarios
    return found


def test_sds_and_differences_in_closed_form():
    found = scenario()
    tau, sigma, slope = sqrt(0.8), sqrt(3.2), sqrt(0.32)
    assert found.sigma == pytest.approx(sigma, rel=1e-15)
    assert found.sd == pytest.approx((tau, slope), rel=1e-15)
    b = dict(found.fixed)
    assert b["a"] == pytest.approx(0.5 * 2.0, rel=1e-15)
    assert b["x:a"] == pytest.approx(0.4 * slope, rel=1e-15)
    assert (b["(Intercept)"], b["z"]) == (1.0, 0.5)


def test_a_share_of_the_rows_in_closed_form():
    """V = b^2 + b c + c^2/2 + 0.25/12 + slope variance + sigma^2, with c of x:a and E a = 1/2."""
    found = scenario()
    b, c = dict(found.fixed)["x"], dict(found.fixed)["x:a"]
    V = b**2 + b * c + c**2 / 2 + 0.25 / 12 + 0.32 + 3.2
    assert b**2 / V == pytest.approx(0.1, rel=1e-12)
    assert b > 0


def test_shares_of_independent_terms_add_to_the_r2_of_their_level():
    found = scenario(
        ("x * a + z + (1", "x * a + z + w + (1"),
        ('r2: {x: 0.1}\n', 'r2: {x: 0.1, z: 0.05, a: 0.2, w: 0.1, "x:a": 0.03}\n'),
        ("    d: {a: 0.5}\n    d_between: {\"x:a\": 0.4}\n", ""),
        ("a: {level: unit, distribution: binary}", "a: {level: unit, sd: 3}\n    w: {level: unit}"),
        ("(Intercept): 1, z: 0.5", "(Intercept): 1"),
    )  # fmt: skip
    known = implied(found)
    assert known.r2_rows == pytest.approx(0.18, rel=1e-12)
    assert known.r2_units == pytest.approx(0.3, rel=1e-12)
    assert known.icc == pytest.approx(0.2, rel=1e-14)
    assert not known.about
    b = dict(found.fixed)
    within = known.fixed_rows + known.slopes + known.residual
    assert b["x:a"] ** 2 * 9 / within == pytest.approx(0.03, rel=1e-12)
    assert b["z"] ** 2 / 12 / within == pytest.approx(0.05, rel=1e-12)


def test_the_share_of_a_product_is_beside_what_it_contains():
    """Of x:a with a of 0 and 1 the part that x explains is not its own: v = Var(x) Var(a)."""
    found = scenario(
        ('    d_between: {"x:a": 0.4}\n', ""), ("r2: {x: 0.1}", 'r2: {x: 0.1, "x:a": 0.05}')
    )
    known, b = implied(found), dict(found.fixed)
    within = known.fixed_rows + known.slopes + known.residual
    assert b["x:a"] ** 2 * 0.25 / within == pytest.approx(0.05, rel=1e-12)
    assert b["x"] ** 2 / within == pytest.approx(0.1, rel=1e-12)


def test_differences_within_units():
    found = scenario(("d: {a: 0.5}", "d: {a: 0.5}\n    d_within: {z: -0.3}"), (", z: 0.5", ""))
    assert dict(found.fixed)["z"] == pytest.approx(-0.3 * sqrt(3.2), rel=1e-15)


def test_the_icc_from_the_residual_sd():
    sizes = "  effect_sizes: {icc: 0.36}\n  residual: {sd: 4}\n"
    text = changed(
        (BASE[BASE.index("  effect_sizes") : BASE.index("design:")], sizes),
        ("x * a + z + (1 + x | unit)", "z + (1 | unit)"),
        ("  random: {unit: {cor: 0.3}}\n", ""),
        ("full: y ~ x * a + z + (1 + x | unit)", "full: y ~ z + (1 | unit)"),
    )
    assert Study.from_text(text).scenarios[0].sd == (3.0,)
    assert Study.from_text(text.replace("0.36", "0")).scenarios[0].sd == (0.0,)


def test_the_key_is_that_of_the_raw_values():
    sized = scenario(("r2: {x: 0.1}", "d_within: {x: 0.3}"))
    (start, stop) = BASE.index("  fixed"), BASE.index("design:")
    fixed = ", ".join(f'"{name}": {value!r}' for name, value in sized.fixed)
    raw = (
        f"  fixed: {{{fixed}}}\n  random: {{unit: {{sd: {{(Intercept): {sized.sd[0]!r}, "
        f"x: {sized.sd[1]!r}}}, cor: 0.3}}}}\n  residual: {{sd: {sized.sigma!r}}}\n"
    )
    (plain,) = Study.from_text(BASE[:start] + raw + BASE[stop:]).scenarios
    assert plain == sized


def test_effect_sizes_are_levels_of_a_grid():
    grid = """\
grid:
  truth.effect_sizes.icc: [0.05, 0.2]
  truth.effect_sizes.d.a: [0, 0.5]
  truth.effect_sizes.d_between.x:a: [0, 0.4]
  truth.random.unit.distribution.(Intercept): [normal, chisq(1)]
  design.covariates.x.sd: [1, 2]
models:"""
    found = Study.from_text(changed(("models:", grid)))
    names = ["icc", "d.a", "d_between.x:a", "distribution.(Intercept)", "sd"]
    assert list(found.levels[0]) == names
    assert len(found.scenarios) == 32
    for one, level in zip(found.scenarios, found.levels, strict=True):
        b = dict(one.fixed)
        assert one.sd[0] ** 2 == pytest.approx(4 * level["icc"], rel=1e-14)
        assert b["a"] == pytest.approx(2 * level["d.a"], rel=1e-14)
        assert b["x:a"] == pytest.approx(level["d_between.x:a"] * one.sd[1], rel=1e-14)
        known = implied(one)
        within = known.fixed_rows + known.slopes + known.residual
        assert (b["x"] * level["sd"]) ** 2 / within == pytest.approx(0.1, rel=1e-12)
    assert found.levels[found.example] == dict(
        zip(names, (0.2, 0.5, 0.4, "normal", 1), strict=True)
    )


def test_implied_variances_are_those_of_simulated_data():
    """Four standard errors over 300 data sets, from sums of squares and from the raw response."""
    found = scenario(("a: {level: unit, dist", "a: {level: unit, p: 0.3, dist"))
    known = implied(found)
    sums = []
    for replicate in range(300):
        rows = draw_rows(found, 5, replicate)
        y = rows["y"].reshape(60, 20)
        within, between = y.var(axis=1, ddof=1).mean(), y.mean(axis=1).var(ddof=1)
        sums.append((within, between - within / 20))
    mean, error = np.mean(sums, axis=0), np.std(sums, axis=0) / sqrt(300)
    truth = (
        known.fixed_rows + known.slopes + known.residual,
        known.fixed_units + known.units,
    )
    assert np.all(np.abs(mean - truth) < 4 * error)
    assert np.all(error < 0.02 * np.array(truth))


def test_a_study_by_its_icc_estimates_that_icc(tmp_path):
    """Through files, fits and measures: the true value is the effect size, the bias small."""
    text = """\
name: by_icc
seed: 3
replicates: 500
truth:
  formula: y ~ a + (1 | unit)
  fixed: {(Intercept): 0}
  effect_sizes: {icc: 0.1, total_variance: 2, d: {a: 0.5}}
design:
  units: 100
  rows: 10
  covariates: {a: {level: unit, grid: [0, 1]}}
grid:
  truth.effect_sizes.icc: [0.1, 0.3]
models: {full: y ~ a + (1 | unit)}
estimation: {methods: [reml], estimands: [icc]}
"""
    (tmp_path / "by_icc.yaml").write_text(text)
    results = make_results(tmp_path / "results", study=tmp_path / "by_icc.yaml")
    summarize_results(Plan.read(results / "plan.json"), results)
    measures = pd.read_parquet(results / "measures.parquet")
    found = measures[measures["measure"] == "bias"].set_index(["icc", "term"])
    for icc in (0.1, 0.3):
        assert found.loc[(icc, "icc_unit"), "true"] == pytest.approx(icc, rel=1e-12)
        assert found.loc[(icc, "a"), "true"] == pytest.approx(0.5 * sqrt(2), rel=1e-12)
        for term in ("icc_unit", "a", "sigma"):
            bias = found.loc[(icc, term)]
            assert abs(bias["estimate"]) < 4 * bias["mcse"] + 0.002, term


@pytest.mark.parametrize(
    ("formula", "covariates"),
    [
        ("y ~ x * a + I(x^2) + (1 | g)", (Normal(1.0, 2.0), Binary(0.3), Uniform(-1.0, 3.0))),
        ("y ~ x * a * z + (1 | g)", (Uniform(1.0, 2.0), Normal(2.0, 0.5), Normal(0.5, 1.0))),
        ("y ~ exp(x) * a + log(z) + (1 | g)", (Normal(0, 0.4), Uniform(1.0, 2.0), Uniform(1, 5))),
        ("y ~ x * z * a + (1 | g)", (Points((0.0, 1.0, 2.0, 3.0)), Binary(0.5),
                                     Points((0.0, 1.0, 0.0, 1.0)))),
    ],
)  # fmt: skip
def test_moments_of_columns_are_those_of_many_draws(formula, covariates):
    x, a, z = covariates
    found = (Covariate("a", "unit", a), Covariate("x", "row", x), Covariate("z", "row", z))
    terms = parse(formula).fixed
    moments = column_moments(terms, found, 4)
    assert not moments.about
    rng, units, rows = np.random.default_rng(7), 4000, 400
    data = {"a": a.draw(rng, (units, 1))}
    for name, one in (("x", x), ("z", z)):
        fixed = one.is_fixed
        data[name] = (
            np.tile(one.points(4), (units, rows // 4)) if fixed else one.draw(rng, (units, rows))
        )
    columns = np.stack([_column(term, data, (units, rows)) for term in terms])
    means = columns.mean(axis=2)
    apart = columns - means[:, :, None]
    within = np.einsum("jur,kur->ujk", apart, apart, optimize=True) / rows
    error = within.std(axis=0) / sqrt(units) + 1e-9
    share = 0 if x.is_fixed else within.mean(axis=0) / rows
    assert np.all(np.abs(within.mean(axis=0) + share - moments.within) < 5 * error)
    between = np.cov(means, bias=True)
    scale = np.sqrt(np.outer(np.diag(between), np.diag(between))) + 1e-9
    assert np.all(np.abs(between - share - moments.between) < 0.15 * scale)


def _column(term, data, size):
    from hlm.formula import evaluate

    product = np.ones(size)
    for factor in term.factors:
        product = product * evaluate(factor, data)
    return product


def test_a_function_of_both_levels_is_about():
    """I(x * a) is x:a: the example of 500 units and rows is right to some percent."""
    covariates = (Covariate("a", "unit", Normal(1.0)), Covariate("x", "row", Normal(1.0, 2.0)))
    exact = column_moments(parse("y ~ x:a + x + (1 | g)").fixed, covariates, 10)
    close = column_moments(parse("y ~ I(x * a) + x + (1 | g)").fixed, covariates, 10)
    assert close.about
    names = [term.name for term in parse("y ~ I(x * a) + x + (1 | g)").fixed]
    order = [0, names.index("x"), names.index("I(x * a)")]
    for one, other in ((exact.within, close.within), (exact.between, close.between)):
        np.testing.assert_allclose(one, other[np.ix_(order, order)], rtol=0.03, atol=0.03)


def test_grids_of_unequal_units_count_each_row():
    covariates = (Covariate("t", "row", Span(0.0, 1.0)),)
    found = column_moments(parse("y ~ t + (1 | g)").fixed, covariates, (2, 3))
    assert found.within[1, 1] == pytest.approx(np.var([0, 1, 0, 0.5, 1]))
    assert found.about


def sizes(new):
    """Return a study with other effect sizes, on one line."""
    old = BASE[BASE.index("  effect_sizes") : BASE.index("design:")]
    return (old, f"  effect_sizes: {{{new}}}\n")


ALL = (
    "icc: 0.2, total_variance: 4, slope_variance_ratio: {x: 0.1}, d: {a: 0.5}, "
    'd_between: {"x:a": 1}'
)
SIZED = f"{ALL}, r2: {{x: 0.1}}"
P = "truth.effect_sizes"


@pytest.mark.parametrize(
    ("changes", "path", "fragments"),
    [
        ([sizes(SIZED.replace("0.2,", "1,"))], f"{P}.icc", ["1 is not allowed", "below 1"]),
        ([sizes(SIZED.replace("0.2,", "20,"))], f"{P}.icc", ["20 is not", "below 1"]),
        ([sizes(SIZED.replace("0.2,", "-0.1,"))], f"{P}.icc", ["-0.1 is not", "at least 0"]),
        ([sizes(SIZED.replace("0.2,", "high,"))], f"{P}.icc", ["'high' is not", "a number"]),
        ([sizes(SIZED.replace("icc", "rho"))], f"{P}.rho", ["unknown key", "mean 'icc'"]),
        ([sizes(SIZED.replace("icc", "ICC"))], f"{P}.ICC", ["unknown key", "mean 'icc'"]),
        ([sizes(SIZED.replace("d:", "cohens_d:"))], f"{P}.cohens_d", ["mean 'd'"]),
        ([sizes(SIZED.replace("slope_variance_ratio", "var_ratio"))], f"{P}.var_ratio",
         ["mean 'slope_variance_ratio'"]),
        ([sizes(SIZED.replace("variance: 4", "variance: 0"))], f"{P}.total_variance", ["above 0"]),
        ([sizes(SIZED.replace("ratio: {x: 0.1}", "ratio: 0.1"))], f"{P}.slope_variance_ratio",
         ["0.1 is not", "a mapping of keys to values"]),
        ([sizes(f"{ALL}, r2: 0.1")], f"{P}.r2", ["0.1 is not", "a mapping of keys to values"]),
        ([sizes(f"{ALL}, r2: {{x: -0.1}}")], f"{P}.r2.x", ["-0.1 is not", "at least 0"]),
        ([sizes(f"{ALL}, r2: {{x: 1}}")], f"{P}.r2.x", ["1 is not", "below 1"]),
        ([sizes(f"{ALL}, r2: {{x: 0.1, row: 0.1}}")], f"{P}.r2.row", ["no term", "x, a, z, x:a"]),
        ([sizes(f"{ALL}, r2: {{x: 0.1, b: 0.1}}")], f"{P}.r2.b", ["no coefficient 'b'"]),
        ([sizes(f"{ALL}, r2: {{x: 0.1}}"), ("(Intercept): 1, ", "")], "truth.fixed",
         ["no value for the coefficient '(Intercept)'"]),
        ([sizes(f"{ALL}, r2: {{x: 0.1, (Intercept): 0.1}}"), ("(Intercept): 1, ", "")],
         None, ["'(Intercept)' does not vary"]),
        ([sizes(f"{ALL}, r2: {{x: 0.1, z: 0.1}}")], f"{P}.r2.z",
         ["'z' has a value by truth.fixed.z too", "one of them"]),
        ([sizes(f"{ALL}, r2: {{x: 0.1, a: 0.1}}")], f"{P}.r2.a",
         [f"'a' has a value by {P}.d.a too"]),
        ([sizes(f"{ALL}, r2: {{x: 0.6, z: 0.5}}"), (", z: 0.5", "")], f"{P}.r2",
         ["the shares of x, z leave nothing of the variance of rows", "less than 1"]),
        ([sizes(f"{ALL}, r2: {{x: 0.1, z: 0.1}}"), (", z: 0.5", ""),
          ("z: {level: row, distribution: uniform}", "z: {level: row, grid: [1]}")],
         None, ["'z' does not vary at its level"]),
        ([("cor: 0.3", "sd: {(Intercept): 1}, cor: 0.3")], f"{P}.icc",
         ["the random effect '(Intercept)' has a value by truth.random.unit.sd.(Intercept) too"]),
        ([("cor: 0.3", "sd: {x: 1}, cor: 0.3")], f"{P}.slope_variance_ratio.x", ["one of them"]),
        ([("  effect_sizes", "  residual: {sd: 1}\n  effect_sizes")], f"{P}.total_variance",
         ["by truth.residual.sd too", "one of them"]),
        ([sizes(SIZED.replace(" total_variance: 4,", ""))], "truth.residual", ["key is missing"]),
        ([sizes(SIZED.replace("icc: 0.2,", ""))], None, ["without an icc"]),
        ([sizes(SIZED.replace("{x: 0.1}, d", "{(Intercept): 0.1}, d"))], None, ["mean 'icc'"]),
        ([sizes(SIZED.replace("{x: 0.1}, d", "{z: 0.1}, d"))], None, ["no random slope 'z'"]),
        ([sizes(SIZED.replace('{"x:a"', '{z: 0.2, "x:a"')), (", z: 0.5", "")],
         f"{P}.d_between.z", ["'z' is no random effect times covariates of units", "d_within"]),
        ([sizes(SIZED.replace("{x: 0.1}, d", "{x: 0}, d"))], f"{P}.d_between.x:a",
         ["the sd of 'x', which is 0"]),
        ([sizes("icc: 0, total_variance: 1, slope_variance_ratio: {x: 0.1}, "
                'd: {x: 0.1, "x:a": 0}, r2: {a: 0.1}')],
         f"{P}.r2", ["shares of the variance of units, which have none besides"]),
        ([("  effect_sizes", "  icc: 0.1\n  effect_sizes")], "truth.icc",
         ["unknown key 'icc'", "mean 'effect_sizes.icc'"]),
        ([("  effect_sizes", "  cohens_d: 0.1\n  effect_sizes")], "truth.cohens_d",
         ["mean 'effect_sizes.d'"]),
        ([("  effect_sizes", "  R2: 0.1\n  effect_sizes")], "truth.R2",
         ["mean 'effect_sizes.r2'"]),
        ([("y ~ x * a + z + (1 + x | unit)\n  fixed", "y ~ x * a + z + (0 + x | unit)\n  fixed"),
          ("cor: 0.3", "")], f"{P}.icc", ["no random intercept"]),
        ([("models:", "grid: {truth.effect_sizes.icc: [0.1, 1]}\nmodels:")],
         f"grid.{P}.icc", ["1 is not allowed (scenario icc = 1.0)", "below 1"]),
        ([("models:", "grid: {truth.effect_size.icc: [0.1]}\nmodels:")],
         "grid.truth.effect_size.icc", ["mean 'truth.effect_sizes.icc'"]),
        ([("models:", "grid: {truth.fixed.a: [0.1]}\nmodels:")],
         "grid.truth.fixed.a", ["no path of this study"]),
    ],
)  # fmt: skip
def test_mistakes(changes, path, fragments):
    with pytest.raises(InputError) as caught:
        Study.from_text(changed(*changes), file="sized.yaml")
    if path is not None:
        assert path in [one.path for one in caught.value.errors]
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert len(caught.value.errors) <= 2


def test_every_effect_size_is_known():
    assert set(EffectSizes.known_keys()) == KEYS


def test_a_misspelt_block_is_named():
    with pytest.raises(InputError, match="did you mean 'effect_sizes'"):
        Study.from_text(changed(("effect_sizes", "effect_size")))


def test_no_sd_of_the_residuals_is_named():
    raw = "residual: {sd: null}\n  effect_sizes"
    text = changed(("    total_variance: 4\n", ""), ("effect_sizes", raw))
    with pytest.raises(InputError, match="null is not allowed") as caught:
        Study.from_text(text)
    assert caught.value.path == "truth.residual.sd"
