"""Results of a tiny study, made without Snakemake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.operations.lock import run_lock
from hlm.operations.parts import part_file
from hlm.operations.prepare import prepare
from hlm.plan.chunking import chunks
from hlm.results import SUMMARIES
from hlm.stages.compact import compact, write_scenarios
from hlm.stages.fit import simulate_and_fit
from hlm.stages.summarize import join_chunks, summarize_chunk
from hlm.study import Study

if TYPE_CHECKING:
    from hlm.plan import Plan

TINY = Path(__file__).parent / "workflow" / "tiny.yaml"


def make_results(
    folder: Path, *, study: Path = TINY, batch_seconds: float = 30.0, allow_code: bool = False
) -> Path:
    """Run a study up to its sorted files; return its folder."""
    loaded = Study.load(study, allow_code=allow_code)
    results = folder / loaded.name
    with run_lock(results):
        plan = prepare(loaded, folder, batch_seconds=batch_seconds)
    for batch in plan.batches:
        _run_batch(plan, batch.name, results)
    gather(plan, results)
    return results


def gather(plan: Plan, results: Path) -> None:
    """Write the sorted files."""
    compact(plan, results / "parts", {kind: results / f"{kind}.parquet" for kind in plan.kinds})
    write_scenarios(plan, results / "scenarios.parquet", results / "scenarios.csv")


def _run_batch(plan: Plan, name: str, results: Path) -> None:
    parts = results / "parts"
    simulate_and_fit(
        plan,
        name,
        files={kind: part_file(parts, name, kind) for kind in plan.kinds},
        receipt=parts / f"{name}.json",
    )


def summarize_results(plan: Plan, results: Path) -> None:
    """Write the tables of summaries."""
    pieces = {kind: [] for kind in SUMMARIES}
    for chunk in range(len(chunks(plan))):
        files = {kind: results / "chunks" / f"{chunk}.{kind}.parquet" for kind in pieces}
        summarize_chunk(plan, chunk, results / "parts", files)
        for kind, path in files.items():
            pieces[kind].append(path)
    for kind, paths in pieces.items():
        join_chunks(plan, paths, results / f"{kind}.parquet", kind)
