r"""The columns of rows in whose span a data set is drawn: those of design and truth, of no model.

Normal residuals are drawn as their coordinates along these columns, each without its part along
those before it, and what is left as one chi-square number (docs/derivation.md, Section 21). Normal
covariates of rows are drawn in the same way along the columns before them. So the order matters:
the constant, covariates that are fixed, normal ones, other covariates that are numbers, and then
what else the truth has. Each is in the order of names, and none depends on a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from hlm.distributions import Normal
from hlm.estimands.unit_coefficients import row_level
from hlm.formula import Factor, Term, formula_in
from hlm.formula.by_level import by_level
from hlm.formula.syntax import Name
from hlm.simulate.columns import CONSTANT, Part, centred_part

if TYPE_CHECKING:
    from hlm.scenario import Covariate, Scenario

__all__ = ["Affine", "DesignBasis", "design_basis"]


class Affine(NamedTuple):
    """A column as shift + slope times column `place` of a basis."""

    place: int
    slope: float
    shift: float


@dataclass(frozen=True)
class DesignBasis:
    """Columns of rows, each as a part of a product.

    Attributes
    ----------
    fixed : tuple of Part
        The constant, and covariates whose values are given.
    normals : tuple of Covariate
        Those that are drawn from a normal distribution.
    others : tuple of Part
        Other covariates, and what else the truth has.
    """

    fixed: tuple[Part, ...]
    normals: tuple[Covariate, ...]
    others: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """All columns, in their order; normal ones in units of their sd, from their mean."""
        return (*self.fixed, *map(_standardized, self.normals), *self.others)

    @property
    def names(self) -> tuple[str, ...]:
        """A name of each column, for its stream; no covariate's, as it has a space."""
        return tuple(" ".join(["along", *sorted(part.identity[0])]) for part in self.parts)

    def place_of(self, part: Part) -> Affine | None:
        """Express a part in the basis; None where it has another product of covariates."""
        for place, own in enumerate(self.parts):
            if own.identity[0] == part.identity[0]:
                shift = (own.centre - part.centre) / part.scale
                return Affine(place, own.scale / part.scale, shift)
        return None


@lru_cache(maxsize=64)
def design_basis(scenario: Scenario) -> DesignBasis:
    """Return the columns in whose span the data sets of a scenario are drawn.

    Examples
    --------
    >>> from hlm.distributions import Points
    >>> from hlm.scenario import Covariate, Scenario
    >>> covariates = (Covariate("x", "row"), Covariate("t", "row", Points((0.0, 1.0, 2.0))))
    >>> truth = Scenario("", 9, 3, covariates, "y ~ x + I(t^2) + (1 | g)", (), (1.0,),
    ...                  ((1.0,),), 1.0)
    >>> design_basis(truth).names
    ('along', 'along t', 'along x', 'along I(t^2)')
    """
    rows = [c for c in scenario.covariates if c.level == "row" and not c.distribution.labels]
    rows.sort(key=lambda c: c.name)
    fixed = [c for c in rows if c.distribution.is_fixed]
    normal = [c for c in rows if isinstance(c.distribution, Normal) and c.distribution.sd > 0.0]
    alone = {c.name: _alone(c.name) for c in rows}
    first = [alone[c.name] for c in fixed]
    other = [alone[c.name] for c in rows if c not in fixed and c not in normal]
    seen: set[frozenset[str]] = {_names(factors) for factors in alone.values()} | {frozenset()}
    further = {_names(factors): factors for factors in _of_truth(scenario)}
    more = sorted(further.items(), key=lambda one: (len(one[0]), sorted(one[0])))
    other += [factors for names, factors in more if names not in seen]
    return DesignBasis(
        fixed=(CONSTANT, *(centred_part(scenario, factors) for factors in first)),
        normals=tuple(normal),
        others=tuple(centred_part(scenario, factors) for factors in other),
    )


def _alone(name: str) -> tuple[Factor, ...]:
    """Return a covariate as the factors of a term."""
    return (Factor(name, Name(name)),)


def _of_truth(scenario: Scenario) -> list[tuple[Factor, ...]]:
    """Return the factors of rows of each term of the truth."""
    truth = formula_in(scenario.formula, scenario.covariates)
    terms: tuple[Term, ...] = (*truth.fixed, *truth.effects)
    return [by_level(term, row_level(scenario.covariates))[0] for term in terms]


def _standardized(c: Covariate) -> Part:
    return Part(_alone(c.name), c.distribution.mean, c.distribution.sd)


def _names(factors: tuple[Factor, ...]) -> frozenset[str]:
    return frozenset(factor.name for factor in factors)
