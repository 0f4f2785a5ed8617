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

from hlm import inside_numba, jit
from hlm.errors import InputError
from hlm.kernel_cache import PLAIN

ROOT = Path(__file__).parents[1]
KERNELS = Path(__file__).with_name("first_kernels.py")
compiled = pytest.mark.skipif(jit.config.DISABLE_JIT, reason="nothing is compiled")


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


def machine_code(*functions):
    """Compile functions anew and count the functions of machine code that each then has."""
    for function in functions:
        function.recompile()  # or it comes from the disk, without the code to look at
    return {
        function.py_func.__name__: sum(
            1
            for compiled in function.overloads.values()
            for _ in compiled.library.get_defined_functions()
        )
        for function in functions
    }


def halves():
    """Return the sum of halves of 0 to 3, by the kernels."""
    out = np.zeros(1)
    fill_halves(np.arange(4.0), out)
    return out[0]


@compiled
def test_only_entries_have_machine_code():
    assert halves() == 3.0
    counts = machine_code(half, sum_of_halves, fill_halves)
    assert counts["half"] == counts["sum_of_halves"] == 0
    assert counts["fill_halves"] > 0


@compiled
def test_one_process_at_a_time_writes_a_kernels_code(monkeypatch):
    def refused(cache):
        with (Path(cache.cache_path) / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    saved = []
    monkeypatch.setattr(
        inside_numba.FunctionCache, "save_overload", lambda cache, *_: saved.append(refused(cache))
    )
    fill_halves.recompile()
    assert saved
    assert all(saved)
    assert not refused(fill_halves._cache)


@pytest.fixture
def decided_anew():
    """Let it be decided again, before and after a test, how kernels are compiled."""
    jit.links_kernels.cache_clear()
    yield
    jit.links_kernels.cache_clear()


@compiled
@pytest.mark.usefixtures("decided_anew")
@pytest.mark.parametrize("why", ["the user says so", "moved", "gone", "other numbers"])
def test_kernels_are_compiled_as_numba_does_by_itself(why, monkeypatch):
    """The user says so, or what is overridden has moved, is gone or means something else."""
    halves()
    if why == "the user says so":
        monkeypatch.setenv(PLAIN, "1")
    elif why == "moved":
        monkeypatch.setitem(sys.modules, "hlm.inside_numba", None)
    elif why == "gone":
        monkeypatch.delattr("numba.core.codegen.CPUCodeLibrary._get_module_for_linking")
    else:
        monkeypatch.setattr(inside_numba, "_three_times", lambda x: 2.0 * x)
    assert not jit.links_kernels()
    monkeypatch.undo()
    counts = machine_code(half, sum_of_halves, fill_halves)
    assert all(counts.values())
    assert halves() == 3.0


def test_the_cache_is_another_for_what_is_compiled_otherwise(monkeypatch):
    folders = [jit.cache_folder()]
    monkeypatch.setenv(PLAIN, "1")
    folders.append(jit.cache_folder())
    monkeypatch.setattr("hlm.kernel_cache.version", lambda _: "99")
    folders.append(jit.cache_folder())
    assert len(set(folders)) == 3


FIT = """
from hashlib import sha256
import sys
from hlm.fits import fit_batch
from hlm.jit import links_kernels
from hlm.simulate import simulate
from hlm.study import Study

study = Study.load(sys.argv[1])
total = sha256()
for scenario in study.scenarios:
    tables = fit_batch(scenario, study.models, simulate(scenario, study.models, 1, 0, 40))
    for kind, columns in tables.items():
        for name, values in columns.items():
            total.update(f"{kind} {name} {list(map(repr, values))}".encode())
print(links_kernels(), total.hexdigest())
"""


@compiled
@pytest.mark.slow
def test_the_numbers_do_not_depend_on_how_kernels_are_compiled(tmp_path):
    def fit(**environment):
        command = [sys.executable, "-c", FIT, "tests/workflow/tiny.yaml"]
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()

    linked, numbers = fit(**{PLAIN: "0"})  # most likely from the cache of all other tests
    plain, same = fit(**{PLAIN: "1", "NUMBA_CACHE_DIR": str(tmp_path)})
    assert (linked, plain) == ("True", "False")
    assert numbers == same


def _double(x, out):
    for k in range(len(x)):
        out[k] = 2.0 * x[k]


@compiled
def test_nothing_is_vectorized_and_numbas_settings_are_as_they_were():
    import numba

    def vectors(function):
        function(np.arange(64.0), np.zeros(64))
        function.recompile()
        (code,) = function.inspect_llvm().values()
        return " x double>" in code

    before = numba.config.LOOP_VECTORIZE, numba.config.SLP_VECTORIZE
    assert before[0] == 1
    assert vectors(numba.njit(_double))
    assert not vectors(jit.entry(_double))
    assert before == (numba.config.LOOP_VECTORIZE, numba.config.SLP_VECTORIZE)
