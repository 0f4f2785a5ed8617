"""The kind of machine, as far as it changes numbers.

Kernels are compiled to strict IEEE arithmetic, which is the same everywhere. The functions of the
mathematical library and of NumPy (exp, log, tanh, ...) are not: their last digit depends on the
library's version and on whether the processor has fused multiply-add and wide vectors. A digest
of their values at fixed points tells machines apart that give other numbers, and no others.
"""

from __future__ import annotations

import math
import platform
from functools import cache
from hashlib import blake2b

import numpy as np

__all__ = ["arithmetic", "machine"]

POINTS = 4000


def machine() -> dict[str, str]:
    """Return the processor as LLVM names it, the system, and the digest of its arithmetic."""
    from llvmlite.binding import get_host_cpu_name

    return {
        "cpu": get_host_cpu_name(),
        "system": platform.platform(),
        "arithmetic": arithmetic(),
    }


@cache
def arithmetic() -> str:
    """Return 8 hexadecimal digits that are the same on machines which give the same numbers.

    Examples
    --------
    >>> len(arithmetic())
    8
    """
    inside = np.modf(np.arange(1, POINTS) * 0.6180339887498949)[0]
    wide = 8.0 * inside - 4.0
    # A change of basis, as where covariates are centred: small and triangular.
    basis = np.tril(wide[:3600].reshape(-1, 4, 4), -1) + np.eye(4)
    values = [np.exp(wide), np.log(inside), np.log1p(inside), np.tanh(wide), np.arctanh(inside)]
    # Others, as expm1, come from the same library and differ with the same features.
    values += [np.sin(wide), np.cos(wide), np.tan(wide)]
    values += [np.linalg.inv(basis), basis @ basis]
    for function in (math.exp, math.log, math.log1p, math.tanh, math.atanh, math.sin, math.cos):
        values.append(np.array([function(x) for x in inside.tolist()]))
    return blake2b(b"".join(value.tobytes() for value in values), digest_size=4).hexdigest()
