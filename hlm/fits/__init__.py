"""Fitting: a stack of simulated data sets and candidate models -> tables of estimates."""

from hlm.fits.candidates import fit_batch
from hlm.fits.warm_up import has_lanes, warm_up

__all__ = ["fit_batch", "has_lanes", "warm_up"]
