"""What one simulated data set costs: seconds of one core, bytes in memory, bytes kept.

The costs size the batches and tell the user what to expect; no result depends on them. With m units
of n rows, N in all, p and q columns of X and Z, t elements of theta, k row-level columns, i
iterations, b seconds for the numbers of a row:

    draw    = a + N (b + c k + d pairs) + e m (q + unit-level covariates)       from rows
    draw    = a + m (e (q + unit-level covariates) + w k + x normals)           by coordinates
            + m s, or m r k groups + N t pairs       where sds differ by unit, or by group of rows
    fit     = f + g t^2 + m (h p + j q) + i (k + l p^2 + o t^2)                 one design for all
    fit     = f + g t^2 + m q (r + s (p + 1)^2) + i m (u p q^2 + v q^3 + ...)   drawn designs
    write   = w fits + z estimates + s tests + v predictions + u units predicted

The constants are measured (`benchmarks/quote.py` shows what they are worth).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import inf, sqrt
from typing import TYPE_CHECKING, NamedTuple

from hlm.distributions import STANDARD_NORMAL, Normal
from hlm.words.predictors import PREDICTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.distributions import Distribution
    from hlm.scenario import Covariate, Dependence, Model, Scenario

__all__ = [
    "Cost",
    "estimates_of",
    "predictions_of",
    "replicate_cost",
    "summary_seconds",
    "tests_of",
]

MICRO, NANO = 1e-6, 1e-9

FROM_TABLE = 15.0
"""Nanoseconds of a number of a copula, however its shape is computed: see `rows.quantile_table`."""

DRAW_BASE = 0.6 * MICRO
DRAW_COLUMN, DRAW_PAIR = 1.1 * NANO, 2.0 * NANO
DRAW_UNIT = 20.0 * NANO
"""Seconds, beside those to draw numbers: of a data set, a row of a column, of a pair, a unit."""

DRAW_COORDINATE, DRAW_NORMAL = 10.0 * NANO, 30.0 * NANO
"""Seconds of a unit: of one column's coordinate, and of a normal covariate of rows."""

DRAW_SCALE, DRAW_GROUP, DRAW_GROUP_PAIR = 45.0 * NANO, 23.0 * NANO, 4.5 * NANO
"""Seconds where sds differ: of a unit with one of its own; of a coordinate of a group of rows; of a
row of a pair of columns where these or the groups are drawn."""

FIT_BASE, FIT_THETA = 2.2 * MICRO, 0.17 * MICRO
"""Seconds of a fit, and of one by squared number of elements of theta."""

LANES_FIT, LANES_UNITS = 0.55, 0.19
"""Shares of these seconds of fits side by side: of what every fit takes, and of the rest, which
grows with units and iterations."""

SHARED_X, SHARED_Z = 2.0 * NANO, 4.6 * NANO
SHARED_STEP, SHARED_STEP_X, SHARED_STEP_THETA = 0.7 * MICRO, 70.0 * NANO, 25.0 * NANO
"""Seconds per unit and column, and of an iteration, where all units share a design."""

DRAWN_Z, DRAWN_XZ = 122.0 * NANO, 1.9 * NANO
DRAWN_STEP, DRAWN_STEP_XZZ, DRAWN_STEP_ZZZ, DRAWN_STEP_XXZ = (
    8.5 * NANO,
    2.1 * NANO,
    4.7 * NANO,
    1.3 * NANO,
)
"""The same per unit where designs are drawn; `DRAWN_STEP` is per p^2 q^2 and not per unit."""

STEPS_DRAWN = (1.9, 2.9, 3.1)
"""Iterations to a clear optimum with one, two, more random effects, where designs are drawn; where
units share one the start is the optimum, at least if the effects are one block."""

STEPS_WEAK = (0.5, 3.5, 6.0)
"""Iterations more, where a variance is of the size of its error."""

CLEAR, UNCLEAR = 3.2, 1.2
"""Variances above and below which, in units of their error, an optimum counts as clear and not."""

EXPECTED_SHARED = 3.0 * MICRO
EXPECTED_UNIT, EXPECTED_UNIT_THETA = 0.1 * MICRO, 0.18 * MICRO
"""Seconds of inference by expected information where all units share a design; else per unit, and
per unit and element of theta."""

ROBUST_UNIT, ROBUST_UNIT_X = 0.2 * MICRO, 25.0 * NANO
"""Seconds of cluster-robust inference per unit, and per unit and squared number of columns of X."""

