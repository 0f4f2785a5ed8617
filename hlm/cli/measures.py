"""Turn replicate estimates from any program into performance measures.

hlm measures estimates.csv --true 0.3 --se se --by scenario term
hlm measures results/ogorek2012/estimates.parquet --true 0 --by scenario model method term
hlm measures both.csv --true 0.3 --method method --ref old --id data_set --differences
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.cli.data_files import print_table
from hlm.datasets.table_files import read_table
from hlm.errors import InputError
from hlm.words.policies import POLICIES

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

COLUMNS = {
    "se": "standard errors",
    "method": "the method that gave the estimate",
    "ref": "the method to compare the others with",
    "id": "what identifies a data set within a group, to pair methods by",
    "df": "degrees of freedom",
    "lower": "lower limits",
    "upper": "upper limits",
    "converged": "whether the fit converged, for --policies",
    "singular": "whether the fit is singular, for --policies",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="CSV or Parquet, one row per estimate")
    parser.add_argument("--true", required=True, metavar="VALUE", help="a number, or a column")
    parser.add_argument("--estimate", default="estimate", metavar="COLUMN", help="%(default)s")
    for name, words in COLUMNS.items():
        parser.add_argument(f"--{name}", metavar="COLUMN", help=words)
    parser.add_argument("--by", nargs="+", default=[], metavar="COLUMN", help="what makes a group")
    parser.add_argument("--level", type=float, default=0.95, metavar="L", help="%(default)s")
    parser.add_argument(
        "--policies", nargs="+", metavar="POLICY", help=f"which rows count: {', '.join(POLICIES)}"
    )
    parser.add_argument(
        "--differences", action="store_true", help="each method less --ref, paired by --id"
    )
    parser.add_argument("--output", metavar="FILE", help="CSV or Parquet, not standard output")


def run(options: argparse.Namespace) -> int:
    """Summarize, print, return 0."""
    from hlm.measures import differences, performance

    frame = read_table(options.file)
    try:
        summarize = differences if options.differences else performance
        table = summarize(
            frame,
            estimate=options.estimate,
            true=_number_or_name(options.true),
            by=options.by or None,
            level=options.level,
            policies=options.policies,
            **{name: getattr(options, name) for name in COLUMNS},
        )
    except InputError as error:
        raise error.at(file=options.file) from None
    print_table(table, options.output)
    return 0


def _number_or_name(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
