"""The audit of a study's results, written beside them as `audit.csv` and `audit.html`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hlm.audit.choose import choose
from hlm.audit.compare import compare, summarize
from hlm.disk import replacing, write_text
from hlm.operations.kept_replicates import KeptReplicates
from hlm.operations.prepare import check_data_version
from hlm.simulate import draw_rows
from hlm.words.nouns import noun

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hlm.audit.engines import Engine

__all__ = ["run_audit", "words"]

HEADINGS = {
    "engine": "engine",
    "model": "model",
    "method": "method",
    "fits": "fits",
    "same": "same optimum",
    "ours_lower": "ours lower",
    "by_at_most": "by at most",
    "theirs_lower": "theirs lower",
    "by_at_most_": "by at most ",
    "ours_failed": "ours failed",
    "theirs_failed": "theirs failed",
    "singular_differs": "singular by one only",
    "inference": "df by",
    "coef": "coef. (SEs)",
    "se": "SE (share)",
    "df": "df (share)",
    "p": "p (share)",
    "f": "F (share)",
    "f_df": "F's df (share)",
    "f_p": "F's p (share)",
}


def run_audit(
    folder: str | Path,
    engines: Sequence[Engine],
    *,
    n: int,
    seed: int,
    allow_code: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Audit the results of a study; write `audit.csv` and `audit.html` beside them.

    Parameters
    ----------
    folder : path
        The study's.
    engines : sequence of Engine
    n : int
        Data sets.
    seed : int
        Of their choice.
    allow_code : bool
        Whether generators of the study may run.

    Returns
    -------
    table, summary : DataFrame
        As of `compare` and `summarize`.
    """
    results = KeptReplicates(folder, allow_code=allow_code)
    check_data_version(results.plan, results.folder)
    sets = choose(results, n, np.random.default_rng(seed))
    rows = [draw_rows(item.scenario, results.plan.seed, item.replicate) for item in sets]
    tables = [compare(results, sets, rows, engine) for engine in engines]
    table = pd.concat(tables, ignore_index=True)
    summary = summarize(table)
    with replacing(results.folder / "audit.csv") as temporary:
        table.to_csv(temporary, index=False)
    write_text(results.folder / "audit.html", _page(summary, engines, len(sets)))
    return table, summary


def words(summary: pd.DataFrame) -> pd.DataFrame:
    """Return a summary as text under headings a reader understands."""
    return pd.DataFrame(
        {head: [_text(value) for value in summary[name]] for name, head in HEADINGS.items()}
    )


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "-" if np.isnan(value) else "0" if value == 0.0 else f"{value:.1e}"


def _page(summary: pd.DataFrame, engines: Iterable[Engine], n: int) -> str:
    from hlm.tables.page import table_page

    names = " and ".join(f"{engine.name} {engine.version}" for engine in engines)
    return table_page(words(summary), f"{n} {noun(n, 'data set')} fitted again by {names}")
