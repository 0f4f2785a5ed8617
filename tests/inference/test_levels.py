"""Each model of a study has limits of its own level, from the study file to the results."""

from __future__ import annotations

import pytest

from hlm.results import read_frame
from tests.results import make_results

STUDY = """\
name: levels
seed: 5
replicates: 20
truth:
  formula: y ~ x + (1 | unit)
  fixed: {(Intercept): 1.0, x: 0.5}
  random: {unit: {sd: {(Intercept): 1.0}}}
  residual: {sd: 1.0}
design: {units: 10, rows: 5, covariates: {x: {level: row}}}
models:
  narrow: {formula: y ~ x + (1 | unit), level: 0.8}
  usual: y ~ x + (1 | unit)
  wide: {formula: y ~ x + (1 | unit), level: 0.99}
estimation: {df: infinite, level: 0.9}
"""
QUANTILES = {"narrow": 1.2815515655446004, "usual": 1.6448536269514722, "wide": 2.5758293035489004}
"""Of the normal distribution, at 0.9, 0.95 and 0.995: R's qnorm."""


def test_each_model_has_limits_of_its_own_level(tmp_path):
    path = tmp_path / "levels.yaml"
    path.write_text(STUDY, encoding="utf-8")
    folder = make_results(tmp_path / "results", study=path)
    rows = read_frame(folder / "estimates.parquet").query("term in ('(Intercept)', 'x')")
    assert len(rows) == 20 * 3 * 2 * 2
    for name, quantile in QUANTILES.items():
        own = rows[rows["model"] == name]
        half = 0.5 * (own["upper"] - own["lower"]) / own["se"]
        assert half.to_numpy() == pytest.approx(quantile, rel=1e-12)
