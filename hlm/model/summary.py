"""The summary of a fit, laid out as lme4's, with lmerTest's columns for df and p."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hlm.model.rformat import abbreviate, decimals_for, format_numbers, format_p_value

if TYPE_CHECKING:
    from hlm.model.lmer import DfMethod, LmerFit

__all__ = ["summary"]

DIGITS = 4
_STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"), (0.1, "."))
_LEGEND = "Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1"
_METHODS = {
    "satterthwaite": "Satterthwaite's method",
    "residual": "residual degrees of freedom",
    "infinite": "the normal distribution",
}


def summary(fit: LmerFit, df_method: DfMethod | None) -> str:
    """Return the text of `LmerFit.summary`."""
    method = "REML" if fit.reml else "maximum likelihood"
    tests = f". t-tests use {_METHODS[df_method]}" if df_method else ""
    head = [
        f"Linear mixed model fit by {method}{tests}",
        f"Formula: {fit.frame.formula.text}",
        "",
    ]
    if not np.isfinite(fit.criterion):
        return "\n".join([*head, f"No estimates: {_REASONS[fit.status]}", ""])
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


_REASONS = {
    "unidentified": "the fixed effects cannot be told apart, or leave no residual.",
    "perfect_fit": "the model fits the response exactly; the residual variance is zero.",
    "constant_response": "the response is constant.",
    "not_finite": "the data are not finite.",
    "not_converged": "the search did not end at a minimum.",
}


def _criteria(fit: LmerFit) -> list[str]:
    """AIC, BIC, ..., and the REML criterion or the residual df."""
    last = ("REMLcrit", fit.criterion) if fit.reml else ("df.resid", fit.nobs - fit.npar)
    names = ["AIC", "BIC", "logLik", "deviance", last[0]]
    values = [f"{v:.1f}" for v in (fit.aic, fit.bic, fit.loglik, fit.deviance)]
    values.append(f"{last[1]:.1f}" if fit.reml else f"{last[1]:d}")
    return _columns([[name, value] for name, value in zip(names, values, strict=True)])


def _residuals(fit: LmerFit) -> list[str]:
    """Quartiles of the residuals in units of sigma."""
    scaled = fit.residuals() * np.sqrt(fit.frame.weights) / fit.sigma
    decimals = max(0, DIGITS + 1 - int(np.ceil(np.log10(np.abs(scaled).max()))))
    values = [f"{v:.{decimals}f}" for v in np.quantile(scaled, [0, 0.25, 0.5, 0.75, 1])]
    names = ["Min", "1Q", "Median", "3Q", "Max"]
    pairs = [[name, value] for name, value in zip(names, values, strict=True)]
    return ["Scaled residuals:", *_columns(pairs)]


def _random_effects(fit: LmerFit) -> list[str]:
    """Variances, sds and correlations of each block, then the residual."""
    group, psi, start = fit.frame.formula.random[0].group, fit.psi, 0
    rows, variances, correlations = [], [], []
    for number, names in enumerate(fit.frame.random_names):
        block = psi[start : start + len(names), start : start + len(names)]
        sd = np.sqrt(np.diag(block))
        for a, name in enumerate(names):
            label = group + (f".{number}" if number else "") if a == 0 else ""
            rows.append((label, name))
            variances.append(block[a, a])
            correlations.append([_correlation(block, sd, a, b) for b in range(a)])
        start += len(names)
    rows.append(("Residual", ""))
    variances.append(fit.sigma**2)
    correlations.append([])
    width = max(map(len, correlations))
    cells = [
        ["Groups", *[row[0] for row in rows]],
        ["Name", *[row[1] for row in rows]],
        ["Variance", *format_numbers(variances)],
        ["Std.Dev.", *format_numbers(list(np.sqrt(variances)))],
        *(
            ["Corr" if k == 0 else "", *[c[k] if k < len(c) else "" for c in correlations]]
            for k in range(width)
        ),
    ]
    lines = [" " + line for line in _columns(cells, left=2)]
    counts = f"Number of obs: {fit.nobs}, groups:  {group}, {fit.n_groups}"
    return ["Random effects:", *lines, counts]


def _correlation(block: np.ndarray, sd: np.ndarray, a: int, b: int) -> str:
    product = sd[a] * sd[b]
    return f"{block[a, b] / product:.3f}" if product > 0.0 else "NaN"


def _fixed_effects(fit: LmerFit, df_method: DfMethod | None) -> list[str]:
    """Coefficients as R's ``printCoefmat`` prints them."""
    table = fit.tidy(df_method=df_method or "satterthwaite").head(len(fit.beta))
    decimals = decimals_for([*fit.beta, *fit.se], DIGITS)
    cells = [
        ["", *fit.coef_names],
        ["Estimate", *(f"{value:.{decimals}f}" for value in fit.beta)],
        ["Std. Error", *(f"{value:.{decimals}f}" for value in fit.se)],
        ["t value", *(f"{value:.3f}" for value in table["statistic"])],
    ]
    if not df_method:
        return _columns(cells, left=1)
    finite = np.isfinite(table["df"]).all()
    cells.insert(3, ["df", *(f"{value:.{decimals if finite else 0}f}" for value in table["df"])])
    cells.append(["Pr(>|t|)", *(format_p_value(p) for p in table["p_value"])])
    stars = [_stars(p) for p in table["p_value"]]
    lines = _columns(cells, left=1)
    lines = [lines[0], *(f"{line} {star}" for line, star in zip(lines[1:], stars, strict=True))]
    return [line.rstrip() for line in lines] + (["---", _LEGEND] if any(stars) else [])


def _stars(p: float) -> str:
    return next((stars for bound, stars in _STARS if p < bound), "")


def _correlations(fit: LmerFit) -> list[str]:
    """Lower triangle of the correlations of the fixed effects, names abbreviated as R does."""
    p = len(fit.beta)
    if p < 2:
        return []
    correlation = fit.vcov / np.outer(fit.se, fit.se)
    cells = [["", *(abbreviate(name, 11) for name in fit.coef_names[1:])]]
    for b in range(p - 1):
        column = [f"{correlation[a, b]:z.3f}" if a > b else "" for a in range(1, p)]
        cells.append([abbreviate(fit.coef_names[b], 6), *column])
    return ["", "Correlation of Fixed Effects:", *_columns(cells, left=len(cells))]


def _remarks(fit: LmerFit) -> list[str]:
    """List what the reader should know about the fit."""
    remarks = []
    if fit.frame.dropped:
        remarks.append(
            "fixed-effect model matrix is rank deficient, dropped: " + ", ".join(fit.frame.dropped)
        )
    missing = int((~fit.frame.kept).sum())
    if missing:
        remarks.append(f"{missing} rows with missing values left out")
    if fit.singular:
        remarks.append("boundary (singular) fit: a variance is zero or a correlation is 1 or -1")
    if fit.status != "ok":
        remarks.append(f"{fit.status}: {_REASONS[fit.status]}")
    return ["", *remarks] if remarks else []


def _columns(cells: list[list[str]], left: int = 0) -> list[str]:
    """Align columns of text; the first `left` to the left."""
    widths = [max(map(len, column)) for column in cells]
    aligned = [
        [text.ljust(width) if k < left else text.rjust(width) for text in column]
        for k, (column, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return [" ".join(line).rstrip() for line in zip(*aligned, strict=True)]
