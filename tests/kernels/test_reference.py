"""Every reference fit of lme4 and lmerTest, and fits that were published with other engines."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hlm.datasets import load_mathachieve, load_sleepstudy
from hlm.formula import parse
from hlm.model import lmer

from . import published
from .helpers import Fit, fit, formula_data
from .references import Reference, all_references

REFERENCES = all_references()


def _fit(formula, frame, *, reml) -> Fit:
    """Fit by `lmer`, in the words of the kernels' results."""
    found = lmer(formula, frame, reml=reml)
    random = found.tidy().iloc[len(found.beta) :]
    return Fit(
        status=found.status,
        criterion=found.criterion,
        gradient_norm=found.gradient_norm,
        singular=found.singular,
        iterations=found.iterations,
        theta=found.theta,
        beta=found.beta,
        se=found.se,
        df=found.df("satterthwaite"),
        vcov=found.vcov,
        random=random["estimate"].to_numpy(),
        random_se=random["se"].to_numpy(),
    )


def _fit_by_kernels(formula, frame, *, reml) -> Fit:
    """Fit from plain cross-products, columns neither centred nor scaled."""
    return fit(formula_data(parse(formula), frame), reml=reml)


@pytest.fixture(params=REFERENCES, ids=str)
def reference(request) -> Reference:
    return request.param


@pytest.fixture(params=[_fit, _fit_by_kernels], ids=["lmer", "kernels"])
def ours(request, reference) -> Fit:
    return request.param(
        reference.printed["formula"], reference.frame, reml=reference.printed["reml"]
    )


def test_there_are_all_references():
    assert len(REFERENCES) == 4 * 12 + 6 + 6


def test_criterion_is_not_above_lme4(reference, ours):
    assert ours.status == "ok"
    assert -1e-6 < ours.criterion - reference.printed["criterion"] < 1e-9
    assert ours.gradient_norm < 1e-5


def test_fixed_effects_equal_lme4(reference, ours):
    theirs = reference.printed
    assert_allclose(ours.beta, theirs["beta"], rtol=1e-6, atol=1e-7)
    assert_allclose(ours.se, theirs["se"], rtol=2e-6)
    assert_allclose(ours.vcov, theirs["vcov"], rtol=5e-6, atol=1e-7 * ours.se.max() ** 2)


def test_random_part_equals_lme4(reference, ours):
    theirs = reference.printed
    assert ours.singular == theirs["singular"]
    assert_allclose(ours.theta, theirs["theta"], atol=2e-6)
    assert_allclose(ours.random[-1], theirs["sigma"], rtol=1e-6)
    assert_allclose(_sds_and_cors(ours), _sds_and_cors_of_lme4(theirs), rtol=2e-6, atol=2e-6)


def test_satterthwaite_df_equal_lmertest(reference, ours):
    """Not at the boundary, where lmerTest's numerical Hessian loses rank."""
    theirs = reference.printed
    if not theirs["singular"]:
        assert_allclose(ours.df, theirs["df_satterthwaite"], rtol=2e-5)


def _sds_and_cors(ours):
    """Sds first, then correlations that are defined, both in the order of the columns."""
    q = {1: 1, 3: 2, 2: 2}[len(ours.theta)]
    random = ours.random[:-1]
    if len(random) == 3:
        return np.array([random[0], random[2], random[1]])[: 3 if random[[0, 2]].all() else 2]
    return random[:q]


def _sds_and_cors_of_lme4(theirs):
    rows = [row for row in theirs["random"] if row["grp"] != "Residual"]
    sds = [row["sdcor"] for row in rows if row["var2"] is None]
    return np.array(sds + [row["sdcor"] for row in rows if row["var2"] is not None and all(sds)])


