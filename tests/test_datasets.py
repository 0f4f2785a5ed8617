"""Tests of the data sets: the published values, to the last bit."""

import csv
from pathlib import Path

import numpy as np
import pytest

from hlm import datasets
from hlm.errors import InputError

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"
LOADERS = {
    "mathachieve": datasets.load_mathachieve,
    "ogorek2012": datasets.load_ogorek2012,
    "sleepstudy": datasets.load_sleepstudy,
}


def test_every_data_set_has_a_loader_and_a_small_reproducible_file():
    assert tuple(LOADERS) == datasets.NAMES
    for name in datasets.NAMES:
        content = datasets.path(name).read_bytes()
        assert len(content) < 1_000_000
        assert content[4:8] == b"\0\0\0\0", "the compressed file carries a time"


def test_ogorek2012_is_the_design_of_the_article():
    data = datasets.load_ogorek2012()
    assert list(data) == ["unit", "a", "x", "y"]
    assert data.groupby("unit").size().tolist() == [30] * 30
    assert (data.groupby("unit")["a"].nunique() == 1).all()
    np.testing.assert_allclose(data["x"][:30], -4 + 8 / 30 * np.arange(30), atol=1e-15)
    assert data["a"][0] == -1.1914246430068982097
    assert data["y"][0] == -10.949378381088319401


def test_mathachieve_agrees_with_the_published_counts_and_means():
    """Raudenbush and Bryk (2002), table 4.1: 160 schools, 7,185 pupils, mean 12.75, sd 6.88."""
    data = datasets.load_mathachieve()
    assert list(data) == [
        "school", "minority", "sex", "ses", "mathach", "meanses", "sector", "cses",
    ]  # fmt: skip
    assert data.shape == (7185, 8)
    assert data.groupby("school")["sector"].first().value_counts().to_dict() == {
        "Public": 90,
        "Catholic": 70,
    }
    assert data["mathach"].mean() == pytest.approx(12.75, abs=0.005)
    assert data["mathach"].std() == pytest.approx(6.88, abs=0.005)
    assert data["minority"].unique().tolist() == ["No", "Yes"]
    centred = data["ses"] - data.groupby("school")["ses"].transform("mean")
    np.testing.assert_allclose(data["cses"], centred, atol=1e-12)


def test_sleepstudy_is_ten_days_of_eighteen_subjects():
    data = datasets.load_sleepstudy()
    assert data.groupby("Subject")["Days"].apply(list).tolist() == [list(range(10))] * 18
    slope, intercept = np.polyfit(data["Days"], data["Reaction"], 1)
    assert (intercept, slope) == pytest.approx((251.405, 10.467), abs=5e-4)


@pytest.mark.parametrize("name", datasets.NAMES)
def test_values_are_those_of_the_reference_to_the_last_bit(name):
    source = REFERENCE / f"{name}.csv"
    if not source.exists():
        pytest.skip("the reference data sets are not beside the repository")
    data = LOADERS[name]()
    with source.open() as lines:
        rows = list(csv.DictReader(lines))
    for column in data:
        values = data[column].tolist()
        kind = type(values[0])
        assert values == [kind(row[column]) for row in rows]


def test_an_unknown_name_gets_the_nearest_right_one():
    with pytest.raises(InputError, match="did you mean 'ogorek2012'"):
        datasets.path("ogorek")
