"""What is paid once: compiling the kernels, importing the package; and fits to real data."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from tempfile import TemporaryDirectory

import numpy as np

import hlm
from benchmarks.timing import interleave
from hlm.datasets import load_mathachieve, load_sleepstudy

__all__ = ["MATHACHIEVE", "compile_seconds", "import_seconds", "lmer_seconds", "refits_per_second"]

MATHACHIEVE = "mathach ~ cses * meanses + (1 + cses | school)"

TIMED = "from time import process_time as t; s = t(); {}; print(t() - s)"

WARM_UP = "from hlm.fits import warm_up; from hlm.scenario import Model"


def compile_seconds() -> dict[str, float]:
    """Return seconds to get variants of the kernels ready, imports included, by what is ready."""
    plain = 'Model("m", "y ~ x + (1 + x | g)"{})'
    variants = {
        "kernels of two random effects, compiled and cached": plain.format(""),
        "   the same with Kenward-Roger": plain.format(', df=("kenward-roger",)'),
        "   the same with profile limits": plain.format(', limits=("profile",)'),
        "kernels of three random effects": 'Model("m", "y ~ x + z + (1 + x + z | g)")',
    }
    found = {}
    for label, model in variants.items():
        with TemporaryDirectory() as folder:
            program = f"{WARM_UP}; warm_up([{model}])"
            found[label] = _seconds(program, NUMBA_CACHE_DIR=folder)
            if model == plain.format(""):
                beside = program.replace("])", "], lanes=True)")
                for more, again in (
                    ("   the same when they are cached", program),
                    ("   those for data sets side by side, more", beside),
                ):
                    found[more] = _seconds(again, NUMBA_CACHE_DIR=folder)
    return found


def refits_per_second(n: int = 2000) -> dict[str, float]:
    """Return parametric bootstrap refits per second, responses drawn, of two fits to real data."""
    fits = {
        "sleepstudy (180 rows)": hlm.lmer(
            "Reaction ~ Days + (1 + Days | Subject)", load_sleepstudy()
        ),
        "MathAchieve": hlm.lmer(MATHACHIEVE, load_mathachieve()),
    }
    tasks = {name: partial(_bootstrap, fit, n) for name, fit in fits.items()}
    return {name: n / float(np.median(times)) for name, times in interleave(tasks, 3).items()}


def _bootstrap(fit: hlm.LmerFit, n: int) -> None:
    fit.confint("boot", n=n, rng=1)


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
