"""Degrees of freedom and Kenward-Roger's covariance against lmerTest, pbkrtest and nlme.

Tolerances: pbkrtest computes with exact derivatives at lme4's estimates, which are 1e-7 off; so df
agree to 1e-6, covariances to 1e-6 of the variances. lmerTest differentiates numerically: 5e-6.
"""

from __future__ import annotations

import numpy as np
import pytest

from hlm import InputError, lmer
from tests.kernels.references import all_references

from .brute import KenwardRoger
from .data import R, centred_schools, fitted, frame

REFERENCES = all_references()
REML = [r for r in REFERENCES if r.printed.get("df_kenward_roger") is not None]


def fit_of(reference):
    return fitted(reference.name, reference.printed["formula"], reml=reference.printed["reml"])


@pytest.mark.parametrize("reference", REFERENCES, ids=str)
def test_satterthwaite_is_that_of_lmertest(reference):
    expected = np.atleast_1d(reference.printed["df_satterthwaite"])
    assert fit_of(reference).df() == pytest.approx(expected, rel=5e-6)


@pytest.mark.parametrize("reference", REML, ids=str)
def test_kenward_roger_is_that_of_pbkrtest(reference):
    fit = fit_of(reference)
    expected = np.atleast_1d(reference.printed["df_kenward_roger"])
    assert fit.df("kenward-roger") == pytest.approx(expected, rel=1e-6)
    vcov = np.array(reference.printed["vcov_kenward_roger"], ndmin=2)
    scale = np.sqrt(np.outer(np.diag(vcov), np.diag(vcov)))
    assert fit.adjusted.vcov / scale == pytest.approx(vcov / scale, abs=1e-6)


def test_singular_fits_are_among_the_references():
    singular = [r for r in REML if fit_of(r).singular]
    assert len(singular) >= 7
    assert all(np.isfinite(fit_of(r).df("kenward-roger")).all() for r in singular)


CASES = {
    "schools": ("y ~ cses * meanses + (1 + cses | school)", {}),
    "weights": ("y ~ x * a + (1 + x | unit)", {"weights": "w"}),
    "factor": ("y ~ x * f + (1 | unit) + (0 + x | unit)", {}),
    "three": ("score ~ Machine + (Machine | Worker)", {}),
}


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_expected_information_by_the_matrices_of_all_rows(name, reml):
    """Where pbkrtest cannot go: 7185 rows, weights, ML."""
    formula, options = CASES[name]
    data = {"schools": centred_schools, "three": lambda: frame("machines")}
    rows = data.get(name, lambda: frame("made"))().rename(columns={"mathach": "y"})
    fit = lmer(formula, rows, reml=reml, **options)
    brute = KenwardRoger(fit)
    assert fit.df("satterthwaite-expected") == pytest.approx(brute.df(), rel=1e-8)
    scale = np.sqrt(np.outer(np.diag(brute.vcov), np.diag(brute.vcov)))
    assert fit.adjusted.vcov / scale == pytest.approx(brute.vcov / scale, abs=1e-9)
    if reml:
        assert fit.df("kenward-roger") == pytest.approx(brute.df(), rel=1e-8)


def test_published_values_of_sleepstudy():
    """SAS and JMP, uncorrelated effects: observed 18.15621; pbkrtest, expected: 18.18747.

    The standard errors are those of MixedModelsSmallSample.jl, whose fit stops 2e-6 off.
    """
    fit = fitted("sleepstudy", "Reaction ~ Days + (1 + Days || Subject)")
    assert fit.df("satterthwaite") == pytest.approx([18.15621, 18.15621], abs=1e-5)
    assert fit.df("kenward-roger") == pytest.approx([18.18747, 18.18747], abs=1e-5)
    adjusted = fit.tidy("kenward-roger")["se"][:2].to_numpy()
    assert adjusted == pytest.approx([6.88538082, 1.55956910], rel=5e-6)


@pytest.mark.parametrize("method", ["satterthwaite", "satterthwaite-expected", "kenward-roger"])
def test_balanced_design_has_the_df_of_its_t_test(method):
    """Each unit's own line is a sufficient statistic: m - 2 df, and nothing to adjust."""
    fit = fitted("ogorek2012", "y ~ x * a + (1 + x | unit)")
    assert fit.df(method) == pytest.approx(np.full(4, 28.0), rel=1e-9)
    assert fit.adjusted.vcov == pytest.approx(fit.vcov, rel=1e-9)


@pytest.mark.parametrize("case", R["between_within"], ids=lambda case: case["fixed"])
def test_between_within_is_that_of_nlme(case):
    fit = lmer(f"{case['fixed']} + (1 | {case['group']})", frame(case["frame"]))
    theirs = dict(zip(*map(np.atleast_1d, (case["names"], case["df"])), strict=True))
    ours = dict(zip(fit.coef_names, fit.df("between-within"), strict=True))
    swapped = {":".join(reversed(name.split(":"))): df for name, df in theirs.items()}
    assert ours == {name: {**swapped, **theirs}[name] for name in ours}
    assert len(ours) == len(theirs)


def test_between_within_of_published_fits():
    """Orthodont (Pinheiro & Bates 2000), age * Sex: 79, 25; nlme on MathAchieve: 7023, 158."""
    rng = np.random.default_rng(1)
    data = {
        "Subject": np.repeat(np.arange(27), 4),
        "age": np.tile([8.0, 10.0, 12.0, 14.0], 27),
        "Sex": np.repeat(["Male"] * 16 + ["Female"] * 11, 4),
        "distance": rng.normal(25.0, 2.0, 108),
    }
    fit = lmer("distance ~ age * Sex + (age | Subject)", data)
    assert fit.df("between-within").tolist() == [79.0, 79.0, 25.0, 79.0]
    fit = lmer("mathach ~ cses * meanses + (cses | school)", centred_schools())
    assert fit.df("between-within").tolist() == [7023.0, 7023.0, 158.0, 7023.0]


def test_residual_and_infinite():
    fit = fitted("made", "y ~ x * a + (1 + x | unit)")
    assert fit.df("residual").tolist() == [192.0] * 4
    assert np.isinf(fit.df("infinite")).all()
    z = fit.tidy("infinite").head(4)
    half = 1.959963984540054 * z["se"]
    assert z["upper"].to_numpy() == pytest.approx((z["estimate"] + half).to_numpy(), rel=1e-12)


def test_mistakes():
    fit = fitted("sleepstudy", "Reaction ~ Days + (1 | Subject)", reml=False)
    with pytest.raises(InputError, match="defined for REML"):
        fit.df("kenward-roger")
    with pytest.raises(InputError, match="satterthwaite, satterthwaite-expected"):
        fit.df("satterthwait")
