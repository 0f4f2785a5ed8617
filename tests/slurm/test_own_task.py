"""A task of an array finds its own command in what the plugin adds to that of the first task."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from hlm.operations import slurm
from hlm.operations.slurm import become_own_task, has_fault, own_command

OPTION = "--slurm-jobstep-array-execs"
COMMANDS = {"2": "snakemake --target-jobs fit:batch=b", "3": "snakemake --target-jobs fit:batch=c"}


@pytest.fixture(scope="module")
def packed():
    """The commands of all tasks but the first, as version 2.8 packs them."""
    texts = {task: zlib.compress(line.encode()).hex() for task, line in COMMANDS.items()}
    return base64.b64encode(json.dumps(texts).encode()).decode()


@pytest.mark.parametrize("form", ["{option}={packed}", "{option} {packed}"])
def test_a_task_has_its_own_command(form, packed):
    call = ["--mode", "remote", *form.format(option=OPTION, packed=packed).split()]
    for task, line in COMMANDS.items():
        assert own_command(call, {"SLURM_ARRAY_TASK_ID": task}) == line


def test_the_first_task_and_what_is_no_task_go_on_as_they_are(packed):
    assert own_command([f"{OPTION}={packed}"], {"SLURM_ARRAY_TASK_ID": "1"}) is None
    assert own_command([f"{OPTION}={packed}"], {}) is None
    assert own_command(["--mode", "remote"], {"SLURM_ARRAY_TASK_ID": "2"}) is None


@pytest.mark.parametrize("packed", ["{2: 78da}", "bm90IGpzb24=", "WzJd", "eyIyIjogIjc4In0="])
def test_what_is_packed_otherwise_is_left_to_the_plugin(packed):
    assert own_command([f"{OPTION}={packed}"], {"SLURM_ARRAY_TASK_ID": "2"}) is None


@pytest.mark.parametrize(
    ("installed", "goes_on"),
    [("2.5.4", False), ("2.6.0", True), ("2.7.1", True), ("2.8.0", True), ("2.9.0", False)],
)
def test_only_versions_of_the_plugin_with_the_fault_are_helped(
    installed, goes_on, packed, monkeypatch
):
    become = []
    monkeypatch.setattr(slurm, "version", lambda name: installed if "slurm" in name else "1")
    monkeypatch.setattr("sys.argv", ["snakemake", f"{OPTION}={packed}"])
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    monkeypatch.setattr("os.execv", lambda *arguments: become.append(arguments))
    become_own_task()
    assert has_fault() == goes_on
    assert become == [("/bin/sh", ["sh", "-c", COMMANDS["3"]])] * goes_on


def test_without_the_plugin_there_is_no_fault(monkeypatch):
    def missing(name):
        raise slurm.PackageNotFoundError(name)

    monkeypatch.setattr(slurm, "version", missing)
    assert not has_fault()


def test_the_plugin_that_is_installed_is_one_that_was_looked_at():
    """If this fails, see whether issue 447 is mended in the new version: run tests/slurm."""
    assert has_fault()
