"""Published data sets to try `hlm` on, as they were published, to the last digit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hlm.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NAMES", "load_mathachieve", "load_ogorek2012", "load_sleepstudy", "path"]

NAMES = ("mathachieve", "ogorek2012", "sleepstudy")


def path(name: str) -> Path:
    """Return the file of a data set, a compressed CSV.

    Parameters
    ----------
    name : {'mathachieve', 'ogorek2012', 'sleepstudy'}

    Raises
    ------
    InputError
        If there is no such data set.

    Examples
    --------
    >>> path("ogorek2012").name
    'ogorek2012.csv.gz'
    """
    if name not in NAMES:
        raise InputError(
            f"unknown data set '{name}'", allowed=", ".join(NAMES), suggestion=nearest(name, NAMES)
        )
    return Path(__file__).parent / f"{name}.csv.gz"


def load_ogorek2012() -> pd.DataFrame:
    """Load 30 units of 30 rows, simulated for the article that `hlm` starts from.

    Each unit has its own line in x, whose intercept and slope depend on the unit's attribute a.

    Returns
    -------
    DataFrame, (900, 4)
        `unit` (1 to 30), `a` (one value per unit), `x` (the same 30 points in every unit), `y`.

    References
    ----------
    B. Ogorek (2012). Hierarchical linear models and lmer. Simulated there with R.

    Examples
    --------
    >>> load_ogorek2012().shape
    (900, 4)
    """
    return _load("ogorek2012")


def load_mathachieve() -> pd.DataFrame:
    """Load the mathematics achievement of 7,185 pupils in 160 schools.

    Returns
    -------
    DataFrame, (7185, 8)
        `school`, `minority` (No, Yes), `sex` (Female, Male), `ses` (the pupil's socio-economic
        status), `mathach` (the score), `meanses` (the school's mean status), `sector` (Catholic,
        Public), `cses` (the pupil's status less the mean of the school's pupils in the data).

    References
    ----------
    High School and Beyond, 1982. Data sets MathAchieve and MathAchSchool of the R package nlme.

    S. W. Raudenbush and A. S. Bryk (2002). Hierarchical Linear Models, 2nd edition, chapter 4.

    Examples
    --------
    >>> load_mathachieve()["school"].nunique()
    160
    """
    return _load("mathachieve")


def load_sleepstudy() -> pd.DataFrame:
    """Load the reaction times of 18 sleep-deprived subjects on 10 days.

    Returns
    -------
    DataFrame, (180, 3)
        `Reaction` (mean reaction time, milliseconds), `Days` (0 to 9), `Subject`.

    References
    ----------
    G. Belenky et al. (2003). Patterns of performance degradation and restoration during sleep
    restriction and subsequent recovery: a sleep dose-response study. Journal of Sleep Research
    12, 1-12. Data set sleepstudy of the R package lme4.

    Examples
    --------
    >>> load_sleepstudy()["Subject"].nunique()
    18
    """
    return _load("sleepstudy")


def _load(name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(path(name), dtype=str).apply(_exact)


def _exact(text: pd.Series) -> pd.Series:
    # Not left to read_csv: its default parser was off by a last bit before pandas 3.1.
    for kind in (int, float):
        try:
            return text.astype(kind)
        except ValueError:
            continue
    return text
