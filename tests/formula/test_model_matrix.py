"""Columns are those of R 4.2.2's model.matrix(), names and values."""

import numpy as np
import pandas as pd
import pytest

from hlm.errors import InputError
from hlm.formula import evaluate, factor_levels, model_columns, parse

ROWS = np.arange(1.0, 7.0)
DATA = {
    "x": np.arange(1.0, 7.0),
    "z": np.array([0.5, 1, 0, 2, 1, 3]),
    "f": np.array(list("abcabc")),
    "h": np.array(list("uuvvuv")),
    "b": np.array([True, False, True, True, False, False]),
    "k": np.array([1, 1.5, 10, 1, 1.5, 10]),
    "o": pd.Series(
        pd.Categorical(["lo", "hi", "lo", "mid", "hi", "mid"], ["lo", "mid", "hi", "never"])
    ),
}

# formula, colnames(model.matrix(formula)), colSums(model.matrix(formula) * 1:6)
R_COLUMNS = [
    (
        "~ x*f",
        "(Intercept) ; x ; fb ; fc ; x:fb ; x:fc",
        "21 91 7 9 29 45",
    ),
    (
        "~ 0 + f",
        "fa ; fb ; fc",
        "5 7 9",
    ),
    (
        "~ f*h",
        "(Intercept) ; fb ; fc ; hv ; fb:hv ; fc:hv",
        "21 7 9 13 0 9",
    ),
    (
        "~ 0 + f*h",
        "fa ; fb ; fc ; hv ; fb:hv ; fc:hv",
        "5 7 9 13 0 9",
    ),
    (
        "~ x:f",
        "(Intercept) ; x:fa ; x:fb ; x:fc",
        "21 17 29 45",
    ),
    (
        "~ x + x:f",
        "(Intercept) ; x ; x:fb ; x:fc",
        "21 91 29 45",
    ),
    (
        "~ f + x:f",
        "(Intercept) ; fb ; fc ; fa:x ; fb:x ; fc:x",
        "21 7 9 17 29 45",
    ),
    (
        "~ 0 + x:f",
        "x:fa ; x:fb ; x:fc",
        "17 29 45",
    ),
    (
        "~ f:h",
        "(Intercept) ; fa:hu ; fb:hu ; fc:hu ; fa:hv ; fb:hv ; fc:hv",
        "21 1 7 0 4 0 9",
    ),
    (
        "~ f + f:h",
        "(Intercept) ; fb ; fc ; fa:hv ; fb:hv ; fc:hv",
        "21 7 9 4 0 9",
    ),
    (
        "~ h + f:h",
        "(Intercept) ; hv ; hu:fb ; hv:fb ; hu:fc ; hv:fc",
        "21 13 7 0 0 9",
    ),
    (
        "~ f:h - 1",
        "fa:hu ; fb:hu ; fc:hu ; fa:hv ; fb:hv ; fc:hv",
        "1 7 0 4 0 9",
    ),
    (
        "~ x:f:h",
        "(Intercept) ; x:fa:hu ; x:fb:hu ; x:fc:hu ; x:fa:hv ; x:fb:hv ; x:fc:hv",
        "21 1 29 0 16 0 45",
    ),
    (
        "~ f + f:h + x:f:h",
        (
            "(Intercept) ; fb ; fc ; fa:hv ; fb:hv ; fc:hv ; "
            "fa:hu:x ; fb:hu:x ; fc:hu:x ; fa:hv:x ; fb:hv:x ; fc:hv:x"
        ),
        "21 7 9 4 0 9 1 29 0 16 0 45",
    ),
    (
        "~ b*x",
        "(Intercept) ; bTRUE ; x ; bTRUE:x",
        "21 8 91 26",
    ),
    (
        "~ 0 + b",
        "bFALSE ; bTRUE",
        "13 8",
    ),
    (
        "~ factor(k)*x",
        "(Intercept) ; factor(k)1.5 ; factor(k)10 ; x ; factor(k)1.5:x ; factor(k)10:x",
        "21 7 9 91 29 45",
    ),
    (
        "~ 0+factor(k)",
        "factor(k)1 ; factor(k)1.5 ; factor(k)10",
        "5 7 9",
    ),
    (
        "~ o",
        "(Intercept) ; omid ; ohi",
        "21 10 7",
    ),
    (
        "~ o:b",
        "(Intercept) ; olo:bFALSE ; omid:bFALSE ; ohi:bFALSE ; olo:bTRUE ; omid:bTRUE ; ohi:bTRUE",
        "21 0 6 7 4 4 0",
    ),
    (
        "~ 0 + x + f",
        "x ; fa ; fb ; fc",
        "91 5 7 9",
    ),
    (
        "~ 0 + x + x:f",
        "x ; x:fa ; x:fb ; x:fc",
        "91 17 29 45",
    ),
    (
        "~ 0 + f + h",
        "fa ; fb ; fc ; hv",
        "5 7 9 13",
    ),
    (
        "~ x/f",
        "(Intercept) ; x ; x:fb ; x:fc",
        "21 91 29 45",
    ),
    (
        "~ f/x",
        "(Intercept) ; fb ; fc ; fa:x ; fb:x ; fc:x",
        "21 7 9 17 29 45",
    ),
    (
        "~ I(x^2):f + log(z+1)",
        "(Intercept) ; log(z + 1) ; I(x^2):fa ; I(x^2):fb ; I(x^2):fc",
        "21.0000000000 17.9697106934 65.0000000000 133.0000000000 243.0000000000",
    ),
    (
        "~ x*z*f",
        "(Intercept) ; x ; z ; fb ; fc ; x:z ; x:fb ; x:fc ; z:fb ; z:fc ; x:z:fb ; x:z:fc",
        "21.0 91.0 33.5 7.0 9.0 169.5 29.0 45.0 7.0 18.0 29.0 108.0",
    ),
    (
        "~ f*h*b - f:h:b",
        "(Intercept) ; fb ; fc ; hv ; bTRUE ; fb:hv ; fc:hv ; fb:bTRUE ; fc:bTRUE ; hv:bTRUE",
        "21 7 9 13 8 0 9 0 3 7",
    ),
    (
        "~ 0 + x:f + h",
        "hu ; hv ; x:fa ; x:fb ; x:fc",
        "8 13 17 29 45",
    ),
    (
        "~ f*x - f",
        "(Intercept) ; x ; fb:x ; fc:x",
        "21 91 29 45",
    ),
    (
        "~ f*h - h",
        "(Intercept) ; fb ; fc ; fa:hv ; fb:hv ; fc:hv",
        "21 7 9 4 0 9",
    ),
    (
        "~ f*h - f - h",
        "(Intercept) ; fa:hu ; fb:hu ; fc:hu ; fa:hv ; fb:hv ; fc:hv",
        "21 1 7 0 4 0 9",
    ),
]


