"""Where a job says what went wrong."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["stderr_to"]


def stderr_to(path: str | Path) -> None:
    """Send this process' standard error, tracebacks too, to a file until the process ends."""
    sys.stderr = Path(path).open("w", buffering=1, encoding="utf-8")  # noqa: SIM115
