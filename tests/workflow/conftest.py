"""One run of the tiny study, for all tests of what a run does and leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.results import TINY
from tests.shared import HLM, made_once

if TYPE_CHECKING:
    from pathlib import Path

# Runs in every Python of a run that has its folder on the path: notes who plans.
NOTING_WHO_PLANS = """
import os, sys
from hlm.operations import prepare
def make_plan(*arguments, make=prepare.make_plan, **options):
    with open(os.environ["HLM_TEST_PLANNED"], "a") as file:
        file.write(" ".join(sys.orig_argv) + chr(10))
    return make(*arguments, **options)
prepare.make_plan = make_plan
"""


@dataclass(frozen=True)
class TinyRun:
    """Where `hlm run` was called, what it printed, and the commands that planned."""

    folder: Path
    printed: str
    planners: list[str]


def run_tiny(folder: Path) -> None:
    """Run the study in a folder below this one; leave beside it what was printed and noted."""
    notes, run = folder / "notes", folder / "run"
    notes.mkdir()
    run.mkdir()
    (notes / "sitecustomize.py").write_text(NOTING_WHO_PLANS, encoding="utf-8")
    (run / "study.yaml").write_bytes(TINY.read_bytes())
    done = subprocess.run(
        [*HLM, "run", "study.yaml", "--cores", "2"],
        cwd=run,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join([str(notes), *sys.path]),
            "HLM_TEST_PLANNED": str(notes / "planned"),
        },
    )
    assert done.returncode == 0, done.stderr
    (notes / "printed").write_text(done.stdout, encoding="utf-8")


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """The study run by `hlm run`; only to be read, for other processes do so too."""
    folder = made_once(tmp_path_factory, "tiny_run", run_tiny)
    notes = folder / "notes"
    planners = (notes / "planned").read_text(encoding="utf-8").splitlines()
    return TinyRun(folder / "run", (notes / "printed").read_text(encoding="utf-8"), planners)
