"""Fit a sample of data sets again by another program."""

from pathlib import Path
from typing import TYPE_CHECKING

import hlm.job_start  # noqa: F401 - before all else
from hlm.audit import available_engines, run_audit
from hlm.plan import Plan
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
run_audit(
    Path(snakemake.output.csv).parent,
    available_engines(),
    n=snakemake.params.audited,
    seed=Plan.read(snakemake.params.plan).seed,
    allow_code=snakemake.config.get("allow_code") is True,
)
