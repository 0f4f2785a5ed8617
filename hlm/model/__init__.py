"""Real data: a data frame and a formula in, a fitted model out."""

from hlm.model.lmer import LmerFit, lmer, lmer_each

__all__ = ["LmerFit", "lmer", "lmer_each"]
