"""What one simulated data set costs: seconds of one core, bytes between jobs, bytes kept.

The costs size the batches and tell the user what to expect; no result depends on them.

    seconds = draw * columns * units * rows + sum over fits of (base + units * (p + q)^2 * step)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Model, Scenario

__all__ = ["Cost", "replicate_cost", "summary_seconds"]

DRAW_SECONDS = 12e-9
"""Seconds to draw and reduce one row of one random column."""

FIT_BASE_SECONDS = 4e-6
"""Seconds of a fit that do not depend on the number of units."""

FIT_STEP_SECONDS = 7e-9
"""Seconds per unit and squared number of columns of a fit, over all of its iterations."""

EXPECTED_FITS = 1.0
"""Fits that degrees of freedom by expected information cost."""

PROFILE_FITS = 21.0
"""Fits that the profile likelihood limits of a model cost."""

ESTIMATE_BYTES = 29.0
"""Bytes on disk of one row of estimates."""

FIT_BYTES = 34.0
"""Bytes on disk of one row of fits."""

SUMMARY_ROW_SECONDS = 0.9e-6
"""Seconds to read and summarize one row of estimates."""

SUMMARY_TERM_SECONDS = 0.3e-3
"""Seconds to summarize one term of one model and method, however few its rows."""


@dataclass(frozen=True)
class Cost:
    """The cost of one replicate.

    Attributes
    ----------
    seconds : float
        Seconds of one core to simulate it and fit all models.
    temporary_bytes : float
        Its cross-products, kept from the drawing to the fit.
    kept_bytes : float
        Its estimates and fits on disk.
    """

    seconds: float
    temporary_bytes: float
    kept_bytes: float


def replicate_cost(scenario: Scenario, models: Sequence[Model]) -> Cost:
    """Predict the cost of simulating one data set and fitting the models to it.

    Parameters
    ----------
    scenario : Scenario
    models : sequence of Model

    Examples
    --------
    >>> from hlm.scenario import Model, Scenario
    >>> small = Scenario("", 10, 5, (), "y ~ 1 + (1 | g)", (("(Intercept)", 1.0),), (1.0,),
    ...                  ((1.0,),), 1.0)
    >>> cost = replicate_cost(small, [Model("m", "y ~ 1 + (1 | g)")])
    >>> 0 < cost.seconds < 1e-3
    True
    """
    sizes = [_size(model.formula) for model in models]
    fits = [len(model.methods) for model in models]
    random_columns = 1 + sum(c.level == "row" and not c.values for c in scenario.covariates)
    draw = DRAW_SECONDS * random_columns * scenario.n_units * scenario.n_rows
    fit = sum(
        (n + _extra(model))
        * (FIT_BASE_SECONDS + FIT_STEP_SECONDS * scenario.n_units * (p + q) ** 2)
        for n, model, (p, q, _) in zip(fits, models, sizes, strict=True)
    )
    estimates = sum(n * terms for n, (_, _, terms) in zip(fits, sizes, strict=True))
    return Cost(
        seconds=draw + fit,
        temporary_bytes=_temporary_bytes(scenario, models),
        kept_bytes=ESTIMATE_BYTES * estimates + FIT_BYTES * sum(fits),
    )


def _extra(model: Model) -> float:
    """Fits that the model's inference costs beside the plain ones."""
    expected = model.df in ("satterthwaite-expected", "kenward-roger")
    profile = PROFILE_FITS if model.limits == "profile" else 0.0
    return profile + (EXPECTED_FITS * len(model.methods) if expected else 0.0)


def summary_seconds(models: Sequence[Model], replicates: int) -> float:
    """Predict the seconds of one core to summarize the results of a scenario."""
    terms = sum(len(model.methods) * _size(model.formula)[2] for model in models)
    return terms * (SUMMARY_TERM_SECONDS + SUMMARY_ROW_SECONDS * replicates)


def _temporary_bytes(scenario: Scenario, models: Sequence[Model]) -> float:
    """Bytes of the cross-products: k row-level columns with y, and with each other if drawn."""
    formulas = [scenario.formula, *(model.formula for model in models)]
    row_level = {c.name: bool(c.values) for c in scenario.covariates if c.level == "row"}
    rows, units = {frozenset[str]()}, {frozenset[str]()}
    for term in (term for formula in formulas for term in _terms(formula)):
        varying = {name for name, variables in term if row_level.keys() & variables}
        rows.add(frozenset(varying))
        units.add(frozenset(name for name, _ in term) - varying)
    k = len(rows)
    gram = 0 if all(row_level.values()) else k * (k + 1) // 2
    return 8.0 * (1 + scenario.n_units * (k + gram + len(units)))


@cache
def _terms(formula: str) -> frozenset[frozenset[tuple[str, frozenset[str]]]]:
    """Return the terms of a formula, each as its factors' names and variables."""
    from hlm.formula import parse

    parsed = parse(formula)
    terms = [*parsed.fixed, *(term for block in parsed.random for term in block.terms)]
    return frozenset(
        frozenset((factor.name, frozenset(factor.variables)) for factor in term.factors)
        for term in terms
    )


@cache
def _size(formula: str) -> tuple[int, int, int]:
    """Return p, q and the number of terms estimated: covariates of a study are numbers."""
    from hlm.formula import parse  # with NumPy: only planning needs it, not the reading of a plan

    parsed = parse(formula)
    effects = [len(block.terms) for block in parsed.random]
    p = len(parsed.fixed)
    return p, sum(effects), p + sum(q * (q + 1) // 2 for q in effects) + 1
