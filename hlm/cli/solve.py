"""Find the design that meets targets: the smallest, the cheapest, the best within a budget.

    hlm solve config/cluster_trial.yaml
    hlm solve study.yaml --term arm --power 0.8 --vary units --from 10 --to 400
    hlm solve study.yaml --term x:a --power 0.8 --vary x:a=0:1
    hlm solve study.yaml --workflow --cores 8
    hlm solve study.yaml --profile slurm -- --keep-going

Options stand in the place of the key `solve` of the study. Without SCENARIO there is an answer for
each point of the grid. With --workflow, --profile, --results or -- each round of the search goes
through Snakemake, to results/NAME/solve; after Ctrl-C the same command goes on.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from hlm.cli.place import RESULTS, add_allow_code, study_or_plan
from hlm.cli.progress_line import Line
from hlm.cli.scenarios import find_scenarios
from hlm.cli.snakemake_profile import check_cores
from hlm.errors import InputError

if TYPE_CHECKING:
    import argparse

    from hlm.study import Study
    from hlm.whatif.oracle import Draw
    from hlm.whatif.solution import Solution

__all__ = ["add_arguments", "run"]

INTERRUPTED = 130

POWER = 0.8
"""What is sought of terms of which nothing else is said."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", metavar="STUDY", help="the study file")
    parser.add_argument(
        "scenario", metavar="SCENARIO", nargs="?", help="which point of the grid; default: all"
    )
    parser.add_argument(
        "--term", action="append", metavar="TERM", help="such as x:a; may be given several times"
    )
    parser.add_argument("--power", type=float, metavar="P", help="of the terms; default: 0.8")
    parser.add_argument("--width", type=float, metavar="W", help="of their intervals, at most")
    parser.add_argument("--coverage", type=float, metavar="C", help="of their intervals")
    parser.add_argument(
        "--vary",
        action="append",
        metavar="NAME[=FROM:TO]",
        help="units, rows, a coefficient, any number; up to three times",
    )
    parser.add_argument("--from", type=float, dest="least", metavar="N", help="of --vary")
    parser.add_argument("--to", type=float, dest="most", metavar="N", help="of --vary")
    parser.add_argument("--step", type=float, metavar="N", help="of --vary")
    parser.add_argument("--cost", metavar="EXPR", help="such as '300 * units + 20 * units * rows'")
    parser.add_argument("--budget", type=float, metavar="B", help="what it may cost at most")
    parser.add_argument("--model", metavar="NAME", help="default: the first that has the term")
    parser.add_argument("--method", metavar="M", help="reml or ml; default: the model's first")
    parser.add_argument("--inference", metavar="I", help="default: the model's first")
    parser.add_argument(
        "--precision", type=float, metavar="E", help="of the size, a share of it; default: 0.01"
    )
    parser.add_argument("--figure", metavar="FILE", help="draw the answer: a name with .png, .pdf")
    parser.add_argument("--cores", type=int, metavar="N", help="default: all, or the profile's")
    parser.add_argument("--workflow", action="store_true", help="through Snakemake")
    parser.add_argument("--results", metavar="DIR", help=f"the same; default: {RESULTS}")
    parser.add_argument("--profile", metavar="P", help="the same, by a profile of Snakemake's")
    parser.add_argument("--batch-seconds", metavar="S", type=float, help="work in one job")
    parser.add_argument("--verbose", action="store_true", help="show what Snakemake says")
    add_allow_code(parser)


def run(options: argparse.Namespace) -> int:
    """Search, print the answers, draw the figure; return 0, or Snakemake's status if it fails."""
    from hlm.cli.solve_rounds import RoundFailedError, Rounds, folder_of
    from hlm.figures.saving import format_of
    from hlm.operations.lock import run_lock
    from hlm.study import Study

    check_cores(options.cores)
    if options.figure:
        format_of(options.figure)
    study = study_or_plan(options.study, allow_code=options.allow_code)
    if not isinstance(study, Study):
        raise InputError(
            "a folder of results", file=options.study, allowed="a study file", path="STUDY"
        )
    by_workflow = options.workflow or options.profile or options.results or options.passed_on
    options.results = options.results or RESULTS
    found: Solution | None
    try:
        if not by_workflow:
            found = _solved_here(study, options)
        else:
            with run_lock(folder_of(study, options.results)):
                found = _solved(study, options, Rounds(study, options))
    except RoundFailedError as error:
        return error.status
    if found is None:
        return INTERRUPTED
    print(found.text)
    if options.figure:
        _draw(found, options.figure)
    return 0


