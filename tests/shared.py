"""What tests of several files share, made once though they run in processes of their own."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from hlm.disk import lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


HLM = [sys.executable, "-c", "import sys; from hlm.cli import main; sys.exit(main())"]
"""`hlm` as a process of its own."""


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first who asks for it makes; others wait, and only read."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, mark = base / name, base / f"{name}.made"
    with (base / f"{name}.lock").open("w") as file:
        lock(file, wait=True)
        if not mark.exists():
            folder.mkdir()
            make(folder)
            mark.touch()
    return folder
