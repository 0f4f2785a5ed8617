"""All findings of a study: each stands alone, and none ends the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.report.band_finding import coverage_findings, size_findings
from hlm.report.bias_finding import bias_findings
from hlm.report.choice_finding import choice_findings
from hlm.report.finding import Finding
from hlm.report.fit_finding import fit_findings
from hlm.report.power_finding import power_findings
from hlm.report.violation_finding import violation_findings
from hlm.results.shown import attempt, of_first_policy, read_results, with_inference
from hlm.words.assumptions import ASSUMPTIONS, NOMINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from hlm.results.shown import Planned

__all__ = ["findings"]

_READ = ["bias", "coverage", "rejection", "n_total"]


def findings(
    study: Planned, folder: str | Path, *, primary: Sequence[str] = (), strict: bool = False
) -> tuple[Finding, ...]:
    """Say what the results of a study are, from its summaries.

    Findings on bias, coverage, size and power are on the scenarios without violated assumptions.

    Parameters
    ----------
    study : Study or Plan
    folder : path
        The study's folder of results.
    primary : sequence of str
        The terms whose power is told.
    strict : bool
        Raise what may be a fault of the program.
    """
    measures = _measures(study, folder)
    nominal = measures
    if ASSUMPTIONS in measures:
        nominal = measures[measures[ASSUMPTIONS] == NOMINAL].drop(columns=ASSUMPTIONS)
    questions: dict[str, Callable[[], Iterable[Finding]]] = {
        "Bias": lambda: bias_findings(nominal),
        "Coverage": lambda: coverage_findings(nominal, study.models),
        "Size of tests": lambda: size_findings(nominal, study.models),
        "Power": lambda: power_findings(nominal, primary),
        "Violated assumptions": lambda: violation_findings(measures, _differences(study, folder)),
        "Selection": lambda: choice_findings(read_results(study, folder, "selection", {}), study),
        "Fits": lambda: fit_findings(read_results(study, folder, "accounting", {})),
    }
    found: list[Finding] = []
    for title, answer in questions.items():
        found += attempt(
            lambda answer=answer: list(answer()),  # type: ignore[misc]
            lambda why, title=title: [Finding(title, f"This finding {why}")],  # type: ignore[misc]
            strict=strict,
        )
    return tuple(found)


def _measures(study: Planned, folder: str | Path) -> pd.DataFrame:
    measures = read_results(study, folder, "measures", {"measure": _READ})
    return with_inference(of_first_policy(measures))


def _differences(study: Planned, folder: str | Path) -> pd.DataFrame:
    wanted = {"factor": [ASSUMPTIONS], "measure": ["rejection", "coverage"]}
    return with_inference(of_first_policy(read_results(study, folder, "differences", wanted)))
