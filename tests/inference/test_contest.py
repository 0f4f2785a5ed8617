"""F tests against lmerTest::contest and pbkrtest::KRmodcomp: r.json, made by r.R.

F and df agree to 1e-6: the estimates are lme4's, 1e-7 off. A p-value of 1e-17 has a relative error
about ddf times that of F.
"""

from __future__ import annotations

import numpy as np
import pytest

from hlm import InputError, lmer

from .brute import KenwardRoger
from .data import R, fitted, frame

TESTS = R["f_tests"]
METHODS = ("satterthwaite", "kenward_roger")
PAIRS = [(t, m) for t in TESTS for m in METHODS if m in t]


def name(pair):
    test, method = pair
    return f"{test['formula']}, {len(test['L'])} df, {method}, {'reml' if test['reml'] else 'ml'}"


@pytest.mark.parametrize(("test", "method"), PAIRS, ids=[name(pair) for pair in PAIRS])
def test_f_is_that_of_r(test, method):
    fit = fitted(test["frame"], test["formula"], reml=test["reml"])
    assert fit.criterion == pytest.approx(test["criterion"], abs=1e-7)
    ours, theirs = fit.contest(test["L"], method.replace("_", "-")), test[method]
    assert ours.df == theirs["df"]
    assert pytest.approx(theirs["F"], rel=1e-6) == ours.F
    assert ours.ddf == pytest.approx(theirs["ddf"], rel=1e-6)
    assert ours.p_value == pytest.approx(theirs["p"], rel=2e-5, abs=0)


@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger"])
def test_one_contrast_is_the_t_test(method):
    fit = fitted("made", "y ~ x * f + (1 + x | unit)")
    table = fit.tidy(method).set_index("term")
    for name in fit.coef_names:
        test = fit.contest([name], method)
        assert pytest.approx(table["statistic"][name] ** 2, rel=1e-10) == test.F
        assert test.ddf == pytest.approx(table["df"][name], rel=1e-9)
        assert test.p_value == pytest.approx(table["p_value"][name], rel=1e-8)


@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger"])
def test_a_test_depends_on_the_space_of_the_contrasts_only(method):
    """Other contrasts of the same space; other columns with the same span; redundant rows."""
    fit = fitted("made", "y ~ x * f + (1 + x | unit)")
    L = np.eye(6)[[4, 5]]
    test = fit.contest(["x:fb", "x:fc"], method)
    mixed = fit.contest(np.array([[1.0, 2.0], [3.0, -1.0]]) @ L, method)
    doubled = fit.contest(np.vstack([L[0], 2 * L[0], L[1], L[0] + L[1]]), method)
    for other in (mixed, doubled):
        assert other.df == 2
        # Satterthwaite's pooled df depend on the rotation only through the eigenvectors.
        assert pytest.approx(test.F, rel=1e-9) == other.F
        if method == "kenward-roger":
            assert other.ddf == pytest.approx(test.ddf, rel=1e-9)
    data = frame("made")
    moved = lmer("y ~ z * f + (1 + z | unit)", data.assign(z=1e3 * (data["x"] + 50.0)))
    assert moved.contest(["z:fb", "z:fc"], method).ddf == pytest.approx(test.ddf, rel=1e-6)
    assert pytest.approx(test.F, rel=1e-6) == moved.contest(["z:fb", "z:fc"], method).F


