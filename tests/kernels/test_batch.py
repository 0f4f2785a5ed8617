"""`fit_batch` on simulated cross-products against `lmer` on the same replicates' rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hlm.distributions import Binary, Normal, Points, Uniform
from hlm.fits import fit_batch
from hlm.formula import parse
from hlm.model import lmer
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import draw_rows, simulate
from tests.inference.studies import as_frame

SEED = 3
GRID = Covariate("x", "row", Points(tuple(np.linspace(-4, 4, 7, endpoint=False))))
NORMAL_A = Covariate("a", "unit")


def scenario(covariates, formula, coefficients, sd, *, cor=0.0, units=12, rows=7, sigma=0.75):
    """Build a scenario; coefficients in the order of the formula, cor for all pairs."""
    q = len(sd)
    terms = [term.name for term in parse(formula).fixed]
    return Scenario(
        key="0123456789abcdef",
        n_units=units,
        n_rows=rows,
        covariates=tuple(covariates),
        formula=formula,
        fixed=tuple(zip(terms, coefficients, strict=True)),
        sd=tuple(sd),
        cor=tuple(tuple(1.0 if a == b else cor for b in range(q)) for a in range(q)),
        sigma=sigma,
    )


def ogorek(**options):
    formula = "y ~ x * a + (1 + x | unit)"
    return scenario((NORMAL_A, GRID), formula, (1.0, 3.0, -0.15, 0.3), (0.2, 0.5), **options)


def batch(truth, models, start=0, stop=4):
    """Simulate and fit; return estimates and fits as data frames."""
    tables = fit_batch(truth, models, simulate(truth, models, SEED, start, stop))
    return as_frame(tables["estimates"]), as_frame(tables["fits"])


def models_of(*formulas, **options):
    return [Model(f"m{k}", formula, **options) for k, formula in enumerate(formulas)]


def check_against_lmer(truth, models, stop=4, *, start=0, criterion=1e-8, digits=5e-6):
    """Compare every number of every fit."""
    estimates, fits = batch(truth, models, start, stop)
    formulas = {model.name: model.formula for model in models}
    estimates = dict(list(estimates.groupby(["replicate", "model", "method"])))
    for fit in fits.itertuples():
        rows = pd.DataFrame(draw_rows(truth, SEED, fit.replicate))
        where = (fit.replicate, fit.model, fit.method)
        theirs = lmer(formulas[fit.model], rows, reml=fit.method == "reml")
        assert fit.status == theirs.status == "ok", where
        assert fit.criterion == pytest.approx(theirs.criterion, abs=criterion), where
        assert fit.singular == theirs.singular, where
        assert fit.npar == theirs.npar
        ours, tidy = estimates[where], theirs.tidy()
        assert list(ours["term"]) == list(tidy["term"])
        size = tidy["se"].fillna(1.0).to_numpy()
        fixed = len(theirs.beta)
        for name in ("estimate", "se", "lower", "upper"):
            difference = (ours[name].to_numpy() - tidy[name].to_numpy()) / size
            if name in ("lower", "upper"):
                difference = difference[:fixed]
            expected = np.where(tidy[name].isna(), np.nan, 0.0)[: len(difference)]
            assert_allclose(difference, expected, atol=digits, err_msg=f"{where} {name}")
        assert_allclose(ours["df"], tidy["df"], rtol=2e-6, err_msg=str(where))


def test_models_with_all_and_with_parts_of_the_truth():
    """Where the sixth model, without the margin x, has one minimum; one in ten data sets has two.

    Columns are others in a stack than in a single fit, and so may the minimum be that is found.
    """
    formulas = [
        "y ~ x * a + (1 + x | unit)",
        "y ~ x + (1 + x | unit)",
        "y ~ 1 + (1 | unit)",
        "y ~ 0 + x + (0 + x | unit)",
        "y ~ a + x + (1 + x || unit)",
        "y ~ x * a + I(x^2) + (1 | unit)",
        "y ~ a:x + (1 + x | unit)",
        "y ~ x + (1 | unit) + (0 + x | unit)",
    ]
    check_against_lmer(ogorek(cor=0.9), models_of(*formulas), 10, start=6)


def test_every_distribution_at_both_levels():
    covariates = (
        Covariate("na", "unit", Normal(2.0, 3.0)),
        Covariate("ua", "unit", Uniform(-1.0, 4.0)),
        Covariate("ba", "unit", Binary(0.4)),
        Covariate("ga", "unit", Points(tuple(np.arange(20.0) ** 1.5))),
        Covariate("nx", "row", Normal(-1.0, 0.5)),
        Covariate("ux", "row", Uniform(10.0, 30.0)),
        Covariate("bx", "row", Binary(0.3)),
        Covariate("gx", "row", Points(tuple(range(9)))),
    )
    formula = "y ~ na + ua + ba + ga + nx + ux + bx + gx + nx:ua + (1 + nx | unit)"
    truth = scenario(covariates, formula, np.linspace(-2, 2, 10), (0.5, 0.7), units=20, rows=9)
    formulas = [
        formula,
        "y ~ nx * ux * ba + (1 + gx | unit)",
        "y ~ gx * ga + (1 + bx | unit)",
        "y ~ ux + na + I(nx^2):ua + (1 + nx + bx || unit)",
        "y ~ exp(nx) + sqrt(ux) + (1 | unit) + (0 + ux | unit)",
    ]
    check_against_lmer(truth, models_of(*formulas), stop=3)


def test_three_random_effects():
    covariates = (NORMAL_A, GRID, Covariate("w", "row"))
    formula = "y ~ x * a + w + (1 + x + w | unit)"
    truth = scenario(covariates, formula, (1, 2, 3, 4, 5), (0.6, 0.4, 0.8), cor=0.3, units=25)
    formulas = [
        formula,
        "y ~ x * a + w + (1 + x | unit) + (0 + w | unit)",
        "y ~ w + (1 + x + w || unit)",
        "y ~ w + (1 | unit) + (0 + x + w | unit)",
    ]
    check_against_lmer(truth, models_of(*formulas))


def test_slope_of_a_unit_level_covariate_in_truth_and_model():
    formula = "y ~ x + a + (1 + a | unit)"
    truth = scenario((NORMAL_A, GRID), formula, (1, 2, 3), (0.6, 0.9), cor=0.2, units=30)
    check_against_lmer(truth, models_of("y ~ x + a + (1 + a | unit)", "y ~ x + (1 | unit)"))


FAR_COVARIATES = (
    Covariate("a", "unit", Normal(1000.0, 1.0)),
    Covariate("x", "row", Normal(2000.0, 10.0)),
)
FAR = scenario(
    FAR_COVARIATES, "y ~ x * a + (1 | unit)", (1.0, 3.0, -0.15, 0.3), (0.5,), rows=8, units=15
)


def test_covariates_far_from_zero_lose_no_digits():
    """A year and a unit's size, centred: y is near 6e5, and rounded to 1e-10 in the rows."""
    formulas = [
        "y ~ x * a + (1 | unit)",
        "y ~ x * a + (1 + x | unit)",
        "y ~ x * a + (1 + x || unit)",
        "y ~ a * x + (1 | unit)",
    ]
    check_against_lmer(FAR, models_of(*formulas), criterion=5e-8, digits=3e-5)


