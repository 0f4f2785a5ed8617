"""A scenario's data sets: drawn, and reduced to what every model needs of them."""

from hlm.simulate.columns import Basis, basis_of, model_columns_of
from hlm.simulate.crossproducts import Drawn, simulate
from hlm.simulate.draws import Draws, draw
from hlm.simulate.gathered import Memory
from hlm.simulate.ragged import COUNTED, draw_by_row, draw_rows, rows_left

__all__ = [
    "COUNTED",
    "Basis",
    "Drawn",
    "Draws",
    "Memory",
    "basis_of",
    "draw",
    "draw_by_row",
    "draw_rows",
    "model_columns_of",
    "rows_left",
    "simulate",
]
