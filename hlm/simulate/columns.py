r"""The columns whose cross-products are kept, and how each model is made of them.

A column of X or Z is a product of a row-level part and a unit-level part, such as x times a. Per
unit, the second is a number: so only the distinct row-level parts, "columns", are crossed with
each other and with y, and the unit-level parts, "multipliers", are kept beside. Parts are scaled by
powers of two, which is exact, and centred where their mean is large against their sd, so that a
covariate such as a year loses no digits; a model may centre a part only where it has the margins
that make this a change of basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import count, islice
from math import hypot, isfinite, isqrt, log2
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.unit_coefficients import row_level, unit_columns
from hlm.formula import Factor, Formula, Term, formula_in, product_of
from hlm.formula.by_level import by_level
from hlm.kernels.data import ModelColumns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hlm.scenario import Covariate, Model, Scenario

__all__ = [
    "CONSTANT",
    "Basis",
    "Part",
    "basis_of",
    "centred_part",
    "express",
    "model_columns_of",
    "smaller_columns_of",
    "truth_effects",
]

Floats = NDArray[np.float64]

REFERENCE_POINTS = 512
CENTRE_ABOVE = 2.0
"""A part is far from zero where |mean| exceeds this many sds; there it is centred, if it can be."""


@dataclass(frozen=True)
class Part:
    """One product of factors of one level, as (product - centre) / scale.

    Attributes
    ----------
    factors : tuple of Factor
        Empty for the constant 1.
    centre, scale : float
    """

    factors: tuple[Factor, ...]
    centre: float = 0.0
    scale: float = 1.0

    @property
    def identity(self) -> tuple[frozenset[str], float]:
        """What tells two parts apart: their factors, in any order, and their centre."""
        return frozenset(factor.name for factor in self.factors), self.centre

    def values(self, data: dict[str, Floats]) -> Floats:
        """Compute the part from covariates that broadcast against each other."""
        product = product_of(self.factors, data)
        if self.centre:
            product -= self.centre
        if self.scale != 1.0:
            product /= self.scale
        return product


CONSTANT = Part(())
"""The column of ones."""


@dataclass(frozen=True)
class Basis:
    """The union of what the truth and the models need.

    Attributes
    ----------
    columns : tuple of Part
        Row-level parts; the first is the constant.
    multipliers : tuple of Part
        Unit-level parts; the first is the constant.
    """

    columns: tuple[Part, ...]
    multipliers: tuple[Part, ...]

    def place(self, split: tuple[Part, Part]) -> tuple[int, int]:
        """Return the numbers of a column's row-level and unit-level part."""
        row, unit = split
        return _find(self.columns, row), _find(self.multipliers, unit)


def basis_of(scenario: Scenario, models: Iterable[Model]) -> Basis:
    """Collect the parts that what is random of the truth, the models and their tests need.

    Where the coefficients of units are predicted, the columns of rows by themselves too.
    """
    columns, multipliers = {CONSTANT.identity: CONSTANT}, {CONSTANT.identity: CONSTANT}
    needed = [_plain(scenario, term) for term in _random_terms(scenario)]
    models = tuple(models)
    whole = [(formula_in(model.formula, scenario.covariates), model.lrt) for model in models]
    smaller = [formula.smaller(test) for formula, tests in whole for test in tests]
    for formula in [*(formula for formula, _ in whole), *smaller]:
        needed += [split for split, _ in _splits(scenario, formula.fixed)]
        needed += [split for split, _ in _remainder(scenario, formula)[0]]
        for block in formula.random:
            needed += [split for split, _ in _splits(scenario, block.terms)]
    for model in models:
        if model.predictions:
            needed += [split for split, _ in _splits(scenario, unit_columns(scenario, model).own)]
    for row, unit in needed:
        columns.setdefault(row.identity, row)
        multipliers.setdefault(unit.identity, unit)
    return Basis(tuple(columns.values()), tuple(multipliers.values()))


def truth_effects(scenario: Scenario, basis: Basis) -> tuple[NDArray[np.int64], Floats]:
    """Return column, multiplier and scale of each of the truth's random effects.

    After them those of its uncertain coefficients, which are random too: the same in all units.
    """
    splits = [_plain(scenario, term) for term in _random_terms(scenario)]
    scales = np.array([row.scale * unit.scale for row, unit in splits])
    return _pairs([basis.place(split) for split in splits]), scales


