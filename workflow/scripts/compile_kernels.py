"""Compile the kernels that a study needs once, before jobs could do so at the same time."""

from typing import TYPE_CHECKING

import hlm.job_start  # noqa: F401 - before all else
from hlm.inference.variants import kernels_named
from hlm.kernel_cache import is_compiled
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
needed = kernels_named(snakemake.wildcards.kernels)
if not all(is_compiled(one.name) for one in needed):
    from hlm.fits.warm_up import compile_kernels  # with Numba, which takes a while to load

    compile_kernels(needed)
