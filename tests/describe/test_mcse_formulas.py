"""The formulas that papers are given are those that the code computes: each is evaluated."""

from __future__ import annotations

import re
from math import sqrt

import numpy as np
import pytest
from scipy.special import bdtr, ndtri

from hlm.describe.formula_tex import formula_tex
from hlm.describe.mathml import to_mathml
from hlm.measures import formulas as f
from hlm.measures.arrays import ERRORS, Contestant, TermArrays
from hlm.measures.group import group_measures
from hlm.measures.predictions import prediction_measures
from hlm.words.measures import MCSE_FORMULAS, MEASURES, OF_PREDICTIONS, WITHOUT_MCSE

N, TRUE = 57, 0.4


def data():
    """Return estimates, errors, limits and reference estimates, with outliers to be clipped."""
    rng = np.random.default_rng(5)
    b = TRUE + 0.3 * rng.standard_t(2.5, N)
    s = rng.gamma(9.0, 0.035, N)
    return {
        "estimate": b,
        "true": np.full(N, TRUE),
        "se": s,
        "lower": b - 1.3 * s,
        "upper": b + 1.1 * s,
        "reference": 0.6 * b + rng.normal(0, 0.2, N),
    }


def evaluated(formula, **values):
    """Return the number that a formula of the catalogue stands for, by NumPy's arithmetic."""
    text = re.sub(r"\bb, clipped,?", "clipped", formula).replace("^", "**")
    text = re.sub(r"(?<=[\w)\]]) (?=[\w(])", " * ", text)  # what stands side by side is multiplied
    names = {
        "sd": lambda x: np.std(x, ddof=1),
        "var": lambda x: np.var(x, ddof=1),
        "cor": lambda x, y: np.corrcoef(x, y)[0, 1],
        "mean": np.mean,
        "abs": np.abs,
        "sqrt": np.sqrt,
    }
    return float(eval(text, {}, names | values))


def order_statistics(x):
    """Return what the formula of a median needs, x[1] the smallest (Price and Bonett, 2001)."""
    n = len(x)
    c = max(1, round((n + 1) / 2 - sqrt(n)))
    z = -ndtri(bdtr(c - 1, n, 0.5))
    return {"x": dict(enumerate(np.sort(x), start=1)), "c": c, "z": z, "n": n}


def values_of(name, columns, found):
    """Return the letters of a formula."""
    b, t, s = columns["estimate"], columns["true"], columns["se"]
    lower, upper = columns["lower"], columns["upper"]
    letters = {"b": b, "t": t, "s": s, "L": lower, "U": upper, "n": N, "p": found[name].estimate}
    if name in ("median", "median_bias", "median_ci_width"):
        return letters | order_statistics(upper - lower if "width" in name else b)
    if name in ("type_s", "type_m"):
        hit = (lower > 0) | (upper < 0)
        letters |= {"b": b[hit], "t": t[hit], "n": int(hit.sum())}
    first, third = np.quantile(b, [0.25, 0.75])
    iqr = third - first
    square = s**2
    ratios = [np.delete(square, i).mean() / np.var(np.delete(b, i), ddof=1) for i in range(N)]
    others = ("rmse", "model_se", "winsorized_rmse")
    return letters | {
        "clipped": np.clip(b, first - 3 * iqr, third + 3 * iqr),
        "reference": columns["reference"],
        "r": np.array(ratios),
        **{other: found[other].estimate for other in others},
    }


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in WITHOUT_MCSE])
def test_the_error_of_a_measure_is_its_formula(name):
    columns = data()
    if MEASURES[name].where == "true is 0":
        columns["true"] = np.zeros(N)
    found = group_measures(columns)
    assert found[name].mcse > 0
    expected = evaluated(MCSE_FORMULAS[name], **values_of(name, columns, found))
    assert found[name].mcse == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", OF_PREDICTIONS)
def test_the_error_of_a_measure_of_predictions_is_its_formula(name):
    rng = np.random.default_rng(6)
    e, apart = rng.gamma(4.0, 0.5, N), rng.gamma(6.0, 0.5, N)
    two = tuple(Contestant("m", "ml", one) for one in ("blup", "least_squares"))
    values = np.array([[e, e], [apart, apart]])
    arrays = TermArrays("unit_coefficient", "c", two, np.full(2, np.nan), ERRORS, values)
    found = prediction_measures(arrays, 0, {"all": None})["all"]
    letters = {"e": e, "l": apart, "n": N, "prediction_rmse": sqrt(e.mean())}
    letters["prediction_ratio"] = e.mean() / apart.mean()
    assert found[name].mcse == pytest.approx(evaluated(MCSE_FORMULAS[name], **letters), rel=1e-9)


def test_every_measure_has_a_formula_of_its_error_or_none():
    named = {*MEASURES, *OF_PREDICTIONS} - {*WITHOUT_MCSE}
    assert {*MCSE_FORMULAS} == named
    assert np.isnan(f.ks_distance(np.array([0.2, 0.7])).mcse)


@pytest.mark.parametrize("name", [*MEASURES, *OF_PREDICTIONS])
def test_formulas_are_mathematics(name):
    """MathML refuses what it does not know, and braces that do not match."""
    for formula in ((MEASURES | OF_PREDICTIONS)[name].formula, MCSE_FORMULAS.get(name, "")):
        tex = formula_tex(formula)
        assert tex.count("{") == tex.count("}")
        assert "_" not in re.sub(r"_\{|_i", "", tex)
        assert to_mathml(tex).startswith("<math>")


def test_formulas_as_they_are_printed():
    assert formula_tex(MCSE_FORMULAS["rmse"]) == (
        r"\operatorname{sd}((b - t)^2)/(2 \mathrm{RMSE} \sqrt{n})"
    )
    assert formula_tex(MEASURES["coverage"].formula) == r"\text{share of }L \le t \le U"
    assert formula_tex(MCSE_FORMULAS["median"]) == r"(x_{(n - c + 1)} - x_{(c)})/(2 z)"


def test_words_keep_the_space_before_a_letter():
    """MathML drops ordinary spaces at the ends of a text."""
    found = to_mathml(r"\text{share of } L")
    assert "<mtext>share\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}</mtext><mi>L</mi>" in found
