"""Summarize the estimates and the fits of the study."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stderr = Path(snakemake.log[0]).open("w", buffering=1, encoding="utf-8")

from hlm.plan import Plan  # noqa: E402
from hlm.stages.summarize import summarize_study  # noqa: E402

summarize_study(
    Plan.read(snakemake.input.plan),
    snakemake.input.estimates,
    snakemake.input.fits,
    measures=snakemake.output.measures,
    selection=snakemake.output.selection,
)
