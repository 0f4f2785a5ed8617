"""Many processes that need a kernel first: one compiles it, the others wait and load it."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from hlm import jit
from hlm.errors import InputError

KERNELS = Path(__file__).with_name("first_kernels.py")


@pytest.fixture
def process(tmp_path):
    """Start processes that share an empty cache."""
    with ExitStack() as stack:

        def start():
            return stack.enter_context(
                subprocess.Popen(
                    [sys.executable, KERNELS],
                    env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )

        yield start


def go(*processes):
    """Let them all go once all are ready."""
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def result(process):
    """Return whether a process compiled, its result, and the kernels it loaded."""
    last = process.communicate()[0].splitlines()[-1]
    assert process.returncode == 0
    missing, *values, loaded = last.split()
    assert values == ["30.0", "14"]
    return missing == "True", int(loaded)


def test_of_many_first_processes_one_compiles_and_all_are_right(process):
    processes = [process() for _ in range(6)]
    go(*processes)
    results = sorted(result(process) for process in processes)
    assert results == [(False, 2)] * 5 + [(True, 0)]


def test_a_process_that_is_killed_while_it_compiles_holds_up_no_other(process):
    first = process()
    go(first)
    assert first.stdout.readline() == "compiling\n"
    first.kill()
    second = process()
    go(second)
    assert result(second)[0]


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(jit, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(InputError, match="cannot be locked") as caught, jit.compiling("test"):
        pass
    assert "NUMBA_CACHE_DIR" in str(caught.value)


@jit.kernel
def half(x):
    return 0.5 * x


@jit.kernel
def sum_of_halves(x):
    total = 0.0
    for k in range(len(x)):
        total += half(x[k])
    return total


@jit.entry
def fill_halves(x, out):
    out[0] = sum_of_halves(x)


@pytest.mark.skipif(jit.config.DISABLE_JIT, reason="nothing is compiled")
def test_only_entries_have_machine_code():
    out = np.zeros(1)
    fill_halves(np.arange(4.0), out)
    assert out[0] == 3.0
    for function in (half, sum_of_halves, fill_halves):
        function.recompile()  # or it comes from the disk, without the code to look at
    counts = {
        function.py_func.__name__: sum(
            1
            for compiled in function.overloads.values()
            for _ in compiled.library.get_defined_functions()
        )
        for function in (half, sum_of_halves, fill_halves)
    }
    assert counts["half"] == counts["sum_of_halves"] == 0
    assert counts["fill_halves"] > 0
