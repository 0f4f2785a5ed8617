"""What the data cannot tell apart is said, and the rest of the fit stands.

Each fit is that of the model without what is redundant; the criteria are lme4 1.1-31's.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from hlm import lmer, lmer_each
from hlm.cli import main
from hlm.datasets import load_sleepstudy

SLEEP = load_sleepstudy().rename(columns={"Reaction": "y", "Days": "x", "Subject": "g"})
DATA = SLEEP.assign(k=0.0, c=0.1, z=2.54 * SLEEP["x"], odd=(SLEEP["g"] % 2).astype(float), one=1.0)
INTERCEPTS, SLOPES = "y ~ x + (1 | g)", "y ~ x + (1 + x || g)"
FULL = "y ~ x + (1 + x | g)"
CRITERIA = {
    (INTERCEPTS, True): 1786.465,
    (SLOPES, True): 1743.669,
    (FULL, True): 1743.628,
    (INTERCEPTS, False): 1794.079,
    (SLOPES, False): 1752.003,
    (FULL, False): 1751.939,
}

CASES = {
    # A column of zeros, or a constant next to the intercept; a slope that is there twice.
    "zeros": ("y ~ x + (1 + k | g)", INTERCEPTS, ["cor_k.(Intercept)|g", "sd_k|g"]),
    "zeros alone": ("y ~ x + (1 | g) + (0 + k | g)", INTERCEPTS, ["sd_k|g"]),
    "zeros beside a slope": (
        "y ~ x + (1 + x + k | g)",
        FULL,
        ["cor_k.(Intercept)|g", "cor_k.x|g", "sd_k|g"],
    ),
    "constant": (
        "y ~ x + (1 + c | g)",
        INTERCEPTS,
        ["sd_(Intercept)|g", "cor_c.(Intercept)|g", "sd_c|g"],
    ),
    "two intercepts": (
        "y ~ x + (1 | g) + (0 + one | g)",
        INTERCEPTS,
        ["sd_(Intercept)|g", "sd_one|g"],
    ),
    "two slopes": ("y ~ x + (1 + x + z || g)", SLOPES, ["sd_x|g", "sd_z|g"]),
    "two slopes, correlated": (
        "y ~ x + (1 + x + z | g)",
        FULL,
        ["cor_x.(Intercept)|g", "cor_z.(Intercept)|g", "sd_x|g", "cor_z.x|g", "sd_z|g"],
    ),
}  # fmt: skip


def _table(fit) -> pd.DataFrame:
    table = fit.tidy().set_index("term")
    profile = fit.confint("profile")
    return table.join(profile.add_prefix("profile "))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("reml", [True, False])
def test_what_is_determined_keeps_its_inference(name, reml):
    formula, reduced, unknown = CASES[name]
    fit, known = (lmer(f, DATA, reml=reml) for f in (formula, reduced))
    assert (fit.status, fit.converged, fit.undetermined) == ("partly_identified", True, unknown)
    assert (known.status, known.undetermined) == ("ok", [])
    assert (fit.singular, fit.boundary_rank) == (False, 0)
    assert fit.criterion == pytest.approx(CRITERIA[reduced, reml], abs=6e-4)
    assert fit.criterion == pytest.approx(known.criterion, abs=1e-8)
    assert fit.aic - fit.criterion == pytest.approx(2 * (len(fit.terms)))
    assert_allclose(fit.df("satterthwaite-expected"), known.df("satterthwaite-expected"), rtol=1e-5)
    found, expected = _table(fit), _table(known)
    columns = ["estimate", "se", "lower", "upper", "profile lower", "profile upper"]
    assert found.loc[unknown, columns].isna().all(axis=None)
    same = [term for term in found.index if term not in unknown]
    assert "sigma" in same
    for column in (*columns, "df", "p_value"):
        assert_allclose(
            found.loc[same, column], expected.loc[same, column], rtol=2e-5, err_msg=column
        )
    assert_allclose(fit.fitted(), known.fitted(), rtol=1e-6)
    rows, (value, error) = DATA.head(3), fit.predict(DATA.head(3), se=True)
    assert_allclose(value, known.predict(rows), rtol=1e-6)
    assert_allclose(error, known.predict(rows, se=True)[1], rtol=1e-5)
    assert np.isfinite(fit.ranef()).all(axis=None)


@pytest.mark.parametrize("name", CASES)
def test_its_covariance_matrix_and_summary_leave_out_the_same(name):
    formula, reduced, unknown = CASES[name]
    fit, known = lmer(formula, DATA), lmer(reduced, DATA)
    table, expected = fit.vcov_random(), known.vcov_random()
    names = [term.replace("sd_", "var_").replace("cor_", "cov_") for term in unknown]
    assert table.loc[names].isna().all(axis=None)
    assert table[names].isna().all(axis=None)
    same = [term for term in table if term not in names]
    assert_allclose(table.loc[same, same], expected.loc[same, same], rtol=1e-5)
    text = fit.summary()
    assert f"partly_identified: the data do not determine {', '.join(unknown)}\n" in text
    assert text.count("NaN") == len(unknown) + sum(term.startswith("sd_") for term in unknown)


def test_variances_of_two_groups_of_units():
    """(1 + odd | g) has three parameters for the two variances of even and of odd subjects."""
    fit = lmer("y ~ x + (1 + odd | g)", DATA)
    halves = lmer("y ~ x + (0 + even | g) + (0 + odd | g)", DATA.assign(even=1.0 - DATA["odd"]))
    assert (fit.status, fit.undetermined) == (
        "partly_identified",
        ["cor_odd.(Intercept)|g", "sd_odd|g"],
    )
    assert fit.criterion == pytest.approx(halves.criterion, abs=1e-8)
    found, expected = fit.tidy().set_index("term"), halves.tidy().set_index("term")
    assert_allclose(found.loc["sd_(Intercept)|g", "se"], expected.loc["sd_even|g", "se"], rtol=1e-5)


def test_a_slope_of_a_unit_level_number_is_determined():
    """By units of three values or more, which have other variances."""
    by_unit = dict(zip(DATA["g"].unique(), np.linspace(-1.0, 1.0, 18) ** 3, strict=True))
    fit = lmer("y ~ x + (1 + w | g)", DATA.assign(w=DATA["g"].map(by_unit)))
    assert fit.status == "ok"


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_units_do_not_matter(scale):
    moved = DATA.assign(x=scale * DATA["x"], z=-3e3 * DATA["x"], y=DATA["y"] / scale)
    assert lmer("y ~ x + (1 + x + z || g)", moved).undetermined == ["sd_x|g", "sd_z|g"]


def test_weights():
    weights = 1.0 + SLEEP["x"].to_numpy() % 3
    fit, known = (lmer(f, DATA, weights=weights) for f in ("y ~ x + (1 + k | g)", INTERCEPTS))
    assert fit.undetermined == ["cor_k.(Intercept)|g", "sd_k|g"]
    assert fit.criterion == pytest.approx(known.criterion, abs=1e-8)
    assert_allclose(fit.random[1][[0, -1]], known.random[1][[0, -1]], rtol=1e-6)


def test_zero_variances_of_slopes_that_depend_are_known():
    """The sum of two variances is zero, and so are both: nothing is left open."""
    rng = np.random.default_rng(4)
    y = rng.normal(size=len(DATA))
    lines = [np.polyval(np.polyfit(d["x"], y[d.index], 1), d["x"]) for _, d in DATA.groupby("g")]
    flat = DATA.assign(y=y - np.concatenate(lines))
    fit = lmer("y ~ x + (1 + x + z || g)", flat)
    assert (fit.status, fit.singular, fit.boundary_rank) == ("ok", True, 3)
    assert fit.random[0][:3].tolist() == [0.0, 0.0, 0.0]


def test_lost_dimensions_are_those_of_what_is_determined():
    """Without variance between units the fit is singular whatever the sd of a column of zeros."""
    rng = np.random.default_rng(4)
    y = rng.normal(size=len(DATA))
    y -= pd.Series(y).groupby(DATA["g"].to_numpy()).transform("mean").to_numpy()
    fit = lmer("y ~ x + (1 | g) + (0 + k | g)", DATA.assign(y=y))
    assert (fit.status, fit.undetermined) == ("partly_identified", ["sd_k|g"])
    assert (fit.singular, fit.boundary_rank) == (True, 1)
    assert fit.random[0][0] == 0.0


def test_lmer_each():
    stack = pd.concat([DATA.assign(rep=1), DATA.assign(rep=2, k=DATA["x"])])
    table = lmer_each("y ~ x + (1 + k | g)", stack)
    assert table["status"].tolist() == ["partly_identified", "ok"]
    assert table["criterion"].tolist() == pytest.approx([1786.465, 1743.628], abs=6e-4)
    assert table.loc[0, ["theta_2", "theta_3"]].isna().all()
    single = lmer("y ~ x + (1 + k | g)", DATA)
    assert table.loc[0, "theta_1"] == single.theta[0]
    assert table.loc[0, ["sigma", "x", "se_x"]].tolist() == [
        single.sigma,
        *single.beta[1:],
        single.se[1],
    ]
    three = lmer_each("y ~ x + (1 + k + x | g)", stack[stack["rep"] == 1])
    assert three.loc[0, [f"theta_{j}" for j in range(1, 7)]].isna().tolist() == [
        False, True, False, True, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("limits", ["wald", "profile", "wald-variance"])
def test_at_the_terminal(tmp_path, capsys, limits):
    DATA.to_csv(tmp_path / "data.csv", index=False)
    command = ["fit", "y ~ x + (1 + k | g)", str(tmp_path / "data.csv"), "--level", "0.9"]
    assert main([*command, "--limits", limits]) == 0
    text = capsys.readouterr().out
    assert "the data do not determine cor_k.(Intercept)|g, sd_k|g" in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if "|g " in line}
    assert rows["sd_k|g"] == ["NaN"] * 7
    assert "NaN" not in (rows["sd_(Intercept)|g"][i] for i in (0, 1, 5, 6))
