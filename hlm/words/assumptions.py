"""What the scenarios of a study with violated assumptions are called in its results."""

from __future__ import annotations

__all__ = ["ASSUMPTIONS", "NOMINAL"]

ASSUMPTIONS = "assumptions"
"""The factor of the grid that tells violations apart, and that of their differences."""

NOMINAL = "nominal"
"""Its first level: nothing is violated."""
