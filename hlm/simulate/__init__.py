"""A scenario's data sets: drawn, and reduced to what every model needs of them."""

from hlm.simulate.columns import Basis, basis_of, model_columns_of
from hlm.simulate.crossproducts import Drawn, simulate
from hlm.simulate.draws import Draws, draw
from hlm.simulate.ragged import draw_by_row, draw_rows

__all__ = [
    "Basis",
    "Drawn",
    "Draws",
    "basis_of",
    "draw",
    "draw_by_row",
    "draw_rows",
    "model_columns_of",
    "simulate",
]
