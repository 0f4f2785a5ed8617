"""What `hlm check` predicts against what a run takes: `python -m benchmarks.quote`.

Runs studies of different shape from nothing (with compiled kernels) and prints, for each, what
was predicted and measured: core seconds (user and system time of all processes), wall seconds,
jobs, files and bytes. With --scale, plans 10,000 scenarios of 10,000 replicates.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hlm.fits import warm_up
from hlm.operations.forecast import forecast
from hlm.operations.pilot import cost_ratio
from hlm.plan import make_plan
from hlm.study import Study

CORES = 2
HLM = [sys.executable, "-c", "import sys; from hlm.cli import main; sys.exit(main())"]

HEAD = """
name: {name}
seed: 1
replicates: {replicates}
truth:
  formula: {truth}
  fixed: {{{fixed}}}
  random: {{unit: {{sd: {{{sd}}}{cor}}}}}
  residual: {{sd: {sigma}}}
design:
  units: 30
  rows: 15
  covariates: {{{covariates}}}
grid: {{{grid}}}
models: {{{models}}}
estimation: {{{estimation}}}
"""

PLAIN = {
    "truth": "y ~ x * a + (1 + x | unit)",
    "fixed": '(Intercept): 1.0, a: 0.2, x: 1.0, "x:a": 0.3',
    "sd": "(Intercept): 0.5, x: 0.4",
    "cor": ", cor: 0.3",
    "sigma": "0.75",
    "covariates": "a: {level: unit, distribution: normal}, "
    "x: {level: row, grid: {from: -1, to: 1}}",
    "estimation": "methods: [reml, ml]",
    "models": "whole: y ~ x * a + (1 + x | unit), part: y ~ x + (1 + x | unit)",
}
NORMAL_X = {
    "covariates": "a: {level: unit, distribution: normal}, x: {level: row, distribution: normal}"
}
TWO_SLOPES = {
    "truth": "y ~ x + w + (1 + x + w | unit)",
    "fixed": "(Intercept): 1.0, x: 1.0, w: 0.5",
    "sd": "(Intercept): 0.5, x: 0.4, w: 0.3",
    "covariates": "w: {level: row, distribution: normal}, x: {level: row, distribution: normal}",
    "models": "whole: y ~ x + w + (1 + x + w | unit), blocks: y ~ x + w + (1 + x + w || unit)",
}
EIGHT = ", ".join(
    f"m{number}: y ~ {fixed} + ({random} | unit)"
    for number, (fixed, random) in enumerate(
        (fixed, random) for fixed in ("1", "x", "x + a", "x * a") for random in ("1", "1 + x")
    )
)

SHAPES = {
    "small, one x": PLAIN
    | {"replicates": 4000, "grid": "design.units: [10, 20, 30], design.rows: [5, 10, 15, 30]"},
    "x drawn": PLAIN | NORMAL_X | {"replicates": 10000, "grid": "design.units: [20, 40, 80]"},
    "many units": PLAIN
    | NORMAL_X
    | {"replicates": 1500, "grid": "design.units: [400, 800], design.rows: [5, 10]"},
    "eight models": PLAIN
    | {"replicates": 2500, "models": EIGHT, "grid": "design.units: [10, 15, 20, 30, 60]"},
    "two slopes": PLAIN | TWO_SLOPES | {"replicates": 10000, "grid": "design.units: [20, 60]"},
    "one scenario": PLAIN | {"replicates": 100000, "grid": "design.units: [25]"},
    "300 scenarios": PLAIN
    | NORMAL_X
    | {
        "replicates": 200,
        "grid": "design.units: [10, 20, 30, 40, 50], design.rows: [5, 10, 15, 20, 25, 30], "
        "truth.residual.sd: [0.5, 1.0], truth.random.unit.cor: [0.0, 0.2, 0.4, 0.6, 0.8]",
    },
    "intercepts": PLAIN
    | NORMAL_X
    | {
        "replicates": 8000,
        "truth": "y ~ x * a + (1 | unit)",
        "sd": "(Intercept): 0.3",
        "cor": "",
        "grid": "design.units: [15, 60, 150]",
        "models": "whole: y ~ x * a + (1 | unit), part: y ~ x + (1 | unit)",
    },
    "F tests": PLAIN
    | NORMAL_X
    | {
        "replicates": 10000,
        "grid": "design.units: [10, 20, 40]",
        "estimation": "tests: {line: ['(Intercept)', x], a: [a, 'x:a'], all: [x, a, 'x:a']}",
    },
    "profile limits": PLAIN
    | NORMAL_X
    | {
        "replicates": 2000,
        "grid": "design.units: [20, 40]",
        "estimation": "methods: [reml, ml], df: kenward-roger, limits: profile",
    },
}

STEPS = 10

SCALE = PLAIN | {
    "replicates": 10000,
    "grid": ", ".join(
        f"{path}: [{', '.join(str(first + step * k) for k in range(STEPS))}]"
        for path, first, step in (
            ("design.units", 10, 10),
            ("design.rows", 6, 4),
            ("truth.random.unit.cor", 0.0, 0.1),
            ("truth.random.unit.sd.x", 0.1, 0.1),
        )
    ),
}


@dataclass(frozen=True)
class Measured:
    """What a run took."""

    core_seconds: float
    wall_seconds: float
    files: int
    bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quote", description=__doc__)
    parser.add_argument("--scale", action="store_true", help="plan 10,000 x 10,000 instead")
    parser.add_argument("--only", metavar="SHAPE", help="one of the studies")
    options = parser.parse_args()
    if options.scale:
        print_scale()
        return
    print(f"{'':16}{'core s':>16}{'wall s':>16}{'MB':>16}{'files':>14}")
    for name, shape in SHAPES.items():
        if options.only in (None, name):
            print_shape(name, shape)


def print_shape(name: str, shape: dict[str, object]) -> None:
    with TemporaryDirectory() as folder:
        path = write_study(shape, Path(folder))
        plan = make_plan(Study.load(path))
        warm_up(plan.models)
        ratio = cost_ratio(plan)
        predicted = forecast(plan, ratio)
        took = run(path, Path(folder))
    pairs = (
        (predicted.core_seconds, took.core_seconds),
        (predicted.wall_seconds(CORES), took.wall_seconds),
        (predicted.kept_bytes / 1e6, took.bytes / 1e6),
        (predicted.files, took.files),
    )
    cells = (f"{p:>6.0f}{m:>6.0f}{100 * (p / m - 1):>+4.0f}" for p, m in pairs)
    fits = f"   of which fits {predicted.fit_seconds:.0f} s, {ratio:.2f} of the cost model's"
    print(f"{name:16}" + "".join(cells) + fits, flush=True)


def run(study: Path, folder: Path) -> Measured:
    """Run a study and measure."""
    command = [*HLM, "run", str(study), "--cores", str(CORES), "--results", str(folder / "r")]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    core = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    files = [path for path in (folder / "r" / "study").rglob("*") if path.is_file()]
    print_rules(folder / "r" / "study" / "benchmarks")
    return Measured(core, wall, len(files), sum(path.stat().st_size for path in files))


def print_rules(folder: Path) -> None:
    """Print seconds of a core and largest memory of each rule, from Snakemake's benchmarks."""
    found: dict[str, list[list[str]]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.stem if path.parent == folder else f"{path.parent.name}/"
        found.setdefault(rule, []).append(path.read_text().splitlines()[1].split("\t"))
    for rule, rows in found.items():
        core, memory = sum(float(row[-1]) for row in rows), max(float(row[2]) for row in rows)
        print(f"    {rule:12} {len(rows):4} jobs {core:8.1f} core s {memory:6.0f} MB at most")


def print_scale() -> None:
    """Plan the largest study and print time, memory and what would be made."""
    with TemporaryDirectory() as folder:
        path = write_study(SCALE, Path(folder))
        start = time.monotonic()
        study = Study.load(path)
        read = time.monotonic()
        plan = make_plan(study)
        done = time.monotonic()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"{len(plan.scenarios):,} scenarios of {plan.replicates:,} replicates")
        print(f"read in {read - start:.1f} s, planned in {done - read:.1f} s, {memory:.0f} MB")
        cost = forecast(plan)
        print(f"{cost.jobs:,} jobs, {cost.files:,} files, {cost.kept_bytes / 1e9:.0f} GB")
        hours = (cost.core_seconds / 3600, cost.gather_seconds / 3600)
        print(f"{hours[0]:.0f} core-hours, {hours[1]:.1f} of them to gather the sorted files")
        start, config = time.monotonic(), ["--results", str(Path(folder) / "r")]
        command = [*HLM, "run", str(path), "--cores", "2", *config, "--", "--dry-run", "--quiet"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        print(f"dry run in {time.monotonic() - start:.0f} s, {memory:.0f} MB")


def write_study(shape: dict[str, object], folder: Path) -> Path:
    path = folder / "study.yaml"
    path.write_text(HEAD.format(name="study", **shape), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
