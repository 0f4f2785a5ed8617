"""Which Monte Carlo standard errors a study will have, from the data sets of a pilot.

An MCSE falls with 1/sqrt(n): one of r after n data sets is r sqrt(n/N) after N, and it is m after
n (r/m)^2.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.estimands.true_values import DIFFERS, targets
from hlm.measures.distance import judged_mcse, rows_of_target
from hlm.measures.summarize import summarize
from hlm.plan.cost import replicate_cost
from hlm.plan.rounds import Standing
from hlm.results import KINDS, to_table
from hlm.words.measures import OF_ONE_TRUTH
from hlm.words.policies import CONVERGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from hlm.operations.pilot import Tried
    from hlm.plan.plan import Plan
    from hlm.precision import Precision, Target

__all__ = [
    "Expected",
    "empty_policies",
    "expected_standing",
    "measures_of_pilot",
    "rounds_to",
    "worst",
]

PER_REPLICATE = "mcse_of_one"


class Expected(NamedTuple):
    """The measure of a term in a scenario that has the largest MCSE, and that of one data set."""

    place: dict[str, str]
    mcse_of_one: float

    def mcse(self, n: int) -> float:
        """Return the MCSE after n data sets."""
        return self.mcse_of_one / sqrt(n)

    def replicates(self, mcse: float) -> float:
        """Return after how many data sets there is this MCSE."""
        return (self.mcse_of_one / mcse) ** 2


def measures_of_pilot(plan: Plan, tried: Sequence[Tried]) -> pd.DataFrame:
    """Return the measures of the pilot, with the MCSE that one data set would have.

    Parameters
    ----------
    plan : Plan
    tried : sequence of Tried
    """
    import pandas as pd

    return pd.concat([_measures(plan, one) for one in tried], ignore_index=True)


def _measures(plan: Plan, one: Tried) -> pd.DataFrame:
    names = ("scenario", "model", "term", "kind", "true")
    found = [(model.name, own) for model in plan.models for own in targets(one.scenario, model)]
    rows = [(one.scenario.key, name, own.term, own.kind, own.true) for name, own in found]
    differing = {own.term for _, own in found if own.reason == DIFFERS}
    tables = {kind: to_table(one.tables[kind], KINDS[kind]) for kind in plan.kinds}
    measures, _ = summarize(
        tables["estimates"],
        tables["fits"],
        truth=dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)),
        tests=tables.get("tests"),
        level={model.name: model.level for model in plan.models},
    )
    supposes_one = measures["measure"].isin(OF_ONE_TRUTH) & measures["term"].isin(differing)
    measures = measures[~supposes_one]
    judged = judged_mcse(measures["measure"], measures["estimate"], measures["mcse"], measures["n"])
    return measures.assign(**{PER_REPLICATE: judged * sqrt(one.n)})


def empty_policies(plan: Plan, tried: Sequence[Tried]) -> Iterator[tuple[str, str, str, str, int]]:
    """Yield policies by which no fit of the pilot counts: of which scenario, model, method, of n.

    Parameters
    ----------
    plan : Plan
    tried : sequence of Tried
    """
    for one in tried:
        fits = to_table(one.tables["fits"], KINDS["fits"]).to_pandas()
        converged = fits["status"].isin(CONVERGED)
        counts = {
            "converged": converged,
            "nonsingular": converged & (fits["singular"] == False),  # noqa: E712 - or unknown
        }
        for policy in (name for name in plan.policies if name in counts):
            of_fits = counts[policy].groupby([fits["model"], fits["method"]], observed=True)
            for (model, method), some in of_fits.any().items():
                if not some:
                    yield policy, one.scenario.key, str(model), str(method), one.n


def worst(measures: pd.DataFrame, target: Target) -> Expected | None:
    """Return which row of a target has the largest MCSE, None where the pilot has none.

    Parameters
    ----------
    measures : DataFrame
        From `measures_of_pilot`.
    target : Target
    """
    columns = {name: measures[name].to_numpy() for name in ("measure", "term", "estimate")}
    its = measures[rows_of_target(target, columns) & np.isfinite(measures[PER_REPLICATE])]
    if its.empty:
        return None
    row = its.loc[its[PER_REPLICATE].idxmax()]
    place = {name: str(row[name]) for name in ("scenario", "model", "method", "term", "inference")}
    return Expected(place, float(row[PER_REPLICATE]))


def expected_standing(plan: Plan, measures: pd.DataFrame) -> tuple[Standing, int]:
    """Return how many replicates each scenario may come to, and in how many rounds all do.

    A scenario that was not tried is taken for the one that was whose data sets cost most nearly as
    much.

    Parameters
    ----------
    plan : Plan
        Of a study that asks for a precision.
    measures : DataFrame
        From `measures_of_pilot`.
    """
    if plan.precision is None:
        raise ValueError("a study with a fixed number of replicates")
    precision = plan.precision
    known = {
        str(key): max(_takes(rows, precision.targets), default=0.0)
        for key, rows in measures.groupby("scenario")
    }
    cost = {s.key: replicate_cost(s, plan.models).compute_seconds for s in plan.scenarios}
    near = {
        key: min(known, key=lambda tried: abs(np.log(cost[tried] / seconds)))
        for key, seconds in cost.items()
    }
    steps = {key: rounds_to(precision, known[tried]) for key, tried in near.items()}
    numbers = {key: last for key, (last, _) in steps.items()}
    return Standing(numbers), max(rounds for _, rounds in steps.values())


def _takes(measures: pd.DataFrame, wanted: Iterable[Target]) -> Iterable[float]:
    return [
        found.replicates(target.mcse)
        for target in wanted
        if (found := worst(measures, target)) is not None
    ]


def rounds_to(precision: Precision, takes: float) -> tuple[int, int]:
    """Return how many replicates a scenario ends with if it takes so many, and after which round.

    Examples
    --------
    >>> from hlm.precision import Precision, Target
    >>> rule = Precision((Target("bias", None, 0.01),), at_least=100, at_most=2000)
    >>> rounds_to(rule, 650.0), rounds_to(rule, 50.0), rounds_to(rule, 1e9)
    ((700, 4), (100, 1), (2000, 6))
    """
    n, rounds = precision.at_least, 1
    while (following := precision.next_number(n, sqrt(takes / n))) > n:
        n, rounds = following, rounds + 1
    return n, rounds