def _random_terms(scenario: Scenario) -> tuple[Term, ...]:
    """Return the terms of the truth's random effects and of its uncertain coefficients."""
    truth = formula_in(scenario.formula, scenario.covariates)
    return (*truth.effects, *(truth.fixed[k] for k in scenario.uncertain_coefficients))


def model_columns_of(scenario: Scenario, basis: Basis, model: Model) -> ModelColumns:
    """Express a model in a basis that contains it."""
    return _columns_of(scenario, basis, formula_in(model.formula, scenario.covariates))


def smaller_columns_of(scenario: Scenario, basis: Basis, model: Model) -> list[ModelColumns]:
    """Express the smaller model of each of a model's likelihood ratio tests."""
    formula = formula_in(model.formula, scenario.covariates)
    return [_columns_of(scenario, basis, formula.smaller(test)) for test in model.lrt]


def _columns_of(scenario: Scenario, basis: Basis, formula: Formula) -> ModelColumns:
    """Express a formula in a basis that contains it."""
    fixed, fixed_transform = express(scenario, basis, formula.fixed)
    blocks = [express(scenario, basis, block.terms) for block in formula.random]
    rest, values = _remainder(scenario, formula)
    return ModelColumns(
        fixed=_pairs(fixed),
        random=_pairs([pair for places, _ in blocks for pair in places]),
        fixed_transform=fixed_transform,
        random_transform=_block_diagonal([transform for _, transform in blocks]),
        offset=fixed_transform @ values,
        rest=_pairs([basis.place(split) for split, _ in rest]),
        rest_coef=np.array([coefficient for _, coefficient in rest], dtype=float),
    )


def _remainder(
    scenario: Scenario, formula: Formula
) -> tuple[list[tuple[tuple[Part, Part], float]], Floats]:
    """Split the truth's fixed part into what a model lacks and coefficients of what it has, (p,).

    A lacking term r u is centred where the truth or the model has its margins:
    r u = (r - c)(u - d) + c u + d r - c d.
    """
    truth = formula_in(scenario.formula, scenario.covariates).fixed
    own = [_identity(term) for term in formula.fixed]
    terms = {_identity(term): term for term in truth}
    values = {**dict.fromkeys(own, 0.0)}
    values.update({_identity(term): dict(scenario.fixed)[term.name] for term in truth})
    rest = []
    for identity in sorted(set(terms) - set(own), key=lambda names: (-len(names), sorted(names))):
        row, unit = _raw(scenario, terms[identity])
        of_rows, of_units = _names(row), _names(unit)
        left = _part(scenario, row, centred=of_units in values)
        right = _part(scenario, unit, centred=of_rows in values)
        if left.centre and right.centre and frozenset() not in values:
            right = _part(scenario, unit, centred=False)
        value = values[identity]
        if left.centre:
            values[of_units] += value * left.centre
        if right.centre:
            values[of_rows] += value * right.centre
        if left.centre and right.centre:
            values[frozenset()] -= value * left.centre * right.centre
        rest.append(((left, right), value * left.scale * right.scale))
    return rest, np.array([values[identity] for identity in own])


def express(
    scenario: Scenario, basis: Basis, terms: tuple[Term, ...]
) -> tuple[list[tuple[int, int]], Floats]:
    """Return the places of the terms' scaled columns X*, and T with X = X* T."""
    splits = _splits(scenario, terms)
    places = [basis.place(split) for split, _ in splits]
    transform = np.zeros((len(terms), len(terms)))
    for j, ((row, unit), margins) in enumerate(splits):
        transform[j, j] = row.scale * unit.scale
        for k, coefficient in (
            (margins[0], row.centre * unit.scale),
            (margins[1], row.scale * unit.centre),
            (margins[2], row.centre * unit.centre),
        ):
            if coefficient:
                transform[k, j] += coefficient
    return places, transform