def test_the_search_ends_where_intercepts_and_slopes_are_nearly_one_effect():
    """With ``||`` and x near 2000: 6 % of these had not converged while Z had x's own scale."""
    fits = batch(FAR, models_of("y ~ x * a + (1 + x || unit)"), stop=1000)[1]
    assert (fits["status"] == "ok").all()


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + a + (1 + x | unit)",
        "y ~ x + (1 + x | unit)",
        "y ~ a + (1 | unit)",
        "y ~ 1 + (1 | unit)",
    ],
)
def test_truth_far_from_zero_that_a_model_lacks(formula):
    check_against_lmer(FAR, models_of(formula), criterion=1e-7, digits=3e-5)


def test_results_are_bit_identical_whatever_else_is_fitted():
    truth = ogorek(cor=0.9)
    one, two, three = models_of(
        "y ~ x * a + (1 + x | unit)", "y ~ x + (1 + x | unit)", "y ~ 1 + I(x^2):a + (1 | unit)"
    )
    alone = batch(truth, [two])
    for models in ([one, two], [three, two, one], [two, three]):
        for table, other in zip(alone, batch(truth, models), strict=True):
            part = other[other["model"] == two.name].reset_index(drop=True)
            pd.testing.assert_frame_equal(part, table, check_exact=True)


def test_results_are_bit_identical_whatever_the_order_of_a_products_factors():
    covariates = (GRID, Covariate("u", "row", Uniform(2, 5)), Covariate("w", "row"))
    truth = scenario(covariates, "y ~ x + (1 | unit)", (1.0, 2.0), (0.5,))
    one, two = models_of("y ~ x:u:w + (1 | unit)", "y ~ w:u:x + (1 | unit)")
    alone, both = batch(truth, [one]), batch(truth, [two, one])
    for table, other in zip(alone, both, strict=True):
        part = other[other["model"] == one.name].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, table, check_exact=True)


