"""What is found by place and by value, not by text; lme4's values by two_factors.R."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hlm import InputError, anova, lmer, lmer_each
from hlm.datasets import load_sleepstudy
from hlm.figures.lines import lines_of_fit

DATA = pd.read_csv(Path(__file__).with_name("two_factors.csv"))
EQUAL = DATA.rename(columns={"x": "f1b"})  # beside level b of f1, whose column is f1b too
WITHOUT_A = DATA[DATA["f1"] != "a"]
CLOSE = {"rel": 1e-5}


def test_two_coefficients_of_one_name_are_two():
    fit = lmer("y ~ f1b + f1 + (1 | g)", EQUAL)
    assert fit.coef_names == ("(Intercept)", "f1b", "f1b", "f1c")
    expected = [0.237016688872, 0.255044471420, 1.133015335334, -0.132385835846]
    assert fit.beta == pytest.approx(expected, **CLOSE)
    assert fit.predict(EQUAL) == pytest.approx(fit.fitted(), abs=1e-12)
    assert list(fit.tidy()["term"])[:4] == list(fit.coef_names)
    assert len(fit.confint()) == len(fit.tidy())
    for k, L in ((1, [0, 1, 0, 0]), (2, [0, 0, 1, 0])):
        wald = (fit.beta[k] / fit.se[k]) ** 2
        assert pytest.approx(wald) == fit.contest([L]).F
    with pytest.raises(InputError, match="'f1b' is ambiguous: 2 coefficients"):
        fit.contest("f1b")
    with pytest.raises(InputError, match="two columns of the table would be named 'f1b'"):
        lmer_each("y ~ f1b + f1 + (1 | g)", EQUAL.assign(rep=1))


def test_columns_are_found_by_place_where_one_is_dropped():
    """Of f1b (numeric, twice f2's dummy) and level b of f1 the first stays, both are named f1b."""
    data = EQUAL.assign(f1b=2.0 * (EQUAL["f1"] == "b"))
    fit = lmer("y ~ f1 + f1b + (1 | g)", data)
    assert fit.frame.dropped == ("f1b",)
    assert fit.predict(data) == pytest.approx(fit.fitted(), abs=1e-12)


def test_lines_are_those_of_their_columns():
    data = EQUAL.assign(h=EQUAL["f1b"])
    for formula in ("y ~ h + f1 + (1 + h | g)", "y ~ h + f1b + f1 + (1 + h | g)"):
        fit = lmer(formula, data)
        lines = lines_of_fit(fit, data)
        one = fit.frame.units == 0
        at = data["h"].to_numpy()[one]
        line = lines.predicted[0] @ np.array([np.ones(len(at)), at])
        if "f1b" not in formula:
            assert np.mean(line) == pytest.approx(np.mean(fit.fitted()[one]), abs=1e-9)
        assert lines.fixed[0, 1] == pytest.approx(fit.beta[1])
    with pytest.raises(InputError, match="no lines of their own"):
        lines_of_fit(lmer("y ~ 1 + (1 + f1b + f1 | g)", EQUAL), EQUAL)


@pytest.mark.parametrize("names", [(0, 1, 2), ("a b", "0", 2.5), (("y", 1), ("x", 1), ("g", 1))])
def test_names_of_columns_may_be_anything(names):
    data = DATA[["y", "x", "g"]].copy()
    data.columns = pd.Index(names, tupleize_cols=False)
    formula = "`{}` ~ `{}` + (1 | `{}`)".format(*names)
    fit, plain = lmer(formula, data), lmer("y ~ x + (1 | g)", DATA)
    assert fit.beta == pytest.approx(plain.beta, rel=1e-12)
    assert fit.predict(data) == pytest.approx(plain.fitted(), rel=1e-12)
    assert fit.predict(dict(zip(names, data.to_numpy().T, strict=True)))[0] == fit.predict(data)[0]
    table = lmer_each(formula, data.assign(rep=1))
    assert table["sigma"][0] == pytest.approx(fit.sigma, rel=1e-9)


def test_variances_are_named_by_their_kind():
    """A covariate sd_cor_x keeps its name in the matrix of the variances."""
    fit = lmer("y ~ sd_cor_x + (1 + sd_cor_x | g)", DATA.rename(columns={"x": "sd_cor_x"}))
    names = ["var_(Intercept)|g", "cov_sd_cor_x.(Intercept)|g", "var_sd_cor_x|g", "sigma^2"]
    assert list(fit.vcov_random().index) == names


def test_a_covariate_named_sigma_has_limits_of_its_own():
    fit = lmer("y ~ sigma + (1 | g)", DATA.rename(columns={"x": "sigma"}))
    limits, plain = fit.confint(), lmer("y ~ x + (1 | g)", DATA).confint()
    assert list(limits.index) == ["(Intercept)", "sigma", "sd_(Intercept)|g", "sigma"]
    assert limits.to_numpy() == pytest.approx(plain.to_numpy())
    with pytest.raises(InputError, match="two columns of the table would be named 'sigma'"):
        lmer_each("y ~ sigma + (1 | g)", DATA.rename(columns={"x": "sigma"}).assign(rep=1))


def test_levels_that_are_numbers_have_the_names_of_r():
    data = DATA.assign(b=np.array([0.5, 100000, 123456])[np.arange(1, len(DATA) + 1) % 3])
    fit = lmer("y ~ factor(b) + (1 | g)", data)
    assert fit.coef_names == ("(Intercept)", "factor(b)1e+05", "factor(b)123456")
    expected = [0.0975694094857, 0.1474869812261, 1.2510626396752]
    assert fit.beta == pytest.approx(expected, **CLOSE)
    assert fit.predict(data) == pytest.approx(fit.fitted(), abs=1e-12)


RESPONSES = [
    ("log(abs(y) + 1) ~ x + (1 | g)", [0.8222665761666, 0.0426721785702], 118.972985482),
    ("y/2 ~ x + (1 | g)", [0.282085555449, 0.115577302334], 219.75583383),
]


@pytest.mark.parametrize(("formula", "beta", "criterion"), RESPONSES)
def test_a_response_may_be_an_expression(formula, beta, criterion):
    fit = lmer(formula, DATA)
    assert fit.beta == pytest.approx(beta, **CLOSE)
    assert fit.criterion == pytest.approx(criterion, abs=1e-6)
    assert fit.frame.formula.response == formula.partition(" ~")[0]
    table = lmer_each(formula, DATA.assign(rep=1))
    assert table["x"][0] == pytest.approx(fit.beta[1], rel=1e-9)


def test_predictions_are_on_the_scale_of_the_response():
    fit = lmer("log(Reaction) ~ Days + (Days | Subject)", load_sleepstudy())
    assert fit.beta == pytest.approx([5.530064805789, 0.033668035863], **CLOSE)
    assert fit.criterion == pytest.approx(-298.481171101, abs=1e-6)
    new = {"Days": [9], "Subject": ["308"]}
    assert fit.predict(new) == pytest.approx([6.07343087734], abs=1e-6)


def test_a_response_that_is_not_finite_is_shown():
    data = DATA.assign(y=DATA["y"].abs().mask(DATA.index == 40, -2.5).mask(DATA.index == 50, 0.0))
    data.loc[3, "x"] = np.nan  # left out, and counted all the same
    with pytest.raises(InputError, match=r"row 41 gives nan, y is -2.5; and 1 more of 107 rows"):
        lmer("log(y) ~ x + (1 | g)", data)
    assert lmer_each("log(y) ~ x + (1 | g)", data.assign(rep=1))["status"][0] == "not_finite"


def test_anova_with_an_offset_tests_the_slope():
    """lme4: Chisq 33.67158, Df 1, p 6.5247e-09, the test of slope 1."""
    one, two = (lmer(f"y ~ {term} + (1 | g)", DATA) for term in ("offset(x)", "x"))
    table = anova(one, two).table
    assert table["deviance"].to_numpy() == pytest.approx([397.9753478, 364.3037722], abs=1e-6)
    assert table["Chisq"].iloc[1] == pytest.approx(33.67158, abs=1e-5)
    assert table["p_value"].iloc[1] == pytest.approx(6.5247e-09, rel=1e-4)
    assert (one.response() == DATA["y"]).all()


SMALL, LARGE = "y ~ 1 + (1 | g)", "y ~ x + (1 | g)"
WEIGHTS = np.arange(1.0, len(DATA) + 1)
HOLES = [
    DATA.assign(
        x=DATA["x"].mask(DATA.index == k), y=DATA["y"].mask(DATA.index.isin([3, 4, 5]), 1.0)
    )
    for k in (3, 5)
]
DIFFERENT = [
    (lambda: (lmer(LARGE, DATA, weights=WEIGHTS), lmer(SMALL, DATA)), "with the same weights"),
    (lambda: (lmer(LARGE, DATA, weights=WEIGHTS), lmer(SMALL, DATA, weights=WEIGHTS + 1)), "weigh"),
    (lambda: (lmer(LARGE, DATA), lmer(SMALL, DATA.iloc[:100])), "rows: 108 and 100"),
    (lambda: (lmer(LARGE, DATA), lmer("exp(y) ~ 1 + (1 | g)", DATA)), r"'y' and 'exp\(y\)'"),
    (lambda: (lmer(LARGE, DATA), lmer(SMALL, DATA.assign(g=DATA.g % 5))), "units of 'g'"),
    (
        lambda: (lmer(LARGE, DATA), lmer("y ~ x + f1 + (1 | g)", DATA.assign(x=DATA.x + 1))),
        "values of 'x'",
    ),
    (lambda: tuple(lmer(LARGE, data) for data in HOLES), "rows: missing values leave out others"),
]


@pytest.mark.parametrize(("make", "words"), DIFFERENT, ids=[words for _, words in DIFFERENT])
def test_anova_refuses_fits_of_other_data(make, words):
    with pytest.raises(InputError, match=f"not fitted to the same .*{words}"):
        anova(*make())


def test_anova_takes_the_same_data_under_other_labels():
    """Also ids as text, levels in another order, and with weights in both."""
    again = DATA.assign(g=DATA["g"].astype(str))
    small, large = lmer(SMALL, again, weights="off"), lmer(LARGE, DATA, weights="off")
    assert anova(small, large).table["Df"].iloc[1] == 1
    other_group = anova(lmer("y ~ x + (1 | g)", DATA), lmer("y ~ x + (1 + x | f2)", DATA)).table
    assert other_group["p_boundary"].isna().all()


def test_each_data_set_is_fitted_as_if_alone():
    """lme4 of the second, lapply(split(d, d$rep), function(s) lmer(y ~ x + f1 + (1 | g), s))."""
    only_b = DATA[DATA["f1"] == "b"]
    stack = pd.concat(
        [DATA.assign(rep=1), WITHOUT_A.assign(rep=2), only_b.assign(rep=3), DATA.assign(rep=4)]
    )
    table = lmer_each("y ~ x + f1 + (1 | g)", stack).set_index("rep")
    assert list(table["status"]) == ["ok", "ok", "unidentified", "ok"]
    assert table["singular"].isna().tolist() == [False, False, True, False]
    names = ["(Intercept)", "x", "f1c"]
    expected = [1.360150297711, 0.147860804443, -1.289388660904]
    assert table.loc[2, names].to_numpy(float) == pytest.approx(expected, **CLOSE)
    se = table.loc[2, [f"se_{name}" for name in names]].to_numpy(float)
    assert se == pytest.approx([0.453292674388, 0.135945003948, 0.258257310279], **CLOSE)
    assert table.loc[2, "criterion"] == pytest.approx(234.19706501, abs=1e-6)
    assert table.loc[2, "theta_1"] == pytest.approx(1.26333317865, **CLOSE)
    assert table.loc[2, ["f1b", "se_f1b"]].isna().all()
    alone = lmer("y ~ x + f1 + (1 | g)", DATA)
    for rep in (1, 4):
        found = table.loc[rep, list(alone.coef_names)].to_numpy(float)
        assert found == pytest.approx(alone.beta, rel=1e-9)


def test_each_data_set_has_random_effects_of_its_own_levels():
    """lme4: theta of y ~ x + (0 + f1 | g) without level a; where it stands among all."""
    stack = pd.concat([DATA.assign(rep=1), WITHOUT_A.assign(rep=2)])
    table = lmer_each("y ~ x + (0 + f1 | g)", stack).set_index("rep")
    assert list(table["status"]) == ["ok", "ok"]
    theta = table.loc[2, [f"theta_{k}" for k in range(1, 7)]].to_numpy(float)
    assert np.isnan(theta).tolist() == [True, True, True, False, False, False]
    expected = [1.19223243021, 1.39075144757, 1.23359512917]
    assert theta[3:] == pytest.approx(expected, rel=1e-3)
    assert table.loc[2, "criterion"] == pytest.approx(245.794458512, abs=1e-6)


def test_verdicts_are_missing_where_there_is_no_fit():
    few = DATA[DATA["g"] == 9].assign(rep=2)
    table = lmer_each("y ~ x + (1 | g)", pd.concat([DATA.assign(rep=1), few]))
    assert not table["singular"][0]
    assert table["singular"][1] is pd.NA
    assert table["singular"].dtype == "boolean"
