"""The key `selection`: orders that are read, and mistakes in them."""

from __future__ import annotations

import pytest

from hlm.criteria import USUAL, Step
from hlm.errors import InputError
from hlm.study import Study

TEXT = """
name: s
seed: 7
replicates: 40
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {(Intercept): 1, x: 0.3, a: 0.2, "x:a": 0.1}
  random: {unit: {sd: {(Intercept): 0.5, x: 0.3}, cor: 0.4}}
  residual: {sd: 1}
design:
  units: 12
  rows: 6
  covariates: {x: {level: row, distribution: normal}, a: {level: unit, distribution: normal}}
models:
  full: y ~ x * a + (1 + x | unit)
  small: y ~ x + (1 | unit)
  apart: "y ~ x + (1 + x || unit)"
  shifted: y ~ I(x - 2) + a + I((x - 2) * a) + (1 + I(x - 2) | unit)
  odd: y ~ I(x^2) + (1 | unit)
"""


def read(selection, text=TEXT):
    return Study.from_text(f"{text}selection: {selection}\n")


def test_a_study_that_says_nothing_has_aic_and_bic():
    assert Study.from_text(TEXT).selection == USUAL


def test_steps_know_their_parameters_and_what_they_add():
    study = read("{criteria: [lrt], order: [small, apart, full]}")
    assert study.selection.steps == (
        Step("small", "apart", 1, boundary=True, one_fixed_part=True),
        Step("apart", "full", 3, boundary=False, one_fixed_part=False),
    )


def test_models_are_nested_as_functions_whatever_their_terms_are_called():
    (step,) = read("{criteria: [lrt], order: [small, shifted]}").selection.steps
    assert (step.df, step.one_fixed_part) == (4, False)


def test_without_an_order_models_go_by_their_parameters():
    text = TEXT.replace("  odd: y ~ I(x^2) + (1 | unit)\n", "").replace(
        "  shifted: y ~ I(x - 2) + a + I((x - 2) * a) + (1 + I(x - 2) | unit)\n", ""
    )
    assert read("{criteria: [lrt]}", text).selection.order == ("small", "apart", "full")


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ("{criteria: [aic, lrtt]}", "did you mean 'lrt'"),
        ("{criterion: aic}", "did you mean 'criteria'"),
        ("{criteria: [aic, aic]}", "'aic' is there twice"),
        ("{criteria: [lrt], order: [smal, full]}", "did you mean 'small'"),
        ("{criteria: [lrt], order: [small]}", "an order of 1 model"),
        ("{criteria: [lrt], order: [full, small]}", "did you mean 'small, full'"),
        ("{criteria: [lrt], order: [small, odd]}", "is not 'odd' (y ~ I(x^2) + (1 | unit)) less"),
        # Correlated effects are not nested in uncorrelated ones
        ("{criteria: [lrt], order: [full, apart]}", "did you mean 'apart, full'"),
        ("{criteria: [aic], order: [small, full]}", "an order of models without"),
        ("{criteria: [lrt], order: [small, full], direction: up}", "allowed: forward, backward"),
        ("{criteria: [lrt], order: [small, full], alpha: 5}", "selection.alpha"),
    ],
)
def test_mistakes_are_said_where_they_are(selection, said):
    with pytest.raises(InputError) as caught:
        read(selection)
    assert said in str(caught.value)
    assert "selection" in str(caught.value)


def test_one_model_is_not_chosen():
    one = TEXT[: TEXT.index("  small:")]
    with pytest.raises(InputError, match="there is one model to choose from"):
        read("{criteria: [aic]}", one)


def test_tests_of_reml_fits_need_one_fixed_part():
    text = TEXT + "estimation: {methods: [reml]}\n"
    with pytest.raises(InputError, match=r"estimation\.methods: \[ml\]"):
        read("{criteria: [lrt], order: [small, full]}", text)


def test_there_is_no_mixture_for_two_variances():
    three = 'three: "y ~ x * a + (1 + x + I(x^2) || unit)"'
    text = TEXT.replace("odd: y ~ I(x^2) + (1 | unit)", three)
    with pytest.raises(InputError, match="2 variances are added"):
        read("{criteria: [lrt-mixture], order: [small, three]}", text)
