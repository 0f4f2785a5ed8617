"""The model formula of lme4 and R: text -> syntax tree -> terms -> columns of numbers.

`parse` reads ``y ~ x * a + (1 + x | unit)`` as R's ``terms()`` and lme4 would, `model_columns`
makes the columns that R's ``model.matrix()`` makes, under the same names. Nothing is ever
handed to Python's ``eval``.
"""

from hlm.formula.coding import Levels, coded, formula_in, levels_of
from hlm.formula.expansion import Factor, Term
from hlm.formula.model_matrix import evaluate, factor_levels, model_columns, product_of
from hlm.formula.term_names import terms_in, terms_of
from hlm.formula.terms import Formula, RandomTerm, parse

__all__ = [
    "Factor",
    "Formula",
    "Levels",
    "RandomTerm",
    "Term",
    "coded",
    "evaluate",
    "factor_levels",
    "formula_in",
    "levels_of",
    "model_columns",
    "parse",
    "product_of",
    "terms_in",
    "terms_of",
]
