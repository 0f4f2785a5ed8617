"""Summarize the estimates, the fits and the F tests of some scenarios."""

from pathlib import Path
from typing import TYPE_CHECKING

import hlm.job_start  # noqa: F401 - before all else
from hlm.plan import Plan
from hlm.results import SUMMARIES
from hlm.stages.job_log import stderr_to
from hlm.stages.summarize import summarize_chunk

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
summarize_chunk(
    Plan.read(snakemake.params.plan),
    int(snakemake.wildcards.chunk),
    Path(snakemake.input.parts[0]).parent,
    {kind: snakemake.output[kind] for kind in SUMMARIES},
)
