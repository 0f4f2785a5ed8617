"""How many cores a run may use and how long its batches are, by option or by profile."""

from __future__ import annotations

import os
from pathlib import Path

from hlm.errors import InputError

__all__ = ["batch_seconds_of", "check_cores", "cores_of"]

PROFILE_FILES = ("profile.yaml", "config.yaml")


def check_cores(cores: int | None) -> None:
    """Refuse a number of cores on which nothing can run.

    Examples
    --------
    >>> check_cores(0)
    Traceback (most recent call last):
    hlm.errors.InputError: --cores: 0 cores
      allowed: a whole number > 0
    """
    if cores is not None and cores < 1:
        raise InputError(f"{cores} cores", path="--cores", allowed="a whole number > 0")


def cores_of(cores: int | None, profile: str | None) -> int:
    """Return how many jobs of one core run at the same time, for a forecast.

    Parameters
    ----------
    cores : int, optional
        What the user said.
    profile : path, optional
        The folder of Snakemake's profile, whose `cores` or `jobs` count otherwise; without either,
        all cores of this machine.
    """
    if cores is not None:
        return cores
    said = _settings(Path(profile)) if profile else {}
    for value in (said.get("cores"), said.get("jobs")):
        if isinstance(value, int) and value > 0:
            return value
    return os.cpu_count() or 1


def batch_seconds_of(seconds: float | None, profile: str | None) -> float:
    """Return how much work goes into one job.

    Parameters
    ----------
    seconds : float, optional
        What the user said.
    profile : path, optional
        The folder of Snakemake's profile, whose file of configuration counts otherwise; without
        either, `BATCH_SECONDS`.
    """
    from hlm.plan import BATCH_SECONDS

    if seconds is not None:
        return seconds
    said = _settings(Path(profile)) if profile else {}
    named = said.get("configfile", said.get("configfiles", []))
    found: object = BATCH_SECONDS
    for name in named if isinstance(named, list) else [named]:
        found = _read(Path(str(profile), str(name))).get("batch_seconds", found)
    return found if isinstance(found, int | float) else BATCH_SECONDS


def _settings(profile: Path) -> dict[str, object]:
    """Return the settings of a profile, which is a folder or the file in it."""
    files = [profile, *(profile / name for name in PROFILE_FILES)]
    file = next((path for path in files if path.is_file()), None)
    return _read(file) if file else {}


def _read(file: Path) -> dict[str, object]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):  # Snakemake says what is wrong with it
        return {}
    return found if isinstance(found, dict) else {}
