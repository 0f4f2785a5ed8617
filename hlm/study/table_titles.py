"""What a table that a study asks for has where the study does not say it: measures, name, title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlm.table_spec import SHOWN
from hlm.words.inferences import joined
from hlm.words.measures import OF_PREDICTIONS, OF_TERMS, RATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hlm.table_layout import Known

__all__ = ["name_of", "title_of", "usual_measures"]

_MOST = 3  # measures, or terms, that a name or a title lists
_PARTS = {
    "fixed": "fixed effects",
    "random": "random part",
    "tests": "tests",
    "predictions": "coefficients of units",
}


def usual_measures(part: str | None, terms: Sequence[str], known: Known) -> tuple[str, ...]:
    """Return the measures of the usual table of a part, or of some terms."""
    parts = [part] if part else [one.part for name in terms for one in known.terms[name]]
    return tuple(dict.fromkeys(measure for own in parts for measure in SHOWN[own]))


def name_of(measures: Sequence[str], terms: Sequence[str], part: str) -> str:
    """Make a name of what a table shows.

    Examples
    --------
    >>> name_of(["bias", "coverage"], ["x:a"], ""), name_of(["rmse"], [], "random")
    ('bias_coverage_x_a', 'rmse_random')
    """
    if part and tuple(measures) == SHOWN[part]:
        return f"{part}_part"
    text = "_".join([*measures[:_MOST], *(terms[:_MOST] or ([part] if part else []))])
    return "".join(sign if sign.isalnum() else "_" for sign in text)[:64].strip("_")


def title_of(measures: Sequence[str], terms: Sequence[str], part: str) -> str:
    """Make a title of what a table shows.

    Examples
    --------
    >>> title_of(["bias", "coverage"], ["x:a"], ""), title_of(["rmse"], [], "random")
    ('Bias and coverage, x:a', 'Root mean squared error, random part')
    """
    what = joined(map(_noun, measures)) if len(measures) <= _MOST else "performance"
    some = joined(terms) if 0 < len(terms) <= _MOST else "some terms" if terms else ""
    about = _PARTS.get(part) or some
    return f"{what[0].upper()}{what[1:]}" + (f", {about}" if about else "")


def _noun(measure: str) -> str:
    if measure in RATES:
        return RATES[measure].lower()
    return {**OF_TERMS, **OF_PREDICTIONS}[measure].noun.removeprefix("the ")