@pytest.mark.parametrize("shared", [True, False])
def test_results_are_bit_identical_whatever_the_range(shared):
    """Ranges, single replicates, and a range across a block of 1000."""
    x = GRID if shared else Covariate("x", "row")
    truth = scenario(
        (NORMAL_A, x), "y ~ x * a + (1 + x | unit)", (1, 3, -0.15, 0.3), (0.2, 0.5), units=6, rows=7
    )
    models = models_of("y ~ x * a + (1 + x | unit)", "y ~ x + (1 + x | unit)")
    whole = batch(truth, models, 0, 1012)
    for start, stop in ((0, 9), (3, 5), (7, 8), (990, 1012), (999, 1001), (1000, 1001)):
        for table, part in zip(whole, batch(truth, models, start, stop), strict=True):
            inside = table[table["replicate"].between(start, stop - 1)].reset_index(drop=True)
            pd.testing.assert_frame_equal(part, inside, check_exact=True)


def test_tables_have_a_row_per_fit_and_estimate_in_order():
    models = models_of("y ~ x * a + (1 + x | unit)", "y ~ x + (1 + x || unit)")
    estimates, fits = batch(ogorek(), models, 5, 8)
    assert list(fits["model"]) == ["m0", "m0", "m1", "m1"] * 3
    assert list(fits["replicate"]) == [5] * 4 + [6] * 4 + [7] * 4
    assert list(fits["method"]) == ["reml", "ml"] * 6
    assert set(fits["scenario"]) == {"0123456789abcdef"}
    assert list(estimates["term"][:8]) == [
        "(Intercept)", "x", "a", "x:a",
        "sd_(Intercept)|unit", "cor_x.(Intercept)|unit", "sd_x|unit", "sigma",
    ]  # fmt: skip
    assert list(estimates["term"][-5:]) == [
        "(Intercept)", "x", "sd_(Intercept)|unit", "sd_x|unit", "sigma",
    ]  # fmt: skip


def test_aic_and_bic_are_those_of_the_methods_own_criterion():
    truth = ogorek()
    _, fits = batch(truth, models_of("y ~ x * a + (1 + x | unit)"))
    assert set(fits["npar"]) == {8}
    assert_allclose(fits["loglik"], -fits["criterion"] / 2, rtol=1e-15)
    assert_allclose(fits["aic"], fits["criterion"] + 16, rtol=1e-15)
    assert_allclose(fits["bic"], fits["criterion"] + 8 * np.log(12 * 7), rtol=1e-15)
    reml, ml = (fits[fits["method"] == method] for method in ("reml", "ml"))
    assert (reml["criterion"].to_numpy() != ml["criterion"].to_numpy()).all()


@pytest.mark.parametrize(
    ("method", "expected"), [("residual", 84 - 4), ("infinite", np.inf), ("satterthwaite", 10.0)]
)
def test_degrees_of_freedom(method, expected):
    """The design is balanced: within the cone Satterthwaite's are exactly units - 2 for REML."""
    models = models_of("y ~ x * a + (1 + x | unit)", df=(method,), methods=("reml",))
    estimates, fits = batch(ogorek(), models, 0, 20)
    regular = fits["replicate"][~fits["singular"]]
    assert len(regular) >= 5
    estimates = estimates[estimates["replicate"].isin(regular)]
    fixed = estimates["term"].isin(["(Intercept)", "x", "a", "x:a"])
    assert_allclose(estimates["df"][fixed], expected, rtol=1e-9)
    assert estimates["df"][~fixed].isna().all()


@pytest.mark.parametrize(("method", "level"), [("satterthwaite", 0.95), ("infinite", 0.8)])
def test_limits(method, level):
    """t for fixed effects; normal on the log scale for sds and on atanh for correlations."""
    models = models_of("y ~ x * a + (1 + x | unit)", df=(method,), level=level)
    e, _ = batch(ogorek(), models, 0, 30)
    kinds = e["term"].str.extract(r"^(sd_|cor_|sigma)", expand=False).fillna("fixed")
    z = stats.norm.ppf(0.5 + level / 2)
    fixed = e[kinds == "fixed"]
    half = stats.t.ppf(0.5 + level / 2, np.minimum(fixed["df"], 1e15)) * fixed["se"]
    assert_allclose(fixed["lower"], fixed["estimate"] - half, rtol=1e-12, atol=1e-12)
    assert_allclose(fixed["upper"], fixed["estimate"] + half, rtol=1e-12, atol=1e-12)
    sd = e[kinds.isin(["sd_", "sigma"]) & e["se"].notna()]
    assert_allclose(np.log(sd["upper"] / sd["estimate"]), z * sd["se"] / sd["estimate"], rtol=1e-9)
    assert_allclose(np.log(sd["lower"] / sd["estimate"]), -z * sd["se"] / sd["estimate"], rtol=1e-9)
    cor = e[(kinds == "cor_") & e["se"].notna()]
    width = z * cor["se"] / (1 - cor["estimate"] ** 2)
    inner = width < 5
    assert inner.sum() > 5
    cor, width = cor[inner], width[inner]
    assert_allclose(np.arctanh(cor["upper"]), np.arctanh(cor["estimate"]) + width, rtol=1e-6)
    assert_allclose(np.arctanh(cor["lower"]), np.arctanh(cor["estimate"]) - width, rtol=1e-6)
    edge = e["se"].isna()
    assert edge.any()
    assert e["lower"][edge].isna().all()
    assert e["upper"][edge].isna().all()


