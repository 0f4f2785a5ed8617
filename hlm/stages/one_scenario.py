"""The replicates of a scenario, wherever they are -> its summaries."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from hlm.arrow_arrays import array_of_names
from hlm.estimands.true_values import DIFFERS, targets
from hlm.measures.arrays import ERRORS, P_VALUE, VALUES
from hlm.measures.dense import name_of_test
from hlm.measures.scenario_summary import DIFFERENCES, MEASURES, summarize_scenario
from hlm.measures.violations import Nominal
from hlm.stages.comparisons import with_comparisons
from hlm.stages.scenario_arrays import read_fits, read_terms
from hlm.words.measures import OF_ONE_TRUTH

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from hlm.criteria import Selection
    from hlm.measures.arrays import FitArrays, TermArrays
    from hlm.measures.scenario_summary import Summary
    from hlm.scenario import Model, Scenario

__all__ = ["Replicates", "summarize_replicates"]


@dataclass(frozen=True)
class Replicates:
    """The replicates of a scenario, a window at a time.

    Attributes
    ----------
    scenario : Scenario
    n : int
    kinds : collection of str
        The tables of replicates that there are.
    windows : function
        The kind of table -> its rows, in windows of different replicates counted from 0, ascending.
    folder : path, optional
        Where arrays are put that are too large for memory.
    """

    scenario: Scenario
    n: int
    kinds: Collection[str]
    windows: Callable[[str], Iterator[pa.Table]]
    folder: Path | None = None


def summarize_replicates(
    own: Replicates,
    models: Sequence[Model],
    *,
    policies: Sequence[str],
    selection: Selection,
    nominal: Replicates | None = None,
    only: Collection[str] | None = None,
) -> Summary:
    """Summarize the replicates of a scenario; beside those of which it is a twin, if given.

    Parameters
    ----------
    own : Replicates
    models : sequence of Model
    policies, selection
        The study's.
    nominal : Replicates, optional
    only : collection of str, optional
        The terms and tests that are summarized; by default all, and predictions.
    """
    with ExitStack() as stack:
        beside = None
        if nominal is not None:
            without = {kind for kind in nominal.kinds if kind != "predictions"}
            terms = _terms(nominal, without, models, only, stack)
            beside = Nominal(terms, _fits(nominal))
        found = summarize_scenario(
            own.scenario.key,
            _terms(own, own.kinds, models, only, stack),
            _fits(own),
            alphas={model.name: 1.0 - model.level for model in models},
            policies=policies,
            selection=selection,
            nominal=beside,
        )
    _leave_out(found, _differing(own.scenario, models))
    return found


def _differing(scenario: Scenario, models: Sequence[Model]) -> set[str]:
    """Return the terms that have another true value in each data set."""
    return {one.term for m in models for one in targets(scenario, m) if one.reason == DIFFERS}


def _leave_out(found: Summary, differing: Collection[str]) -> None:
    """Leave out measures that suppose one truth, of terms that have another in each data set."""
    if not differing:
        return
    tables: list[tuple[list[tuple[Any, ...]], tuple[str, ...]]]
    tables = [(found.measures, MEASURES), (found.differences, DIFFERENCES)]
    for rows, columns in tables:
        term, measure = columns.index("term"), columns.index("measure")
        rows[:] = [
            row for row in rows if row[measure] not in OF_ONE_TRUTH or row[term] not in differing
        ]


def _fits(own: Replicates) -> FitArrays:
    return read_fits(own.windows("fits"), own.n)


def _terms(
    own: Replicates,
    kinds: Collection[str],
    models: Sequence[Model],
    only: Collection[str] | None,
    stack: ExitStack,
) -> Iterable[TermArrays]:
    """Return the terms of some tables of replicates, those of many rows in temporary files."""
    known = {
        (model.name, target.term): (target.kind, float(target.true))
        for model in models
        for target in targets(own.scenario, model)
    }

    def target(model: str, term: str) -> tuple[str, float]:
        return known[model, term]

    estimates = (with_comparisons(window, models) for window in own.windows("estimates"))
    wanted = (_of_terms(window, only) for window in estimates)
    terms: Iterable[TermArrays] = stack.enter_context(
        read_terms(wanted, VALUES, own.n, target, folder=own.folder)
    )
    if "tests" in kinds:
        tested = stack.enter_context(
            read_terms(
                own.windows("tests"), P_VALUE, own.n, target, label="test", term=name_of_test
            )
        )
        terms = chain(terms, (one for one in tested if only is None or one.term in only))
    if "predictions" in kinds and only is None:
        predicted = read_terms(
            own.windows("predictions"),
            ERRORS,
            own.n,
            target,
            inference="predictor",
            folder=own.folder,
        )
        terms = chain(terms, stack.enter_context(predicted))
    return terms


def _of_terms(table: pa.Table, only: Collection[str] | None) -> pa.Table:
    if only is None:
        return table
    return table.filter(pc.is_in(table["term"].cast(pa.string()), array_of_names(sorted(only))))
