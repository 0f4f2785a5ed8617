"""A study whose truth is not normal, from its file to rows and estimates."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hlm.cli import main
from hlm.distributions import Normal, StudentT
from hlm.fits import fit_batch
from hlm.plan import make_plan
from hlm.plan.plan import Plan
from hlm.simulate import draw_rows, simulate
from hlm.study import Study

TEXT = """
name: shapes
seed: 11
replicates: 400
truth:
  formula: y ~ x + (1 | unit)
  fixed: {(Intercept): 1, x: 2}
  random: {unit: {sd: {(Intercept): 1.5}EFFECTS}}
  residual: {sd: 0.5RESIDUALS}
design: {units: 30, rows: 6, covariates: {x: {level: row}}}
models: {own: y ~ x + (1 | unit)}
GRID
"""


def study(effects="", residuals="", grid=""):
    text = TEXT.replace("EFFECTS", effects).replace("RESIDUALS", residuals)
    return Study.from_text(text.replace("GRID", grid))


def test_the_default_is_normal_and_does_not_count_in_the_key():
    (plain,) = study().scenarios
    (said,) = study(", distribution: normal", ", distribution: normal()").scenarios
    assert (plain.effects, plain.residuals) == (Normal(), Normal())
    assert said == plain


def test_shapes_are_of_their_own_part_and_are_varied(tmp_path):
    grid = """grid:
  truth.random.unit.distribution: [normal, t(3)]
  truth.residual.distribution: [normal, t(5), t( 5.50 )]
"""
    found = study(grid=grid)
    shapes = [(scenario.effects, scenario.residuals) for scenario in found.scenarios]
    assert shapes == [
        (effects, residuals)
        for effects in (Normal(), StudentT(3.0))
        for residuals in (Normal(), StudentT(5.0), StudentT(5.5))
    ]
    assert len({scenario.key for scenario in found.scenarios}) == 6
    assert list(found.levels[0]) == ["unit.distribution", "residual.distribution"]
    assert found.scenarios[0].key == study().scenarios[0].key
    make_plan(found).write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json").scenarios == found.scenarios


def test_one_shape_has_one_key_however_it_is_written():
    one, other = (study(residuals=f", distribution: {t}").scenarios[0] for t in ("t(5)", "t( 5.0)"))
    assert one.key == other.key


def test_replay_prints_the_values_that_are_drawn(tmp_path, capsys):
    path = tmp_path / "shapes.yaml"
    whole = TEXT.replace("EFFECTS", ", distribution: t(4)").replace("GRID", "")
    path.write_text(whole.replace("RESIDUALS", ", distribution: t(5)"))
    found = Study.load(path)
    y = []
    for replicate in range(60):
        assert main(["replay", str(path), "1", str(replicate)]) == 0
        rows = pd.read_csv(io.StringIO(capsys.readouterr().out))
        drawn = draw_rows(found.scenarios[0], found.seed, replicate)
        pd.testing.assert_frame_equal(rows, pd.DataFrame(drawn), check_dtype=False)
        y.append(rows["y"] - 1 - 2 * rows["x"])
    of_units = np.array(y).reshape(-1, 6)
    within = (of_units - of_units.mean(axis=1, keepdims=True)).ravel()
    assert within.var() * 6 / 5 == pytest.approx(0.25, rel=0.1)
    assert stats.kurtosis(within) > 1.0  # normal residuals have 0 with an error of 0.05


@pytest.mark.parametrize("df", [3, 5])
def test_estimates_are_unbiased_where_the_truth_is_not_normal(df):
    """The sds of Gaussian likelihood are consistent for those stated, whatever the shape."""
    shape = f", distribution: t({df})"
    found = study(shape, shape)
    (scenario,) = found.scenarios
    drawn = simulate(scenario, found.models, found.seed, 0, 400)
    table = fit_batch(scenario, found.models, drawn)["estimates"]
    frame = pd.DataFrame({k: np.asarray(table[k]) for k in ("term", "method", "estimate")})
    reml = frame[frame["method"] == "reml"]
    for term, true in (("(Intercept)", 1.0), ("x", 2.0)):
        values = reml.loc[reml["term"] == term, "estimate"]
        assert abs(values.mean() - true) < 4.5 * values.std() / 20
    for term, true in (("sd_(Intercept)|unit", 1.5), ("sigma", 0.5)):
        squares = reml.loc[reml["term"] == term, "estimate"] ** 2
        assert abs(squares.mean() - true**2) < 4.5 * squares.std() / 20
