"""Nouns after numbers."""

from __future__ import annotations

__all__ = ["counted", "noun", "seconds_said"]


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


def seconds_said(seconds: float) -> str:
    """Return a time as whole seconds, or where it is short with the digit that says how short.

    Examples
    --------
    >>> seconds_said(1234.5), seconds_said(0.3), seconds_said(0.01), seconds_said(1)
    ('1,234 seconds', '0.3 seconds', 'less than 0.1 seconds', '1 second')
    """
    if seconds < 0.05:
        return "less than 0.1 seconds"
    digits = 1 if seconds < 9.95 else 0
    text = f"{seconds:,.{digits}f}".removesuffix(".0")
    return f"{text} {noun(float(text.replace(',', '')), 'second')}"
