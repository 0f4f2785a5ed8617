"""Our fits beside another program's: who reached the lower criterion, and how far apart they are.

Both are judged by `criterion_at`, from the rows, at the variances that each program reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from hlm.audit.criterion import criterion_at
from hlm.audit.engines import OtherInference
from hlm.audit.inference import OurTest, compare_inference
from hlm.estimands.kinds import parameters_of
from hlm.estimands.parameters import Parameters
from hlm.inference import COEFFICIENTS
from hlm.model.frame import model_frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.audit.choose import DataSet
    from hlm.audit.engines import Engine, OtherFit, Rows
    from hlm.model.frame import Frame
    from hlm.operations.kept_replicates import KeptReplicates

    Key = tuple[str, int, str, str]

__all__ = ["SAME", "compare", "each_fit", "not_compared", "summarize"]

SAME = 1e-6
"""Criteria closer than this are of the same optimum."""

INFERENCE = ("df", "p", "f", "f_df", "f_p")
"""Differences of inference: compared at optima that are the same and not singular, where the
other programs take derivatives across the boundary or by steps that end there."""


class _OurFit(NamedTuple):
    status: str
    criterion: float
    singular: bool
    iterations: int
    estimates: Mapping[str, Mapping[str, tuple[float, float, float]]]
    tests: Mapping[str, Mapping[str, OurTest]]

    def by(self, inference: str) -> dict[str, tuple[float, float, float]]:
        """Return estimate, standard error and df of each term, by an inference where it has it."""
        return _by(self.estimates, inference)

    def tests_by(self, inference: str) -> dict[str, OurTest]:
        """Return each F test by an inference."""
        return _by(self.tests, inference)


def _by(found: Mapping[str, Mapping[str, Any]], inference: str) -> dict[str, Any]:
    return {name: by.get(inference, next(iter(by.values()))) for name, by in found.items()}


def compare(
    results: KeptReplicates, sets: Sequence[DataSet], rows: Sequence[Rows], engine: Engine
) -> pd.DataFrame:
    """Fit data sets by another engine and put its fits beside ours.

    Parameters
    ----------
    results : KeptReplicates
    sets : sequence of DataSet
    rows : sequence of mapping of str to ndarray
        The columns of each.
    engine : Engine

    Returns
    -------
    DataFrame
        One row for each fit and inference of its coefficients. Of the fit: `engine`, `scenario`,
        `replicate`, `reason`, `model`, `method`; `status` and `other_status`; the criteria `ours`
        and `theirs` at the two optima and their `difference`, negative where ours is lower;
        `replayed`, how far `ours` is from what is in the files; `stated`, the other's by its own
        definition; `singular` and `other_singular`; `iterations`, `other_seconds`, `warning`. Of
        the `inference`: `coef`, the largest difference of a coefficient in standard errors, and
        `se`, the largest relative difference of a standard error; `df`, `p`, `f`, `f_df` and
        `f_p`, as of `inference.compare_inference`; NaN where the other has nothing of the kind.
    """
    ours = _our_fits(results, sets)
    frames: dict[tuple[int, str], Frame] = {}
    models = {model.name: model for model in results.plan.models}
    table = []
    for fit in engine.fit(rows, results.plan.models):
        item = sets[fit.data_set]
        place = (fit.data_set, fit.model)
        if place not in frames:
            frames[place] = model_frame(models[fit.model].formula, rows[fit.data_set])
        our = ours[item.scenario.key, item.replicate, fit.model, fit.method]
        of_fit = {
            "engine": engine.name,
            "scenario": item.scenario.key,
            "replicate": item.replicate,
            "reason": item.reason,
            "model": fit.model,
            "method": fit.method,
            **_optima(our, fit, frames[place]),
        }
        table += [
            of_fit | {"inference": inference, **_differences(our, fit, frames[place], inference)}
            for inference in models[fit.model].df
        ]
    return pd.DataFrame(table)


def each_fit(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row of a table of `compare` for each fit, whatever the number of inferences."""
    return table.drop_duplicates(["engine", "scenario", "replicate", "model", "method"])


