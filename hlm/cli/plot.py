"""Draw a figure of results: the measure, terms, axis, panels and scenarios that you choose.

    hlm plot results/ogorek2012 coverage --term x:a --x units --panels rows cor
    hlm plot results/ogorek2012 power --colour rows --model slopes_on_a --at cor=0.9 --method reml
    hlm plot results/ogorek2012 --layout zip --term x:a --at units=10,rows=5 --output zip.pdf
    hlm plot results/ogorek2012 coverage_fixed

A study file has the same under `figures`. What panels do not hold has pages of its own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlm.cli.place import add_place, find_results
from hlm.errors import InputError, together
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
    for name, several in MANY.items():
        parser.add_argument(
            f"--{name}",
            metavar="NAME",
            action="append",
            default=[],
            help=f"one of the {several} that are shown; default: all",
        )
    parser.add_argument("--part", metavar="PART", help="fixed (default), random or tests")
    parser.add_argument("--layout", metavar="L", help=f"{', '.join(LAYOUTS)}; default: lines")
    parser.add_argument("--x", metavar="FACTOR", help="along the axis")
    parser.add_argument(
        "--panels", metavar="FACTOR", nargs="*", help="side by side, and one below the other"
    )
    parser.add_argument("--colour", metavar="WHAT", help="model, inference or a factor")
    parser.add_argument(
        "--at",
        metavar="FACTOR=LEVEL",
        action="append",
        default=[],
        help="scenarios that are shown, such as icc=0.2 or units=10,rows=5; default: all",
    )
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
    chosen: dict[str, Any] = {name: getattr(options, name) for name in (*ONE, "panels")}
    chosen |= {several: getattr(options, name) or None for name, several in MANY.items()}
    chosen["scenarios"] = _levels(options.at) or None
    chosen = {name: value for name, value in chosen.items() if value is not None}
    try:
        figure = results.planned(options.measure, **chosen)
    except InputError as error:
        raise together(_of_option(one) for one in error.errors) from None
    target = Path(options.output or f"{figure.name}.png")
    for number, page in enumerate(figure.pages, start=1):
        drawn = results.plot(options.measure, page=number, **chosen)
        end = page.removeprefix(figure.name)
        print(save_as(drawn, target.with_name(f"{target.stem}{end}{target.suffix}")))
    return 0


def _of_option(error: InputError) -> InputError:
    """Return a mistake with the option that it is in."""
    key = re.split(r"[.\[]", error.path or "")[0]
    options = {several: f"--{name}" for name, several in MANY.items()}
    options |= {"measure": "MEASURE", "scenarios": "--at"}
    path = options.get(key, f"--{key}") if key else None
    return InputError(error.problem, path=path, allowed=error.allowed, suggestion=error.suggestion)


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
