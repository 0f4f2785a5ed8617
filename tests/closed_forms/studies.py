"""Studies of two arms, as a user writes them."""

from __future__ import annotations

from hlm.study import Study

SLOPES = "y ~ time * arm + (1 + time | unit)"
INTERCEPTS = "y ~ time * arm + (1 | unit)"
MEANS = "y ~ arm + (1 | unit)"
ARMS = "{level: unit, grid: [0, 1]}"


def two_arms(formula, truth, *, units, rows, time=None, arm=ARMS, estimation=""):
    """Return scenario and model of a study; `truth` is what stands below its formula."""
    lines = [
        "name: closed",
        "seed: 1",
        "replicates: 100",
        "truth:",
        f"  formula: {formula}",
        *(f"  {line}" for line in truth.strip().splitlines()),
        "design:",
        f"  units: {units}",
        f"  rows: {rows}",
        "  covariates:",
        f"    arm: {arm}",
        *([f"    time: {{level: row, {time}}}"] if time else []),
        f"models: {{m: {formula}}}",
        *([f"estimation: {{{estimation}}}"] if estimation else []),
    ]
    return of_text("\n".join(lines) + "\n")


def of_text(text):
    study = Study.from_text(text)
    (scenario,), (model,) = study.scenarios, study.models
    return scenario, model
