"""What the fixed effects leave REML nothing of is said, and the rest of the fit stands.

Where nothing of Psi is left, what is determined is that of ordinary least squares.
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
DATA = SLEEP.head(60).assign(
    lone=lambda d: (d["g"] == d["g"].iloc[0]).astype(float),
    half=lambda d: (d["g"].rank(method="dense") <= 3).astype(float),
)
TWO = DATA[DATA["g"].isin(DATA["g"].unique()[[0, 3]])]
METHODS = [
    "satterthwaite",
    "satterthwaite-expected",
    "kenward-roger",
    "between-within",
    "residual",
    "infinite",
]


def _least_squares(data: pd.DataFrame, *columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients, and their standard errors with the residual sd at the end."""
    X = np.column_stack(columns)
    beta, residual = np.linalg.lstsq(X, data["y"], rcond=None)[:2]
    sigma = np.sqrt(residual[0] / (len(X) - X.shape[1]))
    se = sigma * np.sqrt(np.diag(np.linalg.inv(X.T @ X)))
    return beta, np.append(se, sigma)


def _dummies(data: pd.DataFrame) -> np.ndarray:
    units = data["g"].unique()
    return np.column_stack([np.ones(len(data)), *(data["g"] == u for u in units[1:])])


@pytest.mark.parametrize("method", METHODS)
def test_a_fixed_effect_of_every_unit(method):
    """Only x, which the units have alike, has a standard error: that of least squares."""
    fit = lmer("y ~ factor(g) + x + (1 | g)", DATA)
    beta, se = _least_squares(DATA, _dummies(DATA), DATA["x"])
    assert (fit.status, fit.converged) == ("partly_identified", True)
    assert fit.undetermined == ["sd_(Intercept)|g"]
    assert (fit.singular, fit.boundary_rank) == (False, 0)
    table = fit.tidy(method)
    assert_allclose(table["estimate"][:7], beta, rtol=1e-9)
    assert table.loc[:5, ["se", "df", "lower", "upper", "p_value"]].isna().all(axis=None)
    assert table.loc[7, ["estimate", "se", "lower", "upper"]].isna().all()
    assert_allclose(table.loc[[6, 8], ["se", "estimate"]].to_numpy().diagonal(), se[6:], rtol=1e-9)
    between_within = float("inf") if method == "infinite" else 53.0
    assert table.loc[6, "df"] == pytest.approx(between_within)
    assert pytest.approx((beta[6] / se[6]) ** 2) == fit.contest(["x"], method).F
    assert np.isnan(fit.contest(["x", "factor(g)309"], method).F)
    assert np.isnan(fit.contest(["x", "factor(g)309"], method).ddf)
    assert fit.random[1][-1] == pytest.approx(se[-1] / np.sqrt(2 * 53))


def test_its_other_limits_and_summary():
    fit = lmer("y ~ factor(g) + x + (1 | g)", DATA)
    profile = fit.confint("profile")
    assert profile.loc["sd_(Intercept)|g"].isna().all()
    assert np.isfinite(profile.loc["sigma"]).all()
    boot = fit.confint("boot", n=20, rng=1)
    assert boot.index[boot["lower"].notna()].tolist() == ["x", "sigma"]
    text = fit.summary()
    assert "partly_identified: the data do not determine sd_(Intercept)|g" in text
    by_ml = lmer("y ~ factor(g) + x + (1 | g)", DATA, reml=False)
    assert (by_ml.status, by_ml.singular, by_ml.random[0][0]) == ("ok", True, 0.0)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_slopes_that_are_left(scale):
    """Of (1 + x | g) REML sees the variance of the slopes: as (0 + x | g) does alone."""
    data = DATA.assign(x=scale * DATA["x"])
    fit = lmer("y ~ factor(g) + x + (1 + x | g)", data)
    alone = lmer("y ~ factor(g) + x + (0 + x | g)", data)
    assert fit.status == "partly_identified"
    assert fit.undetermined == ["sd_(Intercept)|g", "cor_x.(Intercept)|g"]
    assert fit.criterion == pytest.approx(alone.criterion, abs=1e-7)
    found, expected = fit.tidy().set_index("term"), alone.tidy().set_index("term")
    same = ["x", "sd_x|g", "sigma"]
    for column in ("estimate", "se", "lower", "upper", "df"):
        assert_allclose(found.loc[same, column], expected.loc[same, column], rtol=2e-5)
    assert np.isnan(fit.se[:6]).all()