def test_standard_errors_of_the_random_part_are_those_of_the_likelihood():
    """The inverse of a numerical Hessian of the deviance in (sds, cor, sigma), by brute force."""
    from .helpers import Dense, formula_data

    truth, formula = ogorek(cor=0.3, units=20), "y ~ x * a + (1 + x | unit)"
    estimates, fits = batch(truth, models_of(formula, methods=("ml",)), 0, 8)
    replicate = int(fits["replicate"][~fits["singular"]].iloc[0])
    ours = estimates[estimates["replicate"] == replicate].iloc[4:]
    rows = pd.DataFrame(draw_rows(truth, SEED, replicate))
    dense = Dense(formula_data(parse(formula), rows), reml=False)

    def deviance(parameters):
        s1, rho, s2, sigma = parameters
        Psi = np.array([[s1 * s1, rho * s1 * s2], [rho * s1 * s2, s2 * s2]]) / sigma**2
        lower = np.linalg.cholesky(Psi)
        return dense.joint(lower[np.tril_indices(2)][[0, 1, 2]], 2 * np.log(sigma))

    at, steps = ours["estimate"].to_numpy(), 1e-3 * np.diag(ours["se"].to_numpy())
    hessian = np.array(
        [
            [
                deviance(at + a + b) - deviance(at + a - b) - deviance(at - a + b)
                + deviance(at - a - b)
                for a in steps
            ]
            for b in steps
        ]
    )  # fmt: skip
    scale = np.outer(np.diag(steps), np.diag(steps)) * 4
    variance = 2 * np.diag(np.linalg.inv(hessian / scale))
    assert_allclose(ours["se"], np.sqrt(variance), rtol=2e-3)


def _statuses(truth, formula, stop=6):
    estimates, fits = batch(truth, models_of(formula), 0, stop)
    failed = fits["status"] != "ok"
    assert fits["criterion"].isna().equals(failed)
    bad = fits[failed][["replicate", "method"]]
    merged = estimates.merge(bad, on=["replicate", "method"])
    assert merged[["estimate", "se", "df", "lower", "upper"]].isna().all(axis=None)
    return set(fits["status"])


def test_dependent_columns_are_unidentified():
    assert _statuses(ogorek(), "y ~ x + I(2 * x) + (1 | unit)") == {"unidentified"}


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x * a + (1 | unit)",
        "y ~ x * a + I(x^2) + (1 | unit)",
    ],
)
def test_too_few_rows_are_unidentified(formula):
    covariates = (NORMAL_A, Covariate("x", "row"))
    truth = scenario(covariates, "y ~ x + (1 | unit)", (1.0, 2.0), (0.5,), units=2, rows=2)
    assert _statuses(truth, formula) == {"unidentified"}


def test_a_binary_covariate_that_is_constant_is_unidentified_in_that_replicate_only():
    covariates = (Covariate("b", "unit", Binary(0.5)), GRID)
    truth = scenario(covariates, "y ~ x + b + (1 | unit)", (1, 2, 3), (0.5,), units=4)
    estimates, fits = batch(truth, models_of("y ~ x + b + (1 | unit)"), 0, 60)
    for replicate, rows in fits.groupby("replicate"):
        constant = np.ptp(draw_rows(truth, SEED, replicate)["b"]) == 0
        assert set(rows["status"]) == {"unidentified" if constant else "ok"}
    assert (fits["status"] == "unidentified").any()
    assert len(estimates) == 60 * 2 * 5


@pytest.mark.parametrize("sigma", [0.0, 1e-9])
def test_no_residual_is_a_perfect_fit(sigma):
    covariates = (NORMAL_A, Covariate("x", "row"))
    formula = "y ~ x + (1 + x | unit)"
    truth = scenario(covariates, formula, (1.0, 2.0), (0.2, 0.5), units=8, rows=6, sigma=sigma)
    assert _statuses(truth, formula) == {"perfect_fit"}