REFIT_NORMAL, REFIT_UNIT, REFIT_ZZ = 9.0 * NANO, 30.0 * NANO, 75.0 * NANO
"""Seconds of a fit of a bootstrap, beyond those of its iterations: per normal, and per unit; where
designs are drawn also per unit and squared number of columns of Z."""

F_TEST = 1.2 * MICRO
"""Seconds of an F test."""

PROFILE_STEPS, PROFILE_STEPS_WEAK, PROFILE_UNIT = 17.0, 26.0, 0.1 * MICRO
"""Iterations that the profile limits of one parameter cost, and seconds per unit."""

HELD_FITS = 3.5
"""Fits that one profile limit of a coefficient costs."""

WRITE_FIT, WRITE_ESTIMATE, WRITE_TEST = 1.8 * MICRO, 0.12 * MICRO, 1.5 * MICRO
"""Seconds to write a row of fits, of estimates, of F tests with their p-values."""

WRITE_PREDICTION, PREDICT_UNIT = 0.35 * MICRO, 0.07 * MICRO
"""Seconds to write a row of predictions; and of each coefficient of a unit, by all predictors."""

ESTIMATE_BYTES, FIT_BYTES, TEST_BYTES, PREDICTION_BYTES = 32.0, 49.0, 25.0, 17.0
"""Bytes on disk of one row of estimates, of fits, of F tests, of predictions."""

SUMMARY_ROW_SECONDS = 0.5e-6
"""Seconds to read and summarize one row of estimates."""

SUMMARY_TERM_SECONDS = 0.9e-3
"""Seconds to summarize one term of one model and method, however few its rows."""


@dataclass(frozen=True)
class Cost:
    """The cost of one replicate.

    Attributes
    ----------
    compute_seconds : float
        Seconds of one core to simulate it and fit all models.
    writing_seconds : float
        Seconds to write its rows.
    cross_product_bytes : float
        Its cross-products, in memory from the drawing to the fit.
    kept_bytes : float
        Its estimates, fits, tests and predictions on disk.
    """

    compute_seconds: float
    writing_seconds: float
    cross_product_bytes: float
    kept_bytes: float

    @property
    def seconds(self) -> float:
        """Seconds of one core."""
        return self.compute_seconds + self.writing_seconds


def replicate_cost(scenario: Scenario, models: Sequence[Model], *, lanes: bool = False) -> Cost:
    """Predict the cost of simulating one data set and fitting the models to it.

    Parameters
    ----------
    scenario : Scenario
    models : sequence of Model
    lanes : bool
        Whether data sets are fitted side by side, by the models that can be.

    Examples
    --------
    >>> from hlm.scenario import Model, Scenario
    >>> small = Scenario("", 10, 5, (), "y ~ 1 + (1 | g)", (("(Intercept)", 1.0),), (1.0,),
    ...                  ((1.0,),), 1.0)
    >>> cost = replicate_cost(small, [Model("m", "y ~ 1 + (1 | g)")])
    >>> 0 < cost.seconds < 1e-3
    True
    """
    design = _design(scenario, models)
    fits, estimates = sum(len(model.methods) for model in models), estimates_of(models)
    tests, predictions = tests_of(models), predictions_of(models)
    seconds = sum(
        len(model.methods) * _fit_seconds(scenario, model, shared=design.shared, lanes=lanes)
        + _profile_seconds(scenario, model, shared=design.shared)
        + _prediction_seconds(scenario, model)
        + _bootstrap_seconds(scenario, model, shared=design.shared)
        + _held_seconds(scenario, model, shared=design.shared)
        + _ratio_tests_seconds(scenario, model, shared=design.shared)
        for model in models
    )
    rows = WRITE_FIT * fits + WRITE_ESTIMATE * estimates + WRITE_TEST * tests
    bytes_kept = ESTIMATE_BYTES * estimates + FIT_BYTES * fits + TEST_BYTES * tests
    return Cost(
        compute_seconds=_draw_seconds(scenario, design) + seconds,
        writing_seconds=rows + WRITE_PREDICTION * predictions,
        cross_product_bytes=_cross_product_bytes(scenario, design),
        kept_bytes=bytes_kept + PREDICTION_BYTES * predictions,
    )


def estimates_of(models: Sequence[Model]) -> int:
    """Return the number of rows of estimates of one replicate: a term has one by each inference."""
    return sum(len(model.methods) * _rows(model) for model in models)