def _splits(
    scenario: Scenario, terms: tuple[Term, ...]
) -> list[tuple[tuple[Part, Part], tuple[int, int, int]]]:
    """Split each term into parts, centred where margins allow; with the numbers of its margins."""
    raw = [_raw(scenario, term) for term in terms]
    numbers = {(_names(row), _names(unit)): j for j, (row, unit) in enumerate(raw)}
    none: frozenset[str] = frozenset()
    rows_with_margin = {
        _names(row)
        for row, _ in raw
        if all((none, _names(u)) in numbers for r, u in raw if _names(r) == _names(row))
    }
    units_with_margin = {
        _names(unit)
        for _, unit in raw
        if all((_names(r), none) in numbers for r, u in raw if _names(u) == _names(unit))
    }
    splits = []
    for row, unit in raw:
        row_part = _part(scenario, row, centred=_names(row) in rows_with_margin)
        unit_part = _part(scenario, unit, centred=_names(unit) in units_with_margin)
        margins = (
            numbers.get((none, _names(unit)), -1),
            numbers.get((_names(row), none), -1),
            numbers.get((none, none), -1),
        )
        splits.append(((row_part, unit_part), margins))
    return splits


def _raw(scenario: Scenario, term: Term) -> tuple[tuple[Factor, ...], tuple[Factor, ...]]:
    """Split a term's factors by level; a factor with any row-level variable is row-level."""
    return by_level(term, row_level(scenario.covariates))


def _plain(scenario: Scenario, term: Term) -> tuple[Part, Part]:
    """Split a term into parts that are scaled but not centred."""
    row, unit = _raw(scenario, term)
    return _part(scenario, row, centred=False), _part(scenario, unit, centred=False)


def centred_part(scenario: Scenario, factors: tuple[Factor, ...]) -> Part:
    """Scale a product of factors, and centre it where its mean is large against its sd."""
    return _part(scenario, factors, centred=True)


def _part(scenario: Scenario, factors: tuple[Factor, ...], *, centred: bool) -> Part:
    """Scale a product by a power of two near its sd, and centre it where that matters.

    Far from zero and not centred it is scaled by its root mean square: its size is its mean's.
    """
    if not factors:
        return CONSTANT
    mean, sd = _moments(scenario.covariates, factors)
    far = abs(mean) > CENTRE_ABOVE * sd
    if centred and far and sd > 0.0:
        scale = _power_of_two(sd)
        return Part(factors, scale * round(mean / scale), scale)
    return Part(factors, 0.0, _power_of_two(hypot(mean, sd) if far else sd))


def _power_of_two(size: float) -> float:
    return 2.0 ** round(log2(size)) if size > 0.0 else 1.0


@cache
def _moments(covariates: tuple[Covariate, ...], factors: tuple[Factor, ...]) -> tuple[float, float]:
    """Mean and sd of a product over evenly spread points of the covariates' distributions."""
    data = {c.name: _reference(c, k) for k, c in enumerate(covariates)}
    with np.errstate(all="ignore"):
        values = Part(factors).values(data)
        mean, sd = float(values.mean()), float(values.std())
    return (mean, sd) if isfinite(mean) and isfinite(sd) else (0.0, 0.0)


def _reference(covariate: Covariate, k: int) -> Floats:
    """Spread points over the distribution of covariate number k (an additive recurrence)."""
    # Square roots of different primes are independent over the rationals: no two covariates share
    # their points, and no combination of them repeats.
    step = np.sqrt(_prime(k)) % 1.0
    share = (np.arange(REFERENCE_POINTS) * step + 0.5 / REFERENCE_POINTS) % 1.0
    return covariate.distribution.spread(share)


@cache
def _prime(k: int) -> int:
    """Return prime number k, of which 2 is number 0."""
    primes = (n for n in count(2) if all(n % d for d in range(2, isqrt(n) + 1)))
    return next(islice(primes, k, None))


def _identity(term: Term) -> frozenset[str]:
    return _names(term.factors)


def _names(factors: tuple[Factor, ...]) -> frozenset[str]:
    return frozenset(factor.name for factor in factors)


def _find(parts: tuple[Part, ...], part: Part) -> int:
    return next(k for k, other in enumerate(parts) if other.identity == part.identity)


def _pairs(places: list[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array(places, dtype=np.int64).reshape(-1, 2)


def _block_diagonal(blocks: list[Floats]) -> Floats:
    size = sum(len(block) for block in blocks)
    whole, start = np.zeros((size, size)), 0
    for block in blocks:
        whole[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    return whole
