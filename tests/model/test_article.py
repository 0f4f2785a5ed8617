"""The founding article's data: every digit that it prints."""

from __future__ import annotations

import numpy as np
import pytest

from hlm import lmer
from hlm.datasets import load_ogorek2012

FORMULA = "y ~ x * a + (1 + x | unit)"

# B. Ogorek (2012), "Hierarchical linear models and lmer": the print of lme4.
PRINTED = """\
  AIC  BIC logLik deviance REMLdev
 2206 2244  -1095     2174    2190
"""
TABLE = """\
            Estimate Std. Error t value
(Intercept)  0.97765    0.04099  23.853
x            3.06704    0.09797  31.306
a           -0.11083    0.04746  -2.335
x:a          0.35768    0.11345   3.153

Correlation of Fixed Effects:
    (Intr) x      a
x    0.723
a   -0.025 -0.018
x:a -0.018 -0.025  0.723
"""


@pytest.fixture(scope="module")
def fit():
    return lmer(FORMULA, load_ogorek2012())


def test_criteria(fit):
    values = [fit.aic, fit.bic, fit.loglik, fit.deviance, fit.criterion]
    assert [round(value) for value in values] == [2206, 2244, -1095, 2174, 2190]
    assert (fit.npar, fit.nobs, fit.n_groups) == (8, 900, 30)
    assert (fit.status, fit.converged, fit.singular) == ("ok", True, False)


def test_criteria_of_the_model_that_ignores_the_attribute():
    assert round(lmer("y ~ x + (1 + x | unit)", load_ogorek2012()).aic) == 2226


def test_fixed_effects(fit):
    assert fit.coef_names == ("(Intercept)", "x", "a", "x:a")
    assert [f"{b:.4f}" for b in fit.beta] == ["0.9776", "3.0670", "-0.1108", "0.3577"]
    assert [f"{se:.5f}" for se in fit.se] == ["0.04099", "0.09797", "0.04746", "0.11345"]
    assert [f"{t:.3f}" for t in fit.beta / fit.se] == ["23.853", "31.306", "-2.335", "3.153"]


def test_random_effects(fit):
    table = fit.tidy().set_index("term")["estimate"]
    names = ["sd_(Intercept)|unit", "sd_x|unit", "cor_x.(Intercept)|unit", "sigma"]
    assert [f"{table[name]:.3f}" for name in names] == ["0.177", "0.533", "0.915", "0.751"]


def test_correlation_of_fixed_effects(fit):
    correlation = fit.vcov / np.outer(fit.se, fit.se)
    printed = [0.723, -0.025, -0.018, -0.018, -0.025, 0.723]
    rows, columns = np.tril_indices(4, -1)
    assert correlation[rows, columns].round(3).tolist() == printed


def test_text(fit):
    text = fit.summary(df_method=None)
    assert PRINTED in text
    assert TABLE in text
    for piece in ("0.1775", "0.5331   0.915", "0.7511", "900, groups:  unit, 30"):
        assert piece in text


def test_shared_design_makes_tests_exact(fit):
    """All units have the same x: Satterthwaite's df are exactly m - 2, and so are the limits."""
    assert fit.df() == pytest.approx(28.0, abs=1e-6)
    table = fit.tidy().iloc[:4]
    half = 2.0484071417952445 * fit.se
    assert table["lower"].to_numpy() == pytest.approx(fit.beta - half, rel=1e-9)
    assert table["upper"].to_numpy() == pytest.approx(fit.beta + half, rel=1e-9)
    assert fit.confint()["upper"].tolist() == fit.tidy()["upper"].tolist()
