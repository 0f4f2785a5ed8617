"""Draw the figures of the study."""

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.figures.gallery import draw_all
from hlm.plan import Plan
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
allow_code = snakemake.config.get("allow_code") is True
plan = Plan.read(snakemake.params.plan, allow_code=allow_code)
draw_all(plan, Path(snakemake.input.measures).parent, processes=snakemake.threads)
