"""Small studies with rows that are not all alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import yaml

from hlm.simulate import draw_by_row
from hlm.study import Study


def study(**changes):
    """Return a study of 30 units of 8 rows, with keys below truth and design changed.

    `residual`, `missing`, `rows`, `covariates` and so on; `formula` of the truth with `fixed`,
    `models` and `grid`.
    """
    fixed = changes.pop("fixed", {"(Intercept)": 1.0, "x": 0.5})
    truth = {
        "formula": changes.pop("formula", "y ~ x + (1 | unit)"),
        "fixed": fixed,
        "random": {"unit": changes.pop("random", {"sd": {"(Intercept)": 0.5}})},
        "residual": {"sd": 1.0, **changes.pop("residual", {})},
    }
    covariates = changes.pop("covariates", {"x": {"level": "row"}})
    models = changes.pop("models", {"m": truth["formula"]})
    top = {
        name: changes.pop(name)
        for name in ("grid", "estimation", "replicates", "common_random_numbers", "seed")
        if name in changes
    }
    design = {"units": 30, "rows": 8, "covariates": covariates, **changes}
    tree = {
        "name": "demo",
        "seed": 11,
        "replicates": 1000,
        "truth": truth,
        "design": design,
        "models": models,
        **top,
    }
    return Study.from_text(yaml.safe_dump(tree, sort_keys=False))


def scenario(**changes):
    """Return the only scenario of such a study."""
    (found,) = study(**changes).scenarios
    return found


def drawn(one, n, *, seed=1):
    """Return the rows of n data sets together, as a frame with residuals and their units."""
    parts = []
    for some in draw_by_row(one, seed, 0, n):
        frame = pd.DataFrame(some.by_rows)
        frame["e"] = one.sigma * some.residuals
        frame["unit"] = some.rows.unit
        frame["position"] = some.rows.position
        frame["part"] = len(parts)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def sizes(one, n, *, seed=1):
    """Return the rows of each unit of n data sets, (n, n_units)."""
    return np.concatenate([some.rows.sizes for some in draw_by_row(one, seed, 0, n)])
