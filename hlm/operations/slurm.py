"""A task of a Slurm array -> its own job, where Snakemake's Slurm plugin does not see to that.

Versions 2.6 to 2.8 of the plugin start every task of an array with the command of the first, which
is to run the task's own command and then checks the outputs of the first in place of the task's.
So tasks would fail when they end before the first, when the first fails, and once its temporary
output is gone (issue 447 of the plugin). A task therefore becomes its own command at once, which
also saves one start of Snakemake in three. Other versions are left to themselves: 2.6 was the first
with arrays, and what comes after 2.8 shall be looked at (`make slow` runs a study on a Slurm).
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from argparse import ArgumentParser
from base64 import b64decode
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["become_own_task", "has_fault", "own_command"]

PLUGIN = "snakemake-executor-plugin-slurm"
WITH_FAULT = {"2.6", "2.7", "2.8"}
"""Its versions, without the numbers of corrections."""


def has_fault() -> bool:
    """Tell whether the plugin that is installed starts tasks with another's command."""
    try:
        return version(PLUGIN).rpartition(".")[0] in WITH_FAULT
    except PackageNotFoundError:
        return False


def own_command(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Return the command of this task of an array, if it was started with that of another.

    Parameters
    ----------
    arguments : sequence of str
        Of this call of Snakemake; the plugin adds the commands of all tasks but the first.
    environment : mapping
        Slurm tells there which task this is.

    Examples
    --------
    >>> own_command(["--cores", "1"], {}) is None
    True
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--slurm-jobstep-array-execs")
    packed = parser.parse_known_args(arguments)[0].slurm_jobstep_array_execs
    if not packed:
        return None
    try:
        commands = json.loads(b64decode(packed, validate=True))
        command = commands.get(environment.get("SLURM_ARRAY_TASK_ID"))
        return zlib.decompress(bytes.fromhex(command)).decode() if command else None
    except (ValueError, AttributeError, zlib.error):
        return None  # packed in another way: the plugin knows how to go on


def become_own_task() -> None:
    """Go on as the command of this task of an array; elsewhere do nothing."""
    command = own_command(sys.argv[1:], os.environ)
    if command and has_fault():
        os.execv("/bin/sh", ["sh", "-c", command])
