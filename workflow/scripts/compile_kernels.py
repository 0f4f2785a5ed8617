"""Compile the numerical kernels once, before jobs could do so at the same time."""

from typing import TYPE_CHECKING

from hlm.engine import warm_up
from hlm.stages.log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
warm_up()
