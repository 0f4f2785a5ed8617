"""hlm beside other engines: the same data sets in the same run, times and REML criteria."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.cases import SEED, Case, simulate_case
from hlm.audit.glmm import glmm_version
from hlm.fits.candidates import fit_model
from hlm.kernels.fit import CRITERION
from hlm.scenario import Model
from hlm.simulate import draw_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["WORSE", "Result", "compare", "hlm_criteria", "stacked", "versions"]

Floats = NDArray[np.float64]

WORSE = 1e-4
"""A criterion that is higher than ours by more than this is no minimum."""

SCRIPT = Path(__file__).with_name("bench.R")


@dataclass(frozen=True)
class Result:
    """What another engine needs, and how good its minima are.

    Attributes
    ----------
    engine : str
    seconds : float
        Of processor time per data set; NaN if the engine is not installed.
    criteria : ndarray (n,)
        REML criteria; empty if the engine was not asked for fits.
    """

    engine: str
    seconds: float = np.nan
    criteria: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def absent(self) -> bool:
        """Whether the engine is not installed."""
        return bool(np.isnan(self.seconds))

    def excess(self, ours: Floats) -> Floats:
        """Return its criteria less ours."""
        return self.criteria - ours[: len(self.criteria)]


def stacked(case: Case, n: int) -> pd.DataFrame:
    """Draw the first n data sets of a case as rows, numbered in column `set`."""
    return pd.concat(
        pd.DataFrame(draw_rows(case.scenario, SEED, r)).assign(set=r) for r in range(n)
    )


def hlm_criteria(case: Case, n: int) -> Floats:
    """Fit the same data sets from their cross-products; return the REML criteria."""
    model = Model("reml", case.model.formula, ("reml",))
    drawn = simulate_case(case, n)
    results = fit_model(model, drawn.columns[0], drawn.cross)
    return results.summary[:, 0, CRITERION]


def compare(formula: str, data: pd.DataFrame, slow: int) -> list[Result]:
    """Fit data sets by all other engines; the slow ones get the first `slow` data sets only."""
    return [
        *_r(formula, data, slow),
        *_statsmodels(formula, data, slow),
        *_glmm(formula, data),
    ]


def versions() -> str:
    """Name the other engines that are installed."""
    ask = (
        "cat(R.version.string, ''); for (p in c('lme4', 'lmerTest', 'pbkrtest'))"
        " if (nzchar(system.file(package = p))) cat(p, format(packageVersion(p)), '')"
    )
    others = "" if glmm_version() is None else f"; glmm {glmm_version()}"
    if shutil.which("Rscript") is None:
        return f"no R{others}"
    return _run("-e", ask).strip() + others


def _r(formula: str, data: pd.DataFrame, slow: int) -> Iterator[Result]:
    """Ask R."""
    if shutil.which("Rscript") is None:
        yield Result("R")
        return
    with TemporaryDirectory() as folder:
        file = Path(folder) / "sets.csv"
        data.to_csv(file, index=False)
        answer = _run(str(SCRIPT), str(file), formula, str(slow))
    for line in answer.splitlines():
        name, seconds, *criteria = line.strip().split(";")
        if seconds == "absent":
            yield Result(name)
        else:
            yield Result(name, float(seconds), np.array(criteria, dtype=float))


def _run(*arguments: str) -> str:
    command = ["Rscript", "--vanilla", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def _glmm(formula: str, data: pd.DataFrame) -> Iterable[Result]:
    """Fit by glmm, with Satterthwaite's degrees of freedom."""
    version = glmm_version()
    if version is None:
        return [Result("glmm")]
    fit = import_module("glmm").fit
    sets = [one.to_dict("series") for _, one in data.groupby("set")]
    rows = [{name: column.to_numpy() for name, column in one.items()} for one in sets]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit(rows[0], formula, reml=True, satterthwaite=True)
        start = process_time()
        fits = [fit(one, formula, reml=True, satterthwaite=True) for one in rows]
        seconds = process_time() - start
    criteria = np.array([-2.0 * float(one.loglik) for one in fits])
    return [Result(f"glmm {version}, with Satterthwaite's df", seconds / len(rows), criteria)]


def _statsmodels(formula: str, data: pd.DataFrame, slow: int) -> Iterable[Result]:
    """Fit by statsmodels' MixedLM: formula `y ~ fixed + (random | group)`."""
    name = "statsmodels MixedLM"
    if find_spec("statsmodels") is None:
        return [Result(name)]
    mixedlm = import_module("statsmodels.formula.api").mixedlm

    fixed, _, random = formula.rstrip(")").partition(" + (")
    effects, group = random.split(" | ")
    criteria, seconds = [], 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _, one in list(data.groupby("set"))[: max(slow, 1)]:
            start = process_time()
            fit = mixedlm(fixed, one, groups=one[group], re_formula=effects).fit(reml=True)
            seconds += process_time() - start
            criteria.append(-2.0 * fit.llf)
    return [Result(name, seconds / len(criteria), np.array(criteria))]
