"""Draw one data set of a study again and print its rows as CSV.

    hlm replay config/ogorek2012.yaml units=30,rows=15,cor=0.9 17 > data.csv
    hlm replay results/ogorek2012 1 17

SCENARIO is a key, the beginning of one, a position in `hlm check`'s list, or levels. The data are
those of results whose manifest.json names the `data_version` of this hlm; others are refused. The
rows have the sums over rows that were fitted, to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.cli.data_files import print_table
from hlm.cli.place import add_allow_code, study_or_plan
from hlm.cli.scenarios import find_scenario
from hlm.errors import InputError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", metavar="STUDY", help="the study file, or its folder of results")
    parser.add_argument("scenario", metavar="SCENARIO", help="which point of the grid")
    parser.add_argument("replicate", metavar="REPLICATE", type=int, help="counted from 0")
    add_allow_code(parser)


def run(options: argparse.Namespace) -> int:
    """Draw, print, return 0."""
    from hlm.operations.prepare import check_data_version
    from hlm.plan import Plan

    study = study_or_plan(options.study, allow_code=options.allow_code)
    if isinstance(study, Plan):
        check_data_version(study, options.study)
    scenario = find_scenario(study, options.scenario)
    most = study.precision.at_most if study.precision else study.replicates
    if not 0 <= options.replicate < most:
        raise InputError(
            f"no replicate {options.replicate}",
            path="REPLICATE",
            allowed=f"0 to {most - 1}",
        )
    import pandas as pd

    from hlm.simulate import draw_rows

    print_table(pd.DataFrame(draw_rows(scenario, study.seed, options.replicate)))
    return 0
