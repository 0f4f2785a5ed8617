"""A term's factors by the level of what they are computed from: rows, or units."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from hlm.formula.expansion import Factor, Term

__all__ = ["by_level"]


def by_level(
    term: Term, row_level: Collection[str]
) -> tuple[tuple[Factor, ...], tuple[Factor, ...]]:
    """Split a term into its factors of rows and those of units.

    A factor with any of the variables `row_level` is one of rows. Both are in the order of their
    names, so that x:u and u:x are the same to the last bit.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> term = parse("y ~ u:x + (1 | g)").fixed[1]
    >>> [[factor.name for factor in part] for part in by_level(term, {"x"})]
    [['x'], ['u']]
    """
    factors = sorted(term.factors, key=lambda factor: factor.name)
    of_rows = tuple(one for one in factors if not set(row_level).isdisjoint(one.variables))
    return of_rows, tuple(one for one in factors if one not in of_rows)
