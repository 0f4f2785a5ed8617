"""The parametric bootstrap of the fits of a model: limits, standard errors and p-values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.model_estimands import contrasts_of, rows_of
from hlm.inference import Bootstrap
from hlm.kernels.limits import percentile_limits
from hlm.kernels.refits import fit_one, refit
from hlm.simulate.draws import bootstrap_stream

if TYPE_CHECKING:
    from hlm.kernels.data import CrossProducts, ModelColumns
    from hlm.kernels.fit import Workspace
    from hlm.kernels.inference import Parametrization
    from hlm.kernels.joint_tests import JointTests
    from hlm.kernels.stack import StackResults
    from hlm.scenario import Method, Model, Scenario

__all__ = ["Source", "Streams", "bootstrap"]

Floats = NDArray[np.float64]

FEWEST = 0.5
"""Where a smaller share of the draws has a value nothing is said by them."""


class Streams:
    """The random numbers of the bootstraps of some fits, one stream for each fit.

    Each is a function of the study's seed, the scenario, the replicate, and the names of model and
    method: so batches do not matter, and another model or inference moves nothing.
    """

    def __init__(self, scenario: Scenario, seed: int | None, start: int) -> None:
        self._scenario, self._seed, self._start = scenario, seed, start

    def of(self, model: Model, method: str, r: int) -> np.random.Generator:
        """Return the stream of data set r of a stack, which begins at `start`."""
        if self._seed is None:
            raise ValueError("a bootstrap needs the study's seed")
        fit = f"{model.name} {method}"
        return bootstrap_stream(self._scenario, self._seed, self._start + r, fit)


class Source(NamedTuple):
    """What fits of a model are drawn from.

    Attributes
    ----------
    columns : ModelColumns
    cross : CrossProducts
    parametrization : Parametrization
    workspace : Workspace
        Memory.
    tests : JointTests
        The model's F tests, where coefficients have a bootstrap.
    """

    columns: ModelColumns
    cross: CrossProducts
    parametrization: Parametrization
    workspace: Workspace
    tests: JointTests


def bootstrap(model: Model, source: Source, results: StackResults, streams: Streams) -> Bootstrap:
    """Draw `model.bootstrap` data sets from each fit, fit them, and see how estimates scatter.

    Parameters
    ----------
    model : Model
    source : Source
    results : StackResults
        The fits of all data sets by all methods.
    streams : Streams

    Returns
    -------
    Bootstrap
        With leading axes (n, methods).
    """
    n, n_methods, n_terms = results.estimate.shape
    p, n_tests = len(source.columns.fixed), len(source.tests.first) - 1
    contrasts = contrasts_of(rows_of(model))
    L = np.array([one.weights for one in contrasts]).reshape(-1, p)
    constant = np.array([one.constant for one in contrasts])
    found = Bootstrap(
        np.full((n, n_methods, p), np.nan),
        np.full((n, n_methods, 2, n_terms), np.nan),
        np.full((n, n_methods, n_tests), np.nan),
        np.full((n, n_methods, 3, len(L)), np.nan),
    )
    for r in range(n):
        for place, method in enumerate(model.methods):
            estimate, se = results.estimate[r, place], results.se[r, place]
            if not np.isfinite(estimate[-1]):
                continue
            draws, F = _refit(model, source, r, method, streams)
            draws[:, :p] += estimate[:p]
            draws[:, np.isnan(estimate)] = np.nan
            draws[:, :p][:, np.isnan(se[:p])] = np.nan
            _summarize(draws, F, results.F[r, place], model.level, found, (r, place))
            combined = constant + draws[:, :p] @ L.T
            found.contrasts[r, place, 0] = _scatter(combined)
            least = FEWEST * len(combined)
            found.contrasts[r, place, 1:] = percentile_limits(combined, model.level, least)
    return found


def _refit(
    model: Model, source: Source, r: int, method: Method, streams: Streams
) -> tuple[Floats, Floats]:
    """Return the estimates of data sets drawn from a fit, coefficients as errors, and F."""
    columns, cross, parametrization, workspace, tests = source
    reml = method == "reml"
    fit_one(cross, r, columns, parametrization, reml, workspace)
    return refit(
        parametrization,
        workspace,
        int(cross.n_obs[r]),
        reml=reml,
        tests=tests,
        n=model.bootstrap,
        rng=streams.of(model, method, r),
    )


def _summarize(
    estimates: Floats,
    F: Floats,
    observed: Floats,
    level: float,
    found: Bootstrap,
    place: tuple[int, int],
) -> None:
    """Write what the refits of one fit tell, NaN where too many of them failed.

    The p-value of F is (1 + #{F* >= F}) / (1 + #F*).
    """
    p = found.se.shape[-1]
    found.limits[place] = percentile_limits(estimates, level, FEWEST * len(estimates))
    found.se[place] = _scatter(estimates[:, :p])
    n = np.isfinite(F).sum(axis=0)
    p_value = (1 + (observed <= F).sum(axis=0)) / (1 + n)
    tested = np.isfinite(observed) & (n >= FEWEST * len(F))
    found.p_value[place][tested] = p_value[tested]


def _scatter(draws: Floats) -> Floats:
    """Return the standard deviations of draws (n, k), (k,); NaN where too few are there."""
    known = np.isfinite(draws).sum(axis=0) >= max(2, FEWEST * len(draws))
    found = np.full(draws.shape[1], np.nan)
    found[known] = np.nanstd(draws[:, known], axis=0, ddof=1)
    return found
