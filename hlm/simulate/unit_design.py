r"""How the coefficients of a unit's rows are made, by a model and by the truth.

Each term is a column of rows times a number of the unit. The numbers are among the multipliers of
the cross-products, scaled by powers of two and perhaps centred: u = centre + scale m.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.unit_coefficients import row_level, unit_columns
from hlm.formula import Term, formula_in
from hlm.formula.by_level import by_level
from hlm.simulate.columns import express

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.scenario import Model, Scenario
    from hlm.simulate.columns import Basis

__all__ = ["UnitDesign", "UnitTerm", "unit_design_of"]

Floats = NDArray[np.float64]


class UnitTerm(NamedTuple):
    """A term: the place of its column of rows, and how its number of the unit is made."""

    column: int
    multiplier: int
    centre: float
    scale: float

    def numbers(self, multipliers: Floats) -> Floats:
        """Return u, (n or 1, n_units)."""
        return self.centre + self.scale * multipliers[:, self.multiplier]


@dataclass(frozen=True)
class UnitDesign:
    """The terms of a model and of the truth, over their columns of rows.

    Attributes
    ----------
    columns : ndarray of int (k,)
        The model's columns of rows R*, scaled and perhaps centred, among the cross-products.
    to_formula : ndarray (k, k)
        T^{-1} with R* = (columns) T: the formula's coefficients from those of `columns`.
    offset : ndarray (p,)
        Coefficients of the model's fixed part: of that of the truth which is not in the response.
    change : ndarray (k, k_truth)
        C, the model's true coefficients from the truth's: see `hlm.estimands.unit_coefficients`.
    places : tuple of int (q,)
        The column of each random effect of the model, -1 of one without a true coefficient.
    fixed, random : tuple of UnitTerm
        The model's.
    true_fixed, true_random : tuple of UnitTerm
        The truth's, over columns of its own.
    beta : ndarray
        The truth's coefficients.
    """

    columns: NDArray[np.int64]
    to_formula: Floats
    offset: Floats
    change: Floats
    places: tuple[int, ...]
    fixed: tuple[UnitTerm, ...]
    random: tuple[UnitTerm, ...]
    true_fixed: tuple[UnitTerm, ...]
    true_random: tuple[UnitTerm, ...]
    beta: Floats


def unit_design_of(
    scenario: Scenario, basis: Basis, model: Model, offset: Floats, transform: Floats
) -> UnitDesign:
    """Return how units' coefficients are made, over a basis that contains the model.

    Parameters
    ----------
    scenario : Scenario
    basis : Basis
    model : Model
    offset, transform : ndarray (p,), (p, p)
        Of the model's `ModelColumns`: coefficients of its columns X*, and T_x.
    """
    formula, truth = (
        formula_in(text, scenario.covariates) for text in (model.formula, scenario.formula)
    )
    found = unit_columns(scenario, model)
    places, to_columns = express(scenario, basis, found.own)

    def over(terms: Sequence[Term], columns: Sequence[Term]) -> tuple[UnitTerm, ...]:
        return tuple(_unit_terms(scenario, basis, terms, columns))

    return UnitDesign(
        columns=np.array([column for column, _ in places]),
        to_formula=np.linalg.inv(to_columns).astype(np.float64),
        offset=np.linalg.solve(transform, offset).astype(np.float64),
        change=found.change,
        places=found.places,
        fixed=over(formula.fixed, found.own),
        random=over(formula.effects, found.own),
        true_fixed=over(truth.fixed, found.truth),
        true_random=over(truth.effects, found.truth),
        beta=np.array([dict(scenario.fixed)[term.name] for term in truth.fixed]),
    )


def _unit_terms(
    scenario: Scenario, basis: Basis, terms: Sequence[Term], columns: Sequence[Term]
) -> Iterator[UnitTerm]:
    rows = row_level(scenario.covariates)
    names = [frozenset(factor.name for factor in part.factors) for part in basis.multipliers]
    for term in terms:
        of_rows, of_units = by_level(term, rows)
        k = names.index(frozenset(factor.name for factor in of_units))
        part = basis.multipliers[k]
        yield UnitTerm(columns.index(Term(of_rows)), k, part.centre, part.scale)
