"""What violated assumptions do to power and size: differences paired by data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hlm.measures.scenario_summary import DIFFERENCES
from hlm.whatif.scenario_tables import summary_of
from hlm.whatif.shown_rows import words_of
from hlm.words.assumptions import ASSUMPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hlm.whatif.power_points import Point, Twins
    from hlm.whatif.preview_results import Results

__all__ = ["Violated", "violated"]

Gaps = dict[tuple[str, str, str, str], tuple[float, float]]
"""Model, method, term and inference -> a difference and its MCSE."""


@dataclass(frozen=True)
class Violated:
    """A measure of a term under a violated assumption less the nominal one.

    Attributes
    ----------
    levels : dict
        Of the grid, the violation among them.
    at : float or None
        The value of the number that is varied.
    model, method, term, inference : str
    word : str
        What the measure is, such as power.
    difference, mcse : float
    size : (float, float) or None
        The same of the size, in the twins without the effect.
    """

    levels: Mapping[str, Any]
    at: float | None
    model: str
    method: str
    term: str
    inference: str
    word: str
    difference: float
    mcse: float
    size: tuple[float, float] | None


def violated(
    found: Results, points: Sequence[Point], twins: Twins, measure: str
) -> Iterator[Violated]:
    """Yield the differences of each scenario that violates an assumption from its nominal one.

    Parameters
    ----------
    found : Results
        Of the points and the twins.
    points : sequence of Point
    twins : Twins
    measure : str
    """
    known = {point.scenario.key for point in points}
    for point in (one for one in points if one.scenario.twin_of in known):
        own, nominal = point.scenario.key, point.scenario.twin_of
        words = words_of(point.scenario, found.models)
        sizes: Gaps = {}
        for (key, model, term), twin in twins.without.items():
            other = twins.without.get((nominal, model, term))
            if key == own and other is not None:
                of_pair = _gaps(found, twin.key, other.key, measure)
                sizes |= {k: gap for k, gap in of_pair.items() if (k[0], k[2]) == (model, term)}
        for names, (difference, mcse) in _gaps(found, own, nominal, measure).items():
            model, method, term, inference = names
            yield Violated(
                levels=point.others,
                at=point.at,
                model=model,
                method=method,
                term=term,
                inference=inference,
                word=words[model, term] if measure == "rejection" else measure,
                difference=difference,
                mcse=mcse,
                size=sizes.get(names),
            )


def _gaps(found: Results, key: str, nominal: str, measure: str) -> Gaps:
    """Return the differences of a measure between scenarios, by replicates of the same numbers."""
    if not (found.pieces[key] and found.pieces[nominal]):
        return {}
    summary = summary_of(
        found.pieces[key],
        found.models,
        policies=found.study.policies[:1],
        selection=found.study.selection,
        nominal=found.pieces[nominal],
        terms=found.terms,
    )
    rows = (dict(zip(DIFFERENCES, row, strict=True)) for row in summary.differences)
    return {
        (row["model"], row["method"], row["term"], row["inference"]): (
            row["difference"],
            row["mcse"],
        )
        for row in rows
        if row["factor"] == ASSUMPTIONS and row["measure"] == measure and row["term"]
    }
