"""The measures that a question is about, as rows that are read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hlm.estimands.true_values import FALSE, targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

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
    """Return what the rate of rejections of each term of each model is.

    Size where the hypothesis is true, power where it is false, and else, where a term has no true
    value, no more than a rate of rejection.
    """
    return {
        (model.name, one.term): "size"
        if one.true == 0.0
        else "power"
        if one.true == one.true or one.reason == FALSE
        else "rejection"
        for model in models
        for one in targets(scenario, model)
    }


def rows_shown(results: Results, measures: Sequence[str]) -> Iterator[Shown]:
    """Yield the measures of the first policy, in the order of the study.

    Parameters
    ----------
    results : Results
    measures : sequence of str
        As in the column `measure`.
    """
    frame = results.measures
    order = {name: place for place, name in enumerate(measures)}
    rates = _rates(frame)
    words = {one.key: words_of(one, results.models) for one in results.scenarios}
    policy = results.study.policies[0]
    its = frame[frame["measure"].isin(order) & frame["policy"].isin(["", policy])]
    its = its[its["term"] != ""]
    levels = list(results.levels[0])
    for row in its.to_dict("records"):
        fit = (row["scenario"], row["model"], row["method"])
        named = words[row["scenario"]][row["model"], row["term"]]
        yield Shown(
            levels={name: row[name] for name in levels},
            model=row["model"],
            method=row["method"],
            term=row["term"],
            inference=row["inference"],
            measure=row["measure"],
            word=named if row["measure"] == "rejection" else row["measure"],
            value=float(row["estimate"]),
            mcse=float(row["mcse"]),
            n=int(row["n"]),
            drawn=results.replicates_of(row["scenario"]),
            failed=rates.get(("failed", *fit), 0.0),
            singular=rates.get(("singular", *fit), 0.0),
        )


def _rates(frame: pd.DataFrame) -> dict[tuple[str, ...], float]:
    """Return the shares of failed and of singular fits."""
    its = frame[frame["measure"].isin(["failed", "singular"])]
    keys = zip(*(its[name] for name in ("measure", "scenario", "model", "method")), strict=True)
    return dict(zip(keys, its["estimate"], strict=True))
