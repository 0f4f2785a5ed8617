"""All that readers look at: figures, tables, the explorer, and the report with them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hlm.explorer.explorer_page import write_explorer
from hlm.figures.gallery import drawing
from hlm.report.report_page import write_report
from hlm.side_by_side import side_by_side
from hlm.tables.writing import write_all, write_pages

if TYPE_CHECKING:
    from pathlib import Path

    from hlm.plan import Plan

__all__ = ["present"]


def present(plan: Plan, folder: str | Path, *, processes: int = 1, audited: bool = False) -> Path:
    """Draw and write what readers look at into a study's folder of results.

    Parameters
    ----------
    plan : Plan
    folder : path
        The study's folder of results, with its summaries and the estimates.
    processes : int
        So many draw and write at once.
    audited : bool
        Whether a sample was fitted by another program.

    Returns
    -------
    Path
        The report.
    """
    writing = [partial(one, plan, folder) for one in (write_all, write_pages, write_explorer)]
    side_by_side([*writing, *drawing(plan, folder)], processes)
    return write_report(plan, folder, audited=audited)
