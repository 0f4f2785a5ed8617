"""Draw the figures, write the tables, the explorer and the report of the study."""

from pathlib import Path
from typing import TYPE_CHECKING

import hlm.job_start  # noqa: F401 - before all else
from hlm.plan import Plan
from hlm.report.present import present
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
allow_code = snakemake.config.get("allow_code") is True
present(
    Plan.read(snakemake.params.plan, allow_code=allow_code),
    Path(snakemake.input.measures).parent,
    processes=snakemake.threads,
    audited=snakemake.params.audited > 0,
)
