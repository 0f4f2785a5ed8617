"""Print a table of results, as a paper has it: the measures, terms and columns that you choose.

    hlm table results/ogorek2012 coverage --term x:a --across units
    hlm table results/ogorek2012 bias rmse --part random --at cor=0.9 --method reml --format tex

Reads the measures in the folder of results, and fits nothing. The same tables are made with a
study's results where its file has them under `tables`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hlm.cli.place import add_place, find_results
from hlm.errors import InputError, together
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
    for name, several in MANY.items():
        parser.add_argument(
            f"--{name}",
            metavar="NAME",
            action="append",
            default=[],
            help=f"one of the {several} that are shown; default: all",
        )
    parser.add_argument("--part", metavar="PART", help="fixed, random, tests or predictions")
    levels = "a factor of the grid, or term, model, method, inference, policy"
    parser.add_argument(
        "--across", metavar="WHAT", nargs="+", help=f"{levels}: with columns for each of its levels"
    )
    parser.add_argument("--split", metavar="WHAT", nargs="+", help="with a table for each level")
    parser.add_argument(
        "--at",
        metavar="FACTOR=LEVEL",
        action="append",
        default=[],
        help="scenarios that are shown, such as icc=0.2 or units=10,rows=5; default: all",
    )
    parser.add_argument("--mcse", metavar="WHERE", help="brackets (default), below, columns, none")
    parser.add_argument("--digits", metavar="N", help="decimals; default: as errors allow")
    parser.add_argument("--n", metavar="WHEN", help="auto (default), always, never")
    parser.add_argument("--title", metavar="TEXT", help="what stands above")
    parser.add_argument("--format", choices=FORMATS, default="md", help="default: md, Markdown")


def run(options: argparse.Namespace) -> int:
    """Print the table; return 0."""
    from hlm.plan import Plan
    from hlm.tables.asked_table import asked_table

    place = find_results(options.study, options.results, allow_code=options.allow_code)
    plan = Plan.read(place.folder / "plan.json")
    asked: dict[str, Any] = {name: getattr(options, name) for name in ONE}
    asked |= {several: getattr(options, name) or None for name, several in MANY.items()}
    asked |= {"split": options.split or "none", "scenarios": _levels(options.at) or None}
    if options.digits is not None:
        asked["digits"] = int(options.digits) if options.digits.isdecimal() else options.digits
    given = {name: value for name, value in asked.items() if value is not None}
    try:
        table = asked_table(plan, place.folder, *options.measures, **given)
    except InputError as error:
        raise together(_of_option(one) for one in error.errors) from None
    print(getattr(table, options.format)(), end="")
    return 0


def _levels(words: list[str]) -> dict[str, list[str]]:
    """Read levels of factors: those of one factor are alternatives.

    Examples
    --------
    >>> _levels(["units=10,rows=5", "units=30"])
    {'units': ['10', '30'], 'rows': ['5']}
    """
    found: dict[str, list[str]] = {}
    for word in (part for one in words for part in one.split(",")):
        factor, equals, level = word.partition("=")
        if not (factor and equals and level):
            raise InputError(f"'{word}' is no level of a factor", path="--at", allowed="icc=0.2")
        found.setdefault(factor.strip(), []).append(level.strip())
    return found


def _of_option(error: InputError) -> InputError:
    """Return a mistake with the option that it is in."""
    key = re.split(r"[.\[]", error.path or "")[0]
    options = {several: f"--{name}" for name, several in MANY.items()}
    options |= {"measures": "MEASURE", "scenarios": "--at"}
    path = options.get(key, f"--{key}") if key else None
    return InputError(error.problem, path=path, allowed=error.allowed, suggestion=error.suggestion)
