"""A study in words: the record of it after ADEMP, a paragraph on methods, and a checklist.

Aims, data-generating mechanism, estimands, methods and performance measures (Morris, White and
Crowther, 2019), filled from the study and, where there are any, from its results. Every formula is
that of the catalogue by which results are named.
"""

from hlm.describe.blocks import Record
from hlm.describe.checklist import NOT_GIVEN, Row, checklist
from hlm.describe.recording import record
from hlm.describe.written_as import to_html, to_latex, to_markdown

__all__ = [
    "NOT_GIVEN",
    "Record",
    "Row",
    "checklist",
    "record",
    "to_html",
    "to_latex",
    "to_markdown",
]
