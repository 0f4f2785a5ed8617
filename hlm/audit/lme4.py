"""Fits by R's lme4, in one R process for all data sets."""

from __future__ import annotations

import csv
import shutil
import subprocess
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from hlm.audit.engines import OtherFit
from hlm.engine.batch import free_elements
from hlm.errors import InputError
from hlm.formula import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hlm.audit.engines import Rows
    from hlm.scenario import Model

__all__ = ["fit_with_lme4", "lme4_version"]

SCRIPT = Path(__file__).with_name("fit.R")


def lme4_version() -> str | None:
    """Return the version of lme4, None if it or R is not installed."""
    if shutil.which("Rscript") is None:
        return None
    ask = "cat(as.character(packageVersion('lme4')))"
    done = subprocess.run(["Rscript", "-e", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def fit_with_lme4(sets: Sequence[Rows], models: Sequence[Model]) -> list[OtherFit]:
    """Fit every model to every data set by each of its methods, with lme4's defaults.

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
        data, wanted, answer = (Path(folder) / name for name in ("data", "models", "answer"))
        _write_data(sets, data)
        _write_models(models, wanted)
        done = subprocess.run(
            ["Rscript", "--vanilla", str(SCRIPT), str(data), str(wanted), str(answer)],
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
        pa.table({".set": np.full(len(next(iter(rows.values()))), number), **rows})
        for number, rows in enumerate(sets)
    ]
    arrow_csv.write_csv(pa.concat_tables(tables), path)


def _write_models(models: Sequence[Model], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "formula", "method"])
        for model in models:
            writer.writerows([model.name, model.formula, method] for method in model.methods)


def _read(path: Path, models: Sequence[Model]) -> list[OtherFit]:
    formulas = {model.name: parse(model.formula) for model in models}
    blocks = {
        name: [len(block.terms) for block in formula.random] for name, formula in formulas.items()
    }
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    fits = []
    for (number, model, method), group in groupby(
        rows, lambda row: (row["set"], row["model"], row["method"])
    ):
        found: dict[str, dict[str, str]] = {}
        for row in group:
            found.setdefault(row["kind"], {})[row["name"]] = row["value"]
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
                coef={name: float(value) for name, value in found["coef"].items()},
                se={name: float(value) for name, value in found["se"].items()},
                criterion=float(found["criterion"][""]),
                singular=found["singular"][""] == "1",
                seconds=seconds,
                warning=warning,
            )
        fits.append(fit)
    return fits


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
