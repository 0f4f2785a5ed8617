"""What violated assumptions change: power, size and coverage, each against the nominal scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.estimands.kinds import PARTS
from hlm.report.finding import (
    BAND,
    Finding,
    Places,
    by_chance,
    greatest,
    in_percent,
    of_all,
    rejections,
)
from hlm.results.grid_columns import factors
from hlm.results.violated import POWER, SIZE, rejections_beside_nominal
from hlm.words.assumptions import ASSUMPTIONS
from hlm.words.levels import MINUS
from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["violation_findings"]


def violation_findings(measures: pd.DataFrame, differences: pd.DataFrame) -> Iterator[Finding]:
    """Yield a finding on size, power and coverage under violated assumptions.

    Parameters
    ----------
    measures, differences : DataFrame
        A study's, with the words of their terms, of all scenarios and one policy.
    """
    own = differences[differences["factor"] == ASSUMPTIONS]
    if own.empty:
        return
    moved: list[tuple[str, pd.DataFrame]] = []
    rejected = rejections(own)
    if len(rejected):
        rates = rejections_beside_nominal(measures, rejected)
        moved += [(name, rates[rates["rate"] == name]) for name in (SIZE, POWER)]
    covered = own[(own["measure"] == "coverage") & own["kind"].isin(PARTS["fixed"])]
    moved.append(("coverage", covered.rename(columns={"difference": "estimate"})))
    grid = [one for one in factors(own) if one != ASSUMPTIONS]
    parts: list[str] = []
    details: list[str] = []
    for name, rows in moved:
        known = rows[rows["estimate"].notna()].reset_index(drop=True)
        if known.empty:
            continue
        far = known["estimate"].abs() > BAND * known["mcse"]
        k, n = int(far.sum()), len(known)
        parts.append(
            f"{of_all(n, k)} {noun(n, 'difference')} of {name} {noun(k, 'is', 'are')} further "
            f"than {BAND} MCSEs from 0; by chance alone {by_chance(n)} would be."
        )
        details += _by_violation(name, known, grid)
    if parts:
        yield Finding(
            "Violated assumptions", " ".join(parts), tuple(details), figures=("robustness",)
        )


def _by_violation(name: str, rows: pd.DataFrame, grid: list[str]) -> Iterator[str]:
    """Yield for each violation where it moves a rate most, in units of its error."""
    places = Places.of(rows, grid)
    for violation, own in rows.groupby(ASSUMPTIONS, sort=False):
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = (own["estimate"] / own["mcse"]).abs().fillna(0.0)
        row = greatest(own, errors)
        beside = ""
        if "estimate_violated" in row:
            ends = (in_percent(row[f"estimate_{end}"]) for end in ("nominal", "violated"))
            beside = f", from {' to '.join(ends)}"
        yield (
            f"{name.capitalize()}, {violation}: most by {_points(row)}{beside} "
            f"({places.words(row)})."
        )


def _points(row: pd.Series) -> str:
    """Write a difference of shares in percentage points, with its sign and its error."""
    text = f"{100.0 * row['estimate']:+.1f}".replace("-", MINUS)
    return f"{text} percentage points (MCSE {100.0 * row['mcse']:.2g})"
