"""The study file: read, checked, its grid crossed, down to the plain data that jobs read.

    text -> tree with line numbers -> schema -> grid -> scenarios, models

Whatever is wrong with it is an `hlm.errors.InputError` that says where and what is allowed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hlm.study.schema import schema_text
    from hlm.study.study import Study

__all__ = ["Study", "schema_text"]

_HOMES = {"Study": "hlm.study.study", "schema_text": "hlm.study.schema"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is used: who reads a part of the file pays for that part."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hlm.study' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
