"""Answer at once from the first replicates of a study, without files.

    hlm preview config/few_units.yaml
    hlm preview config/few_units.yaml units=10,icc=0.2 --replicates 20000
    hlm preview config/ogorek2012.yaml 1 --term x:a --measure power --mcse 0.005

They are the very replicates that `hlm run` keeps. The table grows until they are done, the Monte
Carlo standard error is reached, or Ctrl-C. SCENARIO is a key, the beginning of one, a position in
`hlm check`'s list, or levels; by default all scenarios.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hlm.cli.live_table import MOST_WITH_MCSE, watched
from hlm.cli.place import add_allow_code, study_or_plan
from hlm.cli.scenarios import find_scenario
from hlm.cli.shown_table import absent_lines, left_out_lines, table_lines
from hlm.errors import InputError
from hlm.words.nouns import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from hlm.whatif.preview_results import Results

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", metavar="STUDY", help="the study file")
    parser.add_argument(
        "scenario", metavar="SCENARIO", nargs="?", help="which point of the grid; default: all"
    )
    parser.add_argument(
        "--replicates",
        type=int,
        metavar="N",
        help="data sets of each scenario; default: 1000, or with --mcse at most a million",
    )
    parser.add_argument(
        "--term",
        action="append",
        metavar="TERM",
        help="such as x:a, or a test; may be given several times; default: all that is tested",
    )
    parser.add_argument(
        "--measure",
        action="append",
        metavar="M",
        help="power, coverage, bias, ...; may be given several times; default: power",
    )
    parser.add_argument(
        "--mcse", type=float, metavar="E", help="stop where all that is shown has this MCSE"
    )
    parser.add_argument("--cores", type=int, metavar="N", help="default: all")
    add_allow_code(parser)


def run(options: argparse.Namespace) -> int:
    """Draw, fit and show until it is enough; return 0, or 130 where the user stopped it."""
    from hlm.precision import Target
    from hlm.study import Study
    from hlm.whatif.asked_terms import measure_named, terms_named, usual_terms
    from hlm.whatif.preview import REPLICATES, growing

    study = study_or_plan(options.study, allow_code=options.allow_code)
    if not isinstance(study, Study):
        raise InputError(
            "a folder of results", file=options.study, allowed="a study file", path="STUDY"
        )
    scenarios = [find_scenario(study, options.scenario)] if options.scenario else study.scenarios
    measures = [measure_named(word, place="--measure") for word in options.measure or ["power"]]
    named = terms_named(study.models, options.term or (), place="--term")
    terms = named or usual_terms(study.models)
    if not terms:
        raise InputError(
            "no model tests anything but its constant",
            path="--term",
            allowed="a term to be measured, with --measure",
        )
    if options.mcse is not None and not options.mcse > 0.0:
        raise InputError(f"{options.mcse} is not allowed", path="--mcse", allowed="above 0")
    targets = [
        Target(measure, term, options.mcse)
        for measure in measures
        for term in terms
        if options.mcse is not None
    ]
    usual = MOST_WITH_MCSE if targets else REPLICATES
    snapshots = growing(
        study,
        replicates=usual if options.replicates is None else options.replicates,
        scenarios=scenarios,
        terms=terms,
        targets=targets,
        cores=options.cores,
    )
    last, status = watched(snapshots, partial(_lines, measures))
    if options.mcse is not None and not status:
        for line in _missed(last, measures, options.mcse):
            print(line)
    return status


def _missed(results: Results, measures: Sequence[str], mcse: float) -> Iterator[str]:
    """Say how many rows do not have the MCSE that was asked for."""
    from hlm.whatif.shown_rows import rows_shown

    rows = list(rows_shown(results, measures))
    missed = sum(row.mcse > mcse for row in rows)
    if missed:
        yield f"{missed} of {counted(len(rows), 'row')} do not have the MCSE {mcse:g}"


def _lines(measures: Sequence[str], results: Results, seconds: float) -> list[str]:
    from hlm.whatif.shown_rows import rows_shown

    there = sum(results.replicates_of(scenario.key) for scenario in results.scenarios)
    head = f"{results.study.name}: {there:,} data sets in {seconds:.1f} s"
    rows = list(rows_shown(results, measures)) if there else []
    absent = absent_lines(rows, measures, results.terms or ()) if there else ()
    return [head, *table_lines(rows), *left_out_lines(rows), *absent]
