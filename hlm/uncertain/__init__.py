"""Parameters of a truth that are uncertain: distributions, from which each data set has its own."""

from hlm.uncertain.drawn_truth import Drawable, DrawnTruth, Uncertain
from hlm.uncertain.priors import PRIORS, Prior, read_prior, written_prior

__all__ = [
    "PRIORS",
    "Drawable",
    "DrawnTruth",
    "Prior",
    "Uncertain",
    "read_prior",
    "written_prior",
]
