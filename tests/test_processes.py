"""Tasks in several processes, kernels known without Numba, and Snakemake loaded ahead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from hlm import jit, kernel_cache
from hlm.processes import beside, side_by_side

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


def fail():
    raise ZeroDivisionError("of a task")


@pytest.mark.parametrize("processes", [1, 2])
def test_tasks_return_in_their_order_and_raise(processes):
    own = side_by_side([lambda k=k: (k, os.getpid()) for k in range(9)], processes)
    assert [k for k, _ in own] == list(range(9))
    assert (os.getpid() in {process for _, process in own}) == (processes == 1)
    with pytest.raises(ZeroDivisionError, match="of a task"):
        side_by_side([fail, lambda: 1], processes)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_done_beside_is_done_at_the_end(processes, tmp_path):
    with beside(lambda: (tmp_path / "a").write_text(str(os.getpid())), processes):
        pass
    assert ((tmp_path / "a").read_text() == str(os.getpid())) == (processes == 1)
    with pytest.raises(ZeroDivisionError, match="of a task"), beside(fail, processes):
        pass


@linux
def test_a_process_that_is_killed_is_no_success():
    with (
        pytest.raises(ChildProcessError),
        beside(lambda: os.kill(os.getpid(), signal.SIGKILL), 2),
    ):
        pass


@linux
def test_an_error_of_the_block_does_not_leave_the_process_behind(tmp_path):
    def write():
        (tmp_path / "a").write_text("written")

    with pytest.raises(KeyError), beside(write, 2):
        raise KeyError
    assert (tmp_path / "a").read_text() == "written"


def test_kernels_are_known_to_be_compiled_without_numba(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(jit.config, "CACHE_DIR", str(tmp_path))
    ask = [sys.executable, "-c", "import sys; from hlm.kernel_cache import is_marked as i;"]
    ask[-1] += " print(i('q9'), 'numba' in sys.modules)"
    answers = [subprocess.run(ask, capture_output=True, text=True, check=True).stdout]
    with jit.compiling("q9") as missing:
        assert missing
        assert not kernel_cache.is_marked("q9")
    with jit.compiling("q9") as missing:
        assert not missing
    answers += [subprocess.run(ask, capture_output=True, text=True, check=True).stdout]
    assert answers == ["False False\n", "True False\n"]