def _rows(model: Model) -> int:
    from hlm.estimands.model_estimands import rows_of  # with NumPy, as `_size`

    n_fixed = sum(one.part == "fixed" for one in rows_of(model))
    return n_fixed * len(model.df) + (len(rows_of(model)) - n_fixed) * len(model.limits)


def _contrasts(model: Model) -> int:
    from hlm.estimands.model_estimands import contrasts_of, rows_of  # as above

    return len(contrasts_of(rows_of(model)))


def tests_of(models: Sequence[Model]) -> int:
    """Return the number of rows of tests of one replicate: one by each inference."""
    return sum(
        len(model.methods) * (len(model.tests) * _n_df(model) + _ratio_rows(model))
        for model in models
    )


def _n_df(model: Model) -> int:
    from hlm.inference import COEFFICIENTS  # with NumPy, as `_size`

    return sum(name in COEFFICIENTS for name in model.df)


def _ratio_rows(model: Model) -> int:
    from hlm.formula import terms_of  # with NumPy, as `_size`
    from hlm.inference import RATIO_TESTS

    q = len(terms_of(model).effects) if model.lrt else 0
    return sum(
        one.applies(q - len(test.effects)) for test in model.lrt for one in RATIO_TESTS.values()
    )


def predictions_of(models: Sequence[Model]) -> int:
    """Return the most rows of predictions of one replicate: an effect has one by each predictor."""
    predicted = (model for model in models if model.predictions)
    return sum(len(model.methods) * _size(model).q * len(PREDICTORS) for model in predicted)


def _prediction_seconds(scenario: Scenario, model: Model) -> float:
    if not model.predictions:
        return 0.0
    return PREDICT_UNIT * scenario.n_units * len(model.methods) * _size(model).q


class _Size(NamedTuple):
    p: int
    q: int
    thetas: int

    @property
    def terms(self) -> int:
        return self.p + self.thetas + 1


class _Design(NamedTuple):
    """Distinct row-level and unit-level parts of all terms.

    `shared` tells whether those of rows are fixed, `linear` whether each is a covariate itself.
    """

    columns: int
    multipliers: int
    shared: bool
    linear: bool

    @property
    def pairs(self) -> int:
        return 0 if self.shared else self.columns * (self.columns + 1) // 2


def _draw_seconds(scenario: Scenario, design: _Design) -> float:
    of_rows = [c.distribution for c in scenario.covariates if c.level == "row"]
    units = DRAW_UNIT * (len(scenario.sd) + len(scenario.covariates) - len(of_rows))
    units += sum(_shape_seconds(shape, scenario.dependence) for shape in scenario.shapes)
    drawn = [one for one in of_rows if not one.is_fixed]
    row = NANO * sum(one.nanoseconds for one in of_rows) + DRAW_PAIR * design.pairs
    scale, groups = _scale_and_groups(scenario)
    if scale is not None and isinstance(scenario.residuals, Normal):
        units += scale + (DRAW_COORDINATE + DRAW_GROUP * groups) * design.columns
        normal = design.linear and all(isinstance(one, Normal) for one in drawn)
        if design.shared or (normal and not groups):
            row, units = 0.0, units + DRAW_NORMAL * len(drawn)
        elif groups:
            row += DRAW_GROUP_PAIR * design.pairs
    else:
        row += NANO * scenario.residuals.nanoseconds + DRAW_COLUMN * design.columns
    return DRAW_BASE + scenario.n_obs * row + scenario.n_units * units


def _scale_and_groups(scenario: Scenario) -> tuple[float | None, int]:
    """Seconds of a unit's own sd, and the number of groups of rows; None where rows are drawn."""
    if scenario.is_plain or scenario.variance is None:
        return (0.0 if scenario.is_plain else None), 0
    # With Numba: only where variances differ
    from hlm.simulate.residual_scales import RowGroups, is_drawn_as_sums, residual_scales

    if not is_drawn_as_sums(scenario):
        return None, 0
    own = residual_scales(scenario)
    return (0.0, len(own.sds)) if isinstance(own, RowGroups) else (DRAW_SCALE, 0)


def _shape_seconds(shape: Distribution, dependence: Dependence) -> float:
    """Seconds of a random effect beyond those of a normal one."""
    if dependence == "copula":
        return NANO * min(shape.nanoseconds_from_normal, FROM_TABLE)
    return NANO * (shape.nanoseconds - STANDARD_NORMAL.nanoseconds)


