"""Degrees of freedom, p-values and F tests beside another program's, or beside their definition.

The methods that are a count (residual, infinite, between-within) are held against the definition,
evaluated from the rows: whether a column varies within units is seen there, not in the formula.
Satterthwaite's by the expected information, what is cluster-robust and the bootstrap are audited by
no program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hlm.audit.engines import OtherInference
from hlm.scenario import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hlm.audit.engines import OtherFit
    from hlm.model.frame import Frame

__all__ = ["OurTest", "compare_inference", "defined_df"]

SMALLEST_P = 1e-6
"""Smaller p-values count as this one: far out in the tails the last digits of a statistic make a
large share of them."""


class OurTest(NamedTuple):
    """An F test as the files have it."""

    F: float
    ddf: float
    p: float


def compare_inference(
    ours: Mapping[str, tuple[float, float, float]],
    our_tests: Mapping[str, OurTest],
    fit: OtherFit,
    frame: Frame,
    inference: str,
) -> dict[str, float]:
    """Return the largest relative differences of one inference.

    Parameters
    ----------
    ours : mapping of str to (float, float, float)
        Estimate, standard error and degrees of freedom of each term.
    our_tests : mapping of str to OurTest
    fit : OtherFit
    frame : Frame
    inference : str
        By which `ours` and `our_tests` are.

    Returns
    -------
    dict of str to float
        `df` and `p`, of the t tests of coefficients; `f`, `f_df` and `f_p`, of the F tests: the
        statistic, its denominator degrees of freedom and the p-value. NaN where there is nothing
        to compare with.
    """
    theirs = fit.inferences.get(inference, OtherInference())
    defined = defined_df(frame, inference)
    df = theirs.df or defined
    p = theirs.p or {name: _p(fit.coef[name] / fit.se[name], df[name]) for name in defined}
    pairs = [(our_tests[name], other) for name, other in theirs.tests.items() if name in our_tests]
    return {
        "df": _largest(_relative(ours[name][2], df[name]) for name in df),
        "p": _largest(
            _relative(_p(ours[name][0] / ours[name][1], ours[name][2]), p[name], SMALLEST_P)
            for name in p
        ),
        "f": _largest(_relative(a.F, b.F) for a, b in pairs),
        "f_df": _largest(_relative(a.ddf, b.ddf) for a, b in pairs),
        "f_p": _largest(_relative(a.p, b.p, SMALLEST_P) for a, b in pairs),
    }


def defined_df(frame: Frame, method: str) -> dict[str, float]:
    """Return the degrees of freedom that are a count, by the names of the coefficients.

    Rows less coefficients; infinite; or by levels as nlme's `lme`: a column that is constant
    within all units has the units less all such columns, another one the rows less the units less
    all such, one more without an intercept, which has the larger of the two.

    Examples
    --------
    >>> from hlm.model.frame import model_frame
    >>> rows = {"g": np.repeat([1, 2, 3, 4], 3), "a": np.repeat([1.0, 3.0, 0.0, 1.0], 3),
    ...         "x": np.arange(12) % 5, "y": np.arange(12) ** 2 % 7}
    >>> frame = model_frame("y ~ x + a + (1 | g)", rows)
    >>> defined_df(frame, "between-within")
    {'(Intercept)': 7.0, 'x': 7.0, 'a': 2.0}
    >>> defined_df(frame, "residual")["x"], defined_df(frame, "satterthwaite")
    (9.0, {})
    """
    n, p = frame.X.shape
    match method:
        case "residual":
            df = [float(n - p)] * p
        case "infinite":
            df = [np.inf] * p
        case "between-within":
            df = list(_by_levels(frame))
        case _:
            return {}
    return dict(zip(frame.names, df, strict=True))


def _by_levels(frame: Frame) -> Iterator[float]:
    units = [frame.X[frame.units == unit] for unit in range(len(frame.unit_names))]
    between = np.all([np.ptp(rows, axis=0) == 0.0 for rows in units], axis=0)
    constant = np.array([name == INTERCEPT for name in frame.names])
    of_units = float(len(units) - between.sum())
    of_rows = float(len(frame.X) - len(units) - (~between).sum() + (not constant.any()))
    for is_constant, is_between in zip(constant, between, strict=True):
        yield max(of_units, of_rows) if is_constant else of_units if is_between else of_rows


def _p(t: float, df: float) -> float:
    """Two-sided p-value of t; of a normal deviate where `df` is infinite."""
    from scipy.special import ndtr, stdtr

    return 2.0 * float(ndtr(-abs(t)) if np.isinf(df) else stdtr(df, -abs(t)))


def _relative(ours: float, other: float, least: float = 0.0) -> float:
    """Return the difference over the larger of our value and `least`; 0 between equals."""
    if ours == other:
        return 0.0
    return abs(max(other, least) - max(ours, least)) / max(abs(ours), least)


def _largest(differences: Iterator[float]) -> float:
    """Return the largest number; NaN if there is none."""
    found = [value for value in differences if not np.isnan(value)]
    return max(found, default=float("nan"))
