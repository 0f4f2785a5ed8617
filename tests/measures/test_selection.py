"""Selection, singularity and failure rates."""

from __future__ import annotations

from math import inf, nan, sqrt

import numpy as np
import pandas as pd
import pytest

from hlm.errors import InputError
from hlm.measures import rates, selection_rates


def fits_of(aic_a, aic_b, *, npar=(4, 6), **more):
    """Return fits of the models 'b_small' and 'a_large' to as many data sets."""
    frame = pd.DataFrame(
        {
            "replicate": [*range(len(aic_a)), *range(len(aic_b))],
            "model": ["b_small"] * len(aic_a) + ["a_large"] * len(aic_b),
            "npar": [npar[0]] * len(aic_a) + [npar[1]] * len(aic_b),
            "aic": [*aic_a, *aic_b],
        }
    )
    return frame.assign(**more)


def rate_of(fits, by=None):
    return selection_rates(fits, by=by).set_index("model").rate.to_dict()


def test_shares_by_hand():
    table = selection_rates(fits_of([1, 2, 3, 4], [2, 3, 4, 3]), by=None).set_index("model")
    assert table.rate.to_dict() == {"a_large": 0.25, "b_small": 0.75}
    assert table.mcse.to_list() == [pytest.approx(sqrt(0.75 * 0.25 / 4))] * 2
    assert table.n.to_list() == [4, 4]


def test_ties_go_to_fewer_parameters_then_to_the_first_name():
    assert rate_of(fits_of([1.0], [1.0])) == {"a_large": 0, "b_small": 1}
    assert rate_of(fits_of([1.0], [1.0], npar=(4, 4))) == {"a_large": 1, "b_small": 0}


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_data_set_on_which_a_model_failed_does_not_count(bad):
    table = selection_rates(fits_of([1, 2, bad], [2, 1, 1]), by=None)
    assert table.n.to_list() == [2, 2]
    assert table.rate.to_list() == [0.5, 0.5]


def test_a_data_set_without_a_row_of_a_model_does_not_count():
    table = selection_rates(fits_of([1, 2, 3], [2, 3]), by=None)
    assert table.n.to_list() == [2, 2]


def test_no_data_set_that_counts_gives_nan():
    table = selection_rates(fits_of([nan, nan], [1, 2]), by=None)
    assert table.n.to_list() == [0, 0]
    assert table[["rate", "mcse"]].isna().all(axis=None)


def test_groups_have_their_own_candidates_in_any_order():
    one = fits_of([1, 2], [2, 1], scenario="u", method="ml")
    two = fits_of([1, 2, 3], [], scenario="v", method="reml")
    fits = pd.concat([one, two])
    table = selection_rates(fits, by=["scenario", "method"])
    assert list(table) == ["scenario", "method", "model", "rate", "mcse", "n"]
    assert table.scenario.to_list() == ["u", "u", "v"]
    assert table.rate.to_list() == [0.5, 0.5, 1.0]
    assert table.n.to_list() == [2, 2, 3]
    shuffled = selection_rates(fits.sample(frac=1, random_state=3), by=["scenario", "method"])
    pd.testing.assert_frame_equal(table, shuffled)


def test_against_argmin():
    aic = np.random.default_rng(8).normal(size=(500, 3))
    names = ["m1", "m2", "m3"]
    fits = pd.DataFrame(aic, columns=names).rename_axis("replicate").reset_index()
    fits = fits.melt("replicate", names, var_name="model", value_name="aic").assign(npar=3)
    share = np.bincount(aic.argmin(axis=1)) / 500
    assert list(rate_of(fits).values()) == share.tolist()


def test_mistakes_are_named():
    fits = fits_of([1], [2])
    with pytest.raises(InputError, match=r"(?s)no column 'aicc'.*did you mean 'aic'"):
        selection_rates(fits, by=None, criterion="aicc")
    with pytest.raises(InputError, match="more than once"):
        selection_rates(pd.concat([fits, fits]), by=None)


def test_rates_by_hand():
    fits = pd.DataFrame(
        {
            "g": ["u", "u", "u", "u", "v"],
            "singular": pd.array([True, False, False, None, True], dtype="boolean"),
            "status": ["ok", "ok", "not_converged", "unidentified", "ok"],
        }
    )
    table = rates(fits, by="g").set_index(["g", "measure"])
    assert table.loc[("u", "singular")].to_list() == [
        pytest.approx(1 / 3),
        pytest.approx(sqrt(2 / 27)),
        3,
    ]
    assert table.loc[("u", "failed")].to_list() == [0.5, 0.25, 4]
    assert table.loc[("v", "singular")].to_list() == [1, 0, 1]
    assert table.loc[("v", "failed")].to_list() == [0, 0, 1]
