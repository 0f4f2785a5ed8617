"""The summary of a fit, laid out as lme4's, with lmerTest's columns for df and p.

A REML fit also shows the line AIC, BIC, logLik, deviance, REMLdev that lme4 printed until 2013.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.kernels.elements import free_elements
from hlm.model.rformat import (
    abbreviate,
    align,
    format_coefficients,
    format_numbers,
    format_p_values,
)
from hlm.model.undetermined import open_terms
from hlm.words.fitting import REASONS
from hlm.words.inferences import INFERENCES

if TYPE_CHECKING:
    from hlm.model.result import LmerFit

__all__ = ["summary"]

DIGITS = 4
MOST_CORRELATIONS = 12
"""With more coefficients than this their correlations are not shown, as in lme4."""

_STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"), (0.1, "."))
_LEGEND = "Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1"


def summary(fit: LmerFit, df_method: str | None) -> str:
    """Return the text of `LmerFit.summary`."""
    method = "REML" if fit.reml else "maximum likelihood"
    tests = f". t-tests use {INFERENCES[df_method].tests}" if df_method else ""
    head = [
        f"Linear mixed model fit by {method}{tests}",
        f"Formula: {fit.frame.formula.text}",
        "",
    ]
    if not np.isfinite(fit.criterion):
        return "\n".join([*head, f"No estimates ({fit.status}): {REASONS[fit.status]}.", ""])
    return "\n".join(
        [
            *head,
            *_criteria(fit),
            "",
            *_residuals(fit),
            "",
            *_random_effects(fit),
            "",
            "Fixed effects:",
            *_fixed_effects(fit, df_method),
            *_correlations(fit),
            *_remarks(fit),
            "",
        ]
    )


def _criteria(fit: LmerFit) -> list[str]:
    """AIC, BIC, ...: of a REML fit as lme4 once printed them, then as it prints them now."""
    if fit.reml:
        names = ["AIC", "BIC", "logLik", "deviance", "REMLdev"]
        values = [fit.aic, fit.bic, fit.loglik, fit.deviance, fit.criterion]
        cells = [
            [name, *format_numbers([v], DIGITS)] for name, v in zip(names, values, strict=True)
        ]
        lines = [" " + line for line in align(cells)]
        return [*lines, "", f"REML criterion at convergence: {fit.criterion:.1f}"]
    names = ["AIC", "BIC", "logLik", "deviance", "df.resid"]
    texts = [f"{v:.1f}" for v in (fit.aic, fit.bic, fit.loglik, fit.deviance)]
    texts.append(str(fit.nobs - fit.npar))
    return align([[name, text] for name, text in zip(names, texts, strict=True)], equal=True)


def _residuals(fit: LmerFit) -> list[str]:
    """Quartiles of the residuals in units of sigma."""
    scaled = fit.residuals() * np.sqrt(fit.frame.weights) / fit.sigma
    decimals = max(0, round(DIGITS + 1 - float(np.log10(np.abs(scaled).max()))))
    quartiles = [round(float(v), decimals) for v in np.quantile(scaled, [0, 0.25, 0.5, 0.75, 1])]
    names = ["Min", "1Q", "Median", "3Q", "Max"]
    texts = format_numbers(quartiles, DIGITS)
    cells = [[name, text] for name, text in zip(names, texts, strict=True)]
    return ["Scaled residuals:", *align(cells, equal=True)]


def _random_effects(fit: LmerFit) -> list[str]:
    """Variances, sds and correlations of each block, then the residual."""
    group, psi, start = fit.frame.formula.random[0].group, _determined_psi(fit), 0
    groups, names, variances, correlations = ["Groups"], ["Name"], [], []
    for number, block_names in enumerate(fit.frame.random_names):
        stop = start + len(block_names)
        block = psi[start:stop, start:stop]
        groups += [group + (f".{number}" if number else ""), *[""] * (len(block_names) - 1)]
        names += block_names
        variances += np.diag(block).tolist()
        correlations += _correlation_texts(block)
        start = stop
    variances.append(fit.sigma**2)
    headers = ["Corr", *[""] * max(fit.frame.blocks)][: max(fit.frame.blocks) - 1]
    cells = [
        [*groups, "Residual"],
        [*names, ""],
        ["Variance", *format_numbers(variances, DIGITS)],
        ["Std.Dev.", *format_numbers(np.sqrt(variances).tolist(), DIGITS)],
        *_triangle([*correlations, []], headers),
    ]
    lines = [" " + line for line in align(cells, left=len(cells))]
    counts = f"Number of obs: {fit.nobs}, groups:  {group}, {fit.n_groups}"
    return ["Random effects:", *lines, counts]


def _determined_psi(fit: LmerFit) -> np.ndarray:
    """Return Psi with NaN where the data do not determine a variance or correlation."""
    psi = fit.psi
    if fit.status == "partly_identified":
        row, col = free_elements(fit.frame.blocks)
        is_open = open_terms(fit)[:-1]
        psi[row[is_open], col[is_open]] = np.nan
        psi[col[is_open], row[is_open]] = np.nan
    return psi


def _correlation_texts(covariance: np.ndarray) -> list[list[str]]:
    """Lower triangle of the correlations, row by row, all of one width."""
    sd = np.sqrt(np.diag(covariance))
    scale = np.outer(sd, sd)
    correlation = np.where(scale > 0.0, covariance / np.where(scale > 0.0, scale, 1.0), np.nan)
    rows = [
        [f"{r:z.3f}" if r == r else "NaN" for r in row[:a]] for a, row in enumerate(correlation)
    ]
    width = max((len(text) for row in rows for text in row), default=0)
    return [[text.rjust(width) for text in row] for row in rows]


def _triangle(rows: list[list[str]], names: list[str]) -> list[list[str]]:
    """Turn rows of unequal length into columns under their names."""
    return [
        [name, *(row[k] if k < len(row) else "" for row in rows)] for k, name in enumerate(names)
    ]


def _fixed_effects(fit: LmerFit, df_method: str | None) -> list[str]:
    """Coefficients as R's ``printCoefmat`` prints them."""
    se = fit.se if df_method is None else fit.tidy(df_method)["se"].to_numpy()[: len(fit.beta)]
    columns = {"Estimate": fit.beta, "Std. Error": se}
    if df_method:
        columns["df"] = fit.df(df_method)
    texts = iter(format_coefficients(np.concatenate(list(columns.values())).tolist(), DIGITS))
    cells = [["", *fit.coef_names]]
    cells += [[name, *(next(texts) for _ in column)] for name, column in columns.items()]
    statistic = [round(t, DIGITS - 1) for t in (fit.beta / se).tolist()]
    cells.append(["t value", *format_numbers(statistic, DIGITS)])
    if not df_method:
        return align(cells, left=1)
    p_values = fit.tidy(df_method)["p_value"].tolist()[: len(fit.beta)]
    cells.append(["Pr(>|t|)", *format_p_values(p_values, DIGITS - 1)])
    stars = ["", *map(_stars, p_values)]
    lines = [
        f"{line} {star}".rstrip() for line, star in zip(align(cells, left=1), stars, strict=True)
    ]
    return lines + (["---", _LEGEND] if any(stars) else [])


