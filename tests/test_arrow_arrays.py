"""Arrays of Arrow made and read without `pyarrow.array` and `to_numpy`: the same as by these."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from hlm.arrow_arrays import array_of_names, array_of_numbers, numbers_of

NUMBERS = {
    "floats": np.array([0.1, np.nan, -np.inf, -0.0]),
    "whole": np.array([1, -2, 2**31 - 1], dtype=np.int32),
    "bytes": np.array([-1, 0, 1], dtype=np.int8),
    "counts": np.array([2**53 + 1, -7]),
    "every other": np.arange(10.0)[::2],
    "truth": np.array([True, False, False] * 7),
    "none": np.empty(0),
    "no truth": np.empty(0, dtype=bool),
}


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_those_of_pyarrow(values):
    made, theirs = array_of_numbers(values), pa.array(values)
    assert made.type == theirs.type
    assert made.to_pylist() == pytest.approx(theirs.to_pylist(), nan_ok=True, abs=0.0, rel=0.0)
    made.validate(full=True)


@pytest.mark.parametrize("names", [[], ["x"], ["(Intercept)", "", "größe", "x:a"]])
def test_names_are_those_of_pyarrow(names):
    made = array_of_names(names)
    made.validate(full=True)
    assert made.equals(pa.array(names, pa.string()))


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_numbers_come_back(values):
    column = pa.chunked_array([pa.array(values), pa.array(values)[1:], pa.array(values)[:0]])
    if values.dtype == bool:  # these are packed: they are read as another type
        column = column.cast("float64")
    whole = np.concatenate([values, values[1:]])
    found = numbers_of(column)
    assert found.dtype == column.type.to_pandas_dtype()
    np.testing.assert_array_equal(found, whole)
    np.testing.assert_array_equal(numbers_of(pa.array(values * 1.0)[1:]), values[1:] * 1.0)


def test_what_is_not_there_is_nan():
    column = pa.chunked_array([pa.array([1, None], pa.int32()), pa.array([3], pa.int32())])
    np.testing.assert_array_equal(numbers_of(column), [1.0, np.nan, 3.0])
    truth = pa.chunked_array([pa.array([True, None])]).cast("float64")
    np.testing.assert_array_equal(numbers_of(truth), [1.0, np.nan])
