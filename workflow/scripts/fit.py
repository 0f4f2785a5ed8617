"""Draw the data sets of one batch and fit the models to them."""

from typing import TYPE_CHECKING

import hlm.job_start  # noqa: F401 - before all else
from hlm.operations.prepare import check_code
from hlm.plan import Plan
from hlm.stages.fit import simulate_and_fit
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
allow_code = snakemake.config.get("allow_code") is True
plan = Plan.read(snakemake.params.plan, allow_code=allow_code)
check_code(plan)
simulate_and_fit(
    plan,
    snakemake.wildcards.batch,
    files=dict(zip(plan.kinds, snakemake.output.tables, strict=True)),
    receipt=snakemake.output.receipt,
)
