"""What `hlm check` says of distributions: how random effects and residuals come out."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from hlm.distributions import STANDARD_NORMAL, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hlm.distributions import Distribution
    from hlm.plan import Plan
    from hlm.scenario import Scenario

__all__ = ["shape_lines"]

MOST_SCENARIOS = 1000
"""Of a larger study so many scenarios are looked at, evenly spread."""

MOST_SHAPES = 6
"""Of one random effect."""


class _Shape(NamedTuple):
    """How something is distributed, in words and as numbers."""

    words: str
    skewness: str
    kurtosis: str


class _Row(NamedTuple):
    """A line of the table."""

    name: str
    shape: _Shape


def shape_lines(plan: Plan) -> Iterator[str]:
    """Yield a table of random effects and residuals; nothing if all are normal everywhere.

    Parameters
    ----------
    plan : Plan
    """
    from hlm.cli.sentences import aligned

    found: dict[str, dict[_Shape, None]] = {}
    for scenario in plan.scenarios[:: -(-len(plan.scenarios) // MOST_SCENARIOS)]:
        for name, shape in _shapes(scenario):
            found.setdefault(name, {})[shape] = None
    plain = _of(STANDARD_NORMAL)
    if all(shape == plain for shapes in found.values() for shape in shapes):
        return
    rows = [_Row("distributions", _Shape("", "skewness", "kurtosis"))]
    for name, shapes in found.items():
        shown = [*shapes][:MOST_SHAPES]
        rows += [_Row("" if k else name, shape) for k, shape in enumerate(shown)]
        rows += [_Row("", _Shape("...", "", ""))] * (len(shapes) > MOST_SHAPES)
    names, words = (max(len(row.name) for row in rows), max(len(row.shape.words) for row in rows))
    numbers = aligned([[row.shape.skewness, row.shape.kurtosis] for row in rows])
    for row, line in zip(rows, numbers, strict=True):
        yield f"{row.name:<{names}}  {row.shape.words:<{words}}  {line}".rstrip()


def _shapes(scenario: Scenario) -> Iterator[tuple[str, _Shape]]:
    """Yield each random effect and the residual with its shape."""
    from hlm.formula import formula_in
    from hlm.simulate.random_effects import recipe_of

    formula = formula_in(scenario.formula, scenario.covariates)
    group, recipe = formula.random[0].group, recipe_of(scenario)
    for term, parts, moments in zip(formula.effects, recipe.parts(), recipe.moments(), strict=True):
        yield f"{term.name}|{group}", _made_of(parts, moments)
    yield "residual", _of(scenario.residuals)


def _of(shape: Distribution) -> _Shape:
    return _made_of([shape], (shape.skewness, shape.kurtosis))


def _made_of(parts: Sequence[Distribution], moments: tuple[float, float]) -> _Shape:
    """Say of what something is a sum; a sum of normals is normal."""
    shapes = list(dict.fromkeys(map(written, parts)))
    mixed = len(parts) > 1 and shapes != [written(STANDARD_NORMAL)]
    words = f"mixed of {' and '.join(shapes)}" if mixed else shapes[0]
    skewness, kurtosis = ("none" if isnan(moment) else f"{moment:.3g}" for moment in moments)
    return _Shape(words, skewness, kurtosis)
