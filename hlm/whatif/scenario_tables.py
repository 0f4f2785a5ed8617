"""The rows of a scenario's replicates, in memory -> the rows of its summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from hlm.stages.one_scenario import Replicates, summarize_replicates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from hlm.criteria import Selection
    from hlm.measures.scenario_summary import Summary
    from hlm.scenario import Model
    from hlm.whatif.pieces import Piece

__all__ = ["summary_of"]


def summary_of(
    pieces: Sequence[Piece],
    models: Sequence[Model],
    *,
    policies: Sequence[str],
    selection: Selection,
    nominal: Sequence[Piece] = (),
    terms: Collection[str] | None = None,
) -> Summary:
    """Summarize the replicates of a scenario that are there.

    Parameters
    ----------
    pieces : sequence of Piece
        Of one scenario, one after the other.
    models : sequence of Model
    policies, selection
        The study's.
    nominal : sequence of Piece
        Those of the scenario whose twin it is, for differences from it.
    terms : collection of str, optional
        The terms and tests that are summarized; by default all.
    """
    return summarize_replicates(
        _replicates(pieces),
        models,
        policies=policies,
        selection=selection,
        nominal=_replicates(nominal) if nominal else None,
        only=terms,
    )


def _replicates(pieces: Sequence[Piece]) -> Replicates:
    first = pieces[0].first

    def windows(kind: str) -> Iterator[pa.Table]:
        return (_from_zero(piece.tables[kind], first) for piece in pieces)

    n, kinds = pieces[-1].stop - first, tuple(pieces[0].tables)
    return Replicates(pieces[0].scenario, n, kinds, windows)


def _from_zero(table: pa.Table, first: int) -> pa.Table:
    """Count replicates from the first that is there."""
    if first == 0:
        return table
    place = table.column_names.index("replicate")
    column = pc.subtract(table["replicate"], pa.scalar(first, table["replicate"].type))
    return table.set_column(place, table.field(place), column)
