"""Fit one model to one data set and print the summary.

hlm fit 'y ~ x * a + (1 + x | unit)' ogorek2012
hlm fit 'score ~ ses + (1 | school)' pupils.csv --ml --level 0.9 --limits profile
hlm fit 'score ~ ses + (1 + ses | school)' pupils.csv --shrinkage lines.png
hlm fit 'score ~ ses + m + (1 | school)' pupils.csv --estimand 'total = ses + m' --estimand icc
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.datasets.table_files import read_table
from hlm.errors import InputError

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from hlm.model import LmerFit

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("formula", metavar="FORMULA", help="lme4's, in quotes")
    parser.add_argument("file", metavar="FILE", help="CSV, Parquet, or a data set of hlm's")
    parser.add_argument("--ml", action="store_true", help="maximum likelihood instead of REML")
    parser.add_argument(
        "--df",
        metavar="METHOD",
        default="satterthwaite",
        help="satterthwaite, satterthwaite-expected, kenward-roger, cr2, between-within, residual "
        "or infinite (default: %(default)s)",
    )
    parser.add_argument("--weights", metavar="COLUMN", help="prior weights of the rows")
    parser.add_argument("--level", type=float, metavar="L", help="also print limits at this level")
    parser.add_argument(
        "--limits",
        metavar="METHOD",
        default="wald",
        help="of the random part: wald, wald-variance or profile (default: %(default)s)",
    )
    parser.add_argument(
        "--estimand",
        metavar="WHAT",
        action="append",
        default=[],
        help="also print a kind of estimands, such as icc, or NAME=ARITHMETIC of terms",
    )
    parser.add_argument(
        "--shrinkage",
        metavar="FILE",
        help="also draw predicted against least-squares lines (.png or .pdf)",
    )


def run(options: argparse.Namespace) -> int:
    """Fit, print, draw, return 0: a picture that there is not must not cost the summary."""
    from hlm import lmer
    from hlm.formula import parse

    parse(options.formula)
    if options.shrinkage is not None:
        _check_figures(options.shrinkage)
    data = read_table(options.file)
    try:
        fit = lmer(options.formula, data, reml=not options.ml, weights=options.weights)
    except InputError as error:
        raise error.at(file=options.file) from None
    summary = fit.summary(options.df)
    limits = _limits(fit, options) if options.level is not None else ""
    print(summary + limits + _estimands(fit, options), flush=True)
    if options.shrinkage is not None:
        _draw(fit, data, options.shrinkage)
    return 0


def _limits(fit: LmerFit, options: argparse.Namespace) -> str:
    table = fit.tidy(df_method=options.df, level=options.level)
    limits = fit.confint(options.limits, options.level, df_method=options.df)
    if options.limits == "profile":  # of the random part, which comes first
        limits = limits.iloc[: len(table) - len(fit.beta)]
    # By place: a covariate may be named as a term of the random part.
    rows = table.index[len(table) - len(limits) :]
    table.loc[rows, ["lower", "upper"]] = limits[["lower", "upper"]].to_numpy()
    return "\n" + table.to_string(index=False, float_format="{:.5g}".format)


def _estimands(fit: LmerFit, options: argparse.Namespace) -> str:
    """Return the table of what is asked for besides the parameters."""
    from hlm.estimands.kinds import check_further  # with NumPy: not for the help

    if not options.estimand:
        return ""
    asked = {}
    for text in options.estimand:
        name, is_named, expression = text.partition("=")
        asked[name.strip()] = expression.strip() if is_named else check_further(text)
    try:
        table = fit.estimands(asked, options.level or 0.95, df_method=options.df)
    except InputError as error:
        raise error.at(path="--estimand") from None
    return "\n" + table.to_string(index=False, float_format="{:.5g}".format)


def _check_figures(file: str) -> None:
    """Refuse at once what can never be drawn."""
    from hlm.figures.saving import format_of

    format_of(file)


def _draw(fit: LmerFit, data: pd.DataFrame, file: str) -> None:
    from hlm.figures import save_as, shrinkage_of_fit

    try:
        save_as(shrinkage_of_fit(fit, data), file)
    except InputError as error:
        raise error.at(path="--shrinkage") from None
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=file) from None
