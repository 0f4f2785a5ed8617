"""Rates of rejection under violated assumptions, each beside the nominal one, for both to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.errors import InputError
from hlm.estimands.kinds import PARTS
from hlm.results.grid_columns import factors
from hlm.results.shown import of_first_policy, read_results, with_inference, with_words
from hlm.words.assumptions import ASSUMPTIONS, NOMINAL

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from hlm.results.shown import Planned

__all__ = ["POWER", "RATES", "REJECTION", "SIZE", "read_rejections", "rejections_beside_nominal"]

RATES = POWER, SIZE, REJECTION = "power", "size", "rejection"
"""What a rate of rejection is: where the true value is not 0, where it is, and where there is none,
as of a test whose hypothesis is not true."""

_NUMBERS = ["estimate", "mcse", "n"]


def read_rejections(study: Planned, folder: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read what `rejections_beside_nominal` needs of a study's folder of results."""
    rates = read_results(study, folder, "measures", {"measure": ["rejection", "n_total"]})
    wanted = {"factor": [ASSUMPTIONS], "measure": ["rejection"]}
    return rates, read_results(study, folder, "differences", wanted)


def rejections_beside_nominal(measures: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """Put the rates of rejection of coefficients and tests beside those without violation.

    Parameters
    ----------
    measures : DataFrame
        A study's `measures.parquet`, or its rows of `rejection` and `n_total`.
    differences : DataFrame
        A study's `differences.parquet`, or its rows of `rejection` with the factor `assumptions`.

    Returns
    -------
    DataFrame
        A row for each scenario with a violation, model, method, inference and term: the columns of
        `measures`, of which `estimate`, `mcse` and `n` are those of the difference; `true` without
        violation; `rate`, one of `POWER`, `SIZE` and `REJECTION`; the numbers of the two with
        `_nominal` and `_violated` behind their names; `n_total`, the replicates of both.

    Raises
    ------
    InputError
        If there is no such row.
    """
    kinds = [*PARTS["fixed"], *PARTS["tests"]]
    tables = (with_words(with_inference(of_first_policy(one))) for one in (measures, differences))
    measures, differences = (one[one["kind"].isin(kinds)] for one in tables)
    differences = differences[differences["factor"] == ASSUMPTIONS]
    gaps = differences[differences["measure"] == "rejection"]
    gaps = gaps.rename(columns={"difference": "estimate"})
    if gaps.empty:
        raise InputError("no rate of rejection is there with and without a violation")
    rates = measures[measures["measure"] == "rejection"]
    fit = [*(f for f in factors(measures) if f != ASSUMPTIONS), "model", "method", "kind", "term"]
    there = rates[ASSUMPTIONS] == NOMINAL
    of_all = measures[measures["measure"] == "n_total"].drop_duplicates([*fit, ASSUMPTIONS])
    own = of_all.set_index([*fit, ASSUMPTIONS])["estimate"].rename("n_total")
    nominal = of_all[of_all[ASSUMPTIONS] == NOMINAL].set_index(fit)["estimate"].rename("n_first")
    found = (
        gaps.join(_named(rates[there], [*fit, "inference"], "_nominal"), on=[*fit, "inference"])
        .join(
            _named(rates, [*fit, "inference", ASSUMPTIONS], "_violated").drop(columns="true"),
            on=[*fit, "inference", ASSUMPTIONS],
        )
        .join(own, on=[*fit, ASSUMPTIONS])
        .join(nominal, on=fit)
    )
    total = found[["n_total", "n_first"]].min(axis=1)
    known = np.where(found["true"] == 0, SIZE, POWER)
    rate = np.where(found["true"].isna(), REJECTION, known)
    return found.drop(columns="n_first").assign(n_total=total, rate=rate)


def _named(rates: pd.DataFrame, keys: list[str], end: str) -> pd.DataFrame:
    """Return true values and numbers by keys, these with an end to their names."""
    names = {name: f"{name}{end}" for name in _NUMBERS}
    return rates.set_index(keys)[["true", *_NUMBERS]].rename(columns=names)
