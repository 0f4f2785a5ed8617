"""A run that the user stops, at any moment: one line, nothing left alive, and it can go on."""

from __future__ import annotations

import os
import signal
import time

import pytest

from .campaign import LONGEST_RUN, Run, _line, prepare, results

NOISE = ("Traceback", "KeyboardInterrupt", "Error", "Terminating", "Shutting down", "said:")


def has_begun(run, folder):  # noqa: ARG001
    return (folder / "results" / "faults" / ".lock").exists()


def plans(run, folder):  # noqa: ARG001
    return run.snakemake()


def draws(run, folder):  # noqa: ARG001
    return run.jobs()


def writes_the_report(run, folder):  # noqa: ARG001
    return any(".present." in _line(process) for process in run.jobs())


def stop(folder, moment):
    """Press Ctrl-C at a moment of a run; return its status, its words and who is still alive."""
    with Run(folder, targets=(), options=()) as run:
        end = time.monotonic() + LONGEST_RUN
        while not moment(run, folder):
            assert run.main.poll() is None, run.said()
            assert time.monotonic() < end, run.said()
            time.sleep(0.02)
        os.killpg(run.main.pid, signal.SIGINT)
        status = run.main.wait(LONGEST_RUN)
        return status, run.said(), run.processes()


@pytest.fixture(autouse=True)
def _with_a_terminal():
    """Runs in the background of a shell are born deaf to Ctrl-C, and hand it on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopped")
    prepare(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("moment", [has_begun, plans, draws, writes_the_report])
def test_ctrl_c_ends_a_run_in_one_line(moment, stopped):
    status, said, alive = stop(stopped, moment)
    assert status == 130, said
    assert said.splitlines()[-1] == "stopped; the same command goes on"
    assert not [word for word in NOISE if word in said], said
    assert not alive
    logs = (stopped / "results" / "faults" / "logs").rglob("*.log")
    assert not [log for log in logs if log.name != "snakemake.log" and log.stat().st_size]


@pytest.mark.slow
def test_the_same_command_goes_on(stopped, undisturbed):
    with Run(stopped, targets=(), options=()) as run:
        assert run.end() == 0, run.said()
        assert run.said().endswith("explorer: results/faults/explorer.html\n")
    assert results(stopped) == undisturbed.results
    assert {path.name for path in stopped.iterdir()} == {"log", "results", "study.yaml"}