def not_compared(table: pd.DataFrame) -> list[str]:
    """Name the inferences of a table of `compare` of which no engine has a number."""
    anything = table[list(INFERENCE)].notna().any(axis=1)
    compared = set(table["inference"][anything])
    return [name for name in table["inference"].drop_duplicates() if name not in compared]


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Count and bound the differences.

    Parameters
    ----------
    table : DataFrame
        Of `compare`, of one engine or several.

    Returns
    -------
    DataFrame
        One row for each engine, model, method and inference: `fits`; those of the `same` optimum,
        within `SAME`; `ours_lower`, `theirs_lower` and by how much at most; `ours_failed`,
        `theirs_failed`, without an optimum; how many are `singular` by one of the two only. Where
        the optimum is the same, the largest difference of coefficients and of standard errors,
        and where neither fit is singular, of degrees of freedom, p-values and F tests.
    """
    rows = []
    keys = ["engine", "model", "method", "inference"]
    for names, group in table.groupby(keys, sort=False, observed=True):
        difference = group["difference"]
        same = group[difference.abs() <= SAME]
        inside = same[~(same["singular"] | same["other_singular"]).astype(bool)]
        labels: dict[str, Any] = dict(zip(keys, names, strict=True))
        rows.append(
            labels
            | {
                "fits": len(group),
                "same": len(same),
                "ours_lower": int((difference < -SAME).sum()),
                "by_at_most": max(0.0, -float(difference.min())),
                "theirs_lower": int((difference > SAME).sum()),
                "by_at_most_": max(0.0, float(difference.max())),
                "ours_failed": int((group["status"] != "ok").sum()),
                "theirs_failed": int((group["other_status"] != "ok").sum()),
                "singular_differs": int((same["singular"] != same["other_singular"]).sum()),
                "coef": float(same["coef"].max()),
                "se": float(same["se"].max()),
                **{name: float(inside[name].max()) for name in INFERENCE},
            }
        )
    return pd.DataFrame(rows)


def _optima(our: _OurFit, fit: OtherFit, frame: Frame) -> dict[str, Any]:
    """Judge both optima by one criterion."""
    starts = np.searchsorted(frame.units, np.arange(len(frame.unit_names)))
    reml = fit.method == "reml"

    def judged(psi: NDArray[np.float64]) -> float:
        return criterion_at(psi, frame.X, frame.Z, frame.y, starts, reml=reml)

    # A search that did not end at an optimum has a last point all the same.
    ours = judged(_psi(our, frame)) if np.isfinite(our.criterion) else np.nan
    theirs = judged(fit.psi) if fit.status == "ok" else np.nan
    return {
        "status": our.status,
        "other_status": fit.status,
        "ours": ours,
        "theirs": theirs,
        "difference": ours - theirs,
        "replayed": our.criterion - ours,
        "stated": fit.criterion,
        "singular": our.singular,
        "other_singular": fit.singular,
        "iterations": our.iterations,
        "other_seconds": fit.seconds,
        "warning": fit.warning,
    }


def _differences(our: _OurFit, fit: OtherFit, frame: Frame, inference: str) -> dict[str, float]:
    """Compare coefficients and what one inference says of them."""
    if fit.status != "ok":
        return dict.fromkeys(("coef", "se", *INFERENCE), np.nan)
    # Standard errors of an inference's own are held against theirs, not against plain ones.
    one = COEFFICIENTS.get(inference)
    own_se = one is not None and (
        one.robust or one.bootstrap or (one.adjusts and fit.method == "reml")
    )
    theirs = fit.inferences.get(inference, OtherInference())
    other_se = theirs.adjusted if own_se else fit.se
    ours = our.by(inference)
    coef = [abs(ours[name][0] - b) / ours[name][1] for name, b in fit.coef.items()]
    se = [abs(b / ours[name][1] - 1.0) for name, b in other_se.items()]
    return {
        "coef": max(coef, default=np.nan),
        "se": max(se, default=np.nan),
        **compare_inference(ours, our.tests_by(inference), fit, frame, inference),
    }


def _psi(our: _OurFit, frame: Frame) -> NDArray[np.float64]:
    """Put the standard deviations and correlations of the files together, over sigma^2."""
    values, names = our.by(""), [one.name for one in parameters_of(frame.terms)]
    at = Parameters.of_estimates(np.array([values[name][0] for name in names]), frame.terms)
    return np.asarray(at.psi / at.sigma**2)


def _our_fits(results: KeptReplicates, sets: Sequence[DataSet]) -> dict[Key, _OurFit]:
    """Read what the files hold of the data sets."""
    chosen: dict[str, list[int]] = {}
    for item in sets:
        chosen.setdefault(item.scenario.key, []).append(item.replicate)
    found: dict[Key, _OurFit] = {}
    for scenario, replicates in chosen.items():
        wanted = np.array(replicates)
        estimates: dict[Key, dict[str, dict[str, tuple[float, float, float]]]] = {}
        for row in results.replicates("estimates", scenario, wanted).to_pylist():
            found_there = (row["estimate"], row["se"], row["df"])
            of_fit = estimates.setdefault(_key(row), {})
            of_fit.setdefault(row["term"], {})[row.get("inference", "")] = found_there
        tests = _our_tests(results, scenario, wanted)
        for row in results.replicates("fits", scenario, wanted).to_pylist():
            found[_key(row)] = _OurFit(
                row["status"],
                row["criterion"],
                row["singular"],
                row["iterations"],
                estimates[_key(row)],
                tests.get(_key(row), {}),
            )
    return found


def _our_tests(
    results: KeptReplicates, scenario: str, replicates: NDArray[np.int64]
) -> dict[Key, dict[str, dict[str, OurTest]]]:
    tests: dict[Key, dict[str, dict[str, OurTest]]] = {}
    if "tests" in results.plan.kinds:
        for row in results.replicates("tests", scenario, replicates).to_pylist():
            test = OurTest(row["statistic"], row["ddf"], row["p_value"])
            of_fit = tests.setdefault(_key(row), {})
            of_fit.setdefault(row["test"], {})[row.get("inference", "")] = test
    return tests


def _key(row: Mapping[str, Any]) -> Key:
    return row["scenario"], row["replicate"], row["model"], row["method"]
