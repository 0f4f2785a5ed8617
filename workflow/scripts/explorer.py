"""Write the explorer of the study."""

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.explorer.explorer_page import write_explorer
from hlm.plan import Plan
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
write_explorer(Plan.read(snakemake.params.plan), Path(snakemake.input.measures).parent)
