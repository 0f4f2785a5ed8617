"""Figures for papers and reports, from data frames to matplotlib figures and files.

Names of figures come without a plotting library; whatever draws is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hlm.figures.catalogue import SECTIONS, TITLES, names, section

if TYPE_CHECKING:
    from hlm.figures.departures import shrinkage
    from hlm.figures.files import save, save_as
    from hlm.figures.gallery import (
        draw,
        draw_all,
        shrinkage_of_data,
        shrinkage_of_fit,
    )
    from hlm.figures.lines import least_squares_lines, predicted_lines
    from hlm.figures.measures import failure_rates, measure_against_units, selection_rates
    from hlm.figures.units import unit_lines, units_against_attribute

__all__ = [
    "SECTIONS",
    "TITLES",
    "draw",
    "draw_all",
    "failure_rates",
    "least_squares_lines",
    "measure_against_units",
    "names",
    "predicted_lines",
    "save",
    "save_as",
    "section",
    "selection_rates",
    "shrinkage",
    "shrinkage_of_data",
    "shrinkage_of_fit",
    "unit_lines",
    "units_against_attribute",
]

_HOMES = {
    "draw": "gallery",
    "draw_all": "gallery",
    "failure_rates": "measures",
    "least_squares_lines": "lines",
    "measure_against_units": "measures",
    "predicted_lines": "lines",
    "save": "files",
    "save_as": "files",
    "selection_rates": "measures",
    "shrinkage": "departures",
    "shrinkage_of_data": "gallery",
    "shrinkage_of_fit": "gallery",
    "unit_lines": "units",
    "units_against_attribute": "units",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hlm.figures' has no attribute '{name}'")
    value = getattr(import_module(f"hlm.figures.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
