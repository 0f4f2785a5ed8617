"""A scenario's data sets: drawn, and reduced to what every model needs of them."""

from hlm.simulate.columns import Basis, ModelColumns, basis_of, model_columns_of
from hlm.simulate.crossproducts import CrossProducts, draw_rows, simulate
from hlm.simulate.draws import Draws, draw

__all__ = [
    "Basis",
    "CrossProducts",
    "Draws",
    "ModelColumns",
    "basis_of",
    "draw",
    "draw_rows",
    "model_columns_of",
    "simulate",
]
