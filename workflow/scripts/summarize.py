"""Join the summaries of all scenarios, or make them where one chunk has all."""

from pathlib import Path
from typing import TYPE_CHECKING

import hlm.job_start  # noqa: F401 - before all else
from hlm.operations.parts import check_alike
from hlm.plan import Plan
from hlm.results import SUMMARIES
from hlm.stages.job_log import stderr_to
from hlm.stages.summarize import join_chunks, summarize_all

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
plan = Plan.read(snakemake.params.plan)
parts = Path(snakemake.input.receipts[0]).parent
check_alike(parts, [batch.name for batch in plan.batches], code=plan.code)
files = {kind: snakemake.output[kind] for kind in SUMMARIES}
if snakemake.params.at_once:
    summarize_all(plan, parts, files)
else:
    for kind, file in files.items():
        join_chunks(plan, snakemake.input[kind], file, kind)