def _stars(p: float) -> str:
    return next((stars for bound, stars in _STARS if p < bound), "")


def _correlations(fit: LmerFit) -> list[str]:
    """Lower triangle of the correlations of the fixed effects, names abbreviated as R does."""
    p = len(fit.beta)
    if not 1 < p <= MOST_CORRELATIONS:
        return []
    rows = _correlation_texts(fit.vcov)[1:]
    cells = _triangle(rows, abbreviate(fit.coef_names, 6)[:-1])
    labels = ["", *abbreviate(fit.coef_names, 11)[1:]]
    return ["", "Correlation of Fixed Effects:", *align([labels, *cells], left=p)]


def _remarks(fit: LmerFit) -> list[str]:
    """List what the reader should know about the fit."""
    remarks = []
    if fit.frame.dropped:
        names = ", ".join(fit.frame.dropped)
        remarks.append(f"fixed-effect model matrix is rank deficient, so dropped: {names}")
    missing = int((~fit.frame.kept).sum())
    if missing:
        rows = "row with a missing value" if missing == 1 else "rows with missing values"
        remarks.append(f"{missing} {rows} left out")
    if fit.singular:
        remarks.append("boundary (singular) fit: a variance is zero or a correlation is 1 or -1")
    if fit.status != "ok":
        names = " ".join(["", ", ".join(fit.undetermined)]).rstrip()
        unknown = [name for name, se in zip(fit.coef_names, fit.se, strict=True) if np.isnan(se)]
        if names and unknown:
            names += f", nor the standard errors of {', '.join(unknown)}"
        remarks.append(f"{fit.status}: {REASONS[fit.status]}{names}")
    return ["", *remarks] if remarks else []
