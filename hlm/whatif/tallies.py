"""The replicates of a scenario -> what they say of each target, in numbers that add up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from hlm.criteria import Selection
from hlm.estimands.names import of_ratio_test, of_test
from hlm.measures.scenario_summary import MEASURES, SELECTION
from hlm.solver import Tally
from hlm.whatif.scenario_tables import summary_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.scenario import Model
    from hlm.study.sought import Wanted
    from hlm.whatif.pieces import Piece

__all__ = ["Counted", "counted", "needed_models"]

NO_SELECTION = Selection(criteria=())


@dataclass(frozen=True)
class Counted:
    """What replicates of one design said.

    Attributes
    ----------
    tallies : tuple of Tally
        One for each target.
    drawn : int
        Data sets.
    failed, singular : tuple of int
        For each target, fits of its model that failed, and that are singular; of a selection of
        any model.
    """

    tallies: tuple[Tally, ...]
    drawn: int
    failed: tuple[int, ...]
    singular: tuple[int, ...]

    def __add__(self, other: Counted) -> Counted:
        """Pool the counts of different replicates."""
        return Counted(
            tuple(a + b for a, b in zip(self.tallies, other.tallies, strict=True)),
            self.drawn + other.drawn,
            tuple(a + b for a, b in zip(self.failed, other.failed, strict=True)),
            tuple(a + b for a, b in zip(self.singular, other.singular, strict=True)),
        )


def needed_models(models: Sequence[Model], wanted: Sequence[Wanted]) -> tuple[Model, ...]:
    """Return the models that targets are of, without what no target needs.

    For a selection all models are needed. What is left out changes no number of what stays.

    Examples
    --------
    >>> from hlm.scenario import Model
    >>> from hlm.study.sought import Wanted
    >>> models = [Model("a", "y ~ x + (1 | g)", limits=("profile",)), Model("b", "y ~ 1 + (1 | g)")]
    >>> (one,) = needed_models(models, [Wanted("rejection", "x", 0.8, "a", "ml", "satterthwaite")])
    >>> one.name, one.methods, one.limits
    ('a', ('ml',), ('wald',))
    """
    chosen = [one.method for one in wanted if one.measure == "selection"]
    found = []
    for model in models:
        its = [one for one in wanted if one.model == model.name]
        methods = {one.method for one in its} | {*chosen}
        if kept := tuple(method for method in model.methods if method in methods):
            found.append(_lean(model, kept, its))
    return tuple(found)


def _lean(model: Model, methods: tuple[str, ...], its: Sequence[Wanted]) -> Model:
    ways, terms = {one.inference for one in its}, {one.of for one in its}
    df = tuple(name for name in model.df if name in ways) or ("satterthwaite",)
    limits = tuple(name for name in model.limits if name in ways) or ("wald",)
    return replace(
        model,
        methods=methods,  # type: ignore[arg-type]
        df=df,
        limits=limits,
        bootstrap=model.bootstrap if "bootstrap" in (*df, *limits) else 0,
        tests=tuple(test for test in model.tests if of_test(test[0]) in terms),
        lrt=tuple(test for test in model.lrt if of_ratio_test(test.name) in terms),
        predictions=False,
    )


def counted(
    pieces: Sequence[Piece],
    models: Sequence[Model],
    wanted: Sequence[Wanted],
    *,
    policy: str,
    selection: Selection,
) -> Counted:
    """Count what replicates say of each target.

    The measures are those of results: replicates without a p-value or an interval have none, but
    for the policy `absent_as_miss`.

    Parameters
    ----------
    pieces : sequence of Piece
        Replicates of a scenario, one after the other.
    models : sequence of Model
        Those of `needed_models`.
    wanted : sequence of Wanted
    policy : str
        Which replicates count; the study's first.
    selection : Selection
        The study's.
    """
    summary = summary_of(
        pieces,
        models,
        policies=(policy,),
        selection=_only(selection, wanted),
        terms={one.of for one in wanted if one.measure != "selection"},
    )
    drawn = sum(piece.stop - piece.first for piece in pieces)
    measures = [dict(zip(MEASURES, row, strict=True)) for row in summary.measures]
    chosen = [dict(zip(SELECTION, row, strict=True)) for row in summary.selection]
    return Counted(
        tuple(
            _chosen(one, chosen, drawn)
            if one.measure == "selection"
            else _measured(one, measures, drawn)
            for one in wanted
        ),
        drawn,
        tuple(_fits("failed", one, measures) for one in wanted),
        tuple(_fits("singular", one, measures) for one in wanted),
    )


def _only(selection: Selection, wanted: Sequence[Wanted]) -> Selection:
    criteria = tuple(dict.fromkeys(one.criterion for one in wanted if one.criterion))
    return replace(selection, criteria=criteria, estimate=False) if criteria else NO_SELECTION


def _measured(one: Wanted, rows: Sequence[dict[str, Any]], drawn: int) -> Tally:
    label = (one.model, one.method, one.of, one.measure, one.inference)
    names = ("model", "method", "term", "measure", "inference")
    row = next((row for row in rows if tuple(row[name] for name in names) == label), None)
    return _tally(one, row, "estimate", drawn)


def _chosen(one: Wanted, rows: Sequence[dict[str, Any]], drawn: int) -> Tally:
    label = (one.of, one.method, one.criterion)
    names = ("model", "method", "criterion")
    row = next((row for row in rows if tuple(row[name] for name in names) == label), None)
    return _tally(one, row, "rate", drawn)


def _tally(one: Wanted, row: dict[str, Any] | None, column: str, drawn: int) -> Tally:
    value = float(row[column]) if row else nan
    if row is None or isnan(
        value
    ):  # no replicate has it, or a mean of widths some of which have no end
        return Tally(0, drawn, nan, nan, one.is_share)
    n = int(row["n"])
    if one.is_share:
        return Tally.of_share(round(value * n), n, drawn)
    mcse = float(row["mcse"])
    return Tally(n, drawn, value, 0.0 if isnan(mcse) else n * mcse**2, share=False)


def _fits(measure: str, one: Wanted, rows: Sequence[dict[str, Any]]) -> int:
    """Return the most fits of a target's models that failed or are singular."""
    counts = [
        round(float(row["estimate"]) * int(row["n"]))
        for row in rows
        if row["measure"] == measure
        and row["method"] == one.method
        and one.model in ("", row["model"])
        and int(row["n"])
    ]
    return max(counts, default=0)
