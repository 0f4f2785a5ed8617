"""A scenario with a violated assumption less its nominal one, replicate by replicate.

The two have the same random numbers, so a replicate of one has much in common with that of the same
number of the other, and the error of a difference of two measures is that of pairs
(`hlm.measures.pairs`). Of two shares of rejections, p and q, with b replicates that reject under
the violation only and c under the nominal assumptions only, of n, it is McNemar's:

    p - q = (b - c)/n,        MCSE^2 = ((b + c)/n - (p - q)^2)/(n - 1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hlm.measures import influence
from hlm.measures.compared import both_count, compared_columns, rules_of
from hlm.measures.pairs import between_contestants
from hlm.words.assumptions import ASSUMPTIONS, NOMINAL
from hlm.words.measures import OF_INFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from hlm.measures.arrays import Contestant, FitArrays, TermArrays

__all__ = ["Nominal", "fits_from_nominal", "from_nominal"]


@dataclass(frozen=True)
class Nominal:
    """The scenario without violation.

    Attributes
    ----------
    terms : iterable of TermArrays
        In the order of those of the scenario with it, tests among them and no predictions.
    fits : FitArrays or None
    """

    terms: Iterable[TermArrays]
    fits: FitArrays | None


def from_nominal(
    violated: TermArrays,
    nominal: TermArrays,
    *,
    fits: FitArrays | None = None,
    nominal_fits: FitArrays | None = None,
    alphas: Mapping[str, float] | None = None,
    policies: Sequence[str] = ("all",),
) -> Iterator[tuple[Any, ...]]:
    """Yield the measures of a term under a violation less those under the nominal assumptions.

    Where one has more replicates than the other, those count that both have.

    Parameters
    ----------
    violated, nominal : TermArrays
        Of the same term; replicates at one place have the same random numbers.
    fits, nominal_fits : FitArrays, optional
        For policies that look at them.
    alphas : mapping of str to float, optional
        Model -> the p-value below which its F tests reject; needed for tests only.
    policies : sequence of str
        Which replicates count, those of which both fits do.

    Yields
    ------
    tuple
        The columns of `hlm.measures.scenario_summary.DIFFERENCES` but the first.

    Examples
    --------
    >>> from hlm.measures.arrays import P_VALUE, Contestant, TermArrays
    >>> def tested(*p):
    ...     by = (Contestant("m", "ml", ""),)
    ...     return TermArrays("test", "F(a)", by, np.zeros(1), P_VALUE, np.array([[p]]))
    >>> [row] = from_nominal(tested(0.01, 0.02, 0.5), tested(0.01, 0.1, 0.4), alphas={"m": 0.05})
    >>> row[0], row[4], row[8], round(row[9], 3), round(row[10], 3), row[11]
    ('assumptions', 'nominal', 'rejection', 0.333, 0.333, 3)
    """
    n = min(violated.values.shape[-1], nominal.values.shape[-1])
    one, two = (replace(each, values=each.values[..., :n]) for each in (violated, nominal))
    rules, places = rules_of(one.kind), {c: place for place, c in enumerate(two.contestants)}
    seen: set[tuple[str, str]] = set()
    for place, contestant in enumerate(one.contestants):
        if contestant not in places:
            continue
        mine = compared_columns(one, place, alphas or {})
        theirs = compared_columns(two, places[contestant], alphas or {})
        first = contestant.fit not in seen
        seen.add(contestant.fit)
        for policy in policies:
            counted = both_count(
                _counted(fits, policy, contestant, n), _counted(nominal_fits, policy, contestant, n)
            )
            found = between_contestants(mine, theirs, policy, rules, counted)
            for name, value in found.items():
                if first or name in OF_INFERENCE:
                    inference = contestant.inference if name in OF_INFERENCE else ""
                    label = (ASSUMPTIONS, *contestant.fit, inference, NOMINAL)
                    yield (*label, one.term, one.kind, policy, name, *value)


def _counted(
    fits: FitArrays | None, policy: str, contestant: Contestant, n: int
) -> NDArray[np.bool_] | None:
    mask = None if fits is None else fits.policies([policy], contestant.fit)[policy]
    return None if mask is None else mask[:n]


def fits_from_nominal(violated: FitArrays, nominal: FitArrays) -> Iterator[tuple[Any, ...]]:
    """Yield the shares of singular and of failed fits less those under the nominal assumptions.

    Singular ones rest on the replicates of which it is known in both.

    Parameters
    ----------
    violated, nominal : FitArrays

    Yields
    ------
    tuple
        As from `from_nominal`, of no term.
    """
    n = min(violated.status.shape[-1], nominal.status.shape[-1])
    for place, fit in enumerate(violated.fits):
        if fit not in nominal.fits:
            continue
        other = nominal.fits.index(fit)
        singular, theirs = violated.singular[place, :n], nominal.singular[other, :n]
        known = (singular >= 0) & (theirs >= 0)
        pairs = {
            "singular": (singular[known] == 1, theirs[known] == 1),
            "failed": (_failed(violated, place)[:n], _failed(nominal, other)[:n]),
        }
        for name, (mine, its) in pairs.items():
            gap = influence.mean(mine.astype(np.float64) - its)
            label = (ASSUMPTIONS, *fit, "", NOMINAL, "", "", "", name)
            yield (*label, gap.estimate, gap.mcse, gap.psi.size)


def _failed(fits: FitArrays, place: int) -> NDArray[np.bool_]:
    ok = fits.statuses.index("ok") if "ok" in fits.statuses else -1
    return fits.status[place] != ok
