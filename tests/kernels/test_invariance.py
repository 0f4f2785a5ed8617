"""What a fit may not depend on: the order of terms, units and rows, and the scales of x and y."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from hlm.model import lmer

FORMULA = "y ~ x + (1 + x | g)"


def _frame(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([31, seed])
    g, x = np.repeat(np.arange(10), 5), rng.normal(size=50)
    y = rng.normal(size=50) + (0.4 * rng.normal(size=10))[g] + (0.3 * rng.normal(size=10))[g] * x
    return pd.DataFrame({"g": g, "x": x, "one": 1.0, "y": y})


@pytest.mark.parametrize("seed", range(20))
def test_fit_does_not_depend_on_the_form_of_the_data(seed):
    """Twelve of these fits are singular; se and df of the slope are compared for all of them."""
    frame = _frame(seed)
    fit = lmer(FORMULA, frame)
    shuffled = frame.sample(frac=1.0, random_state=1).assign(g=lambda d: 100 - d["g"])
    forms = {
        "rows and units": (lmer(FORMULA, shuffled), 1.0),
        "order of effects": (lmer("y ~ x + (0 + x + one | g)", frame), 1.0),
        "location of x": (lmer(FORMULA, frame.assign(x=frame["x"] + 50.0)), 1.0),
        "location of y": (lmer(FORMULA, frame.assign(y=frame["y"] + 1e4)), 1.0),
        "scale of y": (lmer(FORMULA, frame.assign(y=1e3 * frame["y"])), 1e3),
        "scale of x": (lmer(FORMULA, frame.assign(x=frame["x"] / 1e3)), 1e3),
    }
    for what, (other, scale) in forms.items():
        assert_allclose(other.beta[1], scale * fit.beta[1], rtol=1e-6, err_msg=what)
        assert_allclose(other.se[1], scale * fit.se[1], rtol=1e-5, err_msg=what)
        assert_allclose(other.df()[1], fit.df()[1], rtol=1e-4, err_msg=what)
        shift = {"scale of y": 2 * 48 * np.log(1e3), "scale of x": -2 * np.log(1e3)}.get(what, 0.0)
        assert other.criterion - shift == pytest.approx(fit.criterion, abs=1e-6), what
