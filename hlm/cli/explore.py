"""Write the explorer of a study anew: one page in which a reader chooses what to see.

    hlm explore results/ogorek2012
    hlm explore results/ogorek2012 --measure coverage --measure bias

`hlm run` writes it too. Reads the summaries in the folder of results, and fits nothing. With
--measure the page holds only these measures: for studies that are too large for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.cli.place import add_place, find_results

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)
    parser.add_argument(
        "--measure",
        metavar="NAME",
        action="append",
        default=[],
        help="a measure to be held, by its name in measures.parquet; default: all",
    )


def run(options: argparse.Namespace) -> int:
    """Write the page, print its path, return 0."""
    from hlm.explorer.explorer_page import write_explorer
    from hlm.plan import Plan

    place = find_results(options.study, options.results, allow_code=options.allow_code)
    plan = Plan.read(place.folder / "plan.json")
    print(write_explorer(plan, place.folder, measures=options.measure))
    return 0
