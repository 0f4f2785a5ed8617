"""Run a study: simulate, fit, summarize, draw, and put it all in a report.

    hlm run config/ogorek2012.yaml --cores 2
    hlm run big.yaml --profile slurm --batch-seconds 600 -- --keep-going

Runs Snakemake, shows the command, and hands on what follows --. While it runs, one line says how
far it is; what Snakemake says goes to logs/snakemake.log among the results. Snakemake works in the
folder of results: relative paths after -- begin there. After Ctrl-C the same command goes on.
Where the study asks for a precision, Snakemake is called for one round after the other.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.cli.place import RESULTS, add_allow_code
from hlm.cli.precision_lines import missed_lines, standing_lines
from hlm.cli.progress_line import Teller
from hlm.cli.snakemake import call, call_quietly
from hlm.cli.snakemake_child import loaded_ahead
from hlm.cli.snakemake_profile import batch_seconds_of, check_cores, cores_of
from hlm.errors import InputError
from hlm.pipeline_files import pipeline_files

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from hlm.cli.snakemake_child import Ahead
    from hlm.plan import Plan
    from hlm.study import Study

__all__ = ["add_arguments", "pages_not_of", "profile_folder", "run", "run_once"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.usage = (
        "hlm run STUDY [--cores N] [--results DIR] [--batch-seconds S] [--profile P] "
        "[--audit N] [--workflow-report] [--allow-code] [--verbose] [-- SNAKEMAKE OPTIONS]"
    )
    parser.add_argument("study", metavar="STUDY", help="the study file")
    parser.add_argument("--cores", metavar="N", type=int, help="default: all, or the profile's")
    parser.add_argument(
        "--results",
        metavar="DIR",
        default=RESULTS,
        help="a folder with a folder for each study; default: %(default)s",
    )
    parser.add_argument("--batch-seconds", metavar="S", type=float, help="work in one job")
    parser.add_argument("--profile", metavar="P", help="a folder, or the name of one in profiles/")
    parser.add_argument(
        "--audit", type=int, metavar="N", help="fit N data sets by another program for the report"
    )
    parser.add_argument(
        "--workflow-report",
        action="store_true",
        help="write Snakemake's own report too, on rules and jobs",
    )
    add_allow_code(parser)
    parser.add_argument("--verbose", action="store_true", help="show what Snakemake says")


def run(options: argparse.Namespace) -> int:
    """Validate the study, run Snakemake; return its exit status."""
    from hlm.operations.prepare import makes_no_results

    check_cores(options.cores)
    _check_audit(options.audit)
    looks = makes_no_results(options.passed_on)
    with loaded_ahead(quiet=not (options.verbose or looks)) as ahead:
        return _run_locked(options, ahead)


def _run_locked(options: argparse.Namespace, ahead: Ahead) -> int:
    from hlm.operations.lock import run_lock
    from hlm.operations.prepare import makes_no_results
    from hlm.study import Study

    study = Study.load(options.study, allow_code=options.allow_code)
    folder = Path(options.results) / study.name
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    notes = folder.parent / ".snakemake"
    new += [] if notes.exists() else [notes]
    with run_lock(folder):
        try:
            return _run_alone(options, study, folder, ahead)
        finally:
            if folder in new and makes_no_results(options.passed_on):
                _remove(folder, new)


def _remove(folder: Path, new: Sequence[Path]) -> None:
    """Leave nothing of a look at a study without results: neither its folder nor those above.

    Snakemake's notes stay if they are also those of another study, run in the meantime.
    """
    shutil.rmtree(folder, ignore_errors=True)
    notes = folder.parent / ".snakemake"
    if notes in new and [*folder.parent.iterdir()] == [notes]:
        shutil.rmtree(notes, ignore_errors=True)
    for path in folder.parents:
        if path in new and not any(path.iterdir()):
            path.rmdir()


def _check_audit(n: int | None) -> None:
    if n is not None:
        from hlm.audit import available_engines

        if n < 1:
            raise InputError(f"{n} data sets", path="--audit", allowed="1 or more")
        available_engines()


def _run_alone(options: argparse.Namespace, study: Study, folder: Path, ahead: Ahead) -> int:
    from hlm.operations.manifest import write_manifest
    from hlm.operations.prepare import makes_no_results, prepare
    from hlm.plan.report import EXPLORER
    from hlm.report import REPORT, WORKFLOW_REPORT

    profile = profile_folder(options.profile) if options.profile else None
    seconds = batch_seconds_of(options.batch_seconds, profile)
    only_look = makes_no_results(options.passed_on)

    def planned() -> Plan:
        return prepare(study, options.results, batch_seconds=seconds, only_look=only_look)

    plan = planned()
    if only_look:
        return call(_wholly(options, plan, folder), ahead=ahead)
    status = run_once(options, plan, folder, profile, ahead=ahead)
    while status == 0 and not plan.is_settled and (grown := planned()).standing != plan.standing:
        plan = grown
        for line in standing_lines(plan):
            print(line)
        status = run_once(options, plan, folder, profile, append=True)
    if status == 0 and not _is_complete(plan, folder):
        print("no report: the run was for a part of the study")
        return status
    if options.workflow_report:
        log = folder / "logs" / "snakemake.log"
        status = status or _workflow_report(_command(options), folder, log, options.verbose)
    if status == 0:
        write_manifest(plan, folder, study=options.study)
        for line in missed_lines(plan):
            print(line)
        print(f"report: {folder / REPORT}")
        print(f"explorer: {folder / EXPLORER}")
        if options.workflow_report:
            print(f"workflow: {folder / WORKFLOW_REPORT}")
    return status


def _wholly(options: argparse.Namespace, plan: Plan, folder: Path) -> list[str]:
    """Return the command with all that the user hands on, and the rules to be run in any case."""
    from hlm.operations.leftovers import stale_rules

    command, stale = _command(options), stale_rules(plan, folder)
    forced = ["--forcerun", *stale] if stale else []
    return [*command[:3], *forced, *command[3:], *_cores(options), *options.passed_on]


def run_once(
    options: argparse.Namespace,
    plan: Plan,
    folder: Path,
    profile: str | None,
    *,
    append: bool = False,
    ahead: Ahead | None = None,
) -> int:
    """Run Snakemake for a plan: a whole study, or a round of one that grows."""
    from hlm.operations.leftovers import remove_leftovers

    pages, command = pages_not_of(plan, folder), _wholly(options, plan, folder)
    remove_leftovers(plan, folder, pages)
    if options.verbose:
        status = call(command, ahead=ahead)
    else:
        teller, log = Teller(folder, cores_of(options.cores, profile)), folder / "logs"
        status = call_quietly(
            command,
            log / "snakemake.log",
            teller,
            append=append,
            directory=options.results,
            ahead=ahead,
        )
    if status == 0:
        remove_leftovers(plan, folder, pages)  # of jobs that died and were tried again
    return status


def _workflow_report(command: list[str], folder: Path, log: Path, verbose: bool) -> int:
    from hlm.report import WORKFLOW_REPORT

    style = pipeline_files() / "workflow" / "report" / "report.css"
    file = f"{folder.name}/{WORKFLOW_REPORT}"
    report = ["--report", file, "--report-stylesheet", str(style)]
    if verbose:
        return call([*command, *report])
    tell = ("writing Snakemake's report", "report")
    place = folder.parent
    return call_quietly([*command, *report], log, lambda _: tell, append=True, directory=place)


def pages_not_of(plan: Plan, folder: Path) -> dict[str, set[str]]:
    """Return the names of figures and of tables in the study's folder that it may have had.

    Those of an earlier form of the study: figures with names that a figure has by itself, and
    tables that are whole, of all kinds of file. Other files may be the user's own.
    """
    from hlm.pictures.figure_catalogue import is_name_of_figure
    from hlm.plan.report import TABLES, figure_pages, planned_tables

    there = {path.stem for path in (folder / "figures").glob("*.p??")}
    tables = {page for table in planned_tables(plan) for page in table.pages}
    return {
        "figures": {name for name in there if is_name_of_figure(name)} - {*figure_pages(plan)},
        "tables": ({*TABLES} | _whole_tables(folder)) - tables,
    }


def _whole_tables(folder: Path) -> set[str]:
    """Return the names of the tables in a folder of results, each with a file of every kind."""
    names = {path.stem for path in folder.glob("tables/*.tex")}
    kinds = ("csv", "html", "md")
    return {
        name
        for name in names
        if all((folder / "tables" / f"{name}.{kind}").is_file() for kind in kinds)
    }


def _is_complete(plan: Plan, folder: Path) -> bool:
    from hlm.operations.receipts import receipt_file
    from hlm.plan.report import EXPLORER
    from hlm.report import REPORT

    pages = [folder / EXPLORER, folder / REPORT]
    receipts = [receipt_file(folder / "parts", batch.name) for batch in plan.batches]
    return all(path.exists() for path in (*pages, *receipts))


def _command(options: argparse.Namespace) -> list[str]:
    """Return the command, with all that Snakemake notes kept in the folder of results.

    Snakemake works in that folder, so that paths in what it writes do not depend on where it is.
    """
    config = [f"study={Path(options.study).absolute()}", "results=."]
    if options.batch_seconds is not None:
        config.append(f"batch_seconds={options.batch_seconds}")
    if options.audit is not None:
        config.append(f"audit={options.audit}")
    if options.allow_code:  # the plan has the code, and never the permission
        config.append("allow_code=True")
    profile = ["--profile", profile_folder(options.profile)] if options.profile else []
    snakefile = ["--snakefile", str(pipeline_files() / "Snakefile")]
    # Snakemake's own lock outlives a run that is killed; that of `run_lock` does not.
    place = ["--directory", str(Path(options.results).absolute())]
    command = [sys.executable, "-m", "snakemake", *snakefile, *place, *profile]
    return [*command, "--config", *config, "--nolock"]  # last: Snakemake's targets may follow


def _cores(options: argparse.Namespace) -> list[str]:
    if options.cores is None:
        return [] if options.profile else ["--cores", str(os.cpu_count() or 1)]
    return ["--cores", str(options.cores)]


def profile_folder(name: str) -> str:
    """Return the folder of a profile; a name that Snakemake knows is left to it."""
    shipped = pipeline_files() / "profiles" / name
    folder = shipped if shipped.is_dir() else Path(name)
    return str(folder.absolute()) if folder.is_dir() else name
