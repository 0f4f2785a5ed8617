"""Tables for papers: a study's measures and selection rates side by side, as CSV and LaTeX.

The CSV has a column of numbers for each measure and one for its Monte Carlo standard error; the
LaTeX (booktabs, longtable) has the one followed by the other in brackets.

Names of tables come without pandas; whatever makes them is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hlm.tables.catalogue import TITLES, names

if TYPE_CHECKING:
    from hlm.tables.files import write, write_all
    from hlm.tables.latex import to_latex
    from hlm.tables.wide import selection_table, wide_table

__all__ = ["TITLES", "names", "selection_table", "to_latex", "wide_table", "write", "write_all"]

_HOMES = {
    "selection_table": "wide",
    "to_latex": "latex",
    "wide_table": "wide",
    "write": "files",
    "write_all": "files",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hlm.tables' has no attribute '{name}'")
    value = getattr(import_module(f"hlm.tables.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
