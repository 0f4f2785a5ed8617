"""Which study a user means: by its file, or by its folder of results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    import argparse

    from hlm.plan import Plan
    from hlm.study import Study

__all__ = [
    "PLAN",
    "RESULTS",
    "Place",
    "add_allow_code",
    "add_place",
    "find_results",
    "study_of_file",
    "study_or_plan",
]

RESULTS = "results"
"""The folder with a folder for each study, unless the user says otherwise."""

PLAN = "plan.json"
EITHER = "a study file, or the folder of its results"


@dataclass(frozen=True)
class Place:
    """Results of a study.

    Attributes
    ----------
    folder : Path
        The study's, in which there is a plan.
    study : Study or None
        As its file says now, where the file was named.
    """

    folder: Path
    study: Study | None


def add_place(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that name results."""
    parser.add_argument("study", metavar="STUDY", help="the study file, or its folder of results")
    parser.add_argument(
        "--results",
        metavar="DIR",
        help=f"where the results are, if STUDY is a file; default: {RESULTS}",
    )
    add_allow_code(parser)


def add_allow_code(parser: argparse.ArgumentParser) -> None:
    """Declare the permission for code that a study names."""
    parser.add_argument(
        "--allow-code",
        action="store_true",
        help="run the generator of the study, which is code in Python: know what it does",
    )


def find_results(word: str, results: str | None = None, *, allow_code: bool = False) -> Place:
    """Find the folder of results of a study.

    Parameters
    ----------
    word : str
        The study file, or the folder.
    results : str, optional
        The folder with a folder for each study.
    allow_code : bool
        As for `Study.load`.

    Raises
    ------
    InputError
        It is neither, or there are no results of that study.
    """
    if Path(word).is_dir():
        if results is not None:
            raise InputError(
                f"{word} is a folder of results already",
                path="--results",
                allowed="together with a study file only",
            )
        return Place(_with_plan(Path(word)), None)
    study = _load(word, results or RESULTS, allow_code=allow_code)
    folder = Path(results or RESULTS) / study.name
    if not (folder / PLAN).is_file():
        raise InputError(
            "no run of this study was begun here",
            file=folder,
            allowed=f"hlm run {word}, or --results with another folder",
        )
    return Place(folder, study)


def study_or_plan(word: str, *, allow_code: bool = False) -> Study | Plan:
    """Return a study from its file, or as its results were planned from their folder.

    Generators may run if `allow_code` says so.

    Raises
    ------
    InputError
        It is neither, or there is a mistake in it.
    """
    if not Path(word).is_dir():
        return _load(word, RESULTS, allow_code=allow_code)
    from hlm.plan import Plan

    return Plan.read(_with_plan(Path(word)) / PLAN, allow_code=allow_code)


def study_of_file(word: str, *, allow_code: bool = False) -> Study:
    """Return a study from its file.

    Generators may run if `allow_code` says so.

    Raises
    ------
    InputError
        It is a folder, or there is a mistake in it.
    """
    if Path(word).is_dir():
        raise InputError("a folder of results", file=word, allowed="a study file", path="STUDY")
    return _load(word, RESULTS, allow_code=allow_code)


def _load(word: str, results: str, *, allow_code: bool) -> Study:
    from hlm.study import Study

    path = Path(word)
    if not path.exists():
        known = [*_studies(Path(results)), *_studies(path.parent), *path.parent.glob("*.y*ml")]
        names = {path.name: path for path in known}
        near = nearest(path.name, names)
        raise InputError(
            "there is no such file or folder",
            file=word,
            allowed=EITHER,
            suggestion=str(names[near]) if near else None,
        )
    if (path.parent / PLAN).exists():
        problem = "this is a file of results, not a study file"
        raise InputError(problem, file=word, allowed=EITHER, suggestion=str(path.parent))
    return Study.load(word, allow_code=allow_code)


def _with_plan(folder: Path) -> Path:
    if (folder / PLAN).is_file():
        return folder
    inside = ", ".join(map(str, _studies(folder)))
    example = f"{EITHER}, such as {RESULTS}/ogorek2012"
    raise InputError("no results of a study", file=folder, allowed=inside or example)


def _studies(folder: Path) -> list[Path]:
    """Return the folders of studies in a folder."""
    return sorted(path.parent for path in folder.glob(f"*/{PLAN}"))
