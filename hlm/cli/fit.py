"""Fit one model to one data set and print the summary.

hlm fit 'y ~ x * a + (1 + x | unit)' ogorek2012
hlm fit 'score ~ ses + (1 | school)' pupils.csv --ml --level 0.9
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.cli.tables import read_table

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("formula", metavar="FORMULA", help="lme4's, in quotes")
    parser.add_argument("file", metavar="FILE", help="CSV, Parquet, or a data set of hlm's")
    parser.add_argument("--ml", action="store_true", help="maximum likelihood instead of REML")
    parser.add_argument("--df", metavar="METHOD", default="satterthwaite", help="%(default)s")
    parser.add_argument("--level", type=float, metavar="L", help="also print limits at this level")


def run(options: argparse.Namespace) -> int:
    """Fit, print, return 0."""
    from hlm import lmer

    fit = lmer(options.formula, read_table(options.file), reml=not options.ml)
    print(fit.summary())
    if options.level is not None:
        table = fit.tidy(df_method=options.df, level=options.level)
        print()
        print(table.to_string(index=False, float_format="{:.5g}".format))
    return 0
