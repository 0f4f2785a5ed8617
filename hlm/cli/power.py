"""Say how often tests reject, over a number of a study, and where that is often enough.

    hlm power config/ogorek2012.yaml --term x:a
    hlm power trial.yaml --term arm --over units --values 10,20,40,80 --target 0.9
    hlm power trial.yaml --term arm --measure width --target 0.5 --figure width.pdf

Beside power stands the size: the rate of rejections where what is tested is 0, of a twin of each
scenario that is made of the same random numbers. Beside what is simulated stands the closed form,
where there is one. The replicates are those that `hlm run` keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.cli.live_table import MOST_WITH_MCSE, watched
from hlm.cli.place import add_allow_code, study_or_plan
from hlm.cli.power_lines import power_lines
from hlm.cli.scenarios import find_scenarios
from hlm.errors import InputError

if TYPE_CHECKING:
    import argparse


__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", metavar="STUDY", help="the study file")
    parser.add_argument(
        "levels", metavar="LEVELS", nargs="?", help="of other factors, such as rows=15,cor=0"
    )
    parser.add_argument(
        "--term",
        action="append",
        metavar="TERM",
        help="such as x:a, or a test; may be given several times; default: all that is tested",
    )
    parser.add_argument("--model", action="append", metavar="M", help="only this model")
    parser.add_argument("--method", action="append", choices=("reml", "ml"), help="only this one")
    parser.add_argument(
        "--over", metavar="NUMBER", help="what is varied, such as units; default: as in the grid"
    )
    parser.add_argument("--values", metavar="V,V,...", help="its values, if not those of the grid")
    parser.add_argument(
        "--measure",
        default="power",
        metavar="M",
        help="power, coverage, width, ...; default: power",
    )
    parser.add_argument(
        "--target", type=float, metavar="T", help="the value to be reached; default: power 0.8"
    )
    parser.add_argument(
        "--replicates",
        type=int,
        metavar="N",
        help="data sets of each scenario; default: 1000, or with --mcse at most a million",
    )
    parser.add_argument("--mcse", type=float, metavar="E", help="stop where all have this MCSE")
    parser.add_argument("--figure", metavar="FILE", help="draw the curves: PNG or PDF")
    parser.add_argument("--cores", type=int, metavar="N", help="default: all")
    add_allow_code(parser)


def run(options: argparse.Namespace) -> int:
    """Draw, fit and show until it is enough; return 0, or 130 where the user stopped it."""
    from hlm.study import Study
    from hlm.whatif.asked_terms import measure_named
    from hlm.whatif.met import SELECTION
    from hlm.whatif.power import power_growing
    from hlm.whatif.preview import REPLICATES

    study = study_or_plan(options.study, allow_code=options.allow_code)
    if not isinstance(study, Study):
        raise InputError(
            "a folder of results", file=options.study, allowed="a study file", path="STUDY"
        )
    if options.figure:
        from hlm.figures.saving import format_of, save_as

        format_of(options.figure)  # before the work, not after it
    usual = REPLICATES if options.mcse is None else MOST_WITH_MCSE
    snapshots = power_growing(
        study,
        terms=options.term,
        models=options.model,
        methods=options.method,
        scenarios=find_scenarios(study, options.levels) if options.levels else None,
        over=options.over,
        values=_values(options.values),
        measure=measure_named(options.measure, place="--measure", others=[SELECTION]),
        target=options.target,
        replicates=usual if options.replicates is None else options.replicates,
        mcse=options.mcse,
        cores=options.cores,
    )
    last, status = watched(snapshots, power_lines)
    if options.figure and last.data_sets:
        print(f"figure: {save_as(last.plot(), options.figure)}")
    return status


def _values(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [_number(word) for word in text.split(",")]
    except ValueError:
        raise InputError(
            f"'{text}' is no list of numbers", path="--values", allowed="such as 10,20,40"
        ) from None


def _number(word: str) -> float:
    """Read a number, a whole one as such: sizes are whole."""
    try:
        return int(word)
    except ValueError:
        return float(word)
