"""Compile the kernels once, before many jobs would do so at the same time."""

from __future__ import annotations

from hlm.scenario import Covariate, Model, Scenario
from hlm.simulate import simulate

__all__ = ["warm_up"]


def warm_up(n_random: tuple[int, ...] = (1, 2)) -> None:
    """Compile and cache every kernel of the batch path, for these numbers of random effects.

    Examples
    --------
    >>> warm_up()
    """
    from hlm.engine.batch import fit_batch

    for q in n_random:
        scenario, model = _example(q)
        fit_batch(scenario, [model], simulate(scenario, [model], 0, 0, 2))


def _example(q: int) -> tuple[Scenario, Model]:
    """Return a small scenario and a model with q random effects."""
    slopes = [f"x{k}" for k in range(1, q)]
    random = " + ".join(["1", *slopes])
    formula = f"y ~ {random} + ({random} | g)"
    identity = tuple(tuple(float(a == b) for b in range(q)) for a in range(q))
    scenario = Scenario(
        key="0" * 16,
        n_units=8,
        n_rows=4 * q,
        covariates=tuple(Covariate(name, "row", "normal") for name in slopes),
        formula=formula,
        fixed=tuple((name, 1.0) for name in ["(Intercept)", *slopes]),
        sd=(1.0,) * q,
        cor=identity,
        sigma=1.0,
    )
    return scenario, Model("m", formula)
