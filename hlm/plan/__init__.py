"""What a study needs computed, cut into batches; light to import, for it is read by every job."""

from hlm.plan.batch import GRAIN, Batch, Range
from hlm.plan.chunking import chunks, holdings
from hlm.plan.plan import BATCH_SECONDS, Plan, make_plan

__all__ = [
    "BATCH_SECONDS",
    "GRAIN",
    "Batch",
    "Plan",
    "Range",
    "chunks",
    "holdings",
    "make_plan",
]
