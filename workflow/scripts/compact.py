"""Gather the results of all batches in one sorted file each."""

from pathlib import Path
from typing import TYPE_CHECKING

import hlm.job_start  # noqa: F401 - before all else
from hlm.plan import Plan
from hlm.stages.compact import compact, write_scenarios
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
plan = Plan.read(snakemake.params.plan)
write_scenarios(plan, snakemake.output.scenarios, snakemake.output.scenarios_csv)
compact(
    plan,
    Path(snakemake.input.parts[0]).parent,
    dict(zip(plan.kinds, snakemake.output.tables, strict=True)),
)