def _fit_seconds(scenario: Scenario, model: Model, *, shared: bool, lanes: bool = False) -> float:
    # With NumPy: not for jobs that only read a plan
    from hlm.inference import wants_expected, wants_robust
    from hlm.inference.variants import has_only_own_inference

    p, q, thetas = _size(model)
    m = scenario.n_units
    if shared:
        unit = SHARED_X * p + SHARED_Z * q
        expected = EXPECTED_SHARED + m * unit
    else:
        unit = q * (DRAWN_Z + DRAWN_XZ * (p + 1) ** 2)
        expected = m * (EXPECTED_UNIT + EXPECTED_UNIT_THETA * thetas)
    base = FIT_BASE + FIT_THETA * thetas**2 + F_TEST * (len(model.tests) + _contrasts(model))
    steps = _steps(scenario, model, shared=shared) * _step_seconds(scenario, model, shared=shared)
    if lanes and has_only_own_inference(model):
        return LANES_FIT * base + LANES_UNITS * (m * unit + steps)
    return (
        base
        + m * unit
        + steps
        + (expected if wants_expected(model.df) else 0.0)
        + (m * (ROBUST_UNIT + ROBUST_UNIT_X * p**2) if wants_robust(model.df) else 0.0)
    )


def _steps(scenario: Scenario, model: Model, *, shared: bool) -> float:
    """Return the number of iterations of a fit."""
    _, q, thetas = _size(model)
    place = min(q, 3) - 1
    weak = STEPS_WEAK[place] * _weakness(scenario, model)
    if shared:
        return 0.0 if 2 * thetas == q * (q + 1) else weak
    return weak + STEPS_DRAWN[place]


def _bootstrap_seconds(scenario: Scenario, model: Model, *, shared: bool) -> float:
    """Seconds of the bootstraps of a model's fits: draws of q numbers a unit, and their fits."""
    p, q, thetas = _size(model)
    unit = REFIT_UNIT + REFIT_NORMAL * q + (SHARED_X * p if shared else REFIT_ZZ) * q**2
    one = FIT_BASE + FIT_THETA * thetas**2 + F_TEST * len(model.tests) + scenario.n_units * unit
    steps = _steps(scenario, model, shared=shared) * _step_seconds(scenario, model, shared=shared)
    return len(model.methods) * model.bootstrap * (one + steps)


def _held_seconds(scenario: Scenario, model: Model, *, shared: bool) -> float:
    """Seconds of the profile limits of coefficients: some fits for each of both limits."""
    from hlm.inference import wants_coefficient_profile  # as above

    if not wants_coefficient_profile(model.df):
        return 0.0
    bare = _bare(model)
    fit = _fit_seconds(scenario, bare, shared=shared)
    return 2.0 * _size(model).p * HELD_FITS * fit


def _bare(model: Model) -> Model:
    """Return a model of which nothing is asked but its parameters."""
    own = replace(model, tests=(), df=(), limits=(), lrt=(), bootstrap=0)
    return replace(own, estimands=(), expressions=(), comparisons=())


def _ratio_tests_seconds(scenario: Scenario, model: Model, *, shared: bool) -> float:
    """Seconds of the smaller models' fits, and of the ML fit where only tests need it."""
    from hlm.formula import terms_of  # as above

    seconds, by_ml = 0.0, "ml" in model.methods
    for test in model.lrt:
        terms = terms_of(model)
        of_coefficients = len(test.fixed) < len(terms.fixed)
        # By a name of its own: whatever their terms, models of one name are equal, and cached
        name = f"{model.name} without {test.name}"
        less = replace(_bare(model), name=name, terms=terms.smaller(test))
        if test.blocks:
            fit = _fit_seconds(scenario, less, shared=shared)
        else:
            fit = FIT_BASE + scenario.n_units * SHARED_X * len(test.fixed) ** 2
        seconds += fit * (1 if of_coefficients else len(model.methods))
        if of_coefficients and not by_ml:
            seconds += _fit_seconds(scenario, _bare(model), shared=shared)
            by_ml = True
    return seconds


