"""Monte Carlo studies of hierarchical linear models.

The names below are imported when they are first used: a job pays only for what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "InputError",
    "Results",
    "Study",
    "anova",
    "likelihood_ratio",
    "lmer",
    "lmer_each",
    "performance",
]

_HOMES = {
    "__version__": "hlm.versions",
    "InputError": "hlm.errors",
    "Results": "hlm.opened_results",
    "Study": "hlm.study",
    "anova": "hlm.model",
    "likelihood_ratio": "hlm.measures",
    "lmer": "hlm.model",
    "lmer_each": "hlm.model",
    "performance": "hlm.measures",
}


def __getattr__(name: str) -> Any:
    """Import a public name from the module that holds it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hlm' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
