"""What replicates say: performance measures, rejection rates of F tests, selection rates."""

from hlm.measures.differences import differences
from hlm.measures.f_tests import rejection_rates
from hlm.measures.factor_effects import factor_effects
from hlm.measures.likelihood_ratio import likelihood_ratio
from hlm.measures.performance import performance
from hlm.measures.selection import rates, selection_rates
from hlm.measures.share_limits import share_limits
from hlm.measures.summarize import summarize, summarize_all, summarize_estimates

__all__ = [
    "differences",
    "factor_effects",
    "likelihood_ratio",
    "performance",
    "rates",
    "rejection_rates",
    "selection_rates",
    "share_limits",
    "summarize",
    "summarize_all",
    "summarize_estimates",
]
