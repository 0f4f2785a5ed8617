"""Fits by R's lme4, with inference by lmerTest and pbkrtest, in one R process."""

from __future__ import annotations

import csv
import shutil
import subprocess
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from hlm.audit.engines import OtherFit, OtherInference, OtherTest
from hlm.errors import InputError
from hlm.formula import terms_of
from hlm.inference import COEFFICIENTS
from hlm.kernels.elements import free_elements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hlm.audit.engines import Rows
    from hlm.scenario import Model

__all__ = ["fit_with_lme4", "lme4_version"]

SCRIPT = Path(__file__).with_name("fit.R")


ASK = """
version <- function(p) tryCatch(as.character(packageVersion(p)), error = function(e) "absent")
others <- c("lmerTest", "pbkrtest")
cat(as.character(packageVersion("lme4")), " (R ", as.character(getRversion()), ", ",
    paste(others, vapply(others, version, ""), collapse = ", "), ")", sep = "")
"""


def lme4_version() -> str | None:
    """Return the version of lme4 and of what goes with it, None if it or R is not installed."""
    if shutil.which("Rscript") is None:
        return None
    done = subprocess.run(["Rscript", "-e", ASK], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def fit_with_lme4(sets: Sequence[Rows], models: Sequence[Model]) -> list[OtherFit]:
    """Fit every model to every data set by each of its methods, with lme4's defaults.

    If lmerTest is installed, a model that asks for Satterthwaite's degrees of freedom has them,
    with F tests; if pbkrtest is too, REML fits have Kenward and Roger's where they are asked for.

    Parameters
    ----------
    sets : sequence of mapping of str to ndarray
        The columns of each data set.
    models : sequence of Model

    Raises
    ------
    InputError
        R ended with an error.
    """
    with TemporaryDirectory() as folder:
        names = ("data", "levels", "models", "tests", "answer")
        data, levels, wanted, tests, answer = files = [Path(folder, name) for name in names]
        _write_data(sets, data)
        _write_levels(sets[0], levels)
        _write_models(models, wanted)
        _write_tests(models, tests)
        done = subprocess.run(
            ["Rscript", "--vanilla", str(SCRIPT), *map(str, files)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise InputError(f"R ended with an error: {done.stderr.strip()}", path="lme4")
        return _read(answer, models)


def _write_data(sets: Sequence[Rows], path: Path) -> None:
    """Write all data sets below each other; Arrow writes numbers with all their digits."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    tables = [
        pa.table(
            {
                ".set": np.full(len(next(iter(rows.values()))), number),
                **{name: np.asarray(column) for name, column in rows.items()},
            }
        )
        for number, rows in enumerate(sets)
    ]
    arrow_csv.write_csv(pa.concat_tables(tables), path)


def _write_levels(rows: Rows, path: Path) -> None:
    """Write the levels of categorical columns in their order, which are those of all data sets."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["column", "level"])
        for name, column in rows.items():
            writer.writerows([name, level] for level in getattr(column, "categories", ()))


def _write_models(models: Sequence[Model], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "formula", "method", "ddf"])
        for model in models:
            writer.writerows(
                [model.name, model.formula, method, " ".join(_wanted(model, method))]
                for method in model.methods
            )


def _write_tests(models: Sequence[Model], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "test", "coef"])
        for model in models:
            for name, coefficients in model.tests:
                writer.writerows([model.name, name, coefficient] for coefficient in coefficients)


DDF = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward-Roger"}
"""lmerTest's names of the inferences that it has."""


def _wanted(model: Model, method: str) -> list[str]:
    """Return the inferences of a model that lmerTest has, by its names for them.

    For an ML fit it computes Kenward and Roger's from another fit, by REML: these are left out.
    """
    there = [name for name in model.df if name in DDF]
    return [DDF[name] for name in there if not (method == "ml" and COEFFICIENTS[name].adjusts)]


def _read(path: Path, models: Sequence[Model]) -> list[OtherFit]:
    blocks = {model.name: list(terms_of(model).sizes) for model in models}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    fits = []
    for (number, model, method), group in groupby(
        rows, lambda row: (row["set"], row["model"], row["method"])
    ):
        by: dict[str, dict[str, dict[str, str]]] = {"": {}}
        for row in group:
            of_kind = by.setdefault(row["ddf"], {}).setdefault(row["kind"], {})
            of_kind[row["name"]] = row["value"]
        found = by[""]
        seconds = float(found["seconds"][""])
        warning = found.get("warning", {}).get("", "")
        if "error" in found:
            fit = OtherFit(
                int(number), model, method, found["error"][""], seconds=seconds, warning=warning
            )
        else:
            theta = [float(value) for value in found["theta"].values()]
            fit = OtherFit(
                int(number),
                model,
                method,
                "ok",
                psi=_psi(theta, blocks[model]),
                coef=_numbers(found, "coef"),
                se=_numbers(found, "se"),
                inferences={
                    name: OtherInference(
                        **{kind: _numbers(by[ddf], kind) for kind in ("adjusted", "df", "p")},
                        tests=_tests(by[ddf]),
                    )
                    for name, ddf in DDF.items()
                    if ddf in by
                },
                criterion=float(found["criterion"][""]),
                singular=found["singular"][""] == "1",
                seconds=seconds,
                warning=warning,
            )
        fits.append(fit)
    return fits


def _numbers(found: dict[str, dict[str, str]], kind: str) -> dict[str, float]:
    return {name: float(value) for name, value in found.get(kind, {}).items()}


def _tests(found: dict[str, dict[str, str]]) -> dict[str, OtherTest]:
    F, ddf, p = (_numbers(found, kind) for kind in ("F", "ddf", "test_p"))
    return {name: OtherTest(F[name], ddf[name], p[name]) for name in F}


def _psi(theta: list[float], blocks: list[int]) -> NDArray[np.float64]:
    """Return Lambda Lambda' for lme4's theta.

    Examples
    --------
    >>> _psi([2.0, 1.0, 1.0], [2]).tolist()
    [[4.0, 2.0], [2.0, 2.0]]
    """
    Lambda = np.zeros((sum(blocks), sum(blocks)))
    Lambda[free_elements(blocks)] = theta
    return Lambda @ Lambda.T
