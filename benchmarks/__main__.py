"""Measure and print: `python -m benchmarks [--figure FILE]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.goals import print_goals
from benchmarks.growth import draw_figure, time_growth
from benchmarks.report import (
    print_cases,
    print_engines,
    print_growth,
    print_machine,
    print_once,
    print_optimum,
    print_rows,
    print_shapes,
    print_whatif,
)
from hlm.fits import warm_up


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--figure", type=Path, help="draw how the cost grows to this file")
    figure = parser.parse_args().figure
    warm_up()
    print_machine()
    print_goals()
    timings = print_cases()
    print_shapes()
    print_rows()
    print_engines(timings)
    grown = time_growth()
    print_growth(grown)
    if figure is not None:
        draw_figure(grown, figure)
    print_once()
    print_whatif()
    print_optimum()


if __name__ == "__main__":
    main()
