"""Costs that a user writes."""

from __future__ import annotations

import numpy as np
import pytest

from hlm.errors import InputError
from hlm.solver import Variable, growing_cost, read_cost

UNITS, ROWS = Variable("units", 4, 100), Variable("rows", 2, 40)
POINTS = np.array([[30.0, 10.0], [7.0, 3.0], [40.0, 25.0]])
U, R = POINTS.T


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("300 * units + 20 * units * rows", 300 * U + 20 * U * R),
        ("units * (300 + 20*rows) - -5", U * (300 + 20 * R) + 5),
        ("1e3 + units ^ 2 / rows", 1000 + U**2 / R),
        ("2 ^ 3 ^ 2 + units - rows - 1", 512 + U - R - 1),
        ("-units + 2 * units", U),
        ("ceil(units / 8) * 5 + max(units, rows, 12)", np.ceil(U / 8) * 5 + POINTS.clip(12).max(1)),
        ("min(units, 20) + sqrt(rows) + log(exp(units)) + floor(rows / 4)",
         np.minimum(U, 20) + np.sqrt(R) + U + np.floor(R / 4)),
        ("`units` * 3", 3 * U),
        ("7", np.full(3, 7.0)),
    ],
)  # fmt: skip
def test_arithmetic(text, expected):
    np.testing.assert_allclose(read_cost(text, ["units", "rows"])(POINTS), expected, rtol=1e-14)


def test_names_in_backticks():
    cost = read_cost("3 * `design.units`", ["design.units"])
    assert cost(np.array([[5.0]])).tolist() == [15.0]


@pytest.mark.parametrize(
    ("text", "problem", "suggestion"),
    [
        ("300 * unit", "nothing that varies is named 'unit'", "units"),
        ("floo(units)", "there is no function 'floo' in costs", "floor"),
        ("units:rows", "'units:rows' is no arithmetic", None),
        ("units | rows", "'units | rows' is no arithmetic", None),
        ("sqrt(units, rows)", r"sqrt\(\) of 2 values", None),
        ("units +", "the expression does not parse: it ends here", None),
        ("units = 3", "the expression does not parse: unexpected '='", None),
        ("", "the cost is empty", None),
        (300, "a cost must be text, not 300", None),
    ],
)
def test_what_is_no_cost(text, problem, suggestion):
    with pytest.raises(InputError, match=problem) as error:
        read_cost(text, ["units", "rows"])
    assert error.value.suggestion == suggestion


def test_all_mistakes_at_once():
    with pytest.raises(InputError) as error:
        read_cost("300 * unit + raws * sqr(units)", ["units", "rows"])
    assert [one.suggestion for one in error.value.errors] == ["units", "rows", "sqrt"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("300 * units", ["does not grow with 'rows'"]),
        ("300", ["does not grow with 'units'", "does not grow with 'rows'"]),
        ("units + 100 / rows", ["falls somewhere as 'rows' grows"]),
        ("1000 - units + 3000 / rows", ["falls somewhere as 'units'", "falls somewhere as 'rows'"]),
    ],
)
def test_costs_that_do_not_grow(text, problems):
    with pytest.raises(InputError) as error:
        growing_cost(text, [UNITS, ROWS])
    found = [one.problem for one in error.value.errors]
    assert len(found) == len(problems)
    assert all(said in one for said, one in zip(problems, found, strict=True))


@pytest.mark.parametrize(
    "text", ["units - 50 + rows", "log(units - 10) + rows", "units / (rows - rows)"]
)
def test_costs_that_are_no_positive_numbers(text):
    with pytest.raises(InputError, match="at units = 4, rows = 2") as error:
        growing_cost(text, [UNITS, ROWS])
    assert error.value.allowed == "positive numbers"


def test_steps_and_fixed_variables_are_allowed():
    """Interviewers come by the dozen; a variable with one value cannot grow."""
    growing_cost("ceil(units / 12) * 500 + rows", [UNITS, ROWS])
    growing_cost("units", [UNITS, Variable("rows", 5, 5)])
