"""A task of an array finds its own command in what the plugin adds to that of the first task."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from hlm.operations.slurm import own_command

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
