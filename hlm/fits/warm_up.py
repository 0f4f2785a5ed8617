"""Compile the kernels once, however many jobs are first to need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.fits.candidates import fit_batch
from hlm.inference.variants import Kernels, kernels_of
from hlm.jit import compiling, is_compiled
from hlm.scenario import INTERCEPT, Covariate, Model, Scenario
from hlm.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["compile_kernels", "has_lanes", "warm_up"]


DEFAULT = (Kernels(1), Kernels(2))


def warm_up(models: Sequence[Model] = (), *, lanes: bool = False) -> None:
    """Compile and cache the kernels of the batch path, once for all processes.

    Parameters
    ----------
    models : sequence of Model
        What is to be fitted; without any, the kernels of models with one and two random effects.
    lanes : bool
        Whether data sets are to be fitted side by side.

    Examples
    --------
    >>> warm_up()
    """
    compile_kernels(kernels_of(models, lanes=lanes) or DEFAULT)


def has_lanes(models: Sequence[Model]) -> bool:
    """Tell whether the kernels that fit the models side by side are compiled, and there are any.

    They are read as quickly as those for one data set, and their numbers are the same: so what is
    there is used, however short the work.

    Parameters
    ----------
    models : sequence of Model
    """
    needed = [kernels for kernels in kernels_of(models, lanes=True) if kernels.lanes]
    return bool(needed) and all(is_compiled(kernels.apart[-1].name) for kernels in needed)


def compile_kernels(needed: Iterable[Kernels]) -> None:
    """Compile and cache these kernels, but for those that are there.

    Parameters
    ----------
    needed : iterable of Kernels
    """
    for kernels in (one for whole in needed for one in whole.apart):
        with compiling(kernels.name) as missing:
            if missing:
                _fit_example(kernels)


def _fit_example(kernels: Kernels) -> None:
    scenario, model = _example(kernels)
    drawn = simulate(scenario, [model], 0, 0, 2)
    fit_batch(scenario, [model], drawn, seed=0, lanes=kernels.lanes)


def _example(kernels: Kernels) -> tuple[Scenario, Model]:
    """Return a small scenario and a model that needs these kernels."""
    q = kernels.q
    slopes = [f"x{k}" for k in range(1, q)]
    random = " + ".join(["1", *slopes])
    formula = f"y ~ {random} + ({random} | g)"
    identity = tuple(tuple(float(a == b) for b in range(q)) for a in range(q))
    scenario = Scenario(
        key="0" * 16,
        n_units=8,
        n_rows=4 * q,
        covariates=tuple(Covariate(name, "row") for name in slopes),
        formula=formula,
        fixed=tuple((name, 1.0) for name in [INTERCEPT, *slopes]),
        sd=(1.0,) * q,
        cor=identity,
        sigma=1.0,
    )
    model = Model(
        "m",
        formula,
        df=(
            "satterthwaite",
            *(["kenward-roger"] if kernels.expected else []),
            *(["cr2"] if kernels.robust else []),
            *(["bootstrap"] if kernels.bootstrap else []),
            *(["profile"] if kernels.coefficients else []),
        ),
        limits=("profile" if kernels.profile else "wald",),
        bootstrap=2 if kernels.bootstrap else 0,
        predictions=kernels.predictions,
    )
    return scenario, model
