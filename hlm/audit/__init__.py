"""A sample of a study's fits, made again from rows by another program."""

from hlm.audit.choose import DataSet, choose
from hlm.audit.compare import SAME, compare, each_fit, not_compared, summarize
from hlm.audit.engines import ENGINES, Engine, available_engines
from hlm.audit.run_audit import run_audit, words

__all__ = [
    "ENGINES",
    "SAME",
    "DataSet",
    "Engine",
    "available_engines",
    "choose",
    "compare",
    "each_fit",
    "not_compared",
    "run_audit",
    "summarize",
    "words",
]
