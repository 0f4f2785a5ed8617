"""Write the tables of the study."""

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.plan import Plan
from hlm.stages.log import stderr_to
from hlm.tables import write_all

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
write_all(Plan.read(snakemake.input.plan), Path(snakemake.input.measures).parent)