def test_a_group_of_one_unit():
    """REML sees no variance of a unit that has a coefficient of its own; all else is as without."""
    fit = lmer("y ~ lone + (1 | g) + (0 + lone | g)", DATA)
    others = lmer("y ~ 1 + (1 | g)", DATA[DATA["lone"] == 0.0])
    assert fit.undetermined == ["sd_lone|g"]
    assert np.isnan(fit.se).tolist() == [False, True]
    sigma = DATA.groupby("lone")["y"].var()[1.0]  # of the unit alone, in the pooled sigma
    assert fit.sigma**2 == pytest.approx((50 - 5) / 54 * others.sigma**2 + 9 / 54 * sigma, rel=1e-9)
    assert fit.beta[0] == pytest.approx(others.beta[0])
    two_groups = lmer("y ~ half + (1 | g) + (0 + half | g)", DATA)
    assert two_groups.status == "ok"


@pytest.mark.parametrize(
    ("formula", "unknown"),
    [
        ("y ~ lone + (1 | g)", 1),
        ("y ~ lone * x + (1 + x | g)", 3),
        ("y ~ lone * x + (1 + x || g)", 2),
    ],
)
def test_one_unit_in_each_arm(formula, unknown):
    fit = lmer(formula, TWO)
    assert (fit.status, len(fit.undetermined)) == ("partly_identified", unknown)
    arm = TWO["lone"].to_numpy()
    slopes = [TWO["x"], arm * TWO["x"]] if "x" in formula[3:12] else []
    beta, se = _least_squares(TWO, np.ones(len(TWO)), arm, *slopes)
    assert_allclose(fit.beta, beta, rtol=1e-8)
    assert fit.sigma == pytest.approx(se[-1])
    assert np.isnan(fit.se).all()


def test_lmer_each():
    stack = pd.concat([TWO.assign(rep=1), DATA.assign(rep=2, lone=DATA["half"])])
    table = lmer_each("y ~ lone + (1 | g)", stack)
    assert table["status"].tolist() == ["partly_identified", "ok"]
    assert table["theta_1"].isna().tolist() == [True, False]
    assert table["se_lone"].isna().tolist() == [True, False]


def test_at_the_terminal(tmp_path, capsys):
    TWO.to_csv(tmp_path / "data.csv", index=False)
    command = ["fit", "y ~ lone + x + (1 | g)", str(tmp_path / "data.csv"), "--level", "0.9"]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert (
        "the data do not determine sd_(Intercept)|g, nor the standard errors of (Intercept), lone\n"
    ) in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if "|g " in line}
    assert set(rows["sd_(Intercept)|g"]) == {"NaN"}


def _two_rows(seed: int) -> pd.DataFrame:
    """Ten units of two rows, as R reads them in the tests' reference values."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 2)})
    data["x"] = rng.normal(size=20)
    return data.assign(
        y=rng.normal(size=20) + data["x"] + np.repeat(rng.normal(size=10), 2),
        s=np.tile([-1.0, 1.0], 10),
    )


@pytest.mark.parametrize(
    ("seed", "reml", "sds", "criterion"),
    [
        (0, True, [1.16394, 0.0, 0.58420], 56.01256),
        (2, True, [1.30083, 0.92626, 0.63849], 66.61741),
        (2, False, [1.07492, 0.0, 0.90969], 66.30194),
        (4, True, [0.79751, 0.26109, 1.17923], 69.65794),
    ],
)
def test_as_many_effects_as_rows(seed, reml, sds, criterion):
    """The values are lme4 1.1-31's, which stops only where one term has as many effects as rows."""
    fit = lmer("y ~ x + (x || g)", _two_rows(seed), reml=reml)
    assert fit.status == "ok"
    assert_allclose(fit.random[0], sds, atol=2e-5)
    assert fit.criterion == pytest.approx(criterion, abs=2e-5)


@pytest.mark.parametrize("reml", [True, False])
def test_sigma_that_depends_on_the_variances(reml):
    """Two rows have one variance and one covariance, for three parameters."""
    fit = lmer("y ~ x + (s || g)", _two_rows(1), reml=reml)
    assert fit.status == "unidentified"
    assert np.isnan(fit.sigma)
    assert "the parameters cannot be told apart" in fit.summary()
    assert "residual variance is zero" not in fit.summary()
