"""Nouns after numbers."""

from __future__ import annotations

__all__ = ["counted", "noun"]


def noun(n: float, one: str, many: str | None = None) -> str:
    """Return the words for one thing or for several; these end in s unless given.

    Examples
    --------
    >>> noun(1, "job"), noun(0, "job"), noun(2, "batch", "batches")
    ('job', 'jobs', 'batches')
    """
    return one if n == 1 else many or f"{one}s"


def counted(n: int, one: str, many: str | None = None) -> str:
    """Return a number and the words for so many things.

    Examples
    --------
    >>> counted(1, "model was fitted", "models were fitted"), counted(36000, "replicate")
    ('1 model was fitted', '36,000 replicates')
    """
    return f"{n:,} {noun(n, one, many)}"
