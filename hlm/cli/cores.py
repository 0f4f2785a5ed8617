"""How many cores a command may use: what the user says, or what the profile does."""

from __future__ import annotations

import os
from pathlib import Path

from hlm.errors import InputError

__all__ = ["check_cores", "cores_of"]

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


def _settings(profile: Path) -> dict[str, object]:
    import yaml

    files = [profile, *(profile / name for name in PROFILE_FILES)]
    file = next((path for path in files if path.is_file()), None)
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) if file else None
    except (OSError, ValueError, yaml.YAMLError):  # Snakemake says what is wrong with it
        return {}
    return found if isinstance(found, dict) else {}
