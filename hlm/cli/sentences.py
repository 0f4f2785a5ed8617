"""Numbers as a person says them, and columns of them."""

from __future__ import annotations

from hlm.words.aligned import aligned

__all__ = ["aligned", "duration", "size"]

UNITS_OF_TIME = (("days", 86400.0, 48 * 3600.0), ("hours", 3600.0, 5400.0), ("min", 60.0, 90.0))


def duration(seconds: float) -> str:
    """Return a length of time with two digits.

    Examples
    --------
    >>> duration(0.2), duration(47.2), duration(200), duration(5400), duration(3e5)
    ('1 s', '47 s', '3.3 min', '1.5 hours', '3.5 days')
    """
    for unit, length, least in UNITS_OF_TIME:
        if seconds >= least:
            return f"{_short(seconds / length)} {unit}"
    return f"{max(1, round(seconds))} s"


def size(n_bytes: float) -> str:
    """Return a number of bytes with two digits.

    Examples
    --------
    >>> size(1200), size(3_400_000), size(12e9), size(2.5e12)
    ('1.2 kB', '3.4 MB', '12 GB', '2.5 TB')
    """
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= length:
            return f"{_short(n_bytes / length)} {unit}"
    return f"{_short(n_bytes / 1e3)} kB"


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
