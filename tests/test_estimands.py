"""Estimands: names as lme4's, gradients as finite differences, standard errors by either way."""

from __future__ import annotations

import numpy as np
import pytest

from hlm import lmer
from hlm.datasets import load_sleepstudy
from hlm.estimands.kinds import KINDS, PARTS, parameters_of
from hlm.estimands.model_estimands import catalogue, estimands_of, rank
from hlm.estimands.parameters import Parameters
from hlm.formula import parse, terms_in
from hlm.kernels.elements import free_elements
from hlm.scenario import Model, Terms

FORMULA = "y ~ x * a + (1 + x + z | g) + (0 + w | g)"
TERMS = terms_in(parse(FORMULA))
BETA, SIGMA = np.array([1.0, 0.0, -2.0, 0.5]), 0.7
ROOT = np.array([[0.9, 0, 0, 0], [0.3, 0.6, 0, 0], [-0.2, 0.1, 0.5, 0], [0, 0, 0, 1.3]])
PSI = ROOT @ ROOT.T


def at(beta=BETA, psi=PSI, sigma=SIGMA):
    return Parameters.of_covariance(np.asarray(beta), np.asarray(psi), np.asarray(sigma))


def test_parameters_are_named_in_the_order_of_lme4s_profile():
    # names(attr(profile, "lower")) of (1 + x + z | g) + (0 + w | g) in lme4: .sig01 ... by columns
    assert [one.name for one in parameters_of(TERMS)][4:] == [
        "sd_(Intercept)|g",
        "cor_x.(Intercept)|g",
        "cor_z.(Intercept)|g",
        "sd_x|g",
        "cor_z.x|g",
        "sd_z|g",
        "sd_w|g",
        "sigma",
    ]


def test_elements_are_those_of_the_kernels():
    row, col = free_elements([3, 1])
    assert TERMS.elements == tuple(zip(row.tolist(), col.tolist(), strict=True))


def test_words_say_neither_the_group_nor_the_kind_by_a_prefix():
    model = Model("m", FORMULA, tests=(("slopes", ("x", "x:a")),))
    words = {one.name: one.words for one in estimands_of(model)}
    assert words["cor_z.(Intercept)|g"] == "cor z.(Intercept)"
    assert words["sd_w|g"] == "sd w"
    assert words["sigma"] == "residual sd"
    assert words["x:a"] == "x:a"
    assert words["F(slopes)"] == "F test: slopes"


def test_a_table_has_main_effects_before_products_and_sds_before_correlations():
    models = [Model("m", "y ~ x + (1 + x | g)"), Model("n", "y ~ x * a + (1 | g)")]
    ordered = sorted(catalogue(models).values(), key=rank)
    assert [one.name for one in ordered] == [
        *("(Intercept)", "x", "a", "x:a"),
        *("sd_(Intercept)|g", "sd_x|g", "cor_x.(Intercept)|g", "sigma"),
    ]


def test_a_coefficient_called_sigma_is_not_the_residual_sd():
    known = catalogue([Model("m", "y ~ sigma + (1 | g)")])
    assert known["coefficient", "sigma"].words == "sigma"
    assert known["sigma", "sigma"].words == "residual sd"


def test_each_kind_is_in_one_part():
    assert sorted(kind for kinds in PARTS.values() for kind in kinds) == sorted(KINDS)


def test_values_are_those_of_the_covariance():
    values = {one.name: float(one.value(at())) for one in parameters_of(TERMS)}
    assert values["x:a"] == 0.5
    assert values["sd_x|g"] == pytest.approx(np.sqrt(PSI[1, 1]), rel=1e-15)
    rho = PSI[2, 0] / np.sqrt(PSI[2, 2] * PSI[0, 0])
    assert values["cor_z.(Intercept)|g"] == pytest.approx(rho, rel=1e-15)
    assert values["sigma"] == SIGMA


def test_values_of_many_fits_at_once_are_those_of_each():
    betas, psis = np.stack([BETA, 2 * BETA]), np.stack([PSI, 3 * PSI])
    sigmas = np.array([SIGMA, 0.1])
    for one in _all():
        together = one.value(at(betas, psis, sigmas))
        alone = [float(one.value(at(*each))) for each in zip(betas, psis, sigmas, strict=True)]
        np.testing.assert_array_equal(together, alone)
        if one.part != "tests":
            gradients = one.gradient(at(betas, psis, sigmas))
            np.testing.assert_array_equal(gradients[1], one.gradient(at(2 * BETA, 3 * PSI, 0.1)))


def test_estimates_read_back_are_the_parameters():
    values = np.array([float(one.value(at())) for one in parameters_of(TERMS)])
    read = Parameters.of_estimates(values, TERMS)
    np.testing.assert_allclose(read.psi, PSI, rtol=1e-14, atol=1e-16)
    np.testing.assert_array_equal(read.beta, BETA)


def test_a_correlation_with_an_sd_of_0_leaves_a_covariance_of_0():
    terms = Terms((), (("(Intercept)", "x"),), "g")
    read = Parameters.of_estimates(np.array([0.0, np.nan, 2.0, 1.0]), terms)
    np.testing.assert_array_equal(read.psi, [[0.0, 0.0], [0.0, 4.0]])


def _all():
    return estimands_of(Model("m", FORMULA, tests=(("x", ("x",)), ("a", ("a", "x:a")))))


def _shifted(place, step):
    """Return the parameters with one element of (beta, Psi, sigma^2) shifted."""
    beta, psi, sigma2 = BETA.copy(), PSI.copy(), SIGMA**2
    if place < len(BETA):
        beta[place] += step
    elif place < len(BETA) + len(TERMS.elements):
        a, b = TERMS.elements[place - len(BETA)]
        psi[a, b] = psi[b, a] = psi[a, b] + step
    else:
        sigma2 += step
    return at(beta, psi, np.sqrt(sigma2))


def test_gradients_are_central_differences():
    n, step = len(BETA) + len(TERMS.elements) + 1, 1e-5
    for one in _all():
        if one.part == "tests":
            continue
        slopes = [
            float(one.value(_shifted(k, step)) - one.value(_shifted(k, -step))) / (2 * step)
            for k in range(n)
        ]
        np.testing.assert_allclose(one.gradient(at()), slopes, rtol=1e-7, atol=1e-9)


def test_there_is_no_derivative_of_an_sd_at_0():
    psi = np.diag([0.0, 1.0, 1.0, 1.0])
    sd = next(one for one in parameters_of(TERMS) if one.kind == "sd")
    assert sd.value(at(psi=psi)) == 0.0
    assert np.isnan(sd.gradient(at(psi=psi))).any()


@pytest.mark.parametrize("reml", [True, False])
def test_the_delta_method_gives_the_standard_errors_of_sds_and_correlations(reml):
    """The kernels make them of relative derivatives; here of vcov_random and the gradients."""
    fit = lmer("Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy(), reml=reml)
    here = Parameters.of_covariance(fit.beta, fit.psi, np.array(fit.sigma))
    covariance = fit.vcov_random().to_numpy()
    table = fit.tidy().set_index("term")
    for one in parameters_of(fit.frame.terms):
        if one.part == "random":
            g = one.gradient(here)[len(fit.beta) :]
            assert np.sqrt(g @ covariance @ g) == pytest.approx(table.se[one.name], rel=1e-12)
            assert one.value(here) == pytest.approx(table.estimate[one.name], rel=1e-12)