def test_everything_else_of_a_fit_equals_lme4(reference):
    theirs = reference.printed
    ours = lmer(theirs["formula"], reference.frame, reml=theirs["reml"])
    assert list(ours.coef_names) == list(np.atleast_1d(theirs["coef_names"]))
    assert (ours.nobs, ours.n_groups, ours.npar) == tuple(
        theirs[name] for name in ("nobs", "groups", "npar")
    )
    assert ours.converged
    for name in ("loglik", "aic", "bic"):
        assert getattr(ours, name) == pytest.approx(theirs[name], abs=1e-6)
    tidy = ours.tidy().head(len(ours.beta))
    assert_allclose(tidy["statistic"], theirs["t"], rtol=2e-6)
    if not ours.singular:
        assert_allclose(tidy["p_value"], theirs["p_satterthwaite"], rtol=2e-4, atol=1e-300)
    if ours.reml:
        assert ours.deviance == pytest.approx(theirs["ml_deviance_at_reml"], abs=1e-4)
    if "ranef" in theirs:
        assert_allclose(ours.ranef(), theirs["ranef"], rtol=1e-5, atol=1e-5)
        if "cond_var_first" in theirs:
            assert_allclose(ours.cond_var()[0], theirs["cond_var_first"], rtol=1e-5, atol=1e-6)
            assert_allclose(ours.cond_var()[-1], theirs["cond_var_last"], rtol=1e-5, atol=1e-6)
        n = len(theirs["fitted_head"])
        assert_allclose(ours.fitted()[:n], theirs["fitted_head"], rtol=1e-6, atol=1e-5)
        assert_allclose(ours.residuals()[:n], theirs["resid_head"], rtol=1e-5, atol=1e-5)


def test_founding_article_table():
    """B. Ogorek (2012): what summary() printed for the two models."""
    frame = REFERENCES[[r.name for r in REFERENCES].index("ogorek2012")].frame
    better = _fit("y ~ x * a + (1 + x | unit)", frame, reml=True)
    worse = _fit("y ~ x + (1 + x | unit)", frame, reml=True)
    assert round(worse.criterion + 2 * 6) == 2226
    assert round(better.criterion + 2 * 8) == 2206
    assert round(better.criterion + 8 * np.log(900)) == 2244
    assert round(better.criterion) == 2190
    assert_allclose(better.random, [0.177, 0.915, 0.533, 0.751], atol=6e-4)
    assert_allclose(better.beta, [0.9776, 3.0670, -0.1108, 0.3577], atol=6e-5)


