"""How wide text is in print, near enough to choose a size of type for a table."""

from __future__ import annotations

__all__ = ["text_width"]

# Computer Modern Roman at 10 pt, in thousandths of its size.
_CLASSES = {
    "mMW": 900,
    "ABCDEFGHKNOPQRSTUVXYZw&%@": 735,
    "\N{MINUS SIGN}=+<>\N{INFINITY}": 778,
    "abdghknopquvxycezs0123456789JL$\N{EN DASH}_": 510,
    "fjrtI()/[]-": 390,
    "il.,:;'|! ": 290,
}
_WIDTHS = {sign: width for signs, width in _CLASSES.items() for sign in signs}
_OTHER = 700

# Small type is wider for its height than large type: widths of digits over those at 10 pt.
_STRETCHED = {7: 1.14, 8: 1.06, 9: 1.03, 10: 1.0}


def text_width(text: str, size: int = 10) -> float:
    """Return about how many points wide a text is.

    Parameters
    ----------
    text : str
    size : {7, 8, 9, 10}
        Of the type, in points.

    Examples
    --------
    >>> text_width("1000"), round(text_width("1000", 8), 1)
    (20.4, 17.3)
    """
    return size * _STRETCHED[size] * sum(_WIDTHS.get(sign, _OTHER) for sign in text) / 1000
