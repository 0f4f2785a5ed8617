"""Compile the kernels once, however many jobs are first to need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.engine.batch import fit_batch
from hlm.formula import parse
from hlm.jit import compiling
from hlm.scenario import (
    EXPECTED_INFORMATION,
    Covariate,
    DfMethod,
    LimitMethod,
    Model,
    Scenario,
)
from hlm.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["warm_up"]


Variant = tuple[int, DfMethod, LimitMethod]

DEFAULT: set[Variant] = {(1, "satterthwaite", "wald"), (2, "satterthwaite", "wald")}


def warm_up(models: Sequence[Model] = ()) -> None:
    """Compile and cache the kernels of the batch path, once for all processes.

    Parameters
    ----------
    models : sequence of Model
        What is to be fitted; without any, the kernels of models with one and two random effects.

    Examples
    --------
    >>> warm_up()
    """
    for q, df, limits in sorted({_variant(model) for model in models} or DEFAULT):
        with compiling(f"{q}-{df}-{limits}") as missing:
            if missing:
                scenario, model = _example(q, df, limits)
                fit_batch(scenario, [model], simulate(scenario, [model], 0, 0, 2))


def _variant(model: Model) -> Variant:
    """Return what the kernels depend on: the number of random effects, df and limits."""
    q = sum(len(block.terms) for block in parse(model.formula).random)
    expected = model.df in EXPECTED_INFORMATION
    return (
        q,
        "kenward-roger" if expected else "satterthwaite",
        "profile" if model.limits == "profile" else "wald",
    )


def _example(q: int, df: DfMethod, limits: LimitMethod) -> tuple[Scenario, Model]:
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
    return scenario, Model("m", formula, df=df, limits=limits)
