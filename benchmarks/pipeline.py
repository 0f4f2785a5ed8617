"""Where the time of a study goes, in microseconds for each data set: kernels, and all else.

    python -m benchmarks.pipeline [--replicates 1000000]

One scenario of 30 units of 30 rows, one x for all units, two models by two methods. The kernels
draw, reduce and fit in one process, in memory; the rules are those of `hlm run`, by the processor
time that Snakemake measures, in which the start of each job is.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from hlm.fits.candidates import fit_model
from hlm.fits.warm_up import warm_up
from hlm.inference.variants import kernels_of
from hlm.simulate import simulate
from hlm.study import Study

STUDY = """\
name: pipeline
seed: 1
replicates: {replicates}
truth:
  formula: y ~ x * a + (1 + x | unit)
  fixed: {{(Intercept): 0, x: 0.2, a: 0.2, "x:a": 0.1}}
  random: {{unit: {{sd: {{(Intercept): 0.5, x: 0.3}}, cor: 0.2}}}}
  residual: {{sd: 1}}
design:
  units: 30
  rows: 30
  covariates:
    x: {{level: row, grid: {{from: -4, to: 4, endpoint: false}}}}
    a: {{level: unit, distribution: normal}}
models: {{full: y ~ x * a + (1 + x | unit), no_a: y ~ x + (1 + x | unit)}}
"""
DATA_SETS = 20_000
"""Data sets that the kernels are timed on."""

RULES = ("fit", "compact", "summarize", "present")


def kernel_seconds() -> float:
    """Return the seconds of one core that drawing and fitting one data set takes, at best."""
    study = Study.from_text(STUDY.format(replicates=DATA_SETS))
    (scenario,) = study.scenarios
    warm_up(study.models)
    kernels = {one.q: one for one in kernels_of(study.models)}
    best = float("inf")
    for _ in range(3):
        start = process_time()
        drawn = simulate(scenario, study.models, study.seed, 0, DATA_SETS)
        for model, columns in zip(study.models, drawn.columns, strict=True):
            fit_model(model, columns, drawn.cross, kernels[len(columns.random)])
        best = min(best, process_time() - start)
    return best / DATA_SETS


def rule_seconds(replicates: int) -> dict[str, float]:
    """Return the seconds of one core that each rule takes in a run."""
    with TemporaryDirectory() as folder:
        study = Path(folder, "study.yaml")
        study.write_text(STUDY.format(replicates=replicates), encoding="utf-8")
        hlm = [sys.executable, "-c", "import sys; from hlm.cli import main; sys.exit(main())"]
        command = [*hlm, "run", str(study), "--results", folder, "--cores", "2"]
        subprocess.run(command, check=True, capture_output=True)
        return {rule: _cpu(Path(folder, "pipeline", "benchmarks"), rule) for rule in RULES}


def _cpu(folder: Path, rule: str) -> float:
    files = [*folder.glob(f"{rule}.tsv"), *folder.glob(f"{rule}/*.tsv")]
    rows = (row for file in files for row in csv.DictReader(file.open(), delimiter="\t"))
    return sum(float(row["cpu_time"]) for row in rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1_000_000)
    replicates = parser.parse_args().replicates
    kernels = kernel_seconds()
    rules = rule_seconds(replicates)
    print(f"{replicates:,} replicates, microseconds for each")
    print(f"  {'kernels':12}{1e6 * kernels:8.1f}")
    for rule, seconds in rules.items():
        print(f"  {rule:12}{1e6 * seconds / replicates:8.1f}")
    total = sum(rules.values()) / replicates
    print(f"  {'all rules':12}{1e6 * total:8.1f}  {total / kernels:.2f} times the kernels")


if __name__ == "__main__":
    main()
