"""Tables for papers: measures and selection rates side by side, as CSV, LaTeX, HTML, Markdown.

The CSV has for each measure a column of numbers, one of their Monte Carlo standard errors and one
of the replicates that they rest on; the LaTeX (booktabs, longtable), the HTML and the Markdown have
the error in brackets, and the replicates in square ones where these are not all.

Which tables a study has is in `hlm.plan.report`, which loads no pandas.
"""

from hlm.tables.asked_table import asked_table
from hlm.tables.latex import to_latex
from hlm.tables.markdown import to_markdown
from hlm.tables.page import study_page, table_page
from hlm.tables.paper import paper_pages
from hlm.tables.robustness_table import robustness_table
from hlm.tables.side_by_side import accounting_table, effects_table, policy_table
from hlm.tables.wide import SHOWN, scenario_table, selection_table, wide_table
from hlm.tables.writing import write, write_all, write_pages

__all__ = [
    "SHOWN",
    "accounting_table",
    "asked_table",
    "effects_table",
    "paper_pages",
    "policy_table",
    "robustness_table",
    "scenario_table",
    "selection_table",
    "study_page",
    "table_page",
    "to_latex",
    "to_markdown",
    "wide_table",
    "write",
    "write_all",
    "write_pages",
]
