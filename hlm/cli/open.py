"""Show the report of a study, or its explorer, in the browser.

    hlm open config/ogorek2012.yaml
    hlm open results/ogorek2012 --explorer

The path of the page is printed in any case.
"""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

from hlm.cli.place import add_place, find_results
from hlm.errors import InputError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)
    parser.add_argument("--explorer", action="store_true", help="the explorer, not the report")


def run(options: argparse.Namespace) -> int:
    """Open the report or the explorer, or say how else to read it; return 0."""
    from hlm.plan.report import EXPLORER
    from hlm.report import REPORT

    place = find_results(options.study, options.results, allow_code=options.allow_code)
    page = place.folder / (EXPLORER if options.explorer else REPORT)
    if not page.is_file():
        raise InputError(
            f"the study has no {page.stem} yet",
            file=page,
            allowed="a study that has been run to its end: hlm run, hlm status",
        )
    print(page, flush=True)
    if not webbrowser.open(page.absolute().as_uri()):
        print("no browser here: copy the file to where there is one, it needs no other file")
    return 0
