"""Columns of the basis in a group of rows in which a covariate has one value.

There it is a constant factor: so columns that have it are combinations of others, exactly, which
their cross-products say only to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.formula import product_of
from hlm.simulate.design_basis import Affine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.simulate.columns import Part

__all__ = ["GroupColumns", "columns_at"]


class GroupColumns(NamedTuple):
    """Which columns are kept, and the others by their places as one of these, shifted."""

    kept: list[int]
    others: dict[int, Affine]


class _Product(NamedTuple):
    """A column x: centre + scale x is `multiple` times a product without the covariate."""

    place: int
    multiple: float
    part: Part


def columns_at(parts: Sequence[Part], by: str, value: float) -> GroupColumns:
    """Find out which columns are combinations of others where covariate `by` has this value.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> from hlm.simulate.columns import CONSTANT, Part
    >>> terms = parse("y ~ x + b + x:b + I(b^2) + (1 | g)").fixed[1:]
    >>> found = columns_at([CONSTANT, *(Part(term.factors) for term in terms)], "b", 3.0)
    >>> found.kept, found.others[3].shift, found.others[4]
    ([0, 1], 9.0, Affine(place=1, slope=3.0, shift=0.0))
    """
    kept: list[int] = []
    others: dict[int, Affine] = {}
    products: dict[frozenset[str], _Product] = {}
    for place, part in enumerate(parts):
        held = tuple(one for one in part.factors if set(one.variables) <= {by})
        rest = frozenset(one.name for one in part.factors if one not in held)
        multiple = float(np.ravel(product_of(held, {by: np.array([value])}))[0]) if held else 1.0
        if held and not (rest and multiple):
            # The same in all rows
            own = 0.0 if rest else multiple
            others[place] = Affine(0, 0.0, (own - part.centre) / part.scale)
        elif rest in products:
            like = products[rest]
            ratio = multiple / like.multiple
            shift = (ratio * like.part.centre - part.centre) / part.scale
            others[place] = Affine(like.place, ratio * like.part.scale / part.scale, shift)
        else:
            kept.append(place)
            products[rest] = _Product(place, multiple, part)
    return GroupColumns(kept, others)
