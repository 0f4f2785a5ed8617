"""Answers at the prompt: from the command to the table, where the time goes, and beside mcpower."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.cases import SEED, Case, design
from benchmarks.timing import interleave
from hlm.fits import fit_batch, warm_up
from hlm.scenario import Model
from hlm.simulate import Memory, simulate
from hlm.study import Study

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = [
    "AT_LEAST",
    "PROMPT",
    "SETS",
    "Answer",
    "answers",
    "mcpower_version",
    "per_data_set",
    "phases",
]

ROOT = Path(__file__).parents[1]
FOUNDING = ROOT / "config" / "ogorek2012.yaml"
POINT, TERM = "units=30,rows=30,cor=0.9", ("--term", "x:a")

PROMPT = {"hlm preview": 1.5, "hlm solve": 10.0}
"""Seconds that an answer should take at most, by the beginning of its label."""

SETS = 5000
"""Data sets of one timing beside mcpower: as many as a batch draws at a time."""

AT_LEAST = {"x per row": 8.0, "one x": 20.0}
"""How many times as fast as mcpower a data set should be."""

HLM = "import sys; from hlm.cli import main; sys.exit(main())"

FORMULA = "y ~ x * a + (1 + x | unit)"
ICC, SLOPE_VARIANCE, CORRELATION = 0.1, 4.0 / 9.0, 0.9
"""The founding study's truth with a residual sd of 1, and the least ICC that mcpower takes."""

MCPOWER = f"""
from mcpower import MCPower, _engine
_engine.set_n_threads(THREADS)
model = MCPower("y = x + a + x:a + (1 + x|unit)", family="lme")
model.set_cluster(
    "unit", ICC={ICC}, n_clusters=30, random_slopes=["x"], slope_variance={SLOPE_VARIANCE},
    slope_intercept_corr={CORRELATION}, cluster_level_vars=["a"],
)
model.set_effects("x=3, a=-0.15, x:a=0.3")
"""
ASKED = "target_test='x:a', n_sims={}, progress_callback=False, verbose=False"

PHASES = f"""
from time import process_time as clock
marks = [("interpreter", clock())]
def mark(name):
    marks.append((name, clock()))
import hlm.cli; mark("the command line")
import numpy; mark("NumPy")
import yaml, pydantic; mark("YAML, pydantic")
import pyarrow, pyarrow.compute, pyarrow.parquet, pyarrow.csv; mark("pyarrow")
import numba; mark("Numba")
import hlm.study, hlm.whatif; mark("hlm, with the schema of studies")
study = hlm.study.Study.load({str(FOUNDING)!r})
from hlm.cli.scenarios import find_scenario
scenario = find_scenario(study, {POINT!r}); mark("reading and checking the study")
import scipy.special; mark("scipy.special")
from hlm.whatif import preview
ask = {{"scenarios": [scenario], "terms": ["x:a"], "cores": 1}}
preview(study, replicates=2, **ask); mark("loading the kernels")
found = preview(study, replicates=1000, **ask); mark("drawing and fitting 1,000 data sets")
from hlm.whatif.shown_rows import rows_shown
list(rows_shown(found, ["rejection"])); mark("measuring")
before = 0.0
for name, at in marks:
    print(name, at - before, sep=";")
    before = at
"""


class Answer(NamedTuple):
    """What a command takes, from the prompt to its end: seconds, (repeats,)."""

    label: str
    wall: NDArray[np.float64]
    processor: NDArray[np.float64]


