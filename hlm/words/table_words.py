"""What a table calls measures and levels: at the head of a column, below one, by themselves."""

from __future__ import annotations

from typing import Any

from hlm.words.fitting import METHODS
from hlm.words.inferences import inference_words
from hlm.words.levels import level_words, said
from hlm.words.measures import OF_PREDICTIONS, OF_TERMS, RATES
from hlm.words.policies import POLICIES
from hlm.words.predictors import PREDICTORS, predictor_words

__all__ = ["DIMENSIONS", "column_words", "heading_of", "level_in_words", "short_words"]

DIMENSIONS = ("term", "model", "method", "inference", "policy")
"""What tells the numbers of a table apart, beside the factors of the grid."""


def heading_of(measure: str) -> str:
    """Return what the column of a measure is called.

    Examples
    --------
    >>> heading_of("rmse"), heading_of("singular")
    ('RMSE', 'Singular fits')
    """
    known = {**OF_TERMS, **OF_PREDICTIONS}
    return known[measure].heading if measure in known else RATES[measure]


def short_words(name: str, level: Any) -> str:
    """Return the words for a level below a heading that says what it is a level of.

    Examples
    --------
    >>> short_words("method", "reml"), short_words("units", 30), short_words("term", "x")
    ('REML', '30', 'x')
    """
    if name == "method":
        return METHODS.get(level, str(level))
    if name == "inference":
        return predictor_words(level) if level in PREDICTORS else inference_words(level)
    if name == "policy":
        return POLICIES.get(level, str(level))
    return str(level) if name in DIMENSIONS else level_words(level)


def level_in_words(name: str, level: Any) -> str:
    """Return the words for a level that stand by themselves.

    Examples
    --------
    >>> level_in_words("units", 30), level_in_words("method", "ml"), level_in_words("model", "m")
    ('30 units', 'ML', 'model m')
    """
    if name == "model":
        return level if level.startswith("selected ") else f"model {level}"
    return short_words(name, level) if name in DIMENSIONS else said(name, level)


def column_words(name: str, level: Any) -> str:
    """Return the words for a level at the head of a column.

    Examples
    --------
    >>> column_words("units", 30), column_words("model", "m")
    ('30 units', 'm')
    """
    return str(level) if name == "model" else level_in_words(name, level)
