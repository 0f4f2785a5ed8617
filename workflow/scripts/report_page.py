"""Write the report of the study."""

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.plan import Plan
from hlm.report.report_page import write_report
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
write_report(
    Plan.read(snakemake.params.plan),
    Path(snakemake.input.measures).parent,
    audited=snakemake.params.audited > 0,
)
