"""Which tables a study has, known from its plan alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hlm.figures.catalogue import Planned

__all__ = ["TITLES", "names"]

TITLES = {
    "performance_fixed": "Performance, fixed effects",
    "performance_random": "Performance, random part",
    "performance_tests": "Rejection rates, F tests",
    "selection": "Selection rates",
}
"""Every table's name, which is also its file's and its caption's, and its title."""


def names(study: Planned) -> tuple[str, ...]:
    """Return the names of the tables that a study has; one model alone is not selected."""
    lacking = {
        "performance_tests": not any(model.tests for model in study.models),
        "selection": len(study.models) < 2,
    }
    return tuple(name for name in TITLES if not lacking.get(name))
