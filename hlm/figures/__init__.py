"""Figures for papers and reports, from data frames to matplotlib figures and files.

Which figures a study has is in `hlm.plan.report`, which loads no plotting library.
"""

from typing import TYPE_CHECKING

from hlm.lazy_names import lazy_names

if TYPE_CHECKING:
    from hlm.figures.departures import shrinkage
    from hlm.figures.example_figures import shrinkage_of_data, shrinkage_of_fit
    from hlm.figures.example_units import unit_lines, units_against_attribute
    from hlm.figures.gallery import draw, draw_all
    from hlm.figures.lines import least_squares_lines, predicted_lines
    from hlm.figures.measure_figure import measure_against_units
    from hlm.figures.rate_figures import failure_rates, outcome_shares, selection_rates
    from hlm.figures.robustness_figure import robustness
    from hlm.figures.saving import save, save_as

__all__ = [
    "draw",
    "draw_all",
    "failure_rates",
    "least_squares_lines",
    "measure_against_units",
    "outcome_shares",
    "predicted_lines",
    "robustness",
    "save",
    "save_as",
    "selection_rates",
    "shrinkage",
    "shrinkage_of_data",
    "shrinkage_of_fit",
    "unit_lines",
    "units_against_attribute",
]

_HOMES = {
    "shrinkage": "hlm.figures.departures",
    "shrinkage_of_fit": "hlm.figures.example_figures",
    "shrinkage_of_data": "hlm.figures.example_figures",
    "units_against_attribute": "hlm.figures.example_units",
    "unit_lines": "hlm.figures.example_units",
    "draw_all": "hlm.figures.gallery",
    "draw": "hlm.figures.gallery",
    "predicted_lines": "hlm.figures.lines",
    "least_squares_lines": "hlm.figures.lines",
    "measure_against_units": "hlm.figures.measure_figure",
    "outcome_shares": "hlm.figures.rate_figures",
    "selection_rates": "hlm.figures.rate_figures",
    "failure_rates": "hlm.figures.rate_figures",
    "robustness": "hlm.figures.robustness_figure",
    "save_as": "hlm.figures.saving",
    "save": "hlm.figures.saving",
}
__getattr__ = lazy_names(__name__, _HOMES)