def test_kenward_roger_scale_and_df_by_the_article():
    """Kenward & Roger (1997), equations of section 2, from the matrices of all rows."""
    fit = fitted("made", "y ~ x * a + flag + (1 + x | unit)")
    brute, L = KenwardRoger(fit), np.eye(5)[1:4]
    r = len(L)
    theta = L.T @ np.linalg.solve(L @ brute.phi @ L.T, L)
    moved = np.array([theta @ brute.phi @ P @ brute.phi for P in brute.P])
    traces = np.trace(moved, axis1=1, axis2=2)
    a1 = traces @ brute.W @ traces
    a2 = np.einsum("rs,rij,sji->", brute.W, moved, moved)
    b = (a1 + 6 * a2) / (2 * r)
    g = ((r + 1) * a1 - (r + 4) * a2) / ((r + 2) * a2)
    c1, c2, c3 = np.array([g, r - g, r + 2 - g]) / (3 * r + 2 * (1 - g))
    expectation = 1 / (1 - a2 / r)
    variance = 2 / r * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    rho = variance / (2 * expectation**2)
    m = 4 + (r + 2) / (r * rho - 1)
    scale = m / (expectation * (m - 2))
    estimate = L @ fit.beta
    F = scale / r * estimate @ np.linalg.solve(L @ brute.vcov @ L.T, estimate)
    test = fit.contest(L, "kenward-roger")
    assert test.ddf == pytest.approx(m, rel=1e-8)
    assert pytest.approx(F, rel=1e-8) == test.F


def test_hotelling():
    """Balanced, correlated effects: Kenward-Roger is Hotelling's T^2, exact, m - r df."""
    fit = fitted("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)")
    units = frame("sleepstudy").groupby("Subject")
    lines = np.array([np.polyfit(d["Days"], d["Reaction"], 1)[::-1] for _, d in units])
    m, r = lines.shape
    t2 = m * lines.mean(0) @ np.linalg.solve(np.cov(lines.T), lines.mean(0))
    test = fit.contest(["(Intercept)", "Days"], "kenward-roger")
    assert pytest.approx((m - r) / (r * (m - 1)) * t2, rel=1e-7) == test.F
    assert test.ddf == pytest.approx(m - r, rel=1e-9)


@pytest.mark.parametrize("units", [4, 5])
def test_kenward_roger_with_two_units_more_than_effects(units):
    """1 - A2 / r and 1 - c2 B are both 0: by pbkrtest's rule ddf are 2 and F has no scale."""
    rng, r = np.random.default_rng(3), units - 2
    x, z = np.linspace(-3, 3, 6), np.array([1.0, -1, 0, 0, -1, 1])
    names = ["x", "z"][: r - 1]
    for _ in range(6):
        b = rng.normal(size=(units, 3))
        y = b[:, :1] + b[:, 1:2] * x + b[:, 2:] * (r == 3) * z + 0.3 * rng.normal(size=(units, 6))
        data = {
            "y": y.ravel(),
            "x": np.tile(x, units),
            "z": np.tile(z, units),
            "g": np.repeat(range(units), 6),
        }
        terms = " + ".join(names)
        fit = lmer(f"y ~ {terms} + (1 + {terms} | g)", data)
        assert not fit.singular
        test = fit.contest(["(Intercept)", *names], "kenward-roger")
        assert test.ddf == pytest.approx(2.0, abs=1e-5)
        plain = fit.beta @ np.linalg.solve(fit.adjusted.vcov, fit.beta) / r
        assert pytest.approx(plain, rel=1e-8) == test.F
        share = r * test.F / (r * test.F + 2.0)
        assert test.p_value == pytest.approx(1.0 - share ** (r / 2), rel=1e-4)


def test_mistakes():
    fit = fitted("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    assert fit.contest("Days") == fit.contest(["Days"]) == fit.contest([0.0, 1.0])
    with pytest.raises(InputError, match="no coefficient 'Dayz'"):
        fit.contest(["Dayz"])
    with pytest.raises(InputError, match="unknown method 'kr'"):
        fit.contest(["Days"], "kr")
    for contrasts in ([], [[1.0, 0.0, 0.0]], [["a", "b"]], ["Days", 1], [[np.nan, 1.0]]):
        with pytest.raises(InputError, match="contrasts"):
            fit.contest(contrasts)
    with pytest.raises(InputError, match="all zero"):
        fit.contest([[0.0, 0.0]])


def test_a_fit_without_estimates_has_no_test():
    data = frame("sleepstudy").assign(Reaction=lambda d: 2.0 * d["Days"])
    fit = lmer("Reaction ~ Days + (1 | Subject)", data)
    assert fit.status == "perfect_fit"
    for method in ("satterthwaite", "kenward-roger"):
        assert np.isnan(fit.contest(["Days"], method).p_value)
