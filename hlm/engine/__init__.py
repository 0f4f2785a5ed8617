"""The fitting engine: linear mixed models with one grouping factor, exactly and in microseconds."""

from hlm.engine.batch import fit_batch
from hlm.engine.warm_up import warm_up

__all__ = ["fit_batch", "warm_up"]
