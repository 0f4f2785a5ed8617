r"""Formulas as the catalogue of measures writes them -> LaTeX.

``mean(b) - t``, ``share of L <= t <= U``: names of functions, letters, arithmetic, and words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hlm.tables.latex import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["formula_tex"]

_FUNCTIONS = ("mean", "median", "sd", "var", "cor", "abs")
_NAMES = {
    "mse": r"\mathrm{MSE}",
    "rmse": r"\mathrm{RMSE}",
    "model_se": r"\mathrm{ModSE}",
    "winsorized_rmse": r"\mathrm{RMSE}^{\prime}",
    "prediction_mse": r"\mathrm{MSE}",
    "prediction_rmse": r"\mathrm{RMSE}",
    "prediction_ratio": "R",
    "reference": "a",
    "b_i": "b_i",
    "t_i": "t_i",
    "alpha": r"\alpha",
}
_SIGNS = {"<=": r" \le ", "<": " < ", ">": " > "}
_CLIPPED = re.compile(r"\bb, clipped,?")
_TOKEN = re.compile(r"b'|<=|\d+(?:\.\d+)?|[A-Za-z_][\w'-]*|\s+|.")


def formula_tex(formula: str) -> str:
    r"""Write a formula of the catalogue as LaTeX.

    Parameters
    ----------
    formula : str
        Of `MEASURES`, `OF_PREDICTIONS` or `MCSE_FORMULAS`.

    Examples
    --------
    >>> print(formula_tex("mean(b) - t"))
    \operatorname{mean}(b) - t
    >>> print(formula_tex("sqrt(p (1 - p)/n)"))
    \sqrt{p (1 - p)/n}
    >>> print(formula_tex("share of L <= t <= U"))
    \text{share of }L \le t \le U
    """
    tokens = _TOKEN.findall(_CLIPPED.sub("b'", formula))
    return re.sub(r"\s+", " ", "".join(_written(tokens))).strip()


def _written(tokens: list[str]) -> Iterator[str]:
    """Yield the tokens as LaTeX; words that stand side by side are one text."""
    words: list[str] = []
    roots: list[int] = []
    depth, at = 0, 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        before = token == " " and at < len(tokens) and _is_word(tokens[at])
        if _is_word(token) or before or (words and token in (" ", ",")):
            words.append(token)
            continue
        if words:
            yield _text(words)
            words = []
        if token == "sqrt":
            roots.append(depth)
            depth, at = depth + 1, at + 1
            yield r"\sqrt{"
            continue
        depth += (token == "(") - (token == ")")
        if token == ")" and roots and roots[-1] == depth:
            roots.pop()
            yield "}"
        else:
            yield _sign(token)
    if words:
        yield _text(words)


def _is_word(token: str) -> bool:
    known = (*_FUNCTIONS, *_NAMES, "sqrt")
    return len(token) > 1 and token[0].isalpha() and token not in known and token != "b'"


def _text(words: list[str]) -> str:
    return f"\\text{{{escape(''.join(words))}}}"


def _sign(token: str) -> str:
    if token in _FUNCTIONS:
        return f"\\operatorname{{{token}}}"
    if token == "[":
        return "_{("
    if token == "]":
        return ")}"
    return _NAMES.get(token) or _SIGNS.get(token) or (r"b^{\prime}" if token == "b'" else token)
