r"""The coefficients of each unit: what the truth says they are in the terms of a model.

In unit i every term is a column of rows times a number of the unit, x_ij u_i. So the fixed and the
random terms that share the column x add up to one coefficient of the unit,

    theta_i(x) = sum_k beta_k u_ik + sum_t u_it b_it,    k and t the terms with the column x:

with y ~ x * a + (1 + x | unit) its slope is beta_x + beta_xa a_i + b_ix. The truth has such columns
R, the model R* of its own. Where R = R* C, as functions of the covariates, the unit's coefficients
in the model's terms are C theta_i. Where they are not, but each column of the model is one of the
truth's, they are the truth's own. Else the model's coefficients have nothing true to be held
against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hlm.estimands.column_links import link_columns
from hlm.formula import Term, formula_in
from hlm.formula.by_level import by_level
from hlm.words.inferences import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hlm.scenario import Covariate, Model, Scenario

__all__ = ["UnitColumns", "row_level", "unit_columns"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UnitColumns:
    """The columns of rows of a model and of the truth.

    Attributes
    ----------
    own, truth : tuple of Term
        Each once: the columns R* and R.
    change : ndarray (len(own), len(truth))
        C; zeros if there is none.
    places : tuple of int (q,)
        The column of each random effect of the model; -1 of one without a true coefficient.
    reasons : tuple of str (q,)
        Why it has none; empty where there is one.
    """

    own: tuple[Term, ...]
    truth: tuple[Term, ...]
    change: Floats
    places: tuple[int, ...]
    reasons: tuple[str, ...]


def row_level(covariates: Iterable[Covariate]) -> frozenset[str]:
    """Return the names of the covariates with a value for each row."""
    return frozenset(one.name for one in covariates if one.level == "row")


def unit_columns(scenario: Scenario, model: Model) -> UnitColumns:
    """Compare the columns of rows of a model with those of a scenario's truth.

    Examples
    --------
    >>> from hlm.distributions import Normal
    >>> from hlm.scenario import Covariate, Model, Scenario
    >>> covariates = (Covariate("x", "row", Normal(5.0)), Covariate("a", "unit"))
    >>> truth = Scenario("", 10, 5, covariates, "y ~ x * a + (1 + x | g)",
    ...                  (("(Intercept)", 1.0), ("x", 0.3), ("a", 0.0), ("x:a", 0.0)), (0.5, 0.2),
    ...                  ((1.0, 0.0), (0.0, 1.0)), 1.0)
    >>> found = unit_columns(truth, Model("m", "y ~ I(x - 5) + (1 + I(x - 5) | g)"))
    >>> found.change.tolist(), found.places
    ([[1.0, 5.0], [0.0, 1.0]], (0, 1))
    >>> unit_columns(truth, Model("m", "y ~ I(x^2) + (1 | g)")).reasons
    ('x of the truth is no combination of (Intercept) and I(x^2)',)
    """
    covariates, rows = scenario.covariates, row_level(scenario.covariates)
    formula, true = (formula_in(text, covariates) for text in (model.formula, scenario.formula))
    own, truth = _columns(formula.terms, rows), _columns(true.terms, rows)
    varies = zip(true.terms, scenario.there, strict=True)
    needed = {_column(term, rows) for term, is_there in varies if is_there}
    there = np.array([one in needed for one in truth])
    link, change, lost = link_columns(covariates, own, truth), np.zeros((len(own), len(truth))), ""
    if link.holds(there):
        change[:, there] = link.change[:, there]
    elif link.is_part:
        change[np.arange(len(own)), link.place] = 1.0 / link.factor
    else:
        names = [one.name for one, out in zip(truth, there & ~link.spanned, strict=True) if out]
        verb = "is" if len(names) == 1 else "are"
        lost = (
            f"{joined(names)} of the truth {verb} no combination of "
            f"{joined(one.name for one in own)}"
        )
    reasons = tuple(lost or _of_units(term, rows) for term in formula.effects)
    places = tuple(
        -1 if reason else own.index(_column(term, rows))
        for term, reason in zip(formula.effects, reasons, strict=True)
    )
    return UnitColumns(own, truth, change, places, reasons)


def _columns(terms: Sequence[Term], rows: frozenset[str]) -> tuple[Term, ...]:
    return tuple(dict.fromkeys(_column(term, rows) for term in terms))


def _column(term: Term, rows: frozenset[str]) -> Term:
    """Return what a term has of the rows, as a term: the constant where it has nothing."""
    return Term(by_level(term, rows)[0])


def _of_units(term: Term, rows: frozenset[str]) -> str:
    """Say why an effect is no coefficient of the unit's rows: part of it is one number there."""
    of_units = by_level(term, rows)[1]
    names = ":".join(factor.name for factor in of_units)
    return f"in a unit {names} does not vary" if of_units else ""