def _step_seconds(scenario: Scenario, model: Model, *, shared: bool) -> float:
    """Seconds of one iteration."""
    p, q, thetas = _size(model)
    if shared:
        return SHARED_STEP + SHARED_STEP_X * p**2 + SHARED_STEP_THETA * thetas**2
    unit = DRAWN_STEP_XZZ * p * q**2 + DRAWN_STEP_ZZZ * q**3 + DRAWN_STEP_XXZ * q * (p + 1) ** 2
    return DRAWN_STEP * p**2 * q**2 + scenario.n_units * unit


def _profile_seconds(scenario: Scenario, model: Model, *, shared: bool) -> float:
    from hlm.inference import wants_profile  # as above

    if not wants_profile(model.limits):
        return 0.0
    weak = _weakness(scenario, model)
    steps = PROFILE_STEPS + (PROFILE_STEPS_WEAK - PROFILE_STEPS) * weak
    parameters = _size(model).thetas + 1
    step = _step_seconds(scenario, model, shared=shared)
    return parameters * (steps * step + scenario.n_units * PROFILE_UNIT)


def _weakness(scenario: Scenario, model: Model) -> float:
    """Return from 0 to 1 how far the least variance of a model is from being clearly above 0.

    A variance of units' coefficients tau^2, each with the error sigma^2 / (n var(z)), is estimated
    from m units with the error (tau^2 + sigma^2 / (n var(z))) sqrt(2 / m).
    """
    from hlm.formula import formula_in, terms_of  # with NumPy, as above

    effects = formula_in(scenario.formula, scenario.covariates).effects
    truth = dict(zip((term.name for term in effects), scenario.sd, strict=True))
    spread = {c.name: c.distribution.variance for c in scenario.covariates}
    least = inf
    for effect in terms_of(model).effects:
        variance = truth.get(effect, 0.0) ** 2
        error = scenario.sigma**2 / (scenario.mean_rows * (spread.get(effect, 1.0) or 1.0))
        least = min(least, variance / ((variance + error) * sqrt(2.0 / scenario.n_units)))
    return min(1.0, max(0.0, (CLEAR - least) / (CLEAR - UNCLEAR)))


def summary_seconds(models: Sequence[Model], replicates: int) -> float:
    """Predict the seconds of one core to summarize the results of a scenario."""
    return estimates_of(models) * (SUMMARY_TERM_SECONDS + SUMMARY_ROW_SECONDS * replicates)


def _cross_product_bytes(scenario: Scenario, design: _Design) -> float:
    """Bytes of the cross-products: of the columns with y, and with each other if drawn."""
    each = design.columns + design.pairs + design.multipliers
    return 8.0 * (1 + scenario.n_units * each)


def _design(scenario: Scenario, models: Sequence[Model]) -> _Design:
    from hlm.formula import formula_in, parse  # as above

    formulas = (scenario.formula, *(model.formula for model in models))
    plain = all(formula_in(text, scenario.covariates) is parse(text) for text in formulas)
    fixed = {c.name: c.distribution.is_fixed for c in scenario.covariates if c.level == "row"}
    shared = scenario.has_fixed_rows and scenario.has_equal_rows
    return _design_of(formulas, frozenset(fixed), shared, () if plain else scenario.covariates)


@cache
def _design_of(
    formulas: tuple[str, ...],
    row_level: frozenset[str],
    shared: bool,
    covariates: tuple[Covariate, ...],
) -> _Design:
    rows, units = {frozenset[str]()}, {frozenset[str]()}
    for term in (term for formula in formulas for term in _terms(formula, covariates)):
        varying = {name for name, variables in term if row_level & variables}
        rows.add(frozenset(varying))
        units.add(frozenset(name for name, _ in term) - varying)
    linear = all(len(names) <= 1 and names <= row_level for names in rows)
    return _Design(len(rows), len(units), shared, linear)


@cache
def _terms(
    formula: str, covariates: tuple[Covariate, ...]
) -> frozenset[frozenset[tuple[str, frozenset[str]]]]:
    """Return the terms of a formula, each as its factors' names and variables."""
    from hlm.formula import formula_in

    return frozenset(
        frozenset((factor.name, frozenset(factor.variables)) for factor in term.factors)
        for term in formula_in(formula, covariates).terms
    )


def _size(model: Model) -> _Size:
    """Return the sizes of a model, with NumPy: the reading of a plan does not need it."""
    from hlm.formula import (
        terms_of,
    )  # with NumPy: only planning needs it, not the reading of a plan

    terms = terms_of(model)
    return _Size(len(terms.fixed), len(terms.effects), sum(q * (q + 1) // 2 for q in terms.sizes))
