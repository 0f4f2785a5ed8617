"""Join the summaries of all scenarios."""

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.operations.parts import check_alike
from hlm.plan import Plan
from hlm.results import SUMMARIES
from hlm.stages.job_log import stderr_to
from hlm.stages.summarize import join_chunks

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
plan = Plan.read(snakemake.params.plan)
parts = Path(snakemake.input.receipts[0]).parent
check_alike(parts, [batch.name for batch in plan.batches], code=plan.code)
for kind in SUMMARIES:
    join_chunks(plan, snakemake.input[kind], snakemake.output[kind], kind)
