"""How many fits failed, and how many are singular."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.report.finding import Finding, Places, greatest, in_percent
from hlm.words.fitting import OUTCOMES, REASONS
from hlm.words.inferences import joined
from hlm.words.nouns import counted, noun

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["fit_findings"]


def fit_findings(accounting: pd.DataFrame) -> Iterator[Finding]:
    """Yield a finding on what became of the fits.

    Parameters
    ----------
    accounting : DataFrame
        A study's `accounting`.
    """
    converged = accounting[accounting["outcome"] == "converged"]
    n = int(converged["n"].sum())
    if not n:
        return
    failed = n - int(converged["count"].sum())
    singular = accounting[accounting["outcome"] == "singular"]
    total = int(singular["count"].sum())
    said = (
        f"Of {counted(n, 'fit')} {_share(failed, n)} failed, and {_share(total, n)} "
        f"{noun(total, 'is', 'are')} singular (a variance of 0, or a correlation of "
        "\N{MINUS SIGN}1 or 1), which is no failure."
    )
    missed = converged.assign(count=converged["n"] - converged["count"])
    kinds = [
        f"{OUTCOMES[name]} {int(count):,}"
        for name, count in accounting.groupby("outcome", sort=False)["count"].sum().items()
        if count and name in REASONS and name != "partly_identified"
    ]
    details = [
        *([f"How they failed: {joined(kinds)}."] if kinds else []),
        *_most("Most failures", missed),
        *_most("Most singular fits", singular),
    ]
    yield Finding("Fits", said, tuple(details), figures=("failures", "accounting"))


def _share(count: int, n: int) -> str:
    return f"{count:,} ({in_percent(count / n)})" if count else "none"


def _most(words: str, rows: pd.DataFrame) -> Iterator[str]:
    """Yield where the share is largest, if rows differ."""
    shares = rows["count"] / rows["n"]
    where = Places.of(rows).words(greatest(rows, shares), term=False)
    if shares.max() > 0 and where:
        yield f"{words}: {in_percent(shares.max())} ({where})."
