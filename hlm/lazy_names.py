"""Names of a package that are imported when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["lazy_names"]


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package: who uses one of its names pays for that alone.

    Parameters
    ----------
    package : str
    homes : mapping of str to str
        Name -> module that has it. A name that is also that of a module in the package would come
        to mean that module.

    Examples
    --------
    >>> lazy_names("hlm", {"InputError": "hlm.errors"})("InputError").__name__
    'InputError'
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(import_module(homes[name]), name)

    return get
