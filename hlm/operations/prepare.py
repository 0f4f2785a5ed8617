"""Where the plan of a study lies, who makes it and who only reads it.

One process of a run makes it: `hlm run`, or Snakemake where it is started without. Jobs read it,
and so does Snakemake where `hlm run` has started it, for the run and once more for the report.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.disk import write_text
from hlm.errors import InputError
from hlm.operations.clock import mend_times
from hlm.operations.fingerprint import fingerprint
from hlm.operations.growth import standing_of
from hlm.operations.lock import hold_lock, is_held_by_parent
from hlm.plan.plan import BATCH_SECONDS, Plan, generators_of, kinds_of, make_plan
from hlm.scenario import DATA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hlm.generator import Generator
    from hlm.plan.rounds import Standing
    from hlm.study import Study

__all__ = [
    "GENERATORS",
    "check_code",
    "check_data_version",
    "code_of_fits",
    "makes_no_results",
    "open_plan",
    "plan_of_run",
    "prepare",
]

GENERATORS = "generators"
"""The folder, in that of the study, with copies of the files of generators."""

LOOK = (
    *("--dry-run", "--dryrun", "--lint", "--summary", "--detailed-summary", "--print-compilation"),
    *("--dag", "--d3dag", "--rulegraph", "--filegraph", "--help", "--version"),
    *("--list", "--list-rules", "--list-target-rules", "--lt", "--list-changes", "--lc"),
    *("--list-input-changes", "--li", "--list-params-changes", "--lp", "--list-untracked", "--lu"),
    "--list-conda-envs",
)
PUT_IN_ORDER = (
    *("--unlock", "--touch", "--cleanup-metadata", "--cm", "--cleanup-shadow", "--archive"),
    *("--delete-all-output", "--delete-temp-output", "--generate-unit-tests", "--export-cwl"),
    *("--containerize", "--container-cleanup-images", "--conda-create-envs-only"),
    *("--conda-cleanup-envs", "--conda-cleanup-pkgs"),
)
SHORT = re.compile("-[pkaFfhvltnSD]*[hvltnSD][pkaFfhvltnSD]*")
"""Options of Snakemake with which it makes no results; short ones may stand together, as -np."""


def prepare(
    study: Study,
    results: str | Path,
    *,
    batch_seconds: float = BATCH_SECONDS,
    only_look: bool = False,
    standing: Standing | None = None,
) -> Plan:
    """Plan a study in the light of what is there, and write `plan.json`.

    Where the study asks for a precision, the numbers of replicates are those that follow from the
    measures that are there: each call after a round begins the next.

    This process then holds the lock of the study's folder, unless its parent does. Damaged files
    of batches are named and set aside.

    Parameters
    ----------
    study : Study
    results : path
        The folder with a folder for each study.
    batch_seconds : float
        Seconds of work that one batch should hold at most.
    only_look : bool
        Whether damaged files stay where they are: in dry runs.
    standing : Standing, optional
        How many replicates each scenario has, where neither the study nor its measures say so.

    Raises
    ------
    InputError
        The folder of results cannot be written, or another run is at work in it.
    """
    if not batch_seconds > 0:
        raise InputError(
            f"{batch_seconds} is no length of time", path="batch_seconds", allowed="a number > 0"
        )
    folder = Path(results) / study.name
    hold_lock(folder)
    mend_times(results, folder)
    path = folder / "plan.json"
    generators = generators_of(study.scenarios)
    code, previous = code_of_fits(generators), Plan.read(path) if path.exists() else None
    if previous is not None and previous.data_version != DATA_VERSION:
        print(
            f"{folder}: what is there was drawn by version {previous.data_version} of the rule for "
            f"random numbers, which is {DATA_VERSION} here; all of it is made again",
            file=sys.stderr,
        )
    plan = make_plan(
        study,
        code=code,
        batch_seconds=batch_seconds,
        previous=previous,
        standing=standing or standing_of(study, code=code, previous=previous, folder=folder),
        done=lambda name: _is_finished(folder / "parts", name, kinds_of(study.models), only_look),
    )
    try:
        plan.write(path)
        for one in generators:
            _write_copy(folder / GENERATORS / one.copy, one.source)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}",
            file=error.filename or path,
            allowed="a folder of results with room in which this user can write",
        ) from None
    return plan


def _write_copy(path: Path, source: str) -> None:
    """Write the file of a generator for a reader; jobs have it from the plan."""
    if not path.exists() or path.read_text(encoding="utf-8") != source:
        write_text(path, source)


def plan_of_run(
    study: str | Path,
    results: str | Path,
    *,
    batch_seconds: float | None = None,
    only_look: bool = False,
    allow_code: bool = False,
) -> Plan:
    """Return the plan for Snakemake's own process: that of `hlm run`, or one made here.

    Parameters
    ----------
    study : path
        The study file.
    results, only_look
        As for `prepare`.
    batch_seconds : float, optional
        As Snakemake's configuration says. If `hlm run` planned with another number, because a
        profile says it where only Snakemake looks, the study is planned anew.
    allow_code : bool
        As for `Study.load`.

    Raises
    ------
    InputError
        There is a mistake in the study, the folder of results cannot be written, or another run
        is at work in it.
    """
    if is_held_by_parent(Path(results) / _name_of(study)):
        plan = open_plan(study, results)
        if batch_seconds in (None, plan.batch_seconds):
            return plan
    from hlm.study import Study  # with pydantic: not where a plan is only read

    seconds = BATCH_SECONDS if batch_seconds is None else batch_seconds
    loaded = Study.load(study, allow_code=allow_code)
    return prepare(loaded, results, batch_seconds=seconds, only_look=only_look)


def makes_no_results(arguments: Sequence[str]) -> bool:
    """Tell whether Snakemake only looks, or only puts things in order, with these arguments.

    Examples
    --------
    >>> makes_no_results(["--cores", "2", "-np"]), makes_no_results(["-p", "compact"])
    (True, False)
    >>> makes_no_results(["--lint=json"]), makes_no_results(["--rulegr"])
    (True, True)
    """
    return any(_makes_none(word) for word in arguments)


def _makes_none(word: str) -> bool:
    """Tell whether an option is one of those, which may be abbreviated."""
    option = word.split("=")[0]
    long = len(option) > 2 and any(one.startswith(option) for one in (*LOOK, *PUT_IN_ORDER))
    return long or SHORT.fullmatch(word) is not None


def check_code(plan: Plan) -> None:
    """Refuse to work for a plan that other code has made.

    Raises
    ------
    InputError
        The package was edited or exchanged since, or this is another machine's copy of it.
    """
    if plan.code != (code := code_of_fits(plan.generators)):
        raise InputError(
            f"the code of hlm is {code} here; the plan was made by {plan.code}",
            allowed="the same code for a whole run; run the study again",
        )


def check_data_version(plan: Plan, folder: str | Path) -> None:
    """Refuse to draw data again that another rule has drawn.

    Raises
    ------
    InputError
        Seed, scenario and number of a replicate gave other data when the results were made.
    """
    if plan.data_version != DATA_VERSION:
        raise InputError(
            f"the data were drawn by version {plan.data_version} of the rule for random numbers, "
            f"which is {DATA_VERSION} here: a replicate drawn again would be another data set",
            file=folder,
            allowed="the version of hlm that made the results (manifest.json names it), or the "
            "study run again",
        )


def open_plan(study: str | Path, results: str | Path) -> Plan:
    """Read the plan that `prepare` wrote, as jobs do: the study is not looked at again."""
    return Plan.read(Path(results) / _name_of(study) / "plan.json")


def _name_of(study: str | Path) -> str:
    import yaml

    with Path(study).open(encoding="utf-8") as file:
        return str(yaml.safe_load(file)["name"])


def code_of_fits(generators: Iterable[Generator] = ()) -> str:
    """Return the fingerprint of the code that simulates, with the user's generators, and fits."""
    sources = tuple(one.source for one in generators)
    return fingerprint("fit", sources)


def _is_finished(parts: Path, batch: str, kinds: Sequence[str], only_look: bool) -> bool:
    """Return whether a batch has all its files; if one is damaged, say so and set it aside."""
    # With Arrow: not for jobs that only read the plan.
    from hlm.operations.parts import DamagedError, check_sizes, set_aside

    try:
        return check_sizes(parts, batch, kinds) is not None
    except DamagedError as error:
        print(f"{error.file}: {error.problem}", file=sys.stderr)
        if not only_look:
            print(f"  moved to {set_aside(error)[0]}; its batch is computed again", file=sys.stderr)
        return False
