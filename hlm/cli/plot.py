"""Draw a figure of results: the measure, terms, axis, panels and scenarios that you choose.

    hlm plot results/ogorek2012 coverage --term x:a --x units --panels rows cor
    hlm plot results/ogorek2012 power --colour rows --model slopes_on_a --at cor=0.9 --method reml
    hlm plot results/ogorek2012 --layout zip --term x:a --at units=10,rows=5 --output zip.pdf
    hlm plot results/ogorek2012 coverage_fixed

A study file has the same under `figures`. What panels do not hold has pages of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.cli.choices import add_many, add_scenarios, chosen_by, of_options
from hlm.cli.place import add_place, find_results
from hlm.errors import InputError
from hlm.figure_choice import LAYOUTS

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

MANY = {"term": "terms", "model": "models", "method": "methods", "inference": "inferences"}
"""Options that may be given several times -> what they are called in a study file."""

ONE = ("layout", "part", "x", "colour", "title")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)
    parser.add_argument(
        "measure",
        metavar="MEASURE",
        nargs="?",
        help="such as bias, coverage, power, size; or the name of a figure",
    )
    add_many(parser, MANY)
    parser.add_argument("--part", metavar="PART", help="fixed (default), random or tests")
    parser.add_argument("--layout", metavar="L", help=f"{', '.join(LAYOUTS)}; default: lines")
    parser.add_argument("--x", metavar="FACTOR", help="along the axis")
    parser.add_argument(
        "--panels", metavar="FACTOR", nargs="*", help="side by side, and one below the other"
    )
    parser.add_argument("--colour", metavar="WHAT", help="model, inference or a factor")
    add_scenarios(parser)
    parser.add_argument("--title", metavar="TEXT", help="what a page says if it cannot be drawn")
    parser.add_argument("--output", metavar="FILE", help="PNG, PDF or SVG; default: NAME.png here")


def run(options: argparse.Namespace) -> int:
    """Draw all pages, print their paths, return 0."""
    from hlm.figures.saving import format_of, save_as
    from hlm.opened_results import Results

    if options.output:
        format_of(options.output)  # before the work, not after it
    place = find_results(options.study, options.results, allow_code=options.allow_code)
    results = Results(place.folder, allow_code=options.allow_code)
    chosen = chosen_by(options, (*ONE, "panels"), MANY)
    try:
        figure = results.planned(options.measure, **chosen)
    except InputError as error:
        raise of_options(error, MANY, "measure") from None
    target = Path(options.output or f"{figure.name}.png")
    for number, page in enumerate(figure.pages, start=1):
        drawn = results.plot(options.measure, page=number, **chosen)
        end = page.removeprefix(figure.name)
        print(save_as(drawn, target.with_name(f"{target.stem}{end}{target.suffix}")))
    return 0
