"""A program run compiled and with the compiler switched off."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np


def run_both(program, folder):
    """Return what a program saves as argv[1], run compiled and with NUMBA_DISABLE_JIT=1."""
    found = []
    for disable in ("0", "1"):
        file = folder / f"{disable}.npy"
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disable}
        command = [sys.executable, "-W", "error", "-c", program, str(file)]
        subprocess.run(command, check=True, env=environment)
        found.append(np.load(file))
    return found
