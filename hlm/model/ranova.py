"""`ranova`: likelihood ratio tests of the terms of the random part, as lmerTest's `ranova`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.fits.least_squares import least_squares_criteria
from hlm.fits.ratio_tests import excess
from hlm.formula.model_matrix import full_dummies
from hlm.kernels.limits import chi_square_p
from hlm.model.lmer import fit_frame
from hlm.model.rformat import align, format_numbers, format_p_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from hlm.formula import RandomTerm, Term
    from hlm.model.frame import Frame
    from hlm.model.result import LmerFit

__all__ = ["Ranova", "ranova"]

DIGITS = 5


@dataclass(frozen=True, eq=False)
class Ranova:
    """Likelihood ratio tests of a fit's random terms, each by the fit without it.

    Attributes
    ----------
    table : pandas.DataFrame
        npar, logLik, AIC, LRT, Df, p_value by chi-square, and p_boundary by the mixture where one
        random effect leaves; the row '<none>' is the fit, each other row the fit without a term.
    formula : str
    """

    table: pd.DataFrame
    formula: str

    def __str__(self) -> str:
        """Lay the table out as R does."""
        table = self.table
        columns = [["", *table.index], ["npar", *(f"{n}" for n in table["npar"])]]
        columns += [[name, *_cells(table[name].tolist())] for name in ("logLik", "AIC", "LRT")]
        columns.append(["Df", *("" if k != k else f"{k:.0f}" for k in table["Df"])])
        for name, title in (("p_value", "Pr(>Chisq)"), ("p_boundary", "Pr(boundary)")):
            if table[name].notna().any():
                columns.append([title, *_cells(table[name].tolist(), p=True)])
        head = ["ANOVA-like table for random-effects: Single term deletions", "", "Model:"]
        return "\n".join([*head, self.formula, *align(columns, left=1)])


class _Deletion(NamedTuple):
    """A term that leaves the random part: which columns of Z stay, and the blocks of the rest."""

    label: str
    keep: np.ndarray
    blocks: tuple[RandomTerm, ...]
    names: tuple[tuple[str, ...], ...]


def ranova(fit: LmerFit) -> Ranova:
    """Return the table of `LmerFit.ranova`."""
    import pandas as pd

    q, n_theta = fit.frame.Z.shape[1], len(fit.theta)
    rows = [("<none>", fit.npar, fit.criterion, np.nan, np.nan, 0)]
    for deletion in _deletions(fit.frame):
        sizes = [len(names) for names in deletion.names]
        less = n_theta - sum(size * (size + 1) // 2 for size in sizes)
        criterion = _criterion(fit, deletion)
        statistic = float(excess(np.array(criterion), np.array(fit.criterion)))
        rows.append(
            (deletion.label, fit.npar - less, criterion, statistic, less, q - sum(sizes)),
        )
    labels, npar, criteria, statistics, df, lost = map(np.array, zip(*rows, strict=True))
    mixture = chi_square_p(statistics, df, boundary=True)
    table = pd.DataFrame(
        {
            "npar": npar,
            "logLik": -0.5 * criteria,
            "AIC": criteria + 2.0 * npar,
            "LRT": statistics,
            "Df": df,
            "p_value": chi_square_p(statistics, df, boundary=False),
            "p_boundary": np.where(lost == 1, mixture, np.nan),
        },
        index=labels,
    )
    return Ranova(table, fit.formula)


def _deletions(frame: Frame) -> Iterator[_Deletion]:
    """Yield the terms that may leave: of an intercept with slopes each slope, else the block."""
    blocks, names, first = frame.formula.random, frame.random_names, 0
    for k, block in enumerate(blocks):
        widths = _widths(block.terms, frame.levels)
        starts = np.cumsum([0, *widths])
        for j, term in enumerate(block.terms):
            alone = len(block.terms) == 1
            if not (term.factors or alone):
                continue
            stays = np.ones(len(names[k]), dtype=bool)
            stays[starts[j] : starts[j + 1]] = False
            keep = np.ones(frame.Z.shape[1], dtype=bool)
            keep[first : first + len(stays)] = stays
            terms = tuple(other for other in block.terms if other is not term)
            left = [replace(block, terms=terms)] if terms else []
            left_names = [tuple(np.array(names[k], dtype=object)[stays])] if terms else []
            yield _Deletion(
                _label(term, block),
                keep,
                (*blocks[:k], *left, *blocks[k + 1 :]),
                (*names[:k], *left_names, *names[k + 1 :]),
            )
        first += len(names[k])


def _widths(terms: Sequence[Term], levels: Mapping[str, Sequence[str]]) -> list[int]:
    """Return how many columns each term of a block has, as `model_columns` makes them."""
    return [
        prod(
            len(levels[factor.name]) - (factor not in full) if factor.name in levels else 1
            for factor in term.factors
        )
        for term, full in zip(terms, full_dummies(terms, levels), strict=True)
    ]


def _label(term: Term, block: RandomTerm) -> str:
    """Name a term as lmerTest does.

    Examples
    --------
    >>> from hlm.formula import parse
    >>> (block,) = parse("y ~ 1 + (x | g)").random
    >>> _label(block.terms[1], block)
    'x in (1 + x | g)'
    """
    names = [other.name for other in block.terms if other.factors]
    start = "0" if len(names) == len(block.terms) else "1"
    text = f"({' + '.join([start, *names])} | {block.group})"
    return f"{term.name} in {text}" if term.factors else text


def _criterion(fit: LmerFit, deletion: _Deletion) -> float:
    """Return the criterion of the fit without a term, by the fit's method."""
    frame = fit.frame
    if deletion.blocks:
        smaller = replace(
            frame,
            formula=replace(frame.formula, random=deletion.blocks),
            Z=frame.Z[:, deletion.keep],
            random_names=deletion.names,
        )
        return fit_frame(smaller, reml=fit.reml).criterion
    moments, method = fit.engine.moments, "reml" if fit.reml else "ml"
    found = least_squares_criteria(moments.places, moments.cross, [method])
    return float(found[0, 0] - np.log(frame.weights).sum())


def _cells(values: Sequence[float], *, p: bool = False) -> list[str]:
    known = [value for value in values if value == value]
    texts = iter(format_p_values(known, DIGITS - 1) if p else format_numbers(known, DIGITS))
    return [next(texts).strip() if value == value else "" for value in values]
