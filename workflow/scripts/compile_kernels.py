"""Compile the kernels that a study needs once, before jobs could do so at the same time."""

from typing import TYPE_CHECKING

import hlm.job_start  # noqa: F401 - before all else
from hlm.kernel_cache import is_marked
from hlm.stages.job_log import stderr_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake  # noqa: TC004 - Snakemake provides it

stderr_to(snakemake.log[0])
kernels = snakemake.wildcards.kernels
if not all(map(is_marked, kernels.split("+"))):  # asked without Numba, which takes long to load
    from hlm.fits.warm_up import compile_kernels
    from hlm.inference.variants import kernels_named

    compile_kernels(kernels_named(kernels))
