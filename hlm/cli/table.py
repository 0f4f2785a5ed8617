"""Print a table of results, as a paper has it: the measures, terms and columns that you choose.

    hlm table results/ogorek2012 coverage --term x:a --across units
    hlm table results/ogorek2012 bias rmse --part random --at cor=0.9 --method reml --format tex

Reads the measures in the folder of results, and fits nothing. The same tables are made with a
study's results where its file has them under `tables`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.cli.choices import add_many, add_scenarios, chosen_by, of_options
from hlm.cli.place import add_place, find_results
from hlm.errors import InputError
from hlm.table_spec import FORMATS

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

MANY = {
    "term": "terms",
    "model": "models",
    "method": "methods",
    "inference": "inferences",
    "policy": "policies",
}
"""Options that may be given several times -> what they are called in a study file."""

ONE = ("part", "across", "mcse", "n", "title")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)
    parser.add_argument(
        "measures",
        metavar="MEASURE",
        nargs="*",
        help="such as bias, coverage, power; default: those of the usual table",
    )
    add_many(parser, MANY)
    parser.add_argument("--part", metavar="PART", help="fixed, random, tests or predictions")
    levels = "a factor of the grid, or term, model, method, inference, policy"
    parser.add_argument(
        "--across", metavar="WHAT", nargs="+", help=f"{levels}: with columns for each of its levels"
    )
    parser.add_argument("--split", metavar="WHAT", nargs="+", help="with a table for each level")
    add_scenarios(parser)
    parser.add_argument("--mcse", metavar="WHERE", help="brackets (default), below, columns, none")
    parser.add_argument("--digits", metavar="N", help="decimals; default: as errors allow")
    parser.add_argument("--n", metavar="WHEN", help="auto (default), always, never")
    parser.add_argument("--title", metavar="TEXT", help="what stands above")
    parser.add_argument("--format", choices=FORMATS, default="md", help="default: md, Markdown")


def run(options: argparse.Namespace) -> int:
    """Print the table; return 0."""
    from hlm.opened_results import Results

    place = find_results(options.study, options.results, allow_code=options.allow_code)
    results = Results(place.folder, allow_code=options.allow_code)
    asked = chosen_by(options, ONE, MANY) | {"split": options.split or "none"}
    if options.digits is not None:
        asked["digits"] = int(options.digits) if options.digits.isdecimal() else options.digits
    try:
        table = results.table(*options.measures, **asked)
    except InputError as error:
        raise of_options(error, MANY, "measures") from None
    print(getattr(table, options.format)(), end="")
    return 0
