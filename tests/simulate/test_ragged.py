"""Data sets drawn row by row: the same bits over layouts, the same numbers as plain ones, and fits
that are those of `lmer` on the replayed rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from hlm import lmer
from hlm.fits import fit_batch
from hlm.scenario import BLOCK, Scenario
from hlm.simulate import draw_rows, simulate
from tests.rows.studies import study

EVERYTHING = {
    "formula": "y ~ x + xl + a + (1 + x | unit)",
    "fixed": {"(Intercept)": 1, "x": 0.3, "xl": 0.5, "a": 0.2},
    "random": {"sd": {"(Intercept)": 0.5, "x": 0.4}, "cor": 0.3, "distribution": "chisq(2)"},
    "residual": {
        "sd": 1,
        "distribution": "t(5)",
        "variance": {"by": "a", "ratio": {"1": 2}},
        "ar1": {"cor": 0.3, "time": "t"},
    },
    "units": 20,
    "rows": {"mean": 9, "cv": 0.5},
    "covariates": {
        "t": {"level": "row", "grid": {"from": 0, "to": 1}},
        "x": {"level": "row", "icc": 0.3},
        "xl": {"latent_mean_of": "x"},
        "xm": {"mean_of": "x"},
        "xc": {"centred": "x"},
        "w": {"measures": "x", "reliability": 0.7},
        "a": {"level": "unit", "grid": [0, 1]},
        "z": {"level": "row", "distribution": "lognormal(0.5)"},
        "v": {"level": "row"},
    },
    "correlated": {"pair": {"of": ["z", "v"], "cor": 0.4}},
    "missing": {
        "rows": 0.05,
        "units": 0.2,
        "logistic": {"(Intercept)": -3, "x": 0.5},
        "dropout": {"logistic": {"(Intercept)": -3, "previous": 0.5, "y": 0.2}},
    },
    "models": {
        "latent": "y ~ x + xl + a + (1 + x | unit)",
        "manifest": "y ~ xc + xm + a + t + (1 | unit)",
        "others": "y ~ w + z + v + (1 + w || unit)",
    },
    "estimation": {
        "df": ["satterthwaite", "between-within", "residual", "kenward-roger"],
        "limits": ["wald"],
    },
}


@pytest.fixture(scope="module")
def everything():
    return study(**EVERYTHING)


@pytest.mark.parametrize("chunk", [500, 20_000])
def test_the_same_bits_whatever_is_drawn_at_once(everything, monkeypatch, chunk):
    (one,) = everything.scenarios
    whole = simulate(one, everything.models, 5, 0, BLOCK + 3).cross
    monkeypatch.setattr("hlm.simulate.ragged.CHUNK_VALUES", chunk)
    for start, stop in ((0, 3), (17, 18), (BLOCK - 2, BLOCK + 3)):
        part = simulate(one, everything.models, 5, start, stop).cross
        for name, array in part._asdict().items():
            full = getattr(whole, name)
            assert_array_equal(array, full[start:stop] if len(full) > 1 else full, name)


def test_the_same_bits_whatever_models_there_are(everything):
    (one,) = everything.scenarios
    both = simulate(one, everything.models[:1], 5, 0, 4)
    alone = simulate(one, everything.models, 5, 0, 4)
    assert_array_equal(both.cross.n_obs, alone.cross.n_obs)
    assert_array_equal(both.cross.sum_squares, alone.cross.sum_squares)


@pytest.mark.parametrize("rows", [8, {"list": [4, 12, 8]}])
@pytest.mark.parametrize("x", [{"level": "row"}, {"level": "row", "grid": {"from": 0, "to": 3}}])
def test_rows_are_those_of_plain_data_sets(rows, x):
    """A plain scenario drawn row by row has the cross-products that the plain path makes.

    To rounding, as its rows are made of what the plain path draws.
    """
    found = study(
        covariates={"x": x, "a": {"level": "unit"}},
        formula="y ~ x * a + (1 + x | unit)",
        fixed={"(Intercept)": 1, "x": 3, "a": 0, "x:a": 1},
        random={"sd": {"(Intercept)": 0.2, "x": 0.5}, "cor": 0.5},
        rows=rows,
    )

    class ByRow(Scenario):
        is_plain = False

    (one,) = found.scenarios
    plain = simulate(one, found.models, 1, 3, 9).cross
    by_row = simulate(ByRow(**vars(one)), found.models, 1, 3, 9).cross
    order = np.arange(30)
    if not isinstance(rows, int):
        order = np.argsort(-np.array(one.n_rows), kind="stable")
    assert_array_equal(plain.n_obs, by_row.n_obs)
    assert_allclose(plain.sum_squares, by_row.sum_squares, rtol=1e-13)
    for name in ("gram", "response", "multipliers"):
        ours, theirs = getattr(by_row, name), getattr(plain, name)
        assert len(ours) in (1, len(theirs))
        shape = (*np.broadcast_shapes(ours.shape[:-1], theirs.shape[:-1]), 30)
        there = np.broadcast_to(ours, shape)[..., order]
        theirs = np.broadcast_to(theirs, shape)
        assert_allclose(there, theirs, rtol=1e-12, atol=1e-12 * abs(theirs).max(), err_msg=name)


def test_common_random_numbers_pair_scenarios_that_differ_in_the_residuals():
    """Without a correlation and with one, the first residual of a unit is the same number."""
    found = study(
        common_random_numbers=True,
        covariates={"x": {"level": "row"}},
        residual={"ar1": 0.5},
        grid={"truth.residual.ar1": [0, 0.5]},
    )
    first, second = (pd.DataFrame(draw_rows(s, 1, 3)) for s in found.scenarios)
    assert_array_equal(first["x"], second["x"])
    same = np.isclose(first["y"], second["y"], rtol=1e-14)
    assert_array_equal(np.flatnonzero(same), np.arange(0, 240, 8))


def _frame(table):
    return pd.DataFrame(
        {
            name: np.array(one[0])[one[1]] if isinstance(one, tuple) else np.asarray(one)
            for name, one in table.items()
        }
    )


@pytest.mark.parametrize("replicate", [0, 11])
def test_fits_equal_lmer_on_the_replayed_rows(everything, replicate):
    """Where some units have no rows, which `lmer` does not know of."""
    (one,) = everything.scenarios
    models = everything.models
    drawn = simulate(one, models, everything.seed, replicate, replicate + 1)
    tables = fit_batch(one, models, drawn)
    estimates, fits = (_frame(tables[kind]) for kind in ("estimates", "fits"))
    rows = pd.DataFrame(draw_rows(one, everything.seed, replicate))
    assert len(rows) == drawn.cross.n_obs[0]
    assert rows["unit"].nunique() < 20
    for model in models:
        for method in ("reml", "ml"):
            fit = lmer(model.formula, rows, reml=method == "reml")
            ours = fits[(fits["model"] == model.name) & (fits["method"] == method)].iloc[0]
            assert ours["loglik"] == pytest.approx(fit.loglik, rel=1e-9)
            assert ours["bic"] == pytest.approx(-2 * fit.loglik + ours["npar"] * np.log(len(rows)))
            own = estimates[(estimates["model"] == model.name) & (estimates["method"] == method)]
            for name in model.df:
                if (name, method) == ("kenward-roger", "ml"):
                    continue
                table = fit.tidy(name).set_index("term")
                part = own[own["inference"] == name].set_index("term")
                for column in ("estimate", "se", "df"):
                    theirs = table.loc[part.index, column]
                    assert_allclose(part[column], theirs, rtol=2e-5, err_msg=f"{name} {column}")


def test_a_plan_has_it_all(everything):
    (one,) = everything.scenarios
    assert Scenario.from_dict(one.to_dict()) == one
    import json

    assert Scenario.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_data_sets_without_rows_are_data():
    """Where nearly all rows are missing, fits say so, and the others are fitted."""
    found = study(missing={"units": 0.7}, units=4, rows=3, models={"m": "y ~ x + (1 | unit)"})
    (one,) = found.scenarios
    drawn = simulate(one, found.models, 1, 0, 200)
    assert drawn.cross.n_obs.min() == 0
    fits = _frame(fit_batch(one, found.models, drawn)["fits"])
    none = np.repeat(drawn.cross.n_obs == 0, 2)
    assert (fits.loc[none, "status"] != "ok").all()
    assert np.isfinite(fits.loc[fits["status"] == "ok", "loglik"]).all()
    assert len(fits) == 400


def test_a_study_keeps_its_key_where_nothing_is_said_of_rows():
    """The key of a plain study is that from before there was anything else to say."""
    (one,) = study().scenarios
    assert replace(one, missing=None).key == one.key
