"""Real data: a data frame and a formula in, a fitted model out."""

from hlm.model.each import lmer_each
from hlm.model.lmer import lmer
from hlm.model.result import LmerFit

__all__ = ["LmerFit", "lmer", "lmer_each"]
