"""Where the plan of a study lies, who makes it and who only reads it."""

from __future__ import annotations

from pathlib import Path

from hlm.errors import InputError
from hlm.fingerprint import fingerprint
from hlm.plan.plan import BATCH_SECONDS, Plan, make_plan

__all__ = ["open_plan", "part_files", "prepare"]


def prepare(
    study: str | Path, results: str | Path, *, batch_seconds: float = BATCH_SECONDS
) -> Plan:
    """Read and validate a study, plan it in the light of what is there, and write `plan.json`.

    Parameters
    ----------
    study : path
        The study file.
    results : path
        The folder with a folder for each study.
    batch_seconds : float
        Seconds of work that one batch should hold at most.

    Raises
    ------
    InputError
        There is a mistake in the study.
    """
    from hlm.study import Study  # with pydantic: not for jobs, which only read the plan

    if not batch_seconds > 0:
        raise InputError(
            f"{batch_seconds} is no length of time", path="batch_seconds", allowed="a number > 0"
        )
    loaded = Study.load(study)
    folder = Path(results) / loaded.name
    path = folder / "plan.json"
    plan = make_plan(
        loaded,
        code=f"{fingerprint('simulate')} {fingerprint('fit')}",
        batch_seconds=batch_seconds,
        previous=Plan.read(path) if path.exists() else None,
        done=lambda name: all(file.exists() for file in part_files(folder, name)),
    )
    plan.write(path)
    return plan


def open_plan(study: str | Path, results: str | Path) -> Plan:
    """Read the plan that `prepare` wrote, as jobs do: the study is not looked at again."""
    import yaml

    with Path(study).open(encoding="utf-8") as file:
        name = yaml.safe_load(file)["name"]
    return Plan.read(Path(results) / name / "plan.json")


def part_files(folder: Path, batch: str) -> tuple[Path, Path]:
    """Return the files of a batch's estimates and of its fits in a study's folder."""
    parts = folder / "parts"
    return parts / f"{batch}.estimates.parquet", parts / f"{batch}.fits.parquet"
