"""Compile the numerical kernels once, before jobs could do so at the same time."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stderr = Path(snakemake.log[0]).open("w", buffering=1, encoding="utf-8")

from hlm.engine import warm_up  # noqa: E402

warm_up()
