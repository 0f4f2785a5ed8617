"""Write the tables of the study, and its file and its grid as pages."""

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.plan import Plan
from hlm.stages.job_log import stderr_to
from hlm.tables.writing import write_all, write_pages

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
plan, folder = Plan.read(snakemake.params.plan), Path(snakemake.input.measures).parent
write_all(plan, folder)
write_pages(plan, folder)
