"""How long the summaries of a large study take: `python -m benchmarks.summaries [--scale S]`.

Writes the files of batches of a study of 100 scenarios, 3 models by REML, 10 coefficients in each
and 10,000 replicates, 30 million estimates of made-up numbers; then summarizes it in two processes,
as the jobs of a run would, and prints seconds and memory of the largest process. With --scale 0.1
scenarios have a tenth of the replicates. --true 0 has p-values computed too.
"""

from __future__ import annotations

import argparse
import resource
import time
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from hlm.operations.parts import part_file
from hlm.operations.receipts import make_receipt, receipt_file, write_receipt
from hlm.plan import Plan, chunks, make_plan
from hlm.results import KINDS, SUMMARIES, writing
from hlm.study import Study

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.plan.batch import Range
    from hlm.scenario import Model

CORES, SCENARIOS, REPLICATES = 2, 100, 10_000
NAMES = [f"x{k}" for k in range(1, 10)]

STUDY = """
name: large
seed: 1
replicates: {replicates}
truth:
  formula: y ~ {terms} + (1 | unit)
  fixed: {{(Intercept): {true}, {fixed}}}
  random: {{unit: {{sd: {{(Intercept): 0.5}}}}}}
  residual: {{sd: 1}}
design:
  units: 30
  rows: 15
  covariates: {{{covariates}}}
grid: {{design.units: [{units}]}}
models:
  one: y ~ {terms} + (1 | unit)
  two: y ~ {terms} + (1 + x1 | unit)
  three: y ~ {terms} + (1 + x1 || unit)
estimation: {{methods: [reml]}}
policies: [{policies}]
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.summaries", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the replicates; %(default)s")
    parser.add_argument("--true", type=float, default=0.3, help="of all coefficients; %(default)s")
    parser.add_argument("--policies", default="all", help="with commas; %(default)s")
    options = parser.parse_args()
    text = STUDY.format(
        replicates=int(options.scale * REPLICATES),
        terms=" + ".join(NAMES),
        true=options.true,
        fixed=", ".join(f"{name}: {options.true}" for name in NAMES),
        covariates=", ".join(f"{n}: {{level: row, distribution: normal}}" for n in NAMES),
        units=", ".join(str(30 + k) for k in range(SCENARIOS)),
        policies=options.policies,
    )
    with TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        plan = make_plan(Study.from_text(text))
        plan.write(folder / "plan.json")
        write_parts(plan, folder / "parts")
        (folder / "chunks").mkdir()
        # One process for each, as after the start of a job: what is measured is all that it takes.
        began = time.perf_counter()
        with get_context("spawn").Pool(CORES, maxtasksperchild=1) as pool:
            jobs = [(str(folder), chunk) for chunk in range(len(chunks(plan)))]
            peaks = pool.starmap(summarize, jobs, chunksize=1)
        seconds = time.perf_counter() - began
        n = len(plan.scenarios) * plan.replicates * len(plan.models) * (1 + len(NAMES))
        print(f"{n:,} estimates of coefficients in {len(jobs)} jobs, {CORES} at a time")
        print(f"{seconds:.1f} s, {max(peaks) / 1024:.0f} MB in the largest process")


def summarize(folder: str, chunk: int) -> int:
    """Summarize a chunk; return the most memory that the process had, in kB."""
    from hlm.stages.summarize import summarize_chunk

    plan = Plan.read(Path(folder) / "plan.json")
    files = {kind: Path(folder) / "chunks" / f"{chunk}.{kind}.parquet" for kind in SUMMARIES}
    summarize_chunk(plan, chunk, Path(folder) / "parts", files)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def write_parts(plan: Plan, folder: Path) -> None:
    """Write made-up estimates and fits of all batches."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    for batch in plan.batches:
        for kind in ("estimates", "fits"):
            with writing(part_file(folder, batch.name, kind), KINDS[kind]) as file:
                for part in batch.ranges:
                    file.append(made_up(kind, part, batch.models, rng))
        files = {kind: part_file(folder, batch.name, kind) for kind in ("estimates", "fits")}
        receipt = make_receipt(batch.name, files, code=plan.code, seconds=0.0)
        write_receipt(receipt_file(folder, batch.name), receipt)


def made_up(
    kind: str, part: Range, models: Sequence[Model], rng: np.random.Generator
) -> dict[str, pa.Array]:
    """Return the rows of a range of replicates: replicates, models, terms."""
    n, terms = part.stop - part.start, ["(Intercept)", *NAMES] if kind == "estimates" else [""]
    rows = n * len(models) * len(terms)
    b, s = rng.normal(0.3, 0.1, rows), 0.1 * np.sqrt(rng.chisquare(50, rows) / 50)
    b = b.round(12)  # so that files are of the usual size
    return {
        "scenario": repeated([part.scenario], rows, 1),
        "replicate": pa.array(np.arange(part.start, part.stop).repeat(rows // n), pa.int32()),
        "model": repeated([model.name for model in models], rows, len(terms)),
        "method": repeated(["reml"], rows, 1),
        "term": repeated(terms, rows, 1),
        "inference": repeated(["satterthwaite"], rows, 1),
        "estimate": b,
        "se": s,
        "df": np.full(rows, 25.0),
        "lower": b - 2.06 * s,
        "upper": b + 2.06 * s,
        "status": repeated(["ok"], rows, 1),
        "singular": pa.array(b < 0.15),
        "npar": pa.array(np.full(rows, 12), pa.int32()),
        **dict.fromkeys(("iterations", "boundary_rank"), pa.array(np.ones(rows), pa.int32())),
        **dict.fromkeys(("criterion", "loglik", "aic", "bic"), b),
        **dict.fromkeys(("gradient_norm", "smallest_eigenvalue"), s),
    }


def repeated(names: Sequence[str], rows: int, each: int) -> pa.DictionaryArray:
    codes = np.tile(np.arange(len(names)).repeat(each), rows // (len(names) * each))
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), list(names))


if __name__ == "__main__":
    main()
