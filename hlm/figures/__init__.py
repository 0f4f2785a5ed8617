"""Figures for papers and reports, from data frames to matplotlib figures and files.

Which figures a study has is in `hlm.plan.report`, which loads no plotting library.
"""

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
