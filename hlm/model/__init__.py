"""Real data: a data frame and a formula in, a fitted model out."""

from hlm.model.anova import Anova, anova
from hlm.model.each import lmer_each
from hlm.model.lmer import lmer
from hlm.model.result import LmerFit

__all__ = ["Anova", "LmerFit", "anova", "lmer", "lmer_each"]
