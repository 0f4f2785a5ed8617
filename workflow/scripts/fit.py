"""Fit the models to the data sets of one batch."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stderr = Path(snakemake.log[0]).open("w", buffering=1, encoding="utf-8")

from hlm.plan import Plan  # noqa: E402
from hlm.stages.fit import fit_models  # noqa: E402

fit_models(
    Plan.read(snakemake.input.plan),
    snakemake.wildcards.batch,
    snakemake.input.crossproducts,
    estimates=snakemake.output.estimates,
    fits=snakemake.output.fits,
)
