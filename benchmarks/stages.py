"""What is paid once: compiling the kernels, importing the package; and one fit to real data."""

from __future__ import annotations

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

import numpy as np

import hlm
from benchmarks.timing import interleave
from hlm.datasets import load_mathachieve

__all__ = ["MATHACHIEVE", "compile_seconds", "import_seconds", "lmer_seconds"]

MATHACHIEVE = "mathach ~ cses * meanses + (1 + cses | school)"

TIMED = "from time import perf_counter as t; s = t(); {}; print(t() - s)"


def compile_seconds() -> tuple[float, float]:
    """Return seconds to get the kernels ready with nothing compiled, and when all is cached."""
    with TemporaryDirectory() as folder:
        first, second = (
            _seconds("from hlm.engine import warm_up; warm_up()", NUMBA_CACHE_DIR=folder)
            for _ in range(2)
        )
    return first, second


def import_seconds(module: str, repeats: int = 5) -> float:
    """Return the median seconds to import a module in a new process, without Python's start."""
    return float(np.median([_seconds(f"import {module}") for _ in range(repeats)]))


def lmer_seconds(repeats: int = 15) -> float:
    """Return the median seconds of `hlm.lmer` on MathAchieve, formula and data frame to fit."""
    data = load_mathachieve()
    times = interleave({"lmer": lambda: hlm.lmer(MATHACHIEVE, data)}, repeats)["lmer"]
    return float(np.median(times))


def _seconds(statement: str, **environment: str) -> float:
    answer = subprocess.run(
        [sys.executable, "-c", TIMED.format(statement)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(answer.stdout)
