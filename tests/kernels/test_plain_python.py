"""The kernels as plain Python, NUMBA_DISABLE_JIT=1, give the same numbers."""

from __future__ import annotations

import numpy as np

from tests.plain_python import run_both

PROGRAM = """
import sys
import numpy as np
from hlm.distributions import Points
from hlm.fits import fit_batch
from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import simulate

row = Covariate("x", "row")
grid = Covariate("x", "row", Points((-2.0, -1.0, 0.0, 1.0, 2.0)))
tables = []
for x in (row, grid):
    scenario = Scenario(
        "0" * 16, 7, 5, (Covariate("a", "unit"), x), "y ~ x * a + (1 + x | unit)",
        (("(Intercept)", 1.0), ("x", 3.0), ("a", -0.15), ("x:a", 0.3)),
        (0.4, 0.5), ((1.0, 0.3), (0.3, 1.0)), 0.75,
    )
    tests = (("both", ("a", "x:a")),)
    models = [
        Model("m", "y ~ x * a + (1 + x | unit)", tests=tests), Model("c", "y ~ x + (1 + x || unit)")
    ]
    found = fit_batch(scenario, models, simulate(scenario, models, 11, 0, 3))
    estimates = found["estimates"]
    tables += [estimates[name] for name in ("estimate", "se", "df", "lower", "upper")]
    tables += [found["fits"]["criterion"], found["tests"]["statistic"], found["tests"]["ddf"]]
np.save(sys.argv[1], np.concatenate(tables))
"""


def test_compiled_and_plain_kernels_agree(tmp_path):
    compiled, plain = run_both(PROGRAM, tmp_path)
    assert len(compiled) > 300
    assert np.isfinite(compiled).mean() > 0.7
    np.testing.assert_allclose(plain, compiled, rtol=1e-12, atol=1e-12)
