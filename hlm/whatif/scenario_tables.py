"""The rows of a scenario's replicates, in memory -> the rows of its summaries."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from hlm.arrow_arrays import array_of_names
from hlm.estimands.true_values import targets
from hlm.measures.arrays import ERRORS, P_VALUE, VALUES
from hlm.measures.dense import name_of_test
from hlm.measures.scenario_summary import Summary, summarize_scenario
from hlm.stages.comparisons import with_comparisons
from hlm.stages.scenario_arrays import read_fits, read_terms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from hlm.criteria import Selection
    from hlm.measures.arrays import FitArrays, TermArrays
    from hlm.scenario import Model, Scenario
    from hlm.whatif.pieces import Piece

__all__ = ["arrays_of", "summary_of"]


def summary_of(
    scenario: Scenario,
    pieces: Sequence[Piece],
    models: Sequence[Model],
    *,
    policies: Sequence[str],
    selection: Selection,
    terms: Collection[str] | None = None,
) -> Summary:
    """Summarize the replicates of a scenario that are there.

    Parameters
    ----------
    scenario : Scenario
    pieces : sequence of Piece
        Of this scenario, one after the other.
    models : sequence of Model
    policies, selection
        The study's.
    terms : collection of str, optional
        The terms and tests that are summarized; by default all.
    """
    with ExitStack() as stack:
        arrays, fits = arrays_of(scenario, pieces, models, stack, terms=terms)
        return summarize_scenario(
            scenario.key,
            arrays,
            fits,
            alphas={model.name: 1.0 - model.level for model in models},
            policies=policies,
            selection=selection,
        )


def arrays_of(
    scenario: Scenario,
    pieces: Sequence[Piece],
    models: Sequence[Model],
    stack: ExitStack,
    *,
    terms: Collection[str] | None = None,
) -> tuple[Iterable[TermArrays], FitArrays]:
    """Return the terms, with tests and predictions, and the fits of a scenario's replicates."""
    known = {
        (model.name, target.term): (target.kind, float(target.true))
        for model in models
        for target in targets(scenario, model)
    }
    first, n = pieces[0].first, pieces[-1].stop - pieces[0].first

    def target(model: str, term: str) -> tuple[str, float]:
        return known[model, term]

    def windows(kind: str) -> Iterator[pa.Table]:
        return (_from_zero(piece.tables[kind], first) for piece in pieces)

    estimates = (with_comparisons(window, models) for window in windows("estimates"))
    wanted = (_of_terms(window, terms) for window in estimates)
    found: Iterable[TermArrays] = stack.enter_context(read_terms(wanted, VALUES, n, target))
    if "tests" in pieces[0].tables:
        tested = read_terms(windows("tests"), P_VALUE, n, target, label="test", term=name_of_test)
        own = stack.enter_context(tested)
        found = chain(found, (one for one in own if terms is None or one.term in terms))
    if "predictions" in pieces[0].tables and terms is None:
        predicted = read_terms(windows("predictions"), ERRORS, n, target, inference="predictor")
        found = chain(found, stack.enter_context(predicted))
    return found, read_fits(windows("fits"), n)


def _from_zero(table: pa.Table, first: int) -> pa.Table:
    """Count replicates from the first that is there."""
    if first == 0:
        return table
    place = table.column_names.index("replicate")
    column = pc.subtract(table["replicate"], pa.scalar(first, table["replicate"].type))
    return table.set_column(place, table.field(place), column)


def _of_terms(table: pa.Table, terms: Collection[str] | None) -> pa.Table:
    if terms is None:
        return table
    wanted = array_of_names(sorted(terms))
    return table.filter(pc.is_in(table["term"].cast(pa.string()), wanted))
