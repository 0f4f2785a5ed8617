"""All that readers look at: figures, tables, the explorer, and the report with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.processes import beside

if TYPE_CHECKING:
    from hlm.plan import Plan

__all__ = ["present"]


def present(plan: Plan, folder: str | Path, *, processes: int = 1, audited: bool = False) -> Path:
    """Draw and write what readers look at into a study's folder of results.

    Tables and the explorer are written while the libraries of the rest are loaded.

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
    folder = Path(folder)
    with beside(lambda: _write(plan, folder), processes):
        from hlm.figures.gallery import draw_all
        from hlm.report.report_page import write_report

        draw_all(plan, folder, processes=processes)
    return write_report(plan, folder, audited=audited)


def _write(plan: Plan, folder: Path) -> None:
    from hlm.explorer.explorer_page import write_explorer
    from hlm.tables.writing import write_all, write_pages

    write_all(plan, folder)
    write_pages(plan, folder)
    write_explorer(plan, folder)
