"""Levels are written as R 4.2.2's as.character() writes them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hlm.formula import factor_levels, parse
from hlm.formula.cells import is_number, label, number_text, resembles_number, spellings

# for (v in x) cat(as.character(v)), of doubles
AS_CHARACTER = {
    100000.0: "1e+05",
    123456.0: "123456",
    0.1: "0.1",
    1e-05: "1e-05",
    1e15: "1e+15",
    100000.1: "100000.1",
    1 / 3: "0.333333333333333",
    1e-4: "1e-04",
    0.0001234: "0.0001234",
    123456789.0: "123456789",
    1e6: "1e+06",
    1200000.0: "1200000",
    150000.0: "150000",
    -100000.0: "-1e+05",
    -0.1: "-0.1",
    1e14: "1e+14",
    123456789012345.0: "123456789012345",
    1234567890123456.0: "1234567890123456",
    0.1 + 0.2: "0.3",
    2 / 3 * 1e-5: "6.66666666666667e-06",
    300000.0: "3e+05",
    300000.5: "300000.5",
    1e22: "1e+22",
    12345678901234567890.0: "12345678901234567168",
    -1e-15: "-1e-15",
    100.0: "100",
    0.0: "0",
    10000.0: "10000",
    20000000.0: "2e+07",
    1.5e10: "1.5e+10",
    1e10 + 1: "10000000001",
    math.inf: "Inf",
    -math.inf: "-Inf",
}


@pytest.mark.parametrize(("value", "text"), AS_CHARACTER.items(), ids=str)
def test_numbers_are_written_as_by_r(value, text):
    assert label(value) == number_text(value) == text


def test_integers_and_truth_values_are_written_as_by_r():
    """levels(factor(c(300000L, 123456L))) are 123456, 300000; of doubles 123456, 3e+05."""
    terms = parse("y ~ factor(b) + (1 | g)").fixed
    for column, levels in (
        (np.array([300000, 123456]), ("123456", "300000")),
        (np.array([300000.0, 123456.0]), ("123456", "3e+05")),
        (np.array([0.3, 0.1 + 0.2]), ("0.3",)),
        (np.array([True, False]), ("FALSE", "TRUE")),
    ):
        assert factor_levels(terms, {"b": column}) == {"factor(b)": levels}


def test_a_label_is_known_by_each_way_to_write_it():
    assert spellings(308) == spellings(308.0) == spellings("308") == ("308",)
    assert spellings(np.int64(100000)) == spellings(1e5) == ("100000", "1e+05")
    assert spellings("1e+05") == ("1e+05",)
    assert spellings(9007199254740993) == ("9007199254740993",)
    assert spellings(True) == ("TRUE",)
    assert spellings(0.5) == ("0.5",)


NUMBERS = ["1", "-1.5", "+2", ".5", "2.", "1e5", "1E-3", " 7 ", "Inf", "-inf", "NaN", "nan", "007"]
NO_NUMBERS = [
    ".",
    "",
    "NA",
    "1e",
    "7,98",
    "1 000",
    "1_000",
    "a",
    "--1",
    "1.2.3",
    "0x1A",
    "٣",
    "n/a",
]


def test_what_is_a_number():
    """As R's type.convert(), but for hexadecimal digits and the `1e` that it takes for 1."""
    assert all(map(is_number, NUMBERS))
    assert not any(map(is_number, NO_NUMBERS))
    assert [text for text in NO_NUMBERS if resembles_number(text)] == ["7,98", "1.2.3"]
