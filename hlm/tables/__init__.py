"""Tables for papers: a study's measures and selection rates side by side, as CSV, LaTeX, HTML.

The CSV has for each measure a column of numbers, one of their Monte Carlo standard errors and one
of the replicates that they rest on; the LaTeX (booktabs, longtable) and the HTML have the error in
brackets, and the replicates in square ones where these are not all.

Names of tables come without pandas; whatever makes them is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hlm.tables.catalogue import TITLES, names

if TYPE_CHECKING:
    from hlm.tables.files import write, write_all, write_pages
    from hlm.tables.latex import to_latex
    from hlm.tables.page import study_page, table_page
    from hlm.tables.wide import MEASURES, scenario_table, selection_table, wide_table

__all__ = [
    "MEASURES",
    "TITLES",
    "names",
    "scenario_table",
    "selection_table",
    "study_page",
    "table_page",
    "to_latex",
    "wide_table",
    "write",
    "write_all",
    "write_pages",
]

_HOMES = {
    "MEASURES": "wide",
    "scenario_table": "wide",
    "selection_table": "wide",
    "study_page": "page",
    "table_page": "page",
    "to_latex": "latex",
    "wide_table": "wide",
    "write": "files",
    "write_all": "files",
    "write_pages": "files",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hlm.tables' has no attribute '{name}'")
    value = getattr(import_module(f"hlm.tables.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