def _solved_here(study: Study, options: argparse.Namespace) -> Solution | None:
    """Search in this process; None where the user stopped it, of which nothing is kept."""
    try:
        return _solved(study, options, None)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return None


def _solved(study: Study, options: argparse.Namespace, draw: Draw | None) -> Solution:
    from hlm.whatif.solving import solve

    scenarios = find_scenarios(study, options.scenario) if options.scenario else None
    line = Line()

    def told(levels: dict[str, Any], n: int) -> None:
        at = "".join(f", {name} {level}" for name, level in levels.items())
        line.update(f"searching{at}: {n:,} data sets", at)

    try:
        return solve(
            study,
            scenarios=scenarios,
            cores=options.cores if draw is None else None,
            draw=draw,
            told=told,
            **_asked(options, study),
        )
    finally:
        line.end()


def _asked(options: argparse.Namespace, study: Study) -> dict[str, Any]:
    """Return what options say, as the key `solve` says it."""
    names = ("cost", "budget", "model", "method", "inference", "precision")
    return {
        "target": _target(options, study),
        "vary": _vary(options),
        **{name: getattr(options, name) for name in names},
    }


def _target(options: argparse.Namespace, study: Study) -> dict[str, dict[str, float]] | None:
    given = {
        name: value
        for name in ("power", "width", "coverage")
        if (value := getattr(options, name)) is not None
    }
    if not given and not options.term:
        return None
    terms = options.term or _only_term(study)
    return {
        name: dict.fromkeys(terms, value) for name, value in (given or {"power": POWER}).items()
    }


def _only_term(study: Study) -> list[str]:
    from hlm.whatif.asked_terms import usual_terms

    found = usual_terms(study.models)
    if len(found) != 1:
        raise InputError("nothing says of which term", path="--term", allowed=", ".join(found))
    return [*found]


def _vary(options: argparse.Namespace) -> dict[str, dict[str, float]] | None:
    """Return the ranges: of each `--vary` its own, of a single one also those of options."""
    alone = {"from": options.least, "to": options.most, "step": options.step}
    given = {name: value for name, value in alone.items() if value is not None}
    if not options.vary:
        if given:
            raise InputError(
                f"--{next(iter(given))} without --vary",
                path="--vary",
                allowed="the name of a number",
            )
        return None
    ranges = dict(_range(text) for text in options.vary)
    if given and len(ranges) > 1:
        raise InputError(
            f"--{next(iter(given))} of several numbers",
            path="--vary",
            allowed="--vary NAME=FROM:TO, for each its own",
        )
    return {name: {**own, **given} for name, own in ranges.items()}


def _range(text: str) -> tuple[str, dict[str, float]]:
    """Read `units`, `units=10:400` or `units=10:400:2`."""
    name, _, written = text.partition("=")
    parts = written.split(":") if written else []
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != len(parts) or len(parts) not in (0, 2, 3):
        raise InputError(
            f"'{written}' is no range", path="--vary", allowed="NAME=FROM:TO or NAME=FROM:TO:STEP"
        )
    return name, dict(zip(("from", "to", "step"), numbers, strict=False))


def _draw(found: Solution, file: str) -> None:
    """Draw each answer, several under names with their number."""
    from pathlib import Path

    from hlm.figures.saving import save_as

    path = Path(file)
    for number in range(len(found.answers)):
        own = f"{path.stem}_{number + 1}{path.suffix}" if len(found.answers) > 1 else path.name
        print(f"figure: {save_as(found.plot(number), path.with_name(own))}", file=sys.stderr)
