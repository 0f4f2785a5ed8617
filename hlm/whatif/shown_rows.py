"""The measures that a question is about, as rows that are read at once."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from hlm.whatif.preview_results import Results

__all__ = ["Shown", "rows_shown", "word_of_rejection"]


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


def word_of_rejection(true: float) -> str:
    """Return what a rate of rejection is, by the true value of what is tested.

    Examples
    --------
    >>> word_of_rejection(0.0), word_of_rejection(0.5), word_of_rejection(float("nan"))
    ('size', 'power', 'rejection')
    """
    if isnan(true):
        return "rejection"
    return "size" if true == 0.0 else "power"


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
    policy = results.study.policies[0]
    its = frame[frame["measure"].isin(order) & frame["policy"].isin(["", policy])]
    its = its[its["term"] != ""]
    levels = list(results.study.levels[0])
    for row in its.to_dict("records"):
        fit = (row["scenario"], row["model"], row["method"])
        word = word_of_rejection(row["true"]) if row["measure"] == "rejection" else row["measure"]
        yield Shown(
            levels={name: row[name] for name in levels},
            model=row["model"],
            method=row["method"],
            term=row["term"],
            inference=row["inference"],
            measure=row["measure"],
            word=word,
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
