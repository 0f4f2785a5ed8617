"""Times of files that a clock which jumped has set wrong.

Snakemake compares the times of files, and fails a job whose input is from the future. What is
finished is known from names, receipts and checksums; times are made to say nothing against it.
"""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path
from time import time

__all__ = ["mend_times"]

LONG_AGO = 86_400.0
FOLDERS = ("parts", "chunks", "figures", "tables", "round", "round/chunks")
PATTERNS = ("*", *(f"{name}/*" for name in FOLDERS), "benchmarks/**/*.tsv")
"""All that Snakemake counts as output, the benchmarks too."""
MARKS = ".cache/kernels-*"
"""What says that kernels are compiled, one for each set that some batches need."""


def mend_times(results: str | Path, folder: str | Path) -> None:
    """Let no file be from the future, and the marks of compiled kernels older than all else.

    A mark stands for code, of which fingerprints tell the version: if it were newer than the
    batches, all of them would be computed again where Snakemake lacks its notes on them.

    Parameters
    ----------
    results : path
        The folder with a folder for each study.
    folder : path
        The study's.
    """
    now = time()
    for mark in Path(results).glob(MARKS):
        _set(mark, LONG_AGO)
    for path in chain.from_iterable(Path(folder).glob(pattern) for pattern in PATTERNS):
        if path.is_file() and path.stat().st_mtime > now:
            _set(path, now)


def _set(path: Path, time: float) -> None:
    try:
        os.utime(path, (time, time))
    except OSError:  # another's file, which Snakemake will not touch either
        return
