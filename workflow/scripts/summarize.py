"""Summarize the estimates and the fits of the study."""

from typing import TYPE_CHECKING

from hlm.plan import Plan
from hlm.stages.log import stderr_to
from hlm.stages.summarize import summarize_study

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
summarize_study(
    Plan.read(snakemake.input.plan),
    snakemake.input.estimates,
    snakemake.input.fits,
    measures=snakemake.output.measures,
    selection=snakemake.output.selection,
)
