"""What replicates say: performance measures, rejection rates of F tests, selection rates."""

from hlm.measures.f_tests import rejection_rates
from hlm.measures.likelihood_ratio import likelihood_ratio
from hlm.measures.performance import performance
from hlm.measures.predictions import prediction_measures, sum_predictions
from hlm.measures.selection import rates, selection_rates
from hlm.measures.summarize import (
    count_fits,
    count_tests,
    join_summaries,
    summarize,
    summarize_estimates,
)

__all__ = [
    "count_fits",
    "count_tests",
    "join_summaries",
    "likelihood_ratio",
    "performance",
    "prediction_measures",
    "rates",
    "rejection_rates",
    "selection_rates",
    "sum_predictions",
    "summarize",
    "summarize_estimates",
]
