"""What a study needs computed, cut into batches; light to import, for it is read by every job."""

from hlm.plan.batch import GRAIN, Batch, Range
from hlm.plan.chunking import chunks, holdings
from hlm.plan.plan import BATCH_SECONDS, Plan, make_plan
from hlm.plan.prepare import check_code, open_plan, prepare

__all__ = [
    "BATCH_SECONDS",
    "GRAIN",
    "Batch",
    "Plan",
    "Range",
    "check_code",
    "chunks",
    "holdings",
    "make_plan",
    "open_plan",
    "prepare",
]