def commands(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield what is asked at the prompt: a command of any kind is one more row."""
    one = folder / "one_model.yaml"
    one.write_text(_with_one_model(FOUNDING.read_text(encoding="utf-8")), encoding="utf-8")
    python = [sys.executable, "-c"]
    yield "Python alone", [*python, "pass"]
    yield "Python that imports NumPy", [*python, "import numpy"]
    yield "hlm --version", [*python, HLM, "--version"]
    yield (
        "hlm preview, three models by REML and ML",
        [*python, HLM, "preview", str(FOUNDING), POINT, *TERM],
    )
    yield "hlm preview, one model by REML", [*python, HLM, "preview", str(one), POINT, *TERM]
    sizes = "rows=30,cor=0.9"
    yield "hlm power, its three sizes", [*python, HLM, "power", str(one), sizes, *TERM]
    sought = ["--power", "0.8", "--vary", "units"]
    yield "hlm solve, its units", [*python, HLM, "solve", str(one), sizes, *TERM, *sought]
    if mcpower_version():
        script = f"{MCPOWER}print(model.find_power(900, {ASKED.format(1000)}))"
        yield "mcpower, one model", [*python, script.replace("THREADS", str(os.cpu_count()))]


def _with_one_model(text: str) -> str:
    study = Study.from_text(text)
    others = [model.name for model in study.models[1:]]
    lines = [one for one in text.splitlines() if one.strip().partition(":")[0] not in others]
    return "\n".join(lines).replace("methods: [reml, ml]", "methods: [reml]") + "\n"


def answers(repeats: int = 9) -> list[Answer]:
    """Time each command in turn, with kernels that are compiled and files that are in memory."""
    study = Study.load(FOUNDING)
    warm_up(study.models)
    with TemporaryDirectory() as folder:
        asked = list(commands(Path(folder)))
        for _, command in asked:
            _seconds(command)
        times = np.array(
            [[_seconds(command) for _, command in asked] for _ in range(repeats)]
        )  # (repeats, commands, 2)
    return [Answer(label, *times[:, k].T) for k, (label, _) in enumerate(asked)]


def _seconds(command: Sequence[str]) -> tuple[float, float]:
    """Return seconds by the clock and of processors."""
    before, start = os.times(), perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall, after = perf_counter() - start, os.times()
    spent = after.children_user + after.children_system
    return wall, spent - before.children_user - before.children_system


def phases(repeats: int = 5) -> dict[str, float]:
    """Return the seconds of one processor of each step of an answer, the least of some repeats."""
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", PHASES], check=True, capture_output=True, text=True
        )
        for line in done.stdout.splitlines():
            name, seconds = line.split(";")
            found.setdefault(name, []).append(float(seconds))
    return {name: min(seconds) for name, seconds in found.items()}


def mcpower_version() -> str:
    """Return the version of mcpower, nothing where it is not installed."""
    return version("mcpower") if find_spec("mcpower") else ""


def per_data_set(repeats: int = 9) -> dict[str, tuple[NDArray[np.float64], float]]:
    """Return seconds of one processor per data set, (repeats,), and the power of x:a.

    Of data sets drawn and fitted by REML, with limits and tables: x drawn per row, or one x for all
    units; and of mcpower, which draws x per row. Its tests are by between-within degrees of
    freedom, those of `hlm` by Satterthwaite's.
    """
    sd, own = (np.sqrt(ICC / (1.0 - ICC)), np.sqrt(SLOPE_VARIANCE)), Model("m", FORMULA, ("reml",))
    truth = replace(
        design(30, 30, sd=tuple(map(float, sd)), sigma=1.0, correlation=CORRELATION),
        key="5e" * 8,
    )
    shared = design(30, 30, shared=True)
    of_x = next(one for one in shared.covariates if one.name == "x")
    others = tuple(one for one in truth.covariates if one.name != "x")
    cases = {
        "x per row": Case("", truth, own),
        "one x": Case("", replace(truth, key="5f" * 8, covariates=(*others, of_x)), own),
    }
    warm_up([own], lanes=True)
    powers: dict[str, float] = {}
    memory = Memory()
    tasks: dict[str, Any] = {
        name: lambda name=name, case=case: powers.update({name: _power(case, memory)})
        for name, case in cases.items()
    }
    if mcpower_version():
        held: dict[str, Any] = {}
        import_module("mcpower")
        exec(MCPOWER.replace("THREADS", "1"), held)
        ask = {"target_test": "x:a", "n_sims": SETS, "progress_callback": False, "verbose": False}

        def theirs() -> None:
            found = held["model"].find_power(900, **ask)
            powers["mcpower"] = found["power_uncorrected"][0][0]

        tasks["mcpower"] = theirs
    seconds = interleave(tasks, repeats)
    return {name: (times / SETS, powers[name]) for name, times in seconds.items()}


def _power(case: Case, memory: Memory) -> float:
    """Draw and fit as a batch does, and count the limits that leave zero out."""
    drawn = simulate(case.scenario, [case.model], SEED, 0, SETS, memory=memory)
    table = fit_batch(case.scenario, [case.model], drawn, lanes=True)["estimates"]
    # The terms of a data set are together, in the order of the dictionary
    lower, upper = (table[name].reshape(SETS, -1) for name in ("lower", "upper"))
    place = table["term"].dictionary.to_pylist().index("x:a")
    return float(np.mean((lower[:, place] > 0.0) | (upper[:, place] < 0.0)))
