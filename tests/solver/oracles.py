"""Oracles that draw from curves of which all is known."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import nct, t

from hlm.solver import Tally


def drawing(*powers, seed):
    """Return an oracle of shares whose probabilities are functions of the point."""
    rng = np.random.default_rng(seed)

    def share(power, ask):
        n = ask.stop - ask.first
        return Tally.of_share(int(rng.binomial(n, power(*ask.point))), n)

    def oracle(asks):
        return [tuple(share(power, ask) for power in powers) for ask in asks]

    return oracle


def drawing_widths(width, *, cv, seed):
    """Return an oracle of widths: means and variances of normal ones."""
    rng = np.random.default_rng(seed)

    def one(ask):
        n, mean = ask.stop - ask.first, width(*ask.point)
        variance = (cv * mean) ** 2 * rng.chisquare(n - 1) / (n - 1)
        return Tally(n, n, rng.normal(mean, cv * mean / np.sqrt(n)), variance, share=False)

    return lambda asks: [(one(ask),) for ask in asks]


def exact_power(n, slope):
    """Return the power of the t test of two arms, n units in all, noncentrality slope sqrt(n)."""
    df, ncp = max(n - 2.0, 1.0), slope * np.sqrt(n)
    if ncp > 12.0:
        return 1.0
    return float(np.clip(nct.sf(t.ppf(0.975, df), df, ncp), 0.0, 1.0))


def normal_power(slope):
    """Return a power curve of a z test, two-sided but for the other tail."""
    return lambda n: float(ndtr(slope * np.sqrt(n) - ndtri(0.975)))


class Remembering:
    """An oracle that counts its asks and answers those that it knows from memory."""

    def __init__(self, oracle, known=None):
        self.oracle = oracle
        self.known = {} if known is None else dict(known)
        self.rounds = []
        self.new = 0

    def __call__(self, asks):
        self.rounds.append(tuple(asks))
        for ask in asks:
            if ask not in self.known:
                self.new += 1
                (self.known[ask],) = self.oracle([ask])
        return [self.known[ask] for ask in asks]
