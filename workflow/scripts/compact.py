"""Gather the results of all batches in one sorted file each."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stderr = Path(snakemake.log[0]).open("w", buffering=1, encoding="utf-8")

from hlm.plan import Plan  # noqa: E402
from hlm.stages.compact import compact, write_scenarios  # noqa: E402

plan = Plan.read(snakemake.input.plan)
write_scenarios(plan, snakemake.output.scenarios, snakemake.output.scenarios_csv)
compact(
    plan,
    Path(snakemake.input.estimates[0]).parent,
    estimates=snakemake.output.estimates,
    fits=snakemake.output.fits,
)
