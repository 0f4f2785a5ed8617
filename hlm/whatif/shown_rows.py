"""The measures that a question is about, as rows that are read at once."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from hlm.estimands.true_values import DIFFERS, FALSE, targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hlm.estimands.true_values import Target
    from hlm.scenario import Model, Scenario
    from hlm.whatif.preview_results import Results

__all__ = ["Shown", "rows_shown", "words_of"]


class Shown(NamedTuple):
    """A measure of a term in a scenario.

    Attributes
    ----------
    levels : dict
        The levels of the grid.
    model, method, term, inference : str
    measure : str
        As in results.
    word : str
        What to call it: a rate of rejection is power or size.
    value, mcse : float
    n, drawn : int
        Over how many replicates it is, of so many.
    failed, singular : float
        Shares of the fits.
    """

    levels: dict[str, Any]
    model: str
    method: str
    term: str
    inference: str
    measure: str
    word: str
    value: float
    mcse: float
    n: int
    drawn: int
    failed: float
    singular: float


def words_of(scenario: Scenario, models: Sequence[Model]) -> dict[tuple[str, str], str]:
    """Return what the rate of rejections of each term of each model is; see `word_of`."""
    return {(m.name, one.term): word_of(one) for m in models for one in targets(scenario, m)}


def word_of(target: Target) -> str:
    """Return what the rate of rejections of a term is.

    Size where the hypothesis is true, power where it is false, assurance where the effect is drawn
    for each data set; else, where a term has no true value, no more than a rate of rejection.
    """
    if target.true == 0.0:
        return "size"
    if target.reason == DIFFERS:
        return "assurance"
    known = not isnan(target.true) or target.reason == FALSE
    return "power" if known else "rejection"


def rows_shown(results: Results, measures: Sequence[str]) -> Iterator[Shown]:
    """Yield the measures of terms by the first policy, as `Results.measures` has them.

    Parameters
    ----------
    results : Results
    measures : sequence of str
        As in the column `measure`.
    """
    rows = list(results.measured())
    rates = {
        (row["measure"], *_fit(row)): row["estimate"]
        for row in rows
        if row["measure"] in ("failed", "singular")
    }
    words = {one.key: words_of(one, results.models) for one in results.scenarios}
    policies = ("", results.study.policies[0])
    for row in rows:
        measure, term = row["measure"], row["term"]
        if measure not in measures or row["policy"] not in policies or not term:
            continue
        yield Shown(
            levels=results.levels_of(row["scenario"]),
            model=row["model"],
            method=row["method"],
            term=term,
            inference=row["inference"],
            measure=measure,
            word=words[row["scenario"]][row["model"], term] if measure == "rejection" else measure,
            value=float(row["estimate"]),
            mcse=float(row["mcse"]),
            n=int(row["n"]),
            drawn=results.replicates_of(row["scenario"]),
            failed=rates.get(("failed", *_fit(row)), 0.0),
            singular=rates.get(("singular", *_fit(row)), 0.0),
        )


def _fit(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["scenario"], row["model"], row["method"]
