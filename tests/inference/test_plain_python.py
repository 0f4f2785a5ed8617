"""The kernels of inference as plain Python, NUMBA_DISABLE_JIT=1, give the same numbers."""

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
grid = Covariate("x", "row", Points((-1.0, 0.0, 1.0)))
found = []
for x in (row, grid):
    scenario = Scenario(
        "0" * 16, 5, 3, (Covariate("a", "unit"), x), "y ~ x + a + (1 + x | unit)",
        (("(Intercept)", 1.0), ("x", 3.0), ("a", -0.15)),
        (0.4, 0.5), ((1.0, 0.3), (0.3, 1.0)), 0.75,
    )
    for formula in ("y ~ x + a + (1 + x | unit)", "y ~ x + (1 | unit)"):
        tests = (("both", ("(Intercept)", "x")),)
        df = ("kenward-roger", "cr2")
        models = [Model("m", formula, df=df, limits=("profile",), tests=tests)]
        tables = fit_batch(scenario, models, simulate(scenario, models, 2, 0, 2))
        found += [tables["estimates"][name] for name in ("estimate", "se", "df", "lower", "upper")]
        found += [tables["tests"][name] for name in ("statistic", "ddf", "p_value")]
np.save(sys.argv[1], np.concatenate(found))
"""


def test_compiled_and_plain_kernels_agree(tmp_path):
    """Sums are the same to rounding, which a search for a limit magnifies to its tolerance."""
    compiled, plain = run_both(PROGRAM, tmp_path)
    assert len(compiled) > 200
    assert np.isfinite(compiled).mean() > 0.7
    np.testing.assert_allclose(plain, compiled, rtol=1e-7, atol=1e-9)
