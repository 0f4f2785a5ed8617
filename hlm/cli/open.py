"""Show the report of a study in the browser.

    hlm open config/ogorek2012.yaml
    hlm open results/ogorek2012

The path of the report is printed in any case.
"""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

from hlm.cli.place import add_place, find_results
from hlm.errors import InputError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

REPORT = "report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)


def run(options: argparse.Namespace) -> int:
    """Open the report, or say how else to read it; return 0."""
    place = find_results(options.study, options.results, allow_code=options.allow_code)
    report = place.folder / REPORT
    if not report.is_file():
        raise InputError(
            "the study has no report yet",
            file=report,
            allowed="a study that has been run to its end: hlm run, hlm status",
        )
    print(report, flush=True)
    if not webbrowser.open(report.absolute().as_uri()):
        print("no browser here: copy the file to where there is one, it needs no other file")
    return 0
