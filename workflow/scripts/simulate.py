"""Draw the data sets of one batch."""

from typing import TYPE_CHECKING

from hlm.operations.prepare import check_code
from hlm.plan import Plan
from hlm.stages.job_log import stderr_to
from hlm.stages.simulate import simulate_batch

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
allow_code = snakemake.config.get("allow_code") is True
plan = Plan.read(snakemake.params.plan, allow_code=allow_code)
check_code(plan)
simulate_batch(plan, snakemake.wildcards.batch, snakemake.output[0])