def test_sleepstudy_as_published():
    """MixedModels.jl test/pls.jl (ML); lme4 tests/REMLdev.R and SAS MIXED (REML)."""
    ml = _fit("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), reml=False)
    assert ml.criterion == pytest.approx(1751.9393444646682, abs=2e-9)
    assert_allclose(ml.theta, [0.92922972, 0.01816466, 0.22264601], atol=5e-6)
    assert_allclose(ml.beta, [251.40510485, 10.46728596], atol=1e-8)
    assert_allclose(ml.se, [6.632295, 1.502239], rtol=3e-6)
    assert_allclose(ml.random[[0, 2]], [23.78066, 5.71684], atol=2e-4)
    assert_allclose(ml.df, 18.0)
    reml = _fit("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), reml=True)
    assert reml.criterion == pytest.approx(1743.6282722424, abs=1e-6)
    assert_allclose(reml.theta, [0.96673295, 0.01516905, 0.23090959], atol=1e-8)
    assert_allclose(reml.se, [6.824556532, 1.545788896], atol=1e-9)
    assert_allclose(reml.df, 17.0)


def test_variance_of_the_random_part_equals_sas():
    """AsyCov of SAS MIXED for sleepstudy: variances of UN(1,1), UN(2,2) and the residual."""
    ours = _fit("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), reml=True)
    which = [0, 2, 3]
    ours_se = 2.0 * ours.random[which] * ours.random_se[which]
    assert_allclose(ours_se**2, [83395.42, 218.509, 5957.61], rtol=2e-6)


def test_sleepstudy_without_correlation_as_published():
    """MixedModels.jl test/pls.jl (ML); observed-information df of SAS and JMP (REML)."""
    formula = "Reaction ~ Days + (1 + Days || Subject)"
    ml = _fit(formula, load_sleepstudy(), reml=False)
    assert ml.criterion == pytest.approx(1752.003255140962, abs=2e-9)
    assert_allclose(ml.theta, [0.94580430, 0.22692741], atol=1e-5)
    assert_allclose(ml.se, [6.707647, 1.519311], rtol=1e-5)
    reml = _fit(formula, load_sleepstudy(), reml=True)
    assert reml.df[1] == pytest.approx(18.15621, abs=1e-4)


def test_orthodont_as_published():
    """Package nlme, tests/lme.Rout.save; and of the founding article's form, lme4 with lmerTest."""
    plain = _fit("distance ~ age + (age | Subject)", published.orthodont(), reml=True)
    assert -plain.criterion / 2 == pytest.approx(-221.318, abs=6e-4)
    assert_allclose(plain.beta, [16.761111, 0.66018519], atol=6e-7)
    assert_allclose(plain.se, [0.77524603, 0.071253264], rtol=5e-7)
    assert_allclose(plain.random, [2.3270341, -0.60933286, 0.22642779, 1.3100397], rtol=2e-6)
    frame, formula = published.orthodont(), "distance ~ age11 * female + (age11 | Subject)"
    reml = _fit(formula, frame, reml=True)
    assert reml.criterion == pytest.approx(432.581661503, abs=1e-9)
    assert_allclose(reml.theta, [1.3971539, 0.0284186, 0.1346989], atol=1e-7)
    assert_allclose(reml.beta, [24.96875, 0.784375, -2.3210227, -0.3048295], atol=1e-7)
    assert_allclose(reml.se, [0.4860007, 0.0859995, 0.7614168, 0.1347353], atol=1e-7)
    assert_allclose(reml.df, 25.0)
    ml = _fit(formula, frame, reml=False)
    assert ml.criterion == pytest.approx(427.805950800, abs=1e-9)
    assert_allclose(ml.theta, [1.3375071, 0.0274870, 0.1144044], atol=1e-7)
    assert_allclose(ml.se, [0.4676544, 0.0827531, 0.7326737, 0.1296491], atol=1e-7)
    assert_allclose(ml.df, 27.0)


def test_machines_as_published():
    """Three random effects: package nlme, tests/extras/scripts.Rout.save."""
    ours = _fit("score ~ Machine + (Machine - 1 | Worker)", published.machines(), reml=True)
    assert -ours.criterion / 2 == pytest.approx(-104.16, abs=6e-3)
    assert_allclose(ours.random[[0, 3, 5]], [4.07928, 8.62529, 4.38948], rtol=2e-5)
    assert_allclose(ours.random[[1, 2, 4]], [0.803, 0.623, 0.771], atol=6e-4)
    assert ours.random[6] == pytest.approx(0.96158, abs=6e-6)
    assert_allclose(ours.se, [1.6807, 2.4209, 1.5401], atol=6e-5)


def test_one_random_effect_as_published():
    """Rail (nlme), Dyestuff and the singular Dyestuff2 (lme4, MixedModels.jl)."""
    rail = published.rail()
    reml, ml = (_fit("travel ~ 1 + (1 | Rail)", rail, reml=r) for r in (True, False))
    assert [reml.criterion, ml.criterion] == pytest.approx([122.1770008086, 128.5600369384])
    assert [*reml.theta, *ml.theta] == pytest.approx([6.16931777, 5.62685632], abs=1e-7)
    assert [*reml.se, *ml.se] == pytest.approx([10.171037, 9.284844], abs=1e-6)
    assert [*reml.df, *ml.df] == pytest.approx([5.0, 6.0])
    dyestuff = published.dyestuff()
    reml, ml = (_fit("Yield ~ 1 + (1 | Batch)", dyestuff, reml=r) for r in (True, False))
    assert [reml.criterion, ml.criterion] == pytest.approx([319.654276842342, 327.32705988113])
    assert [*reml.theta, *ml.theta] == pytest.approx([0.8483238, 0.75258067], abs=1e-7)
    assert reml.random[0] ** 2 == pytest.approx(1764.05, abs=6e-3)
    singular = published.dyestuff2()
    reml, ml = (_fit("Yield ~ 1 + (1 | Batch)", singular, reml=r) for r in (True, False))
    assert ml.criterion == pytest.approx(162.87303665382575, abs=1e-10)
    assert [*reml.theta, *ml.theta] == [0.0, 0.0]
    assert [*reml.se, *ml.se] == pytest.approx([0.6783880315, 0.6669857], abs=1e-7)
    assert reml.singular
    assert ml.singular
    assert np.isnan(reml.random_se[0])


def test_mathachieve_as_published():
    """lme4 and nlme agree on these; 160 units of unequal size."""
    formula = "mathach ~ cses * meanses + (cses | school)"
    reml = _fit(formula, load_mathachieve(), reml=True)
    assert reml.criterion == pytest.approx(46557.29963934, abs=1e-7)
    assert_allclose(reml.theta, [0.270825971, -0.026496497, 0.133531284], atol=6e-7)
    assert_allclose(reml.beta, [12.64544442, 2.19605248, 5.86875453, 0.28510554], rtol=1e-6)
    assert_allclose(reml.se, [0.14923289, 0.12800530, 0.36135684, 0.31879326], rtol=5e-7)
    assert_allclose(reml.df, [153.735, 154.385, 153.412, 168.883], atol=1e-3)
    ml = _fit(formula, load_mathachieve(), reml=False)
    assert ml.criterion == pytest.approx(46552.37086376, abs=1e-7)
    assert_allclose(ml.theta, [0.268525133, -0.026501893, 0.130349228], atol=2e-6)