@pytest.mark.parametrize(("formula", "names", "sums"), R_COLUMNS)
def test_columns_are_those_of_r(formula, names, sums):
    found, columns = model_columns(parse(f"y {formula}", random=False).fixed, DATA)
    assert found == names.split(" ; ")
    np.testing.assert_allclose(ROWS @ columns, np.array(sums.split(), float), rtol=1e-11)


def test_a_data_frame_gives_the_same_columns():
    terms = parse("y ~ x * f + b + o", random=False).fixed
    names, columns = model_columns(terms, DATA)
    frame_names, frame_columns = model_columns(terms, pd.DataFrame(DATA))
    assert names == frame_names
    np.testing.assert_array_equal(columns, frame_columns)


def test_other_data_get_the_levels_of_the_first():
    terms = parse("y ~ f + x", random=False).fixed
    new = {"f": np.array(["c"]), "x": np.array([7.0])}
    names, columns = model_columns(terms, new, levels=factor_levels(terms, DATA))
    assert names == ["(Intercept)", "fb", "fc", "x"]
    assert columns.tolist() == [[1, 0, 1, 7]]
    with pytest.raises(InputError, match="new level 'q'"):
        model_columns(terms, new | {"f": np.array(["q"])}, levels=factor_levels(terms, DATA))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("I(-x^2)", -(ROWS**2)),
        ("I((x + 1) / 2 - x * 3)", (ROWS + 1) / 2 - 3 * ROWS),
        ("I(2^-x)", 2.0**-ROWS),
        ("I(2^x^0.5)", 2.0 ** (ROWS**0.5)),
        ("I(x/2/4)", ROWS / 8),
        ("I(x - 1 - 2)", ROWS - 3),
        ("log(x)", np.log(ROWS)),
        ("log2(x)", np.log2(ROWS)),
        ("log10(x)", np.log10(ROWS)),
        ("log1p(x)", np.log1p(ROWS)),
        ("exp(-x)", np.exp(-ROWS)),
        ("expm1(x)", np.expm1(ROWS)),
        ("sqrt(abs(-x))", np.sqrt(ROWS)),
        ("sin(x) : cos(x)", None),
        ("tan(x)", np.tan(ROWS)),
        ("I(b * 2)", 2.0 * DATA["b"]),
    ],
)
def test_calls_are_computed(call, expected):
    factors = parse(f"y ~ {call} + (1 | g)").fixed[1].factors
    value = np.prod([evaluate(factor, DATA) for factor in factors], axis=0)
    expected = np.sin(ROWS) * np.cos(ROWS) if expected is None else expected
    np.testing.assert_allclose(value, expected, rtol=1e-15)


def test_a_call_without_a_value_gives_nan_and_no_warning():
    assert np.isnan(evaluate(parse("y ~ log(x) + (1|g)").fixed[1].factors[0], {"x": [-1.0]})).all()


@pytest.mark.parametrize(
    ("formula", "data", "fragment"),
    [
        ("y ~ xx", {"x": [1.0]}, "no column 'xx'"),
        ("y ~ log(f)", {"f": ["a", "b"]}, "'f' does not hold numbers"),
        ("y ~ f", {"f": ["a", "a"]}, "only one level"),
        ("y ~ f", {"f": np.array(["a", None], dtype=object)}, "missing values"),
        ("y ~ factor(k)", {"k": [1.0, np.nan]}, "missing values"),
    ],
)
def test_data_that_do_not_fit_are_refused(formula, data, fragment):
    with pytest.raises(InputError, match=fragment):
        model_columns(parse(formula, random=False).fixed, data)


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(InputError) as caught:
        model_columns(parse("y ~ sesx", random=False).fixed, {"ses": [1.0], "sector": ["a"]})
    assert caught.value.suggestion == "ses"
    assert caught.value.allowed == "ses, sector"
