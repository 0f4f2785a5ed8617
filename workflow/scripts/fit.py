"""Fit the models to the data sets of one batch."""

from typing import TYPE_CHECKING

from hlm.operations.prepare import check_code
from hlm.plan import Plan
from hlm.stages.fit import fit_models
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
plan = Plan.read(snakemake.params.plan)
check_code(plan)
fit_models(
    plan,
    snakemake.wildcards.batch,
    snakemake.input.crossproducts,
    files=dict(zip(plan.kinds, snakemake.output.tables, strict=True)),
    receipt=snakemake.output.receipt,
)
