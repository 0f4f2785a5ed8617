"""Monte Carlo studies of hierarchical linear models.

The names below are imported when they are first used: a job pays only for what it needs.
"""

from __future__ import annotations

from hlm.lazy_names import lazy_names

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


__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
